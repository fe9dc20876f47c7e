"""Tick: read the run, decide, write the decision if nobody else did, then tell everybody waiting (PROTOCOL, Tick)."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.counters import Departures, Joins, Minutes, Sales
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.calls import newly_called
from waiting_room.domain.admission.controller import Tick, decide
from waiting_room.domain.admission.speeds import speed_per_sec
from waiting_room.domain.admission.status import status_document, status_key
from waiting_room.domain.alerts import lead_sec
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.gate_item import ControllerState, GateItem
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Beacon, Clock, Ids, Metrics, ObjectStore
from waiting_room.use_cases.draw import Draws, HoldDraw
from waiting_room.use_cases.gauges import MINUTE_MS, is_new_minute, zone_point
from waiting_room.use_cases.seal import Seal

logger = logging.getLogger(__name__)

STATUS_CACHE = "public, max-age=1"
ROW_MS = 10_000
"""How often the minute row and the entry record are refreshed, at least."""
POINTS = 8
"""Most points of a minute's course: one each time the row is refreshed, so that it costs no write of its own."""
ENTRY = "entry"

Point = tuple[int, int, int, float]
"""Of one lane: second of the minute, tail, serving, positions called a second as visitors were told."""


@dataclass(frozen=True)
class Ticked:
    """What came of a tick; `idle` says that the next one would change nothing.

    `seals` asks for more calls of `seal` until then: the lanes have several counters each.
    """

    won: bool
    idle: bool
    seals: bool = False


