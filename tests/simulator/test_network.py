"""The way to the store is as DynamoDB has it: a read that does not ask for a consistent answer may not get one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from scripts.simulation.kernel import Kernel
from scripts.simulation.network import CALM, Connection, Partitions
from scripts.simulation.replicas import LAG_MS, Replicas
from scripts.simulation.store import Store
from waiting_room import schemas

KEY = {"counter": {"S": "join#sale#1#general#0"}, "slot": {"N": "0"}}
PARTITION = KEY["counter"]["S"]
READS: Mapping[str, dict[str, Any]] = {
    "get_item": {"TableName": "counters", "Key": KEY},
    "query": {
        "TableName": "counters",
        "KeyConditionExpression": "#pk = :pk",
        "ExpressionAttributeNames": {"#pk": "counter"},
        "ExpressionAttributeValues": {":pk": KEY["counter"]},
    },
    "scan": {"TableName": "counters"},
    "batch_get_item": {"RequestItems": {"counters": {"Keys": [KEY]}}},
}


def asking(name: str, *, consistent: bool | None) -> dict[str, Any]:
    """The request, with that said about its consistency or nothing at all."""
    said = {} if consistent is None else {"ConsistentRead": consistent}
    request = READS[name]
    if "RequestItems" in request:
        return {"RequestItems": {table: {**wanted, **said} for table, wanted in request["RequestItems"].items()}}
    return {**request, **said}


class World:
    """One process's connection to the counters. `read` tells the number a read finds."""

    def __init__(self) -> None:
        self.kernel = Kernel(seed=1)
        self.partitions = Partitions(self.kernel)
        self.replicas = Replicas(lambda: self.kernel.now_ms, self.kernel.rng)
        store = Store([schemas.table("counters")])
        self.client: Any = Connection(store, self.kernel, self.partitions, lambda: CALM, 1, self.replicas)

    def done(self, name: str, request: dict[str, Any]) -> Any:
        answers: list[Any] = []
        self.kernel.start(lambda: answers.append(getattr(self.client, name)(**request)))
        self.kernel.run(self.kernel.now_ms + 10)
        return answers[0]

    def add(self) -> int:
        """Take the next number."""
        added = {"UpdateExpression": "ADD #seq :one", "ExpressionAttributeNames": {"#seq": "seq"}}
        values = {"ExpressionAttributeValues": {":one": {"N": "1"}}, "ReturnValues": "UPDATED_NEW"}
        answer = self.done("update_item", {"TableName": "counters", "Key": KEY, **added, **values})
        return int(answer["Attributes"]["seq"]["N"])

    def read(self, name: str, *, consistent: bool | None) -> int:
        answer = self.done(name, asking(name, consistent=consistent))
        found = answer.get("Items") or answer.get("Responses", {}).get("counters") or [answer.get("Item")]
        return int(found[0]["seq"]["N"])

    def newest_of(self, name: str, *, consistent: bool | None) -> int:
        """How many of twenty reads, each right after a write, find what was written."""
        return sum(self.add() == self.read(name, consistent=consistent) for _ in range(20))


@pytest.mark.parametrize("name", READS)
def test_only_a_read_that_asks_for_it_is_sure_to_see_what_was_written(name: str) -> None:
    assert World().newest_of(name, consistent=True) == 20
    for consistent in (False, None):
        assert 0 < World().newest_of(name, consistent=consistent) < 20


@pytest.mark.parametrize("name", ["get_item", "query", "batch_get_item"])
def test_a_read_that_does_not_ask_for_it_costs_half(name: str) -> None:
    for consistent, units in ((True, 1.0), (False, 0.5), (None, 0.5)):
        world = World()
        world.add()
        world.read(name, consistent=consistent)
        assert world.partitions.busiest_reads == units


def test_a_replica_is_no_further_behind_than_it_may_be() -> None:
    world = World()
    for _ in range(20):
        world.kernel.run(world.kernel.now_ms + LAG_MS + 1)
        assert world.add() == world.read("get_item", consistent=None)


def test_two_reads_of_one_partition_are_not_taken_for_each_other() -> None:
    world = World()
    world.done("put_item", {"TableName": "counters", "Item": {**KEY, "seq": {"N": "7"}}})
    world.done("put_item", {"TableName": "counters", "Item": {**KEY, "slot": {"N": "1"}, "seq": {"N": "8"}}})
    for _ in range(20):
        first = world.done("query", {**asking("query", consistent=None), "Limit": 1})
        last = world.done("query", {**asking("query", consistent=None), "Limit": 1, "ScanIndexForward": False})
        assert (first["Items"][0]["seq"], last["Items"][0]["seq"]) == ({"N": "7"}, {"N": "8"})


def test_what_a_write_tells_is_never_old() -> None:
    world = World()
    assert [world.add() for _ in range(20)] == list(range(1, 21))
