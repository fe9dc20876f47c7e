"""Restoring: which moment lapsed places are given back from, and whom that affects (PROTOCOL, Restoring places)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from waiting_room.domain.admission.gate_item import GateItem, Watermarks


@dataclass(frozen=True)
class Mark:
    """A run at a moment: the claims so far, by lane what was called and what had lapsed, and what was learnt by then:
    the share of the called who come, and how many did not."""

    at_ms: int
    claimed: int
    lanes: Mapping[str, tuple[int, int]]
    share: float = 1.0
    absent: int = 0

    def floor(self, lane: str) -> int:
        """The lane's floor; 0 before there was the lane."""
        return self.lanes.get(lane, (0, 0))[1]


@dataclass(frozen=True)
class LaneBack:
    """What a lane's watermarks become. The numbers of visitors are bounds: who came in or left is among them."""

    before: Watermarks
    after: Watermarks

    @property
    def come_back(self) -> int:
        """Places that have lapsed and do not count as lapsed any more."""
        return self.before.floor - self.after.floor

    @property
    def wait_again(self) -> int:
        """Places that are called now and wait again."""
        return self.before.serving - max(self.after.serving, self.before.floor)


def last_before(marks: Sequence[Mark], at_ms: int) -> Mark | None:
    """The newest mark that is not younger than a moment; `marks` are in order of time."""
    return next((mark for mark in reversed(marks) if mark.at_ms <= at_ms), None)


def before_nobody_came(marks: Sequence[Mark]) -> Mark | None:
    """The mark at which the newest stretch began in which places lapsed and not one visitor came in.

    In a line that moves places lapse all the time, so that alone says nothing; but nobody coming at all does. None
    where there was no such stretch since the run began, or since places were given back last.
    """
    found: Mark | None = None
    for before, after in reversed(list(pairwise(marks))):
        if _fell(before, after):
            return found
        still = after.claimed == before.claimed
        if found is not None and not still:
            return found
        if found is not None or (still and _rose(before, after)):
            found = before
    return found


def _rose(before: Mark, after: Mark) -> bool:
    return any(after.floor(lane) > before.floor(lane) for lane in after.lanes)


def _fell(before: Mark, after: Mark) -> bool:
    return any(after.floor(lane) < before.floor(lane) for lane in after.lanes)


def given_back(gate: GateItem, mark: Mark) -> dict[str, LaneBack]:
    """What each lane's watermarks become: as they were at the mark, and never higher than they are.

    Higher would be possible where places were given back before, and would take somebody's time.
    """
    back: dict[str, LaneBack] = {}
    for name, lane in gate.lanes.items():
        serving, floor = mark.lanes.get(name, (0, 0))
        serving, floor = min(lane.serving, serving), min(lane.floor, floor)
        back[name] = LaneBack(lane, Watermarks(serving, floor, ahead=serving))
    return back


def restored(gate: GateItem, back: Mapping[str, LaneBack], mark: Mark) -> GateItem:
    """The gate item with the places given back."""
    return gate.recalled({name: lane.after for name, lane in back.items()}, mark.share, mark.absent)


def mark_of(gate: GateItem, share: float, now_ms: int) -> Mark:
    """Where a run stands after a tick."""
    lanes = {name: (lane.serving, lane.floor) for name, lane in gate.lanes.items()}
    return Mark(now_ms, gate.claimed, lanes, round(share, 4), gate.state.show_up.absent)
