"""The exit list as an object: written and read by the same module."""

from __future__ import annotations

import json
from typing import Any

import pytest

from waiting_room.domain.gate.exit_list import (
    ID_BYTES,
    MOST_EXITS,
    BadExitList,
    ExitList,
    exit_id,
    list_exits,
    object_key,
    read_exit_list,
)

SIDS = [f"session-{number:03}" for number in range(300)]


def listed(*sids: str) -> ExitList:
    return ExitList("sale", 3, 7, 1_780_315_200_000, list_exits(map(exit_id, sids)), ((5, 4_000), (6, 2_000)))


def test_what_is_written_is_read() -> None:
    assert read_exit_list(listed(*SIDS).encode()) == listed(*reversed(SIDS), *SIDS)


def test_every_session_on_it_is_found_and_no_other() -> None:
    exits = listed(*SIDS[::2])
    assert [sid for sid in SIDS if exits.has(sid)] == SIDS[::2]
    assert len(exits) == len(SIDS) // 2
    assert not ExitList("sale", 3).has(SIDS[0])


def test_the_hash_is_known_elsewhere() -> None:
    """BLAKE2b with a digest of 6 bytes, whatever computes it."""
    assert exit_id("AAAAAAAAAAAAAAAAAAAAAA").hex() == "acf873565bf5"


def test_a_full_list_is_small_beside_what_a_gate_reads() -> None:
    full = ExitList("a" * 40, 9_999, 10**6, 2_000_000_000_000, bytes(MOST_EXITS * ID_BYTES))
    assert len(full.encode()) < 132_000


@pytest.mark.parametrize(
    "changes",
    [
        {"exits": "AAAA"},
        {"exits": "no base64!"},
        {"exits": None},
        {"run": "3"},
        {"run": True},
        {"generation": None},
        {"listed_at_ms": 1.5},
        {"listed": [[5]]},
        {"listed": [[5, "4000"]]},
        {"listed": 7},
        {"zone_id": 7},
        {"exits": "A" * ((MOST_EXITS + 1) * 8)},
    ],
)
def test_a_torn_list_is_not_believed(changes: dict[str, Any]) -> None:
    document = json.loads(listed(*SIDS).encode())
    assert read_exit_list(json.dumps(document | {"later": 1}).encode())
    with pytest.raises(BadExitList):
        read_exit_list(json.dumps(document | changes).encode())


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"{}", b"\xff", b'"x"'])
def test_what_is_no_list_at_all_is_told(body: bytes) -> None:
    with pytest.raises(BadExitList):
        read_exit_list(body)


def test_it_lies_under_the_prefix() -> None:
    assert object_key("sale") == ".waiting-room/exits/sale.json"
