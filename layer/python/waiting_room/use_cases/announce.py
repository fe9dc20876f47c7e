"""Announce: what a tick tells those who wait, in the document that everybody reads and by records of the called."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.calls import CallRecords
from waiting_room.domain.admission.calls import newly_called
from waiting_room.domain.admission.controller import Tick
from waiting_room.domain.admission.gate_item import GateItem
from waiting_room.domain.admission.status import status_document, status_key
from waiting_room.domain.alerts import lead_sec
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.draws import Draw
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import ObjectStore

logger = logging.getLogger(__name__)

STATUS_CACHE = "public, max-age=1"


class Announce:
    """Tells of a tick that was won."""

    def __init__(self, objects: ObjectStore, calls: CallRecords) -> None:
        self._objects = objects
        self._calls = calls

    def calls(self, zone: Zone, before: GateItem, after: GateItem) -> None:
        """Leave word of whom a tick called. A message that is lost costs its readers a poll, never the tick."""
        for calls in newly_called(zone, before, after, lead_sec(zone.alerts)):
            try:
                self._calls.put(calls)
            except Overloaded:
                logger.warning("calls could not be told", extra={"zone_id": calls.zone_id, "lane": calls.lane})

    def status(
        self, zone: Zone, tick: Tick, tails: Mapping[str, int], now_ms: int, draw: Draw | None
    ) -> dict[str, Any]:
        """Publish the status document, and return it. One that cannot be written is followed by the next tick's."""
        document = status_document(zone, tick, tails, now_ms, draw.announced if draw else None)
        body = json.dumps(document, separators=(",", ":")).encode()
        try:
            self._objects.put(status_key(zone.zone_id), body, "application/json", STATUS_CACHE)
        except Overloaded:
            logger.warning("the status document could not be written", extra={"zone_id": zone.zone_id})
        return document