class TickZone:
    """One tick of one zone."""

    def __init__(
        self,
        zones: ProtectedZones,
        gates: Gates,
        joins: Joins,
        sales: Sales,
        minutes: Minutes,
        objects: ObjectStore,
        clock: Clock,
        ids: Ids,
        calls: CallRecords,
        departures: Departures,
        *,
        beacon: Beacon | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`metrics` is told of each zone once a minute; its `put` must not raise for a backend that is down."""
        self._zones = zones
        self._gates = gates
        self._joins = joins
        self._sales = sales
        self._minutes = minutes
        self._objects = objects
        self._clock = clock
        self._ids = ids
        self._calls = calls
        self._seal = Seal(joins)
        self._draws = Draws(zones)
        self._hold_draw = HoldDraw(self._draws, self._seal, beacon)
        self._departures = departures
        self._metrics = metrics
        self._runs: dict[str, int] = {}
        self._lanes: dict[str, tuple[int, tuple[str, ...], int]] = {}
        self._courses: dict[str, tuple[int, int, dict[str, list[Point]]]] = {}

    def __call__(self, zone_id: str) -> Ticked:
        """Tick a zone once. A zone or run that is gone counts as idle; a lost or unsure tick is simply over."""
        # The clock is read first: everything decided from it is only ever too late, never too early.
        now_ms = self._clock.now_ms()
        read = self._read(zone_id)
        if read is None:
            return Ticked(won=False, idle=True)
        zone, gate = read[0].effective, read[1]
        # Sales after leases: one that moves from the one to the other in between is counted twice, never not at all.
        sold = self._sales.sold(zone_id, zone.run) if zone.inventory is not None else 0
        gate = self._with_draw(zone, gate, now_ms)
        tails, gate = self._line(zone, gate)
        tick = decide(zone, gate, sold, tails, now_ms)
        if self._gates.advance(gate, tick.gate, self._ids.attempt_id()) is not Answer.YES:
            return Ticked(won=False, idle=False, seals=gate.shards > 1)
        self._tell(zone, gate, tick.gate)
        self._publish(zone, gate, tick, tails, sold, now_ms)
        return Ticked(won=True, idle=tick.idle, seals=gate.shards > 1)

    def seal(self, zone_id: str) -> None:
        """Seal once more the lanes of the run that was ticked last; nothing where numbers are places already."""
        run, lanes, shards = self._lanes.get(zone_id, (0, (), 1))
        if shards > 1:
            self._seal(zone_id, run, lanes, shards)

    def taken(self, zone: Zone, gate: GateItem) -> dict[str, int]:
        """Numbers taken by lane: the line with those in it whose place is not sealed yet. Raises Overloaded."""
        lanes = list(zone.lanes)
        if gate.shards == 1 and len(lanes) == 1:
            return {lane: self._joins.tail(zone.zone_id, zone.run, lane, 0) for lane in lanes}
        numbers, complete = self._joins.taken(zone.zone_id, zone.run, lanes, gate.shards)
        if not complete:
            raise Overloaded
        return {lane: sum(numbers[lane].values()) for lane in lanes}

    def _with_draw(self, zone: Zone, gate: GateItem, now_ms: int) -> GateItem:
        """The gate item with the early joiners, once the start has come; until then nobody is called."""
        if not gate.awaits_draw or not zone.started(now_ms):
            return gate
        early = self._hold_draw(zone, list(zone.lanes), gate.shards, now_ms)
        return gate if early is None else gate.replace_state(early=early)

    def _line(self, zone: Zone, gate: GateItem) -> tuple[dict[str, int], GateItem]:
        """Positions taken by lane, and the gate item that says up to which epoch they are sealed."""
        self._lanes[zone.zone_id] = (zone.run, tuple(zone.lanes), gate.shards)
        if gate.shards == 1:
            return self.taken(zone, gate), gate
        epochs = self._seal(zone.zone_id, zone.run, zone.lanes, gate.shards)
        numbers = {lane: epoch.number for lane, epoch in epochs.items()}
        return {lane: epoch.tail for lane, epoch in epochs.items()}, gate.replace_state(epochs=numbers)

    def _read(self, zone_id: str) -> tuple[Zone, GateItem] | None:
        """The gate item, then the zone: a change after this read of the zone refuses the tick by its fence."""
        run = self._runs.get(zone_id)
        for _ in range(3):
            gate = None if run is None else self._gates.read(zone_id, run)
            zone = self._zones.get(zone_id)
            if zone is None:
                self._runs.pop(zone_id, None)
                return None
            if gate is not None and gate.run == zone.run:
                return zone, gate
            run = self._runs[zone_id] = zone.run
        return None

    def _tell(self, zone: Zone, before: GateItem, after: GateItem) -> None:
        """Leave word of whom this tick called. A message that is lost costs its readers a poll, never the tick."""
        for calls in newly_called(zone, before, after, lead_sec(zone.alerts)):
            try:
                self._calls.put(calls)
            except Overloaded:
                logger.warning("calls could not be told", extra={"zone_id": calls.zone_id, "lane": calls.lane})

    def _publish(
        self, zone: Zone, before: GateItem, tick: Tick, tails: Mapping[str, int], sold: int, now_ms: int
    ) -> None:
        draw = self._draws.get(zone.zone_id, zone.run) if tick.gate.order == "lottery" else None
        document = status_document(zone, tick, tails, now_ms, draw)
        body = json.dumps(document, separators=(",", ":")).encode()
        self._objects.put(status_key(zone.zone_id), body, "application/json", STATUS_CACHE)
        if not _is_row_due(before.state, tick.gate.state, now_ms):
            return
        self._zones.put_record(zone.zone_id, ENTRY, {"entry": tick.gate.state.entry})
        departures = {lane: self._departures.totals(zone.zone_id, zone.run, lane) for lane in zone.lanes}
        told = {"lanes": document["lanes"], "departures": departures, "limits": limits(zone)}
        row = {**minute_row(tick, tails, sold, now_ms), **told}
        if self._metrics is not None and is_new_minute(before.state.ticked_at_ms, now_ms):
            self._metrics.put([zone_point(zone.zone_id, zone.run, now_ms, row)])
        row["course"] = self._course(zone, tick, tails, now_ms)
        self._minutes.put(zone.zone_id, zone.run, now_ms, row)

    def _course(self, zone: Zone, tick: Tick, tails: Mapping[str, int], now_ms: int) -> dict[str, list[Point]]:
        """The minute's course so far, one point longer. An exchanger that takes over within it begins it anew."""
        minute = now_ms // MINUTE_MS
        run, begun, course = self._courses.get(zone.zone_id, (zone.run, minute, {}))
        if (run, begun) != (zone.run, minute):
            course = {}
        for name, lane in tick.gate.lanes.items():
            speed = round(speed_per_sec(zone, tick.gate.state, name), 4)
            point = (now_ms % MINUTE_MS // 1000, tails.get(name, 0), lane.serving, speed)
            course[name] = [*course.get(name, []), point][-POINTS:]
        self._courses[zone.zone_id] = (zone.run, minute, course)
        return course


def _is_row_due(before: ControllerState, after: ControllerState, now_ms: int) -> bool:
    """Whether the minute row is refreshed: now and then, and with whatever may be the last there is to say."""
    turned = (after.entry, after.phase) != (before.entry, before.phase) or (after.resting and not before.resting)
    return turned or now_ms // ROW_MS != before.ticked_at_ms // ROW_MS


def minute_row(tick: Tick, tails: Mapping[str, int], sold: int, now_ms: int) -> dict[str, object]:
    """Cumulative numbers of the run: whoever wants a rate subtracts two rows.

    `lapsed` counts those called whose window has passed, less those who came.
    """
    gate = tick.gate
    return {
        "phase": tick.phase,
        "tokens_issued": gate.claimed,
        "active": gate.active,
        "sold": sold,
        "show_up_share": round(tick.share, 4),
        "joined": sum(tails.values()),
        "called": sum(lane.serving for lane in gate.lanes.values()),
        "lapsed": max(0, round(gate.state.matured_called - gate.state.matured_claimed)),
        "updated_at_ms": now_ms,
    }


def limits(zone: Zone) -> dict[str, float | int | None]:
    """What the operator had set in that minute, so that a chart can show it beside what came of it."""
    return {name: getattr(zone, name) for name in ("max_active", "rate_per_min", "inventory")}
