"""A function started as Lambda starts it: a fresh process that imports the handler, then hands it its first event.

AWS is a small server over the models in memory, so that boto3 does all it does, but for TLS.
"""

from __future__ import annotations

import base64
import contextlib
import http.server
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from tests.support.api_world import EVENTS, ROOT, SCRIPT, ZONE_ID, event
from tests.support.deployment import OWN, Deployment
from waiting_room import schemas

TOP = Path(__file__).resolve().parents[2]
LAYER = TOP / "layer" / "python"


@dataclass(frozen=True)
class Started:
    """What a fresh process did: in its init phase, and with its first event."""

    answer: dict[str, Any]
    second: dict[str, Any]
    imported: list[str]
    clients: list[str]
    connections: int
    init_ms: float
    first_ms: float
    second_ms: float


class World:
    """A deployment with one zone, and the address of its AWS."""

    def __init__(self) -> None:
        self.deployment = Deployment()
        self.deployment.clock.ms = time.time_ns() // 1_000_000
        self.deployment.put_zone(max_active=100)
        self.deployment.run("publisher")
        self._refused = 0
        self.address = ""

    @classmethod
    @contextlib.contextmanager
    def serving(cls) -> Iterator[World]:
        """Yield a world that answers on a port of this machine."""
        world = cls()
        handler = type("Handler", (_Handler,), {"world": world})
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            world.address = f"http://127.0.0.1:{server.server_address[1]}"
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            yield world
            server.shutdown()
            thread.join()

    def start(self, component: str, given: dict[str, Any], folder: Path, layer: Path = LAYER) -> Started:
        """Start the function whose handler lies in a folder, and hand it an event twice."""
        values = self.deployment.names.environment(OWN, f"{self.address}/live", f"{self.address}/failures")
        spec = schemas.functions()[component]
        env = {
            "PATH": os.environ["PATH"],
            "AWS_ENDPOINT_URL": self.address,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "eu-west-1",
            "AWS_DEFAULT_REGION": "eu-west-1",
            "PYTHONPATH": f"{layer}:{folder}",
            "PYTHONDONTWRITEBYTECODE": "1",
            **{name: values[name] for name in spec["environment"]},
        }
        child = [sys.executable, str(Path(__file__).with_name("cold_child.py"))]
        done = subprocess.run(child, env=env, input=json.dumps(given), capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(done.stderr)
        return Started(**json.loads(done.stdout.splitlines()[-1]))

    def refuse(self, first: int) -> None:
        """Answer so many calls with a throttle."""
        self._refused = first

    def answer(self, target: str, body: dict[str, Any]) -> dict[str, Any]:
        """One call of boto3, by its X-Amz-Target."""
        if not target:
            # An exchanger is woken: Lambda's calls are told by their path.
            return {}
        service, _, operation = target.partition(".")
        if self._refused:
            self._refused -= 1
            raise ClientError({"Error": {"Code": "ThrottlingException"}}, operation)
        client = self.deployment.secrets if service == "secretsmanager" else self.deployment.dynamo
        method = re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
        found: dict[str, Any] = getattr(client, method)(**body)
        return found or {}


class _Handler(http.server.BaseHTTPRequestHandler):
    """Speaks JSON as DynamoDB and Secrets Manager do, and serves what gates read."""

    world: World
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        try:
            status, answer = 200, self.world.answer(self.headers.get("x-amz-target", ""), _bytes(body))
        except ClientError as error:
            status, answer = 400, {"__type": error.response["Error"]["Code"], "message": "refused"}
        self._send(status, json.dumps(answer, default=_text).encode())

    def do_GET(self) -> None:
        body = self.world.deployment.bucket.objects.get(self.path.lstrip("/"))
        self._send(404, b"") if body is None else self._send(200, body)

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def _bytes(value: Any) -> Any:
    """The binary attributes of a request, which travel as base64."""
    if isinstance(value, dict):
        return {key: base64.b64decode(part) if key == "B" else _bytes(part) for key, part in value.items()}
    return [_bytes(part) for part in value] if isinstance(value, list) else value


def _text(value: Any) -> Any:
    return base64.b64encode(value).decode() if isinstance(value, bytes) else str(value)


def http_event(method: str, path: str, body: Any = None, *, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """An event of the HTTP API, through the distribution."""
    sample = event("enter")
    sample["headers"] = {schemas.behaviours()["origin_secret_header"]: OWN.origin_secret, **(headers or SCRIPT)}
    sample["requestContext"]["http"] |= {"method": method, "path": f"{ROOT}/zones/{ZONE_ID}{path}"}
    sample |= {"rawPath": f"{ROOT}/zones/{ZONE_ID}{path}", "rawQueryString": "", "cookies": []}
    sample["body"] = None if body is None else json.dumps(body)
    return sample


def handshake(cookies: dict[str, str]) -> dict[str, Any]:
    """The event of a WebSocket that is opened with these cookies."""
    opened: dict[str, Any] = json.loads((EVENTS / "websocket_connect.json").read_text())
    opened["headers"]["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return opened
