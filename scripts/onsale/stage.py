"""What the steps of an on-sale work with: the operator's commands and API, the site's address, and the tables."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from boto3.dynamodb.types import TypeDeserializer

from scripts.operator_api.api import OperatorApi
from scripts.rehearsal import director
from scripts.rehearsal.script import Script
from scripts.rehearsal.verdict import Played
from waiting_room import schemas

Json = dict[str, Any]
PATIENCE_SEC = 120.0
"""For what follows from a command: a cold function on a busy machine may be what it waits for."""


class StepFailed(Exception):
    """Raised when a step did not lead to what must be true after it."""


@dataclass
class Stage:
    """One zone on one running stack. `run_wr` runs a command of `wr` and returns its exit code; `store` is an S3 client
    that reads the bucket `archive`."""

    zone_id: str
    document: Json
    site_url: str
    api: OperatorApi
    dynamodb: Any
    tables: dict[str, str]
    store: Any
    archive: str
    run_wr: Callable[..., int]
    folder: Path
    say: Callable[[str], None]
    played: Future[tuple[Played, bool]] | None = None
    notes: Json = field(default_factory=dict)
    """What one step leaves for a later one."""
    _engines: list[director.Engine] = field(default_factory=list)

    def wr(self, *arguments: str) -> None:
        """Run a command as the operator types it. Raises StepFailed when it did not end with 0."""
        self.say(f"  wr {' '.join(arguments)}")
        code = self.run_wr(*arguments)
        if code != 0:
            raise StepFailed(f"wr {' '.join(arguments)} ended with {code}")

    def must(self, holds: object, what: str) -> None:
        """Say what is true. Raises StepFailed when it is not."""
        if not holds:
            raise StepFailed(what)
        self.say(f"  ok: {what}")

    def until(self, holds: Callable[[], Any], what: str, within_sec: float = PATIENCE_SEC) -> Any:
        """Wait for something that must become true. Raises StepFailed when it does not in time."""
        deadline = time.monotonic() + within_sec
        while time.monotonic() < deadline:
            if value := holds():
                self.say(f"  ok: {what}")
                return value
            time.sleep(0.2)
        raise StepFailed(f"not within {within_sec:g} s: {what}")

    def zone(self) -> Json:
        """The zone as stored."""
        return self.api.zone(self.zone_id)

    def status(self) -> Json:
        """The status document as waiting browsers read it; `{}` before the first of this run."""
        answer = httpx.get(f"{self.site_url}/.waiting-room/status/{self.zone_id}.json", timeout=20.0, trust_env=False)
        document: Json = answer.json() if answer.status_code == 200 else {}
        return document if document.get("run") == self.zone()["run"] else {}

    def tail(self) -> int:
        """Places taken, as visitors are told."""
        return sum(lane["tail"] for lane in self.status().get("lanes", {}).values())

    def places(self) -> list[Json]:
        """Every place of the zone's run, from the queue table itself."""
        prefix = f"{self.zone_id}#{self.zone()['run']}#"
        key = schemas.table("queue")["partition_key"]["name"]
        return [item for item in self._scan("queue") if item[key].startswith(prefix)]

    def admitted(self) -> list[int]:
        """When each session began, epoch milliseconds, in order; from the table."""
        return sorted(int(place["admitted_at_ms"]) for place in self.places() if "admitted_at_ms" in place)

    def sold(self) -> int:
        """What was sold, summed from the counters table."""
        key = schemas.table("counters")["partition_key"]["name"]
        name = f"sold#{self.zone_id}#{self.zone()['run']}"
        return sum(int(item["n"]) for item in self._scan("counters") if item[key] == name)

    def archived_lines(self) -> list[bytes]:
        """Every line of the zone's archive as it lies in the bucket, of all runs, copies too."""
        prefix = f"{schemas.load('archive')['prefix']}zone_id={self.zone_id}/"
        pages = self.store.get_paginator("list_objects_v2").paginate(Bucket=self.archive, Prefix=prefix)
        keys = [each["Key"] for page in pages for each in page.get("Contents", ())]
        files = [self.store.get_object(Bucket=self.archive, Key=key)["Body"].read() for key in keys]
        return [line for file in files for line in file.splitlines() if line]

    def bring(self, script: Script) -> None:
        """Let a crowd come, and go on meanwhile."""
        log = self.folder / f"{self.zone_id}.events.jsonl"
        pool = ThreadPoolExecutor(1)
        self.played = pool.submit(director.play, script, log, self._engines.append)
        pool.shutdown(wait=False)

    def dismiss(self) -> None:
        """Send the crowd home, whatever it still wants."""
        for engine in self._engines:
            if engine.poll() is None:
                engine.terminate()

    @cached_property
    def crowd(self) -> Played:
        """What the crowd met, when the last of it has gone."""
        if self.played is None:
            raise StepFailed("nobody was asked to come")
        return self.played.result(PATIENCE_SEC)[0]

    def zone_file(self) -> Path:
        """The zone's file, as an operator would keep it."""
        path = self.folder / f"{self.zone_id}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.document, indent=2), encoding="utf-8")
        return path

    def _scan(self, table: str) -> list[Json]:
        read = TypeDeserializer().deserialize
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.tables[table], ConsistentRead=True)
        return [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]


def now_ms() -> int:
    """Epoch milliseconds."""
    return time.time_ns() // 1_000_000
