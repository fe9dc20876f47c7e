"""Exit lists at the gate: fetched as the snapshot is, only where a token was seen, and never believed when torn."""

from __future__ import annotations

import json
import logging
import random
import threading

import pytest

from tests.support.fakes import FakeIds
from tests.support.gate_support import NOW_SEC, snapshot
from waiting_room.domain.gate.exit_list import MOST_EXITS, ExitList, exit_id, list_exits
from waiting_room.edge.exit_lists import LIST_LIMIT_BYTES, ExitLists
from waiting_room.edge.snapshots import KEEP_SEC, LONGEST_USE_SEC, RETRY_SEC, Fetched, FetchFailed

IDS = FakeIds()
ZONE = snapshot().zones["midnight-sun"]
SIDS = [IDS.session_id() for _ in range(50)]


def number(sid: str) -> int:
    return int.from_bytes(exit_id(sid), "big")


class Bucket:
    """Answers fetches as CloudFront does for an object, or with an error, and counts them."""

    def __init__(self) -> None:
        self.body: bytes | None = None
        self.error: Exception | None = None
        self.asked: list[tuple[str, str]] = []

    def lists(self, *sids: str, run: int = 1, generation: int = 1, **fields) -> None:
        listed = ExitList(ZONE.zone_id, run, generation, 1, list_exits(map(exit_id, sids)))
        self.body = json.dumps(json.loads(listed.encode()) | fields).encode()

    def __call__(self, path: str, limit_bytes: int, etag: str) -> Fetched:
        assert limit_bytes == LIST_LIMIT_BYTES
        self.asked.append((path, etag))
        if self.error is not None:
            raise self.error
        if self.body is None:
            return Fetched(404, b"", "")
        tag = f'"{hash(self.body)}"'
        return Fetched(304, b"", tag) if etag == tag else Fetched(200, self.body, tag)


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


@pytest.fixture
def lists(bucket: Bucket) -> ExitLists:
    return ExitLists(bucket)


def test_a_zone_without_a_list_has_no_exits(lists, bucket):
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is False
    assert bucket.asked == [("/.waiting-room/exits/midnight-sun.json", "")]


def test_a_list_is_kept_for_five_seconds_and_asked_for_by_what_is_known_of_it(lists, bucket):
    bucket.lists(SIDS[0])
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is True
    bucket.lists(*SIDS[:2], generation=2)
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + KEEP_SEC - 1) is False
    assert len(bucket.asked) == 1
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + KEEP_SEC) is True
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + 2 * KEEP_SEC) is True
    assert [bool(etag) for _, etag in bucket.asked] == [False, True, True]


def test_what_does_not_change_is_good_for_ever_while_it_is_asked_for(lists, bucket):
    bucket.lists(SIDS[0])
    for later in range(0, LONGEST_USE_SEC * 3, KEEP_SEC):
        assert lists(ZONE, number(SIDS[0]), NOW_SEC + later) is True


@pytest.mark.parametrize("sessions", [0, 1, 2, 50])
def test_every_exit_is_found_and_nobody_else(lists, bucket, sessions):
    bucket.lists(*SIDS[:sessions])
    said = [lists(ZONE, number(sid), NOW_SEC) for sid in SIDS]
    assert said == [True] * sessions + [False] * (len(SIDS) - sessions)


def test_the_largest_list_is_read(lists, bucket):
    chosen = random.Random(1)
    ids = list_exits(chosen.randbytes(6) for _ in range(MOST_EXITS))
    bucket.body = ExitList(ZONE.zone_id, 1, 1, 2**53, ids).encode()
    assert len(bucket.body) <= LIST_LIMIT_BYTES
    assert all(lists(ZONE, int.from_bytes(ids[at : at + 6], "big"), NOW_SEC) for at in range(0, len(ids), 6))
    assert not lists(ZONE, 0, NOW_SEC)
    assert not lists(ZONE, 2**48 - 1, NOW_SEC)


def test_a_list_in_no_order_is_searched_all_the_same(lists, bucket):
    bucket.body = ExitList(ZONE.zone_id, 1, 1, 1, b"".join(map(exit_id, SIDS))).encode()
    assert all(lists(ZONE, number(sid), NOW_SEC) for sid in SIDS)


