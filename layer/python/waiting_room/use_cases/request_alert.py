"""Request an alert: the visitor is told by telephone when the turn is near. And think better of it."""

from __future__ import annotations

from waiting_room.adapters.alerts import RETENTION_SEC, AlertCounts, Alerts
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.phones import Limit, Phones
from waiting_room.adapters.queue import Queue
from waiting_room.domain.alerts import MOST, Alert, Channel, lead_sec, telephone_number
from waiting_room.domain.errors import AlertRefused, InvalidInput, Lapsed, UnknownVisitor
from waiting_room.domain.line.places import Known, QueueItem
from waiting_room.domain.phones import ALERTS_PER_NUMBER
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Cipher, Clock
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.locate import describe


class RequestAlert:
    """Keeps a number, sealed, until it is used or the run is over."""

    def __init__(
        self,
        queue: Queue,
        copies: GateCopies,
        lines: Lines,
        alerts: Alerts,
        counts: AlertCounts,
        phones: Phones,
        cipher: Cipher | None,
        clock: Clock,
    ) -> None:
        """Without `cipher` the deployment sends no alerts, whatever a zone says."""
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._alerts = alerts
        self._counts = counts
        self._phones = phones
        self._cipher = cipher
        self._clock = clock

    def __call__(
        self, zone: Zone, visitor_id: str, known: Known | None, channel: Channel, number: str, language: str
    ) -> None:
        """Keep the number for the visitor's place, instead of one given before over the same channel.

        Everything is looked at before anything is stored. Raises InvalidInput for a number that is none or not wanted,
        AlertRefused, UnknownVisitor, Lapsed for a place that does not wait, Overloaded.
        """
        if zone.alerts is None or self._cipher is None:
            raise AlertRefused("No messages are sent for this line.")
        if channel not in zone.alerts["channels"]:
            raise InvalidInput(f"Choose one of: {', '.join(zone.alerts['channels'])}.", "/channel")
        number = telephone_number(number, zone.alerts["prefixes"])
        item = self._waiting(zone, visitor_id, known)
        from_ms = max(self._clock.now_ms(), zone.starts_at_ms or 0)
        until_sec = from_ms // 1000 + RETENTION_SEC
        tag = self._phones.tag(zone.zone_id, zone.run, number)
        if not self._phones.take(Limit(f"alerts_to#{zone.zone_id}#{zone.run}#{tag}", ALERTS_PER_NUMBER), from_ms):
            raise AlertRefused("As many messages as one number may get have been asked for already.")
        sealed = self._cipher.seal(number, sealing_context(item))
        now_ms, position = self._clock.now_ms(), item.position
        alert = Alert(zone.zone_id, zone.run, item.lane, visitor_id, channel, sealed, language, now_ms, position)
        most = int(zone.alerts.get("most", MOST))
        if self._alerts.file(alert, until_sec=until_sec) and not self._counts.take(
            zone.zone_id, zone.run, most, until_sec
        ):
            self._alerts.take(alert)
            raise AlertRefused("As many messages as the organiser pays for have been asked for already.")

    def cancel(self, zone: Zone, visitor_id: str) -> None:
        """Forget the numbers of a visitor; done twice, or of somebody unknown, it is the same. Raises Overloaded."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is not None:
            position = self._lines.placed(item, self._copies.recent(zone)).position
            self._alerts.forget(zone.zone_id, zone.run, item.lane, visitor_id, position)

    def _waiting(self, zone: Zone, visitor_id: str, known: Known | None) -> QueueItem:
        item = self._queue.get(zone.zone_id, zone.run, visitor_id)
        if item is None:
            raise UnknownVisitor
        gate = self._copies.recent(zone)
        item = self._lines.placed(item, gate, known)
        place = describe(zone, item, gate, self._clock.now_ms())
        if place.status == "called" or (place.estimate and place.estimate.high_sec <= lead_sec(zone.alerts)):
            raise AlertRefused("Your turn is too near for a message. Stay on this page.")
        if place.status != "waiting":
            raise Lapsed("Only a place that waits has a turn to be told of.")
        return item


def sealing_context(of: QueueItem | Alert) -> dict[str, str]:
    """What a number is sealed for: it can be opened for no other visitor."""
    return {"zone": of.zone_id, "run": str(of.run), "visitor": of.visitor_id}
