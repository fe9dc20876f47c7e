"""The snapshot at the gate: fetched rarely, kept long, not believed when torn, foreign, too old or going backwards."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from tests.support.fakes import FakeClock
from tests.support.gate_support import ISSUER, KEYS, snapshot_document, zone
from waiting_room.adapters.signing_keys import new_key
from waiting_room.domain.gate.snapshot import BadSnapshot, read_snapshot
from waiting_room.edge.snapshots import KEEP_SEC, LONGEST_USE_SEC, RETRY_SEC, FetchFailed, Snapshots

HOST = "d111111abcdef8.cloudfront.net"
PATH = "/.waiting-room/gate-0123456789abcdef.json"


class Source:
    """Answers fetches with a document, bytes or an error, and counts them."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.answer: Any = None
        self.fetches = 0
        self.publish(1)

    def publish(self, version: int, **parts: Any) -> None:
        self.answer = snapshot_document(version=version, published_at_ms=self.clock.ms, **parts)

    def __call__(self, host: str) -> bytes:
        self.fetches += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def source(clock: FakeClock) -> Source:
    return Source(clock)


@pytest.fixture
def snapshots(source: Source) -> Snapshots:
    return Snapshots(ISSUER, source)


def version(snapshots: Snapshots, clock: FakeClock, host: str = HOST) -> int | None:
    known = snapshots.current(host, clock.ms)
    return None if known is None else known.snapshot.version


def test_a_copy_is_kept_for_five_seconds(snapshots, source, clock):
    assert version(snapshots, clock) == 1
    source.publish(2)
    clock.advance(KEEP_SEC - 0.001)
    assert version(snapshots, clock) == 1
    assert source.fetches == 1
    clock.advance(0.001)
    assert version(snapshots, clock) == 2
    assert source.fetches == 2


@pytest.mark.parametrize(
    "answer",
    [
        FetchFailed("gone"),
        b"",
        b"{",
        b"[]",
        b"null",
        b"[" * 5000,
        b"\xff",
        b"<html>503</html>",
        {**snapshot_document(version=9), "issuer": "somebody else"},
        {**snapshot_document(version=9), "keys": [{}]},
        {**snapshot_document(version=9), "keys": [{**KEYS.keys[0].public_jwk, "crv": "P-384"}]},
        {**snapshot_document(version=9), "published_at_ms": FakeClock().ms + 3_600_000},
    ],
)
def test_the_old_copy_stays_whatever_goes_wrong(snapshots, source, clock, answer):
    assert version(snapshots, clock) == 1
    source.answer = answer
    clock.advance(KEEP_SEC)
    assert version(snapshots, clock) == 1
    fetches = source.fetches
    clock.advance(RETRY_SEC - 0.001)
    assert version(snapshots, clock) == 1
    assert source.fetches == fetches, "not every request waits for another failure"
    clock.advance(0.001)
    source.publish(2)
    assert version(snapshots, clock) == 2


def test_versions_never_go_backwards(snapshots, source, clock):
    source.publish(7)
    assert version(snapshots, clock) == 7
    clock.advance(KEEP_SEC)
    source.publish(6)
    assert version(snapshots, clock) == 7
    clock.advance(KEEP_SEC)
    source.publish(8)
    assert version(snapshots, clock) == 8


