"""Calls: which positions were called last, and who is near enough to be told without asking (PROTOCOL, Push)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from waiting_room.domain.admission.gate_item import GateItem, Watermarks
from waiting_room.domain.alerts import near_end
from waiting_room.domain.zone.zones import Zone

__all__ = ["POSITIONS_PER_PARTITION", "Calls", "bridged", "calls_of", "is_near", "newly_called", "partitions"]

POSITIONS_PER_PARTITION = 1_000
"""Positions filed together, so that everybody in a range of calls is found with one Query for each thousand."""


@dataclass(frozen=True)
class Calls:
    """Positions `first` to `end` - 1 of a lane were called by the tick `tick`.

    `near` is the position after the last that is to be told beforehand, by telephone; 0 where nobody is.
    """

    zone_id: str
    run: int
    lane: str
    first: int
    end: int
    tick: int
    near: int = 0


def newly_called(zone: Zone, before: GateItem, after: GateItem, lead_sec: int = 0) -> Iterator[Calls]:
    """What a tick called in each lane that it called anybody in; `lead_sec` is that of the zone's alerts."""
    for name, lane in after.lanes.items():
        first = before.lane(name).serving
        if lane.serving > first:
            near = near_end(lane.serving, after.state.speed_per_sec(zone.lanes, name), lead_sec) if lead_sec else 0
            yield Calls(after.zone_id, after.run, name, first, lane.serving, after.tick, near)


def is_near(position: int, lane: Watermarks, push_window: int) -> bool:
    """Whether a visitor still waits, with at most `push_window` people ahead."""
    return lane.serving <= position <= lane.serving + push_window


def partitions(first: int, end: int) -> range:
    """The partitions that positions `first` to `end` - 1 are filed in."""
    if end <= first:
        return range(0)
    return range(first // POSITIONS_PER_PARTITION, (end - 1) // POSITIONS_PER_PARTITION + 1)


def bridged(calls: Calls, told_to: int | None) -> Calls:
    """The same calls from where the last ones that were told ended: calls whose record got lost are told now."""
    first = calls.first if told_to is None else min(calls.first, told_to)
    return replace(calls, first=first)


def calls_of(counter: str, item: Mapping[str, int]) -> Calls:
    """Calls as a record of the counters table tells them; raises ValueError for a key that is none of a calls item."""
    kind, zone_id, run, lane = counter.split("#")
    if kind != "calls":
        raise ValueError(counter)
    return Calls(zone_id, int(run), lane, item["from"], item["to"], item["tick"], item.get("near", 0))
