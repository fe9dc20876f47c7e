"""Send alerts: those who asked are told once, by telephone, when their turn is near; their numbers are then gone."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

from waiting_room.adapters.alerts import RETENTION_SEC, Alerts
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.alerts import MAX_PRICE_USD, Alert, lead_sec
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.line.places import Place
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Carrier, Cipher, Clock, Delivery
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.locate import describe
from waiting_room.use_cases.request_alert import sealing_context

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 200
"""Alerts of one round; what is left is found again when the next are called, a second later."""
AT_ONCE = 8
"""Messages under way at a time: most numbers send fewer a second than these can bring."""
STILL_OF_USE = {"waiting", "called"}

Compose = Callable[[Zone, Alert, Place], str]


class SendAlerts:
    """Done for every record of calls, in a zone that sends alerts."""

    def __init__(
        self,
        zones: ProtectedZones,
        queue: Queue,
        copies: GateCopies,
        lines: Lines,
        alerts: Alerts,
        cipher: Cipher,
        carrier: Carrier,
        clock: Clock,
        compose: Compose,
    ) -> None:
        self._zones = zones
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._alerts = alerts
        self._cipher = cipher
        self._carrier = carrier
        self._clock = clock
        self._compose = compose

    def __call__(self, calls: Calls) -> Counter[Delivery]:
        """What became of the messages that were due. Never raises: to tell the called must not wait for telephones."""
        try:
            zone = self._zones.get(calls.zone_id) if calls.near else None
            if zone is None or zone.alerts is None or zone.run != calls.run:
                return Counter()
            self._place_early(zone, calls.lane)
            due = list(islice(self._due(calls), MOST_AT_ONCE))
            with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="alert") as threads:
                return Counter(threads.map(lambda alert: self._tell(zone, alert), due))
        except Overloaded:
            logger.warning("alerts wait for the next call", extra={"zone_id": calls.zone_id, "lane": calls.lane})
            return Counter({Delivery.FAILED: 1})

    def _due(self, calls: Calls) -> Iterator[Alert]:
        return self._alerts.due(calls.zone_id, calls.run, calls.lane, calls.first, max(calls.near, calls.end))

    def _place_early(self, zone: Zone, lane: str) -> None:
        """File those who asked before their place was known under it, as far as it is known now."""
        for alert in self._alerts.early(zone.zone_id, zone.run, lane, MOST_AT_ONCE):
            place = self._place(zone, alert)
            if place is not None and (place.status not in STILL_OF_USE or place.position is not None):
                self._refile(alert, place)

    def _place(self, zone: Zone, alert: Alert) -> Place | None:
        item = self._queue.get(zone.zone_id, zone.run, alert.visitor_id)
        if item is None:
            self._alerts.take(alert)
            return None
        gate = self._copies.recent(zone)
        return describe(zone, self._lines.placed(item, gate), gate, self._clock.now_ms())

    def _refile(self, alert: Alert, place: Place) -> None:
        """Under the place the visitor has now, first there and then no longer here: a crash in between loses nobody."""
        if place.status in STILL_OF_USE:
            until_sec = self._clock.now_ms() // 1000 + RETENTION_SEC
            self._alerts.file(replace(alert, lane=place.lane, position=place.position), until_sec=until_sec)
        self._alerts.take(alert)

    def _tell(self, zone: Zone, alert: Alert) -> Delivery:
        """Tell one visitor, if that is still of use; whoever removes the alert sends it."""
        try:
            place = self._place(zone, alert)
            if place is None or place.status not in STILL_OF_USE:
                self._alerts.take(alert)
                return Delivery.GONE
            if (place.lane, place.position) != (alert.lane, alert.position):
                self._refile(alert, place)
                return Delivery.GONE
            number = self._cipher.open(alert.sealed, sealing_context(alert))
            if not self._alerts.take(alert):
                return Delivery.GONE
        except Overloaded:
            return Delivery.FAILED
        settings = zone.alerts or {}
        return self._carrier.send(
            alert.channel,
            number,
            self._compose(zone, alert, place),
            alert.language,
            # Told later than the turn itself it is worse than not at all.
            life_sec=min(lead_sec(settings), zone.claim.window_sec + _seconds_left(place)),
            max_price_usd=float(settings.get("max_price_usd", MAX_PRICE_USD)),
        )


def _seconds_left(place: Place) -> int:
    return place.estimate.high_sec if place.estimate else 0