def test_the_same_version_published_again_keeps_the_gate_open(snapshots, source, clock):
    for _ in range(LONGEST_USE_SEC // KEEP_SEC + 2):
        assert version(snapshots, clock) == 1
        clock.advance(KEEP_SEC)
        source.publish(1)
    assert version(snapshots, clock) == 1


def test_none_at_all_and_one_too_old_are_the_same(snapshots, source, clock):
    source.answer = FetchFailed("gone")
    assert version(snapshots, clock) is None
    clock.advance(RETRY_SEC)
    source.publish(1)
    assert version(snapshots, clock) == 1
    source.answer = FetchFailed("gone")
    clock.advance(LONGEST_USE_SEC)
    assert version(snapshots, clock) == 1
    clock.advance(0.001)
    assert version(snapshots, clock) is None


def test_a_snapshot_that_was_old_when_it_came_is_not_used(snapshots, source, clock):
    clock.advance(LONGEST_USE_SEC + 1)
    assert version(snapshots, clock) is None


def test_the_empty_first_snapshot_of_a_new_deployment_lets_nobody_through(snapshots, source, clock):
    source.answer = {**snapshot_document(version=0), "keys": [], "zones": [], "published_at_ms": 0}
    assert version(snapshots, clock) is None


def test_a_store_set_up_anew_is_believed_once_the_old_copy_is_of_no_use(snapshots, source, clock):
    source.publish(500)
    assert version(snapshots, clock) == 500
    clock.advance(LONGEST_USE_SEC)
    source.publish(1)
    assert version(snapshots, clock) == 500
    clock.advance(KEEP_SEC)
    assert version(snapshots, clock) == 1


def test_every_host_has_its_own(snapshots, source, clock):
    assert version(snapshots, clock) == 1
    source.publish(2)
    assert version(snapshots, clock, "d222.cloudfront.net") == 2
    assert version(snapshots, clock) == 1


def test_new_keys_come_with_a_new_verifier_and_old_ones_keep_theirs(snapshots, source, clock):
    first = snapshots.current(HOST, clock.ms)
    clock.advance(KEEP_SEC)
    source.publish(2)
    second = snapshots.current(HOST, clock.ms)
    assert first is not None
    assert second is not None
    assert second.verifier is first.verifier, "what it remembers is still right"
    clock.advance(KEEP_SEC)
    source.publish(3)
    source.answer["keys"] = [dict(new_key("active", 0).public_jwk)]
    third = snapshots.current(HOST, clock.ms)
    assert third is not None
    assert third.verifier is not first.verifier


def test_one_thread_fetches_while_the_others_use_the_copy(source, clock):
    started, go_on = threading.Event(), threading.Event()

    def slow(host: str) -> bytes:
        if source.fetches:
            started.set()
            assert go_on.wait(10)
        body: bytes = source(host)
        return body

    snapshots = Snapshots(ISSUER, slow)
    assert version(snapshots, clock) == 1
    clock.advance(KEEP_SEC)
    source.publish(2)
    seen: list[int | None] = []
    fetching = threading.Thread(target=lambda: seen.append(version(snapshots, clock)))
    fetching.start()
    assert started.wait(10)
    assert [version(snapshots, clock) for _ in range(20)] == [1] * 20
    go_on.set()
    fetching.join(10)
    assert seen == [2]
    assert source.fetches == 2


def test_threads_that_have_nothing_yet_wait_for_one_fetch(source, clock):
    def slow(host: str) -> bytes:
        time.sleep(0.05)
        body: bytes = source(host)
        return body

    snapshots, seen = Snapshots(ISSUER, slow), []
    threads = [threading.Thread(target=lambda: seen.append(version(snapshots, clock))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert seen == [1] * 8
    assert source.fetches == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("version", -1),
        ("version", "1"),
        ("version", True),
        ("published_at_ms", 1.5),
        ("issuer", ""),
        ("keys", {}),
        ("keys", ["a"]),
        ("zones", None),
        ("zones", [7]),
        ("revoked", []),
        ("revoked", {"sids": [], "visitors": []}),
        ("revoked", {"sids": [1], "visitors": [], "bypass": []}),
    ],
)
def test_a_snapshot_of_another_shape_is_refused(name, value):
    with pytest.raises(BadSnapshot):
        read_snapshot({**snapshot_document(), name: value}, ISSUER)


@pytest.mark.parametrize("name", ["version", "published_at_ms", "issuer", "keys", "zones", "revoked"])
def test_nothing_may_be_missing(name):
    document = snapshot_document()
    del document[name]
    with pytest.raises(BadSnapshot, match=name):
        read_snapshot(document, ISSUER)


@pytest.mark.parametrize(
    "changes",
    [
        {"zone_id": ""},
        {"zone_id": 5},
        {"run": None},
        {"control": "open"},
        {"control": None},
        {"observe": 0},
        {"observe": "false"},
        {"entry": "queue"},
        {"forward_token": None},
        {"session_kind": "none"},
        {"idle_sec": "300"},
        {"rules": []},
        {"rules": None},
        {"rules": [{}]},
        {"rules": [{"paths": ["x"]}]},
        {"rules": [{"paths": ["/a"], "hosts": 1}]},
        {"rules": ["/a"]},
    ],
)
def test_one_zone_of_another_shape_spoils_the_snapshot(changes):
    document = snapshot_document(zone(), zone("winter-gala"))
    document["zones"][1] |= changes
    with pytest.raises(BadSnapshot):
        read_snapshot(document, ISSUER)


def test_two_zones_of_one_id_spoil_the_snapshot():
    document = snapshot_document()
    document["zones"] *= 2
    with pytest.raises(BadSnapshot, match="twice"):
        read_snapshot(document, ISSUER)


def test_fields_of_a_later_version_are_left_alone():
    document = snapshot_document()
    document["later"] = 1
    document["zones"][0]["later"] = {"a": 1}
    assert read_snapshot(document, ISSUER).zones["midnight-sun"].control == "auto"
