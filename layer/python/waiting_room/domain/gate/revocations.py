"""Which revoked ids a snapshot has room for: control, rules and keys are published whatever was revoked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

__all__ = ["KINDS", "fitting"]

KINDS = ("bypass", "visitors", "sids")
"""In the order in which room is given. Bypass tokens pass whatever the control, and are a hundred an hour for a zone; a
visitor who is barred may have several sessions, a session is one."""
_QUOTES_AND_COMMA = 3


def fitting(revoked: Mapping[str, Sequence[str]], room_bytes: int) -> tuple[dict[str, list[str]], int]:
    """The ids by kind that take at most so many bytes as JSON, and how many are left out: the first of each kind."""
    found: dict[str, list[str]] = {}
    left_out = 0
    for kind in KINDS:
        ids = revoked.get(kind, ())
        kept = _how_many(reversed(ids), room_bytes)
        found[kind] = sorted(ids[len(ids) - kept :])
        room_bytes -= sum(map(_size, found[kind]))
        left_out += len(ids) - kept
    return found, left_out


def _how_many(ids: Iterable[str], room_bytes: int) -> int:
    count = 0
    for each in ids:
        room_bytes -= _size(each)
        if room_bytes < 0:
            break
        count += 1
    return count


def _size(revoked_id: str) -> int:
    return len(revoked_id) + _QUOTES_AND_COMMA
