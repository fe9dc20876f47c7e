"""Minute rows: what ticks leave for operators, and the record by which the gate's snapshot sends newcomers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.counters import Departures, Minutes
from waiting_room.adapters.limit_counts import LimitCounts
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.controller import Tick
from waiting_room.domain.admission.gate_item import ControllerState, GateItem
from waiting_room.domain.admission.restoring import Mark, mark_of
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Metrics
from waiting_room.use_cases.gauges import MINUTE_MS, is_told, zone_point

ROW_MS = 10_000
"""How often the minute row and the entry record are refreshed, at least."""
POINTS = 8
"""Most points of a minute's course: one each time the row is refreshed, so that it costs no write of its own."""
ENTRY = "entry"

Point = tuple[int, int, int, float]
"""Of one lane: second of the minute, tail, serving, positions called a second as visitors were told."""
Lanes = Mapping[str, Mapping[str, Any]]
"""The lanes of a status document."""


class MinuteRows:
    """Refreshes the row of the minute now and then, and tells the gauges."""

    def __init__(
        self,
        zones: ProtectedZones,
        minutes: Minutes,
        departures: Departures,
        limits: LimitCounts,
        metrics: Metrics | None = None,
    ) -> None:
        """`metrics` is told of each zone as `is_told` says; its `put` must not raise for a backend that is down."""
        self._zones = zones
        self._minutes = minutes
        self._departures = departures
        self._limits = limits
        self._metrics = metrics
        self._courses: dict[str, tuple[int, int, dict[str, list[Point]]]] = {}
        self._marks: dict[str, tuple[int, int, list[list[Any]]]] = {}

    def __call__(self, zone: Zone, before: GateItem, tick: Tick, lanes: Lanes, sold: int, now_ms: int) -> None:
        """Refresh what is due after a tick that was won; `lanes` is what its status document tells of them."""
        if not _is_due(before.state, tick.gate.state, now_ms):
            return
        self._zones.put_record(zone.zone_id, ENTRY, {"entry": tick.gate.state.entry})
        departures = {lane: self._departures.totals(zone.zone_id, zone.run, lane) for lane in zone.lanes}
        enforced = self._limits.totals(zone.zone_id, zone.run)
        told = {"lanes": lanes, "departures": departures, "limits": _limits(zone), "enforced": enforced}
        row = {**_row(tick, lanes, sold, now_ms), **told}
        if self._metrics is not None and is_told(before.state, tick.gate.state, now_ms):
            self._metrics.put([zone_point(zone.zone_id, zone.run, now_ms, row)])
        row["course"] = self._course(zone, lanes, now_ms)
        row["marks"] = self._marked(zone, mark_of(tick.gate, tick.share, now_ms))
        self._minutes.put(zone.zone_id, zone.run, now_ms, row)

    def _course(self, zone: Zone, lanes: Lanes, now_ms: int) -> dict[str, list[Point]]:
        """The minute's course so far, one point longer. An exchanger that takes over within it begins it anew."""
        minute = now_ms // MINUTE_MS
        run, begun, course = self._courses.get(zone.zone_id, (zone.run, minute, {}))
        if (run, begun) != (zone.run, minute):
            course = {}
        for name, lane in lanes.items():
            point = (now_ms % MINUTE_MS // 1000, lane["tail"], lane["serving"], lane["speed_per_sec"])
            course[name] = [*course.get(name, []), point][-POINTS:]
        self._courses[zone.zone_id] = (zone.run, minute, course)
        return course

    def _marked(self, zone: Zone, mark: Mark) -> list[list[Any]]:
        """The minute's marks so far, one longer, as `marks_of` reads them: what lapsed places are given back from."""
        minute = mark.at_ms // MINUTE_MS
        run, begun, marks = self._marks.get(zone.zone_id, (zone.run, minute, []))
        if (run, begun) != (zone.run, minute):
            marks = []
        lanes = {name: list(stood) for name, stood in mark.lanes.items()}
        marks = [*marks, [mark.at_ms % MINUTE_MS, mark.claimed, mark.share, mark.absent, lanes]][-POINTS:]
        self._marks[zone.zone_id] = (zone.run, minute, marks)
        return marks


def marks_of(row: Mapping[str, Any]) -> list[Mark]:
    """The marks of a minute row, in order of time; of a row that has none yet, how it ended."""
    began_ms = row["minute"] * MINUTE_MS
    if "marks" in row:
        return [
            Mark(began_ms + int(ms), int(claimed), _stood(lanes), float(share), int(absent))
            for ms, claimed, share, absent, lanes in row["marks"]
        ]
    lanes = {name: (lane["serving"], lane["floor"]) for name, lane in row["lanes"].items()}
    return [Mark(int(row["updated_at_ms"]), row["tokens_issued"], lanes, float(row["show_up_share"]), row["lapsed"])]


def _stood(lanes: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (int(serving), int(floor)) for name, (serving, floor) in lanes.items()}


def _is_due(before: ControllerState, after: ControllerState, now_ms: int) -> bool:
    """Whether the row is refreshed: now and then, and with whatever may be the last there is to say."""
    stood = (before.entry, before.phase, before.door.shut)
    turned = (after.entry, after.phase, after.door.shut) != stood or (after.resting and not before.resting)
    return turned or now_ms // ROW_MS != before.ticked_at_ms // ROW_MS


def _row(tick: Tick, lanes: Lanes, sold: int, now_ms: int) -> dict[str, object]:
    """Cumulative numbers of the run: whoever wants a rate subtracts two rows.

    `lapsed` counts those called whose time to come is over, less those who came.
    """
    return {
        "phase": tick.phase,
        "tokens_issued": tick.gate.claimed,
        "active": tick.gate.active,
        "sold": sold,
        "door_shut": int(tick.gate.state.door.shut),
        "show_up_share": round(tick.share, 4),
        "joined": sum(lane["tail"] for lane in lanes.values()),
        "called": sum(lane["serving"] for lane in lanes.values()),
        "lapsed": tick.gate.state.show_up.absent,
        "updated_at_ms": now_ms,
    }


def _limits(zone: Zone) -> dict[str, float | int | None]:
    """What the operator had set in that minute, so that a chart can show it beside what came of it."""
    return {name: getattr(zone, name) for name in ("max_active", "rate_per_min", "inventory")}
