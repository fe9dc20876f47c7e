"""The site bucket over a bad network, and what every gate may have of the exit list it holds."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.flaky import Faults
from tests.faults.scheduler import Crash, Scheduler
from tests.support.fakes import FakeObjectStore
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.gate.exit_list import ExitList, read_exit_list
from waiting_room.ports import StoredObject

GATES_BEHIND_MS = 10_000
"""A gate has a list that has been stored for so long, or a later one."""


class FlakyBucket:
    """One bucket for all: puts get lost, arrive late, or nobody hears what became of them."""

    def __init__(self, scheduler: Scheduler, faults: Callable[[], Faults], after: Callable[[], None]) -> None:
        self._objects = FakeObjectStore()
        self._scheduler = scheduler
        self._faults = faults
        self._after = after
        self._lists: list[tuple[int, ExitList]] = []

    def get(self, key: str) -> StoredObject | None:
        self._take_time()
        if self._scheduler.rng.random() < self._faults().lost_request:
            raise Overloaded
        stored = self._objects.get(key)
        self._take_time()
        return stored

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        cache_control: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> bool:
        rng, faults, scheduler = self._scheduler.rng, self._faults(), self._scheduler

        def write() -> bool:
            put = self._objects.put(key, body, content_type, cache_control, if_match=if_match, if_absent=if_absent)
            if put:
                self._lists.append((scheduler.now_ms, read_exit_list(body)))
                self._after()
            return put

        self._take_time()
        if rng.random() < faults.lost_request:
            raise Overloaded
        if rng.random() < faults.late_arrival:
            scheduler.at(scheduler.now_ms + rng.randrange(2_000, 9_000), write)
            raise Overloaded
        put = write()
        if rng.random() < faults.lost_answer:
            raise Overloaded
        self._take_time()
        return put

    def is_refused(self, sid: str, now_ms: int) -> bool:
        """Whether every gate refuses a session for its exit: it stands on each list that one of them may have."""
        behind_ms = now_ms - GATES_BEHIND_MS
        settled = [index for index, (stored_at_ms, _) in enumerate(self._lists) if stored_at_ms <= behind_ms]
        return bool(settled) and all(each.has(sid) for _, each in self._lists[settled[-1] :])

    def _take_time(self) -> None:
        rng, faults = self._scheduler.rng, self._faults()
        self._scheduler.sleep(rng.uniform(0, 40))
        if rng.random() < faults.crash:
            raise Crash
        if rng.random() < faults.pause:
            self._scheduler.sleep(rng.uniform(500, faults.longest_pause_ms))
