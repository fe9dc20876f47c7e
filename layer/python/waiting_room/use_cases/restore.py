"""Restore: give lapsed places back, the line as it stood at an earlier moment (PROTOCOL, Restoring places)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from waiting_room.adapters.counters import Minutes
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.admission.restoring import (
    LaneBack,
    Mark,
    before_nobody_came,
    given_back,
    last_before,
    mark_of,
    restored,
)
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import InvalidInput, Overloaded, UnknownZone, Unsure
from waiting_room.domain.zone.zones import Zone
from waiting_room.use_cases.minute_rows import marks_of
from waiting_room.use_cases.wake import Wake

TRIES = 4
"""Times the write is tried anew when a tick was faster: there is one a second."""
LOOK_BACK = 1_440
"""Minute rows that are looked at: those of a day."""


@dataclass(frozen=True)
class Restored:
    """What is given back, or would be: `to_at_ms` is the moment, `done` whether it was done."""

    zone_id: str
    run: int
    to_at_ms: int
    lanes: Mapping[str, LaneBack]
    done: bool


class RestorePlaces:
    """Lets the watermarks of the current run fall to where they were."""

    def __init__(self, zones: ProtectedZones, gates: Gates, minutes: Minutes, wake: Wake) -> None:
        self._zones = zones
        self._gates = gates
        self._minutes = minutes
        self._wake = wake

    def __call__(self, zone_id: str, to_at_ms: int | None = None, *, dry_run: bool = False) -> Restored:
        """Give the places back that have lapsed since `to_at_ms`; None: since nobody came in any more.

        Nobody inside is touched. Raises UnknownZone, InvalidInput for a moment nothing is known of, Overloaded and
        Unsure: doing it again is harmless.
        """
        zone = self._zones.get(zone_id)
        if zone is None:
            raise UnknownZone
        mark: Mark | None = None
        for _ in range(TRIES):
            gate = self._gates.read(zone_id, zone.run)
            if gate is None:
                raise UnknownZone
            mark = mark or self._mark(zone, gate, to_at_ms)
            back = given_back(gate, mark)
            done = not dry_run and any(lane.before != lane.after for lane in back.values())
            if not done or self._write(gate, back, mark):
                if done:
                    # A line that had been given up for gone has somebody in it again.
                    self._wake.now(zone_id)
                return Restored(zone_id, zone.run, mark.at_ms, back, done)
        raise Overloaded("Ticks were faster each time: try again.")

    def _write(self, gate: GateItem, back: Mapping[str, LaneBack], mark: Mark) -> bool:
        """Written like a tick, on the condition of one: no decision that knows the old watermarks lands after it."""
        answer = self._gates.advance(gate, restored(gate, back, mark))
        if answer is Answer.UNSURE:
            raise Unsure
        return answer is Answer.YES

    def _mark(self, zone: Zone, gate: GateItem, to_at_ms: int | None) -> Mark:
        marks = [mark for row in self._minutes.latest(zone.zone_id, zone.run, LOOK_BACK) for mark in marks_of(row)]
        if to_at_ms is None:
            # Where the line stands now is in no row yet: places may have been given back a moment ago.
            now = mark_of(gate, share=1.0, now_ms=marks[-1].at_ms if marks else 0)
            found = before_nobody_came([*marks, now])
            advice = "There was no time in which places lapsed and nobody came in"
        else:
            found, advice = last_before(marks, to_at_ms), "Nothing is known of this run so long ago"
        if found is None:
            known = f"name a moment from {_utc(marks[0].at_ms)} on" if marks else "the run has no minute rows yet"
            raise InvalidInput(f"{advice}: {known}.", "/to_at_ms")
        return found


def _utc(at_ms: int) -> str:
    """A moment as people and `wr control ZONE restore --to` write it, not before it."""
    return datetime.fromtimestamp(-(-at_ms // 1000), UTC).isoformat().replace("+00:00", "Z")
