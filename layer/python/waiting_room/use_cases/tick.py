"""Tick: read the run, decide, write the decision if nobody else did, then tell everybody waiting (PROTOCOL, Tick)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from waiting_room.adapters.counters import Joins, Sales
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.admission.controller import Tick, decide
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Beacon, Clock
from waiting_room.use_cases.announce import Announce
from waiting_room.use_cases.draw import Draws, HoldDraw
from waiting_room.use_cases.list_exits import ListExits
from waiting_room.use_cases.minute_rows import MinuteRows
from waiting_room.use_cases.seal import Seal
from waiting_room.use_cases.watch_door import WatchDoor

logger = logging.getLogger(__name__)


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
        clock: Clock,
        announce: Announce,
        minute_rows: MinuteRows,
        exits: ListExits,
        *,
        beacon: Beacon | None = None,
        door: WatchDoor | None = None,
    ) -> None:
        self._zones = zones
        self._gates = gates
        self._joins = joins
        self._sales = sales
        self._clock = clock
        self._announce = announce
        self._minute_rows = minute_rows
        self._exits = exits
        self._door = door
        self._seal = Seal(joins)
        self._draws = Draws(zones)
        self._hold_draw = HoldDraw(self._draws, self._seal, beacon)
        self._runs: dict[str, int] = {}
        self._lanes: dict[str, tuple[int, tuple[str, ...], int]] = {}

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
        gate = self._with_draw(zone, self._exits(gate, now_ms), now_ms)
        tails, gate = self._line(zone, gate)
        seen = None if self._door is None else self._door(zone_id, zone.run, gate.claimed)
        tick = decide(zone, gate, sold, tails, now_ms, seen)
        if self._gates.advance(gate, tick.gate) is not Answer.YES:
            return Ticked(won=False, idle=False, seals=gate.shards > 1)
        self._tell(zone, gate, tick, tails, sold, now_ms)
        return Ticked(won=True, idle=tick.idle, seals=gate.shards > 1)

    def seal(self, zone_id: str) -> int:
        """Seal once more the lanes of the run that was ticked last; nothing where numbers are places already.

        Returns how many places are sealed by then.
        """
        run, lanes, shards = self._lanes.get(zone_id, (0, (), 1))
        return sum(epoch.tail for epoch in self._seal(zone_id, run, lanes, shards).values()) if shards > 1 else 0

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
        return gate if early is None else gate.drawn(early)

    def _line(self, zone: Zone, gate: GateItem) -> tuple[dict[str, int], GateItem]:
        """Positions taken by lane, and the gate item that says up to which epoch they are sealed."""
        self._lanes[zone.zone_id] = (zone.run, tuple(zone.lanes), gate.shards)
        if gate.shards == 1:
            return self.taken(zone, gate), gate
        epochs = self._seal(zone.zone_id, zone.run, zone.lanes, gate.shards)
        numbers = {lane: epoch.number for lane, epoch in epochs.items()}
        return {lane: epoch.tail for lane, epoch in epochs.items()}, gate.sealed(numbers)

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

    def _tell(self, zone: Zone, before: GateItem, tick: Tick, tails: Mapping[str, int], sold: int, now_ms: int) -> None:
        """Hand on what was decided: to those who wait, then to operators. What fails here never costs the tick."""
        self._announce.calls(zone, before, tick.gate)
        draw = self._draws.get(zone.zone_id, zone.run) if tick.gate.order == "lottery" else None
        document = self._announce.status(zone, tick, tails, now_ms, draw)
        try:
            self._minute_rows(zone, before, tick, document["lanes"], sold, now_ms)
        except Overloaded:
            logger.warning("the minute row was not brought up to date", extra={"zone_id": zone.zone_id})
