"""The protected_zones table: zones and everything the gate snapshot is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from waiting_room.adapters.dynamodb import Clients, Table, encode, reading, writing
from waiting_room.domain.answers import Answer
from waiting_room.domain.zone.machines import from_bots
from waiting_room.domain.zone.zones import Zone

CONFIG = "config"


class ProtectedZones:
    """Zones (`config` items) and their records: revocations, bypass tokens, entry, keys."""

    def __init__(self, clients: Clients, table_name: str) -> None:
        self._table = Table(clients, "protected_zones", table_name)

    def get(self, zone_id: str, *, consistent: bool = True) -> Zone | None:
        """A zone, or None."""
        item = self._table.get(zone_id, CONFIG, consistent=consistent)
        return None if item is None else self.zone_of(item)

    def all(self) -> list[Zone]:
        """Every zone, by id."""
        names = {"#item": str(self._table.sort_key)}
        zones = map(self.zone_of, self._table.scan("#item = :config", names, {":config": CONFIG}))
        return sorted(zones, key=lambda zone: zone.zone_id)

    def zone_of(self, item: Mapping[str, Any]) -> Zone:
        """The zone a `config` item stores; attributes this version does not know are left alone."""
        if "bots" in item and "machines" not in item:
            item = {**item, "machines": from_bots(item["bots"])}
        known = {name: value for name, value in item.items() if name in Zone.__dataclass_fields__}
        return Zone.from_document(known)

    def save(self, zone: Zone, expected_version: int | None) -> bool:
        """Store a zone over the version that was read (None: over nothing); False when it is another by now."""
        item = self._table.key(zone.zone_id, CONFIG) | encode(zone.document)
        names, condition, values = {"#version": "version"}, "attribute_not_exists(#version)", {}
        if expected_version is not None:
            condition, values = "#version = :expected", encode({":expected": expected_version})
        request: dict[str, Any] = {"ConditionExpression": condition, "ExpressionAttributeNames": names}
        if values:
            request["ExpressionAttributeValues"] = values
        put = self._table.clients.repeating.put_item
        return writing(put, TableName=self._table.name, Item=item, **request) is Answer.YES

    def delete(self, zone_id: str) -> None:
        """Remove a zone and all its records; done twice it is the same."""
        for item in self._table.query(zone_id):
            sort = item[str(self._table.sort_key)]
            key = self._table.key(zone_id, sort)
            reading(self._table.clients.repeating.delete_item, TableName=self._table.name, Key=key)

    def put_record(
        self, zone_id: str, item: str, attributes: Mapping[str, Any], expires_at_sec: int | None = None
    ) -> None:
        """Write a record beside the zone; the same one again changes nothing and wakes nobody."""
        stored = self._table.key(zone_id, item) | encode({**attributes, self._table.ttl: expires_at_sec})
        reading(self._table.clients.repeating.put_item, TableName=self._table.name, Item=stored)

    def delete_record(self, zone_id: str, item: str) -> None:
        """Take a record away; done twice it is the same."""
        key = self._table.key(zone_id, item)
        reading(self._table.clients.repeating.delete_item, TableName=self._table.name, Key=key)

    def hold(self, zone_id: str, item: str, until_ms: int, now_ms: int) -> bool:
        """Take a lock, a record that counts until a moment (epoch milliseconds); False while somebody else has it."""
        stored = self._table.key(zone_id, item) | encode({"until_ms": until_ms})
        answer = writing(
            self._table.clients.once.put_item,
            TableName=self._table.name,
            Item=stored,
            ConditionExpression="attribute_not_exists(#until) OR #until <= :now",
            ExpressionAttributeNames={"#until": "until_ms"},
            ExpressionAttributeValues=encode({":now": now_ms}),
        )
        return answer is Answer.YES

    def put_record_once(self, zone_id: str, item: str, attributes: Mapping[str, Any], *, unless: str) -> Answer:
        """Write a record over one that does not have the attribute `unless` yet."""
        return writing(
            self._table.clients.repeating.put_item,
            TableName=self._table.name,
            Item=self._table.key(zone_id, item) | encode(attributes),
            ConditionExpression="attribute_not_exists(#unless)",
            ExpressionAttributeNames={"#unless": unless},
        )

    def record(self, zone_id: str, item: str, *, consistent: bool = True) -> dict[str, Any] | None:
        """One record, or None."""
        return self._table.get(zone_id, item, consistent=consistent)

    def connect(self) -> tuple[Callable[[], object], ...]:
        """Reads of nothing, one for each client: they leave a connection behind."""
        key = self._table.key("_", "_")
        clients = (self._table.clients.repeating, self._table.clients.once)
        return tuple(partial(client.get_item, TableName=self._table.name, Key=key) for client in clients)

    def records(self, zone_id: str, prefix: str) -> list[dict[str, Any]]:
        """Records of a zone whose name begins with a prefix."""
        return self._table.query(zone_id, begins_with=prefix)

    def named(self, zone_id: str, prefix: str) -> dict[str, dict[str, Any]]:
        """The same records, by what follows the prefix in their name."""
        sort = str(self._table.sort_key)
        return {record[sort].removeprefix(prefix): record for record in self.records(zone_id, prefix)}

    def scan_items(self, now_sec: int, signed: str) -> list[dict[str, Any]]:
        """Every item that has not expired, for the publisher; of those named `signed...` only what somebody signed.

        Earlier releases noted there each session that left, in nobody's name: a million of these are read past.
        """
        return self._table.scan(
            "(attribute_not_exists(#ttl) OR #ttl > :now)"
            " AND (attribute_exists(#by) OR NOT begins_with(#item, :signed))",
            {"#ttl": self._table.ttl, "#item": str(self._table.sort_key), "#by": "revoked_by"},
            {":now": now_sec, ":signed": signed},
        )
