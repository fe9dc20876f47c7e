"""A running Foyer as the tests see it, and what they need to look into it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from botocore.credentials import Credentials

from scripts.edge import Edge
from scripts.local import LocalStack
from scripts.local.stack import CREDENTIALS, REGION
from scripts.operator_api.connection import SigV4
from tests.support.serving import EchoOrigin, served

ADMIN = "/.waiting-room/v1/admin"
SIGNED = SigV4(Credentials(CREDENTIALS["aws_access_key_id"], CREDENTIALS["aws_secret_access_key"]), REGION)
"""Signs as an operator who may do everything."""

GATE_COPY_SEC = 8.0
"""A gatekeeper goes by its copy of the snapshot for 5 s, and three caches in a row keep one for a second each."""

PUBLISHED_SEC = 20.0
"""How long a change may take to reach the gate: a cold publisher on a busy machine."""


def wait_until(holds: Callable[[], Any], within_sec: float, what: str) -> Any:
    """Return the first true value of `holds`. Raises AssertionError when none comes in time."""
    deadline = time.monotonic() + within_sec
    while time.monotonic() < deadline:
        if value := holds():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {within_sec} s: {what}")


def group_members(group: int) -> list[int]:
    """Return the living processes of a process group."""
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):
            state = folder.joinpath("stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            if int(state[2]) == group and state[0] != "Z":
                members.append(int(folder.name))
    return members


@dataclass(frozen=True)
class Foyer:
    """A running Foyer. `site` is the origin behind the gate: it answers with what reached it, and remembers it."""

    stack: LocalStack
    edge: Edge
    site: EchoOrigin
    site_url: str

    @property
    def url(self) -> str:
        """Address visitors use."""
        return self.edge.url

    @property
    def api_url(self) -> str:
        """Address operators use."""
        return self.stack.api_url

    def client(self, service: str) -> Any:
        """Return the boto3 client of a service."""
        return self.stack.client(service)

    def invoke(self, component: str, event: object) -> tuple[str, bool]:
        """Invoke a function; its answer, and whether it failed. One that may run once at a time is waited for."""
        client, name = self.client("lambda"), self.stack.names.function(component)

        def answered() -> Any:
            try:
                return client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
            except client.exceptions.TooManyRequestsException:
                return None

        answer = wait_until(answered, 60, f"{component} is free")
        return answer["Payload"].read().decode(), "FunctionError" in answer

    def operate(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Call an operator route; `path` is what follows `/.waiting-room/v1/admin`. 429 did nothing: asked again."""
        for _ in range(3):
            answer = httpx.request(method, f"{self.api_url}{ADMIN}{path}", json=body, auth=SIGNED, timeout=30)
            if answer.status_code != 429:
                break
            time.sleep(float(answer.headers["retry-after"]))
        return answer

    def apply_zone(self, document: dict[str, Any]) -> dict[str, Any]:
        """Create or replace a zone; return the answer (with a new zone's `site_key`) once the gate goes by it."""
        path = f"/zones/{document['zone_id']}"
        current = self.operate("GET", path)
        versioned = {"version": current.json()["version"]} if current.status_code == 200 else {}
        stored = self.operate("PUT", path, document | versioned)
        assert stored.status_code in (200, 201), stored.text
        zone: dict[str, Any] = stored.json()
        self.wait_for_gate(zone)
        return zone

    def wait_for_gate(self, zone: dict[str, Any]) -> None:
        """Return once the gate snapshot has this zone as it is, and the gatekeeper no older copy."""

        def published() -> bool:
            listed = {entry["zone_id"]: entry for entry in self.snapshot()["zones"]}
            entry = listed.get(zone["zone_id"], {})
            return all(entry.get(key) == zone[key] for key in ("run", "control", "observe", "rules"))

        wait_until(published, PUBLISHED_SEC, f"zone {zone['zone_id']} in the gate snapshot")
        time.sleep(GATE_COPY_SEC)

    def kill(self, component: str) -> int:
        """Kill the workers of a function in the middle of what they do; return how many there were."""
        killed = 0
        mark = f"ministack-lambda-{self.stack.names.function(component)}-"
        for process in group_members(self.stack.engine.group or 0):
            with contextlib.suppress(ProcessLookupError, FileNotFoundError):
                if mark in Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8"):
                    os.kill(process, signal.SIGKILL)
                    killed += 1
        return killed

    def snapshot(self) -> dict[str, Any]:
        """Return the gate snapshot as it lies in the bucket."""
        document: dict[str, Any] = json.loads(self.stack.read_object(self.stack.snapshot_key) or b"{}")
        return document


@contextlib.contextmanager
def running_foyer() -> Iterator[Foyer]:
    """Start everything: engine, stack, a site that answers with what reached it, and an edge in front of both."""
    site = EchoOrigin()
    with served(site) as site_url, LocalStack.start() as stack, Edge(0, stack, site_url) as edge:
        yield Foyer(stack, edge, site, site_url)