BAD = {
    "gone": FetchFailed("gone"),
    "empty": b"",
    "torn": b'{"zone_id": "midn',
    "a list": b"[]",
    "another zone's": {"zone_id": "winter-gala"},
    "of a later run": {"run": 2},
    "odd bytes": {"exits": "AAAA"},
    "no base64": {"exits": "?"},
    "a text for a number": {"run": "1"},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_the_old_copy_stays_whatever_goes_wrong_and_the_log_says_so(lists, bucket, caplog, bad):
    bucket.lists(SIDS[0])
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is True
    if isinstance(bad, Exception):
        bucket.error = bad
    elif isinstance(bad, dict):
        bucket.lists(*SIDS, generation=2, **bad)
    else:
        bucket.body = bad
    with caplog.at_level(logging.WARNING, "gatekeeper"):
        later = NOW_SEC + KEEP_SEC
        assert lists(ZONE, number(SIDS[0]), later) is True
        assert lists(ZONE, number(SIDS[1]), later) is False
    assert len(bucket.asked) == 2, "not every request waits for another failure"
    assert ["midnight-sun" in record.getMessage() for record in caplog.records] == [True]
    assert lists(ZONE, number(SIDS[0]), NOW_SEC + LONGEST_USE_SEC) is True
    assert lists(ZONE, number(SIDS[0]), NOW_SEC + LONGEST_USE_SEC + 1) is None
    bucket.error = None
    bucket.lists(SIDS[1], generation=3)
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + LONGEST_USE_SEC + 1 + RETRY_SEC) is True


@pytest.mark.parametrize("on_missing", [None, False])
def test_before_the_first_answer_nobody_can_tell_unless_the_deployment_says_so(bucket, on_missing):
    bucket.error = FetchFailed("gone")
    lists = ExitLists(bucket, on_missing)
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is on_missing
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is on_missing
    assert len(bucket.asked) == 1
    bucket.error = None
    bucket.lists(SIDS[0])
    assert lists(ZONE, number(SIDS[0]), NOW_SEC + RETRY_SEC) is True


def test_a_gate_that_was_frozen_asks_before_it_decides(lists, bucket):
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is False
    bucket.lists(SIDS[0])
    assert lists(ZONE, number(SIDS[0]), NOW_SEC + 3600) is True


def test_a_list_of_the_run_before_says_nothing_of_this_one(lists, bucket, caplog):
    bucket.lists(SIDS[0], run=1)
    second = snapshot().zones["midnight-sun"].__class__(**{**vars(ZONE), "run": 2})
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is True
    assert lists(second, number(SIDS[0]), NOW_SEC + 1) is False, "the snapshot has a new run meanwhile"
    assert lists(second, number(SIDS[0]), NOW_SEC + KEEP_SEC) is False
    bucket.lists(SIDS[1], run=2)
    assert lists(second, number(SIDS[1]), NOW_SEC + 2 * KEEP_SEC) is True
    assert caplog.records == []


def test_an_older_list_from_some_cache_takes_nobody_back(lists, bucket):
    bucket.lists(*SIDS[:2], generation=7)
    assert lists(ZONE, number(SIDS[1]), NOW_SEC) is True
    bucket.lists(SIDS[0], generation=6)
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + KEEP_SEC) is True
    bucket.body = None
    assert lists(ZONE, number(SIDS[1]), NOW_SEC + 2 * KEEP_SEC) is True, "who left does not come back with the object"


def test_one_thread_fetches_while_the_others_use_the_copy(bucket):
    started, go_on = threading.Event(), threading.Event()

    def slow(*asked):
        if bucket.asked:
            started.set()
            assert go_on.wait(10)
        return bucket(*asked)

    lists = ExitLists(slow)
    assert lists(ZONE, number(SIDS[0]), NOW_SEC) is False
    bucket.lists(SIDS[0])
    seen = []
    fetching = threading.Thread(target=lambda: seen.append(lists(ZONE, number(SIDS[0]), NOW_SEC + KEEP_SEC)))
    fetching.start()
    assert started.wait(10)
    assert [lists(ZONE, number(SIDS[0]), NOW_SEC + KEEP_SEC) for _ in range(20)] == [False] * 20
    go_on.set()
    fetching.join(10)
    assert seen == [True]
    assert len(bucket.asked) == 2
