"""The processor an exchanger takes, with the SDK and its threads, over the local stack: botocore is nine tenths of it.

A function gets a whole processor for 1,769 MB ("Configure Lambda function memory", AWS Lambda Developer Guide). TLS is
left out: connections are kept, and what goes over them is small.
"""

from __future__ import annotations

import os
import time
from unittest.mock import patch

from scripts.deployment.local import CREDENTIALS, REGION
from scripts.local import LocalStack
from waiting_room import bootstrap, schemas
from waiting_room.adapters.dynamodb import encode
from waiting_room.composition import Stores
from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.dispatch import ZONES_PER_EXCHANGER
from waiting_room.use_cases.exchange import Exchange

SECONDS = 15
WAITING = 5_000
WHOLE_PROCESSOR_MB = 1_769


def run() -> dict[str, float]:
    """Milliseconds of processor time a second of a full exchanger, by how its zones count joins, and what it has."""
    found = {f"exchanger: ms a second it has, {_memory_mb()} MB": _memory_mb() / WHOLE_PROCESSOR_MB * 1000}
    with LocalStack.start() as stack:
        keys = {name.upper(): value for name, value in CREDENTIALS.items()}
        with patch.dict(os.environ, {**keys, "AWS_ENDPOINT_URL": stack.endpoint, "AWS_DEFAULT_REGION": REGION}):
            for counters, joins_per_sec in (("one counter", 100), ("several counters", 2_000)):
                name = f"exchanger: ms a second, {ZONES_PER_EXCHANGER} zones, {counters}"
                found[name] = _cpu_ms_per_sec(stack, counters.split()[0], joins_per_sec)
    return found


def _memory_mb() -> int:
    return int(schemas.functions()["exchanger"]["memory_mb"])


def _cpu_ms_per_sec(stack: LocalStack, name: str, joins_per_sec: int) -> float:
    """Of this process, while it ticks zones with a line: clients are made, and connections, within it."""
    function = stack.names.function("exchanger")
    env = stack.client("lambda").get_function_configuration(FunctionName=function)["Environment"]["Variables"]
    zone_ids = [f"{name}-{number}" for number in range(ZONES_PER_EXCHANGER)]
    stores = Stores(bootstrap._clients(), env["PROTECTED_ZONES_TABLE"], env["COUNTERS_TABLE"])
    for zone_id in zone_ids:
        _open(stores, stack, env["COUNTERS_TABLE"], zone_id, joins_per_sec)
    exchanger = bootstrap.exchanger(env)
    with patch.object(Exchange.__call__, "__defaults__", (SECONDS,)):
        cpu_sec, wall_sec = time.process_time(), time.monotonic()
        exchanger({"zones": zone_ids}, None)
        return (time.process_time() - cpu_sec) * 1000 / (time.monotonic() - wall_sec)


def _open(stores: Stores, stack: LocalStack, counters: str, zone_id: str, joins_per_sec: int) -> None:
    zone = Zone.from_document(
        {
            "zone_id": zone_id,
            "mode": "queueing",
            "rules": [{"paths": [f"/{zone_id}"]}],
            "max_active": 200,
            "inventory": WAITING,
            "expected_joins_per_sec": joins_per_sec,
        }
    )
    stores.zones.save(zone, None)
    gate = GateItem(zone_id, 1, zone.bucket_width_sec, lanes={"general": Watermarks()}, shards=zone.shards)
    stores.gates.create(gate)
    for shard in range(zone.shards):
        key = {"counter": f"join#{zone_id}#1#general#{shard}", "slot": 0}
        stack.client("dynamodb").put_item(TableName=counters, Item=encode({**key, "seq": WAITING}))
