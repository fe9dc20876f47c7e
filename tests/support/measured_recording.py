"""What the recorder does with the changes of a busy line, counted on its own code: part of the cost table's basis."""

from __future__ import annotations

import base64
import contextlib
import copy
import gzip
import hashlib
import io
import json
from collections.abc import Sequence
from typing import Any

from scripts.costs.batches import readers, records_a_batch
from tests.support.deployment import Deployment
from tests.support.sale import Sale
from waiting_room import schemas
from waiting_room.streams import PARTITION_KEY, PLACE

KINDS = {"joined": ("joined",), "admitted": ("admitted", "renewed", "completed")}
"""What comes in the stream while people arrive, and while they are let in, stay and buy."""
TIMES = {"joined": "joined_at_ms", "admitted": "admitted_at_ms", "completed": "completed_at_ms"}
TRIGGER: dict[str, Any] = schemas.functions()["recorder"]["triggers"]["stream"]
START_SEC = 1_780_315_200
HALF_SEC = 30

Counts = dict[str, Any]
Record = dict[str, Any]


def recording(speed_per_sec: int) -> dict[str, Counts]:
    """The means of one invocation by what it is about, for a line that moves so fast."""
    return {kind: _recorded(changes, speed_per_sec) for kind, changes in KINDS.items()}


def _recorded(kinds: Sequence[str], speed_per_sec: int) -> Counts:
    """Counts from the middle of a minute, the first half of which is summed up already."""
    world = Deployment()
    _deliver(world, _batches(kinds, speed_per_sec, 0))
    _fill_half(world)
    units, calls, printed = world.dynamo.units, world.calls["recorder"], io.StringIO()
    units.reset()
    calls.clear()
    world.log.lines.clear()
    world.archive.lines.clear()
    given = _batches(kinds, speed_per_sec, HALF_SEC)
    with contextlib.redirect_stdout(printed):
        _deliver(world, given)
    count, rows = len(given), world.archive.lines
    log = sum(len(json.dumps(line)) for line in world.log.lines) + len(printed.getvalue())
    return {
        "records_per_sec": speed_per_sec * len(kinds),
        "records": round(len(rows) / count, 2),
        "write_units": round(units.write / count, 2),
        "read_units": round(units.read / count, 2),
        "aws_calls": round(sum(calls.values()) / count, 2),
        "s3_puts": calls["s3.put_object"],
        "s3_gets": calls["s3.get_object"],
        "log_bytes": round(log / count),
        "row_bytes": round(sum(map(len, rows)) / len(rows)),
        "row_gzip_bytes": round(len(gzip.compress(b"".join(rows), mtime=0)) / len(rows)),
    }


def _batches(kinds: Sequence[str], speed_per_sec: int, first_sec: int) -> list[list[Record]]:
    """What every reader of the stream gathers in a window that begins with a second."""
    window_sec = TRIGGER["batching_window_sec"]
    seconds = range(first_sec, first_sec + window_sec)
    records = [record for second in seconds for kind in kinds for record in _changes(kind, speed_per_sec, second)]
    side_by_side = readers(TRIGGER)
    batches = [records[reader::side_by_side] for reader in range(side_by_side)]
    expected = records_a_batch(TRIGGER, speed_per_sec * len(kinds))
    assert all(abs(len(batch) - expected) < 1 for batch in batches), "a batch is fuller than it can be"
    return batches


def _changes(kind: str, speed_per_sec: int, second: int) -> list[Record]:
    """The changes of a second, one each of as many visitors as the line moves."""
    return [_change(kind, second, number) for number in range(speed_per_sec)]


def _change(kind: str, second: int, number: int) -> Record:
    record = copy.deepcopy(SAMPLES[kind])
    digest = hashlib.sha256(f"{kind} {second} {number}".encode()).digest()
    noted = record["dynamodb"]
    record["eventID"] = digest.hex()[:32]
    noted["Keys"] = {PLACE: {"S": f"z#1#{base64.urlsafe_b64encode(digest[:16]).decode()[:22]}"}}
    noted["ApproximateCreationDateTime"] = START_SEC + second
    for image in ("OldImage", "NewImage"):
        if image in noted:
            noted[image]["seq"] = {"N": str(second * 400 + number + 1)}
    if kind in TIMES:
        noted["NewImage"][TIMES[kind]] = {"N": str((START_SEC + second) * 1000 + number)}
    return record


def _samples() -> dict[str, Record]:
    """A record of the queue's stream for each kind of change in a visit that ends with a purchase."""
    sale = Sale(max_active=4)
    sale.join("a")
    sale.tick(30)
    session = sale.claim("a")
    sale.clock.advance(40)
    sale.renew(session)  # type: ignore[arg-type]
    sale.confirm(session, "order-1")  # type: ignore[arg-type]
    kinds = ("joined", "admitted", "renewed", "completed")
    return dict(zip(kinds, sale.stream.records, strict=True))


SAMPLES = _samples()


def _deliver(world: Deployment, batches: Sequence[Sequence[Record]]) -> None:
    for batch in batches:
        done = world.run("recorder", Records=list(batch))
        assert not done["batchItemFailures"], done


def _fill_half(world: Deployment) -> None:
    """Repeat the seconds there are up to the middle of the minute: every batch reads all of its minute."""
    table, window_sec = world.names.table("counters"), TRIGGER["batching_window_sec"]
    for second in range(window_sec, HALF_SEC):
        key = {PARTITION_KEY: {"S": "counted#z#1"}, "slot": {"N": str(START_SEC + second % window_sec)}}
        item = world.dynamo.get_item(TableName=table, Key=key).get("Item")
        if item:
            world.dynamo.put_item(TableName=table, Item={**item, "slot": {"N": str(START_SEC + second)}})
