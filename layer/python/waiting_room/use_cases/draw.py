"""Draw: committed to when the run is created, held once at its start, decided by records alone (PROTOCOL, Draw)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping, Sequence

from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.answers import Answer
from waiting_room.domain.line.draws import Draw, commitment_to, draw_of
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Beacon, Ids
from waiting_room.use_cases.seal import Seal

BEACON_PATIENCE_MS = 60_000
"""How long after the start the beacon is waited for: then the line moves without it, and the record says so."""
DRAW_ITEM = "draw#"

logger = logging.getLogger(__name__)


class Draws:
    """Draws by zone and run."""

    def __init__(self, zones: ProtectedZones) -> None:
        self._zones = zones
        self._open: dict[tuple[str, int], Draw] = {}

    def commit(self, zone_id: str, run: int, ids: Ids) -> None:
        """Make the secret of a run that nobody else has; only its hash leaves the table before the start."""
        secret = hashlib.sha256((ids.session_id() + ids.session_id()).encode()).hexdigest()
        record = {"secret": secret, "commitment": commitment_to(secret)}
        self._zones.put_record(zone_id, f"{DRAW_ITEM}{run}", record)

    def get(self, zone_id: str, run: int) -> Draw | None:
        """A run's draw (consistent), or None where order is by arrival.

        One that was held never changes: it is read at half the price, for a whole crowd asks as soon as it is held.
        """
        if (zone_id, run) in self._open:
            return self._open[zone_id, run]
        draw = self._read(zone_id, run, consistent=False)
        if draw is None or draw.early is None:
            draw = self._read(zone_id, run, consistent=True)
        if draw is not None and draw.early is not None:
            self._open[zone_id, run] = draw
        return draw

    def _read(self, zone_id: str, run: int, *, consistent: bool) -> Draw | None:
        record = self._zones.record(zone_id, f"{DRAW_ITEM}{run}", consistent=consistent)
        return None if record is None else draw_of(zone_id, run, record)

    def open(self, draw: Draw, early: Mapping[str, int], beacon: tuple[int, str | None] | None, now_ms: int) -> Answer:
        """Write what the draw is held by, unless somebody has."""
        record = {"secret": draw.secret, "commitment": draw.commitment, "early": dict(early), "opened_at_ms": now_ms}
        if beacon is not None:
            record |= {"beacon_round": beacon[0], "beacon_value": beacon[1]}
        return self._zones.put_record_once(draw.zone_id, f"{DRAW_ITEM}{draw.run}", record, unless="opened_at_ms")


class HoldDraw:
    """Holds the draw of a run that has started. Of several exchangers one decides; all of them tell the same."""

    def __init__(self, draws: Draws, seal: Seal, beacon: Beacon | None) -> None:
        self._draws = draws
        self._seal = seal
        self._beacon = beacon

    def __call__(self, zone: Zone, lanes: Sequence[str], shards: int, now_ms: int) -> Mapping[str, int] | None:
        """Early joiners by lane, once the draw is held; None while the beacon is waited for. Raises Overloaded."""
        draw = self._draws.get(zone.zone_id, zone.run)
        if draw is None:
            # Nothing was committed to, so nothing can be drawn; the line must move all the same.
            logger.error("the draw's record is gone: everybody keeps the order of joining", extra={"run": zone.run})
            return dict.fromkeys(lanes, 0)
        if draw.early is not None:
            return draw.early
        # The record of each lane decides who is early, whoever comes in while the rest is under way.
        epochs = self._seal(zone.zone_id, zone.run, lanes, shards, close=True)
        beacon = self._value(zone, now_ms)
        waited_ms = now_ms - (zone.starts_at_ms or 0)
        if beacon is not None and beacon[1] is None and waited_ms < BEACON_PATIENCE_MS:
            return None
        self._draws.open(draw, {lane: epoch.early or 0 for lane, epoch in epochs.items()}, beacon, now_ms)
        held = self._draws.get(zone.zone_id, zone.run)
        return None if held is None else held.early

    def _value(self, zone: Zone, now_ms: int) -> tuple[int, str | None] | None:
        """The beacon's round that follows the start, and its value if it is known; None without a beacon."""
        if zone.beacon == "none" or self._beacon is None:
            return None
        number = self._beacon.round_at(zone.starts_at_ms or now_ms)
        value = self._beacon.value(number)
        if value is None:
            logger.warning("the beacon did not answer", extra={"zone_id": zone.zone_id, "round": number})
        return number, value
