"""Exit lists as the gate keeps them: each fetched like the snapshot, and only once a good token of its zone was seen.

A list is asked for again every KEEP_SEC, so an exit is known everywhere that long after it was published, and what a
fetch and the caches on its way take.
"""

from __future__ import annotations

import logging
import sys
import threading
from array import array
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass, field

from waiting_room.domain.gate.exit_list import ID_BYTES, BadExitList, ExitList, object_key, read_exit_list
from waiting_room.domain.gate.snapshot import GateZone
from waiting_room.edge.snapshots import KEEP_SEC, LONGEST_USE_SEC, RETRY_SEC, Fetched, FetchFailed

__all__ = ["LIST_LIMIT_BYTES", "ExitLists"]

LIST_LIMIT_BYTES = 192 * 1024
"""A full list has 128 KB."""

_WORD = 8
_LOG = logging.getLogger("gatekeeper")

FetchList = Callable[[str, int, str], Fetched]
"""Gets what lies at a path, of so many bytes at most, unless it is what an ETag stands for; raises FetchFailed."""


@dataclass(frozen=True)
class _Listed:
    """A list that was read: its exits as numbers in order, which takes half a microsecond to search."""

    run: int
    generation: int
    numbers: array[int]
    etag: str

    def has(self, number: int) -> bool:
        index = bisect_left(self.numbers, number)
        return index < len(self.numbers) and self.numbers[index] == number


@dataclass
class _ListCopy:
    """What is known of one zone; None is an empty list. `refreshing` is held by whoever fetches."""

    known: _Listed | None = None
    usable_until_sec: int = -1
    next_fetch_at_sec: int = 0
    refreshing: threading.Lock = field(default_factory=threading.Lock)


class ExitLists:
    """The exit lists of one host's zones, each at most KEEP_SEC behind while fetching works. Safe to use from threads.

    `on_missing` is what is said of a session while there is no list younger than LONGEST_USE_SEC: None, nobody can
    tell, or False.
    """

    def __init__(self, fetch: FetchList, on_missing: bool | None = None) -> None:
        self._fetch = fetch
        self._on_missing = on_missing
        self._copies: dict[str, _ListCopy] = {}

    def __call__(self, zone: GateZone, number: int, now_sec: int) -> bool | None:
        """Whether a session, by its `exit_number`, has ended; None while nobody can tell."""
        copy = self._copies.get(zone.zone_id)
        if copy is None:
            copy = self._copies.setdefault(zone.zone_id, _ListCopy())
        if now_sec >= copy.next_fetch_at_sec and copy.refreshing.acquire(blocking=now_sec > copy.usable_until_sec):
            try:
                # Whoever waited for the lock finds the work done.
                if now_sec >= copy.next_fetch_at_sec:
                    self._refresh(zone, copy, now_sec)
            finally:
                copy.refreshing.release()
        if now_sec > copy.usable_until_sec:
            return self._on_missing
        known = copy.known
        return known is not None and known.run == zone.run and known.has(number)

    def _refresh(self, zone: GateZone, copy: _ListCopy, now_sec: int) -> None:
        known = copy.known
        try:
            answer = self._fetch(f"/{object_key(zone.zone_id)}", LIST_LIMIT_BYTES, known.etag if known else "")
            if answer.status == 200:
                copy.known = _newer(zone, known, answer)
            copy.usable_until_sec = now_sec + LONGEST_USE_SEC
            copy.next_fetch_at_sec = now_sec + KEEP_SEC
        except (FetchFailed, BadExitList) as error:
            copy.next_fetch_at_sec = now_sec + RETRY_SEC
            _LOG.warning("The exit list of zone %s was not refreshed: %s", zone.zone_id, error)


def _newer(zone: GateZone, old: _Listed | None, answer: Fetched) -> _Listed | None:
    """The list that came, or the old one where that says more of this run. Raises BadExitList."""
    fetched = read_exit_list(answer.body)
    if fetched.zone_id != zone.zone_id:
        raise BadExitList(f"It is of zone {fetched.zone_id!r}.")
    if fetched.run > zone.run:
        # The snapshot is behind: until it has the new run, tokens of the old one are good here.
        raise BadExitList(f"It is of run {fetched.run}, the snapshot has run {zone.run}.")
    if fetched.run < zone.run:
        return None
    # Caches on the way do not all have the same one.
    if old is not None and old.run == fetched.run and old.generation > fetched.generation:
        return old
    return _Listed(fetched.run, fetched.generation, _numbers(fetched), answer.etag)


def _numbers(listed: ExitList) -> array[int]:
    """The ids of a list as numbers, in order whatever the list's."""
    count = len(listed)
    words = bytearray(count * _WORD)
    for place in range(ID_BYTES):
        words[_WORD - ID_BYTES + place :: _WORD] = listed.exits[place::ID_BYTES]
    numbers = array("Q", bytes(words))
    if sys.byteorder == "little":
        numbers.byteswap()
    return array("Q", sorted(numbers))
