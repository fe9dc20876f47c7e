"""Looks at the door: from outside, every two seconds, beside the ticks; and what tells that claims are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.memory_dynamo import MemoryDynamo
from tests.support.api_world import ZONE_ID, ApiWorld, Browser
from tests.support.fakes import FakeClock, FakeDoor, FakeObjectStore
from tests.support.memory_secrets import MemorySecrets
from waiting_room import schemas
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.public_door import PublicDoor
from waiting_room.adapters.refusals import Refusals
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import SigningKeys
from waiting_room.domain.errors import Lapsed, Overloaded, WaitingRoomError
from waiting_room.domain.locations import SITE_KEY
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.note_refusals import NOTE_MS, SLOW_MS, NoteRefusals
from waiting_room.use_cases.pass_door import PassDoor
from waiting_room.use_cases.watch_door import WatchDoor

ZONE = Zone.from_document({"zone_id": "z", "mode": "queueing", "max_active": 5, "rules": [{"paths": ["/"]}]})
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException"}}, "UpdateItem")


@dataclass
class Probe:
    """A door that answers as it is told."""

    through: bool | None = True
    looks: int = 0

    def gets_through(self, zone_id: str) -> bool | None:
        self.looks += 1
        return self.through


@dataclass
class Parts:
    """A watch over one zone, with jobs that are begun and wait."""

    clock: FakeClock = field(default_factory=FakeClock)
    probe: Probe = field(default_factory=Probe)
    jobs: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.store = MemoryDynamo([schemas.table("counters")])
        self.refusals = Refusals(Clients(self.store, self.store), "counters")
        self.watch = WatchDoor(self.probe, self.refusals, self.clock, self.jobs.append)

    def tick(self, claimed: int = 0) -> bool | None:
        self.clock.advance(1)
        return self.watch("z", 1, claimed)

    def finish(self) -> None:
        while self.jobs:
            self.jobs.pop()()


def test_a_look_is_begun_every_two_seconds_and_told_once_when_it_is_over() -> None:
    parts = Parts()
    assert parts.tick() is None
    assert (parts.tick(), len(parts.jobs)) == (None, 1), "one at a time, however long it takes"
    parts.finish()
    assert parts.tick() is True
    parts.finish()
    assert parts.probe.looks == 2
    assert (parts.tick(), parts.tick()) == (True, None)


@pytest.mark.parametrize("through", [False, None])
def test_a_look_that_fails_or_cannot_tell_is_told_as_that(through: bool | None) -> None:
    parts = Parts(probe=Probe(through))
    parts.tick()
    parts.finish()
    assert parts.tick() is through


def test_the_door_is_shut_while_more_claims_are_refused_than_served() -> None:
    parts = Parts()
    told = []
    for second in range(12):
        parts.tick(claimed=10)
        if second % 2:
            parts.refusals.count("z", 1, 3, parts.clock.ms)
        parts.finish()
        told.append(parts.tick(claimed=10))
        parts.finish()
    assert None not in told[1:]
    assert told[0] is True, "what was refused before the first look is not known to be new"
    assert told[-1] is False


def test_refused_claims_are_outweighed_by_those_served() -> None:
    parts = Parts()
    told = []
    for second in range(1, 8):
        parts.refusals.count("z", 1, 3, parts.clock.ms)
        parts.tick(claimed=10 * second)
        parts.finish()
        told.append(parts.tick(claimed=10 * second))
    assert set(told) == {True}


def test_a_look_that_breaks_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    parts = Parts()
    parts.probe.gets_through = None  # type: ignore[method-assign, assignment]
    parts.tick()
    parts.finish()
    assert parts.tick() is None
    assert "could not be looked at" in caplog.text


def test_refusals_are_noted_now_and_then_and_none_is_forgotten() -> None:
    parts = Parts()
    note = NoteRefusals(parts.refusals, parts.clock)
    for _ in range(5):
        refuse(note, Overloaded())
    assert parts.refusals.total("z", 1) == 1
    parts.clock.advance(NOTE_MS / 1000)
    refuse(note, ValueError("a fault of ours"))
    assert parts.refusals.total("z", 1) == 6


def test_what_lies_with_the_visitor_is_no_refusal() -> None:
    parts = Parts()
    note = NoteRefusals(parts.refusals, parts.clock)
    refuse(note, Lapsed())
    with note.around(ZONE):
        pass
    assert parts.refusals.total("z", 1) == 0


def test_behind_a_slow_failure_nothing_more_is_asked_for() -> None:
    parts = Parts()
    note = NoteRefusals(parts.refusals, parts.clock)
    refuse(note, Overloaded(), after=lambda: parts.clock.advance(SLOW_MS / 1000 + 1))
    assert parts.refusals.total("z", 1) == 0


def refuse(note: NoteRefusals, error: Exception, after: Callable[[], None] = lambda: None) -> None:
    def claim() -> None:
        with note.around(ZONE):
            after()
            raise error

    with pytest.raises(type(error)):
        claim()


def door_of(world: ApiWorld, door: FakeDoor) -> PublicDoor:
    world.objects.put(SITE_KEY, b'{"site_url": "https://example.com"}', "application/json", "")
    return PublicDoor(world.objects, door.connect)


@pytest.mark.parametrize(("status", "through"), [(204, True), (200, False), (429, False), (503, False), (None, False)])
def test_only_the_answer_itself_gets_through(status: int | None, through: bool) -> None:
    door = FakeDoor(status)
    assert door_of(ApiWorld(), door).gets_through("z") is through
    assert door.asked == [("POST", "example.com", "/.waiting-room/v1/zones/z/door")]
    assert door.closed == 1


@pytest.mark.parametrize("body", [b'{"site_url": null}', b"{}", b"nonsense"])
def test_without_an_address_nobody_can_tell(body: bytes) -> None:
    objects = FakeObjectStore()
    assert PublicDoor(objects, FakeDoor().connect).gets_through("z") is None
    objects.put(SITE_KEY, body, "application/json", "")
    assert PublicDoor(objects, FakeDoor().connect).gets_through("z") is None


def test_an_address_that_may_not_be_read_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    class Closed(FakeObjectStore):
        def get(self, key: str) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject")

    assert PublicDoor(Closed(), FakeDoor().connect).gets_through("z") is None
    assert "address could not be read" in caplog.text


def test_passing_the_door_changes_nothing_and_needs_all_that_a_claim_needs() -> None:
    world = ApiWorld()
    world.put_zone()
    before = {
        name: {key: row.item for key, row in table.records.items()} for name, table in world.dynamo.tables.items()
    }
    assert world.visit("POST", "/door", headers={}).status == 204
    after = {name: {key: row.item for key, row in table.records.items()} for name, table in world.dynamo.tables.items()}
    assert after == before


@pytest.mark.parametrize("table", ["counters", "queue"])
def test_nobody_passes_while_a_table_takes_no_writes(table: str) -> None:
    world = ApiWorld()
    world.put_zone()

    def refuse_writes(method: str, request: dict[str, Any], phase: str) -> None:
        if method == "update_item" and request["TableName"] == table:
            raise THROTTLED

    world.dynamo.on_call = refuse_writes
    assert world.visit("POST", "/door", headers={}).status == 429


def test_nobody_passes_without_signing_keys() -> None:
    world = ApiWorld()
    world.put_zone()
    zone = world.stores.zones.get(ZONE_ID)
    assert zone is not None
    keys = SigningKeys(Clients(MemorySecrets(world.clock), MemorySecrets(world.clock)), "foyer/none", world.clock)
    through = PassDoor(world.stores.gates, world.stores.queue, Signer(keys, "foyer"), world.clock)
    with pytest.raises(WaitingRoomError):
        through(zone)


def test_whoever_asks_often_costs_no_writes() -> None:
    world, calls = ApiWorld(), list[tuple[str, str]]()
    world.put_zone()
    world.dynamo.on_call = lambda method, request, phase: calls.append((method, phase))
    for _ in range(20):
        assert world.visit("POST", "/door", headers={}).status == 204
    assert calls.count(("update_item", "before")) == 2


def test_a_claim_that_the_table_refuses_is_noted() -> None:
    world = ApiWorld()
    world.put_zone(max_active=1)
    browser = Browser(world)
    browser.ask("POST", "/visitors")
    world.tick(3)

    def refuse_gate(method: str, request: dict[str, Any], phase: str) -> None:
        if method == "update_item" and request["Key"]["counter"]["S"].startswith("gate#"):
            raise THROTTLED

    world.dynamo.on_call = refuse_gate
    assert browser.ask("POST", "/access-tokens").status == 429
    assert world.stores.refusals.total(ZONE_ID, 1) == 1
