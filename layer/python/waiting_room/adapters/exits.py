"""Exit records in the counters table: which sessions of a run ended before their leases (PROTOCOL, Exits).

A record is written once at most, by whoever ended the place: a second one would release somebody else's lease. So it
goes through the client that never repeats a call, and into one generation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, decode, encode, reading, writing
from waiting_room.adapters.gates import Gates
from waiting_room.domain.admission.exits import Exit, Generation
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.gate.exit_list import ID_BYTES, exit_id
from waiting_room.retention import DAY_SEC

GENERATION_SIZE = 80
"""Exits of a generation at most: with them an item is one write unit."""
TRIES = 4
"""Generations that are tried: each that is refused was closed, or filled by others, since it was looked for."""
BLOCK = 100
"""Generations read at a time by an exchanger that is new."""
EXIT_RETENTION_SEC = 30 * DAY_SEC
"""Far longer than a token lives and than any process remembers which generations there are."""
_FARTHEST = 2**40


class Exits:
    """Exits by zone and run, in generations numbered from 1: the newest takes more until it is closed or full."""

    def __init__(self, clients: Clients, table_name: str, gates: Gates) -> None:
        self._table = Table(clients, "counters", table_name)
        self._gates = gates

    def add(self, zone_id: str, run: int, sid: str, bucket: int, now_ms: int, verb: str) -> None:
        """Note that a session has ended whose lease is counted in `bucket`; call it once for a session.

        A lease that could not be noted stays counted until its bucket closes, and is logged as a phantom of `verb`.
        """
        try:
            answer = self._add(zone_id, run, exit_id(sid) + bucket.to_bytes(4), now_ms)
        except Overloaded:
            answer = Answer.NO
        if answer is not Answer.YES:
            self._gates.phantom(zone_id, run, bucket, verb=verb)

    def _add(self, zone_id: str, run: int, record: bytes, now_ms: int) -> Answer:
        number = self._open(zone_id, run, consistent=False)
        for _ in range(TRIES):
            answer = writing(
                self._table.clients.once.update_item,
                TableName=self._table.name,
                Key=self._table.key(_partition(zone_id, run), number),
                UpdateExpression="SET #ttl = :ttl, #began = if_not_exists(#began, :now) ADD #exits :exits",
                ConditionExpression="attribute_not_exists(#closed) AND "
                "(attribute_not_exists(#exits) OR size(#exits) < :most)",
                ExpressionAttributeNames={
                    "#ttl": self._table.ttl,
                    "#began": "began_at_ms",
                    "#exits": "exits",
                    "#closed": "closed",
                },
                ExpressionAttributeValues={
                    **encode({":ttl": now_ms // 1000 + EXIT_RETENTION_SEC, ":now": now_ms, ":most": GENERATION_SIZE}),
                    ":exits": {"BS": [record]},
                },
            )
            if answer is not Answer.NO:
                return answer
            number = self._open(zone_id, run, consistent=True)
        return Answer.NO

    def _open(self, zone_id: str, run: int, *, consistent: bool) -> int:
        """The generation that takes the next exit; one that is behind refuses it."""
        newest = self._table.query(_partition(zone_id, run), newest=1, consistent=consistent)
        if newest:
            generation = self._generation(newest[0])
            return generation.number + generation.final
        gate = self._gates.read(zone_id, run)
        return (gate.released_to if gate else 0) + 1

    def after(self, zone_id: str, run: int, number: int) -> list[Generation]:
        """All generations behind `number`, in order (consistent)."""
        items = self._table.query(_partition(zone_id, run), between=(number + 1, _FARTHEST))
        return [self._generation(item) for item in items]

    def since(self, zone_id: str, run: int, at_ms: int) -> list[Generation]:
        """The generations that have exits of `at_ms` or later, in order, and perhaps some before (consistent)."""
        newest = self._table.query(_partition(zone_id, run), newest=1)
        found = [self._generation(item) for item in newest]
        while found and found[0].began_at_ms >= at_ms and found[0].number > 1:
            before = found[0].number - 1
            items = self._table.query(_partition(zone_id, run), between=(before - BLOCK + 1, before))
            if not items:
                break
            found = [*map(self._generation, items), *found]
        return found

    def close(self, zone_id: str, run: int, number: int) -> Generation:
        """Let a generation take no more, and return all it has; done twice it is the same. Raises Overloaded."""
        answer = reading(
            self._table.clients.repeating.update_item,
            TableName=self._table.name,
            Key=self._table.key(_partition(zone_id, run), number),
            UpdateExpression="SET #closed = :true",
            ConditionExpression="attribute_exists(#exits)",
            ExpressionAttributeNames={"#closed": "closed", "#exits": "exits"},
            ExpressionAttributeValues=encode({":true": True}),
            ReturnValues="ALL_NEW",
        )
        return self._generation(decode(answer["Attributes"]))

    def _generation(self, item: Mapping[str, Any]) -> Generation:
        exits = frozenset(
            Exit(record[:ID_BYTES], int.from_bytes(record[ID_BYTES:])) for record in map(bytes, item["exits"])
        )
        final = bool(item.get("closed")) or len(exits) >= GENERATION_SIZE
        return Generation(int(item[str(self._table.sort_key)]), exits, item["began_at_ms"], final)


def _partition(zone_id: str, run: int) -> str:
    return f"exits#{zone_id}#{run}"
