"""Verify a phone: a passcode is sent to a number, and shows that the place's visitor has it. One number, one place."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.phones import Limit, Phones, codes_counter
from waiting_room.adapters.queue import Queue
from waiting_room.domain import phones as limits
from waiting_room.domain.alerts import telephone_number
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import CodeRefused, InvalidInput, Lapsed, Moved, Overloaded, UnknownVisitor, Unsure
from waiting_room.domain.line.places import Known, QueueItem, status_now
from waiting_room.domain.networks import network_tag
from waiting_room.domain.phones import CodeChannel
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids, Passcodes, Sending
from waiting_room.use_cases.lines import Lines

logger = logging.getLogger(__name__)

NO_MORE = "no codes are sent"
"""The line of the log that an alarm waits for: a run has used up its codes, or the account sends none."""
HOUR_MS = 3_600_000
HOLDS = {"waiting", "called"}
IS_OVER = {"left", "lapsed"}


@dataclass(frozen=True)
class Who:
    """Who asks: the visitor, as the visitor's token says, and the address the request came from."""

    visitor_id: str
    gen: int
    known: Known | None
    client_ip: str = ""


class VerifyPhone:
    """Sends passcodes and checks them. Without `passcodes` the deployment sends none, whatever a zone says."""

    def __init__(
        self,
        queue: Queue,
        copies: GateCopies,
        lines: Lines,
        phones: Phones,
        passcodes: Passcodes | None,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._queue = queue
        self._copies = copies
        self._lines = lines
        self._phones = phones
        self._passcodes = passcodes
        self._clock = clock
        self._ids = ids

    def send(self, zone: Zone, who: Who, channel: CodeChannel, number: str) -> Sending:
        """Have a passcode sent for the visitor's place: SENT, or PERHAPS when the answer was lost.

        Counted before it is sent, by visitor, network, number and run, so that whatever gets lost costs no more.
        Raises InvalidInput, CodeRefused, UnknownVisitor, Moved, Lapsed, Overloaded, Unsure.
        """
        rules, passcodes = self._rules(zone)
        if channel not in rules["channels"]:
            raise InvalidInput(f"Choose one of: {', '.join(rules['channels'])}.", "/channel")
        number = telephone_number(number, rules["prefixes"])
        item = self._holding(zone, who)
        if item.phone and self._phones.owner(zone.zone_id, zone.run, item.phone) == who.visitor_id:
            raise CodeRefused("A number is confirmed for this place already.")
        counted = self._count(zone, rules, who, self._phones.tag(zone.zone_id, zone.run, number))
        sending = passcodes.send(channel, number, who.visitor_id)
        if sending in (Sending.BUSY, Sending.STOPPED):
            self._give_back(counted)
        if sending is Sending.REFUSED:
            raise InvalidInput("This number cannot be reached, or wants no messages.", "/number")
        if sending is Sending.BUSY:
            raise Overloaded
        if sending is Sending.STOPPED:
            logger.warning(NO_MORE, extra={"zone_id": zone.zone_id, "why": "the service refuses"})
            raise CodeRefused("No codes can be sent at the moment. The organiser has to look after it.")
        return sending

    def check(self, zone: Zone, who: Who, number: str, code: str) -> QueueItem | None:
        """Verify the visitor's place with a passcode; None when it is, else the place that has the number.

        Asked again, the same. Raises InvalidInput, CodeRefused, UnknownVisitor, Moved, Lapsed, Overloaded, Unsure.
        """
        rules, passcodes = self._rules(zone)
        number = telephone_number(number, rules["prefixes"])
        item = self._holding(zone, who)
        tag = self._phones.tag(zone.zone_id, zone.run, number)
        owner = self._phones.owner(zone.zone_id, zone.run, tag)
        # Whose number it is already has shown it before: an answer was lost, or the place was taken anew.
        if owner != who.visitor_id:
            self._prove(zone, passcodes, who, number, code)
            other = self._held_by(zone, owner)
            if not self._bind(zone, who.visitor_id, tag, owner if other is None else None):
                other = other or self._held_by(zone, self._phones.owner(zone.zone_id, zone.run, tag))
                if other is None:
                    raise Unsure
                return other
        self._store(item, tag)
        return None

    def _rules(self, zone: Zone) -> tuple[Mapping[str, Any], Passcodes]:
        if zone.phone is None or self._passcodes is None:
            raise CodeRefused("No codes are sent for this line.")
        return zone.phone, self._passcodes

    def _holding(self, zone: Zone, who: Who) -> QueueItem:
        item = self._queue.get(zone.zone_id, zone.run, who.visitor_id)
        if item is None:
            raise UnknownVisitor
        if item.gen > who.gen:
            raise Moved
        if self._status(zone, item, who.known) not in HOLDS or item.status != "waiting":
            raise Lapsed("Only a place that waits needs a number.")
        return item

    def _status(self, zone: Zone, item: QueueItem, known: Known | None = None) -> str:
        gate = self._copies.recent(zone)
        return status_now(self._lines.placed(item, gate, known), gate, zone.claim.grace_sec, self._clock.now_ms())

    def _count(self, zone: Zone, rules: Mapping[str, Any], who: Who, tag: str) -> list[Limit]:
        """Count a passcode everywhere, the narrowest first: whoever is stopped there spends nothing of the others'.

        Who is stopped by a wider one, as many behind one network are, has not spent an own one for nothing.
        """
        zone_id, run, hour = zone.zone_id, zone.run, self._clock.now_ms() // HOUR_MS
        visitor = self._phones.tag(zone_id, run, who.visitor_id)
        network = network_tag(f"{zone_id}|{run}|{zone.site_key_sha256}", who.client_ip) or "unknown"
        of_number = codes_counter(zone_id, run, f"number#{tag}")
        per_network = int(rules.get("per_network", limits.PER_NETWORK))
        steps = (
            (Limit(codes_counter(zone_id, run, f"visitor#{visitor}"), limits.CODES_PER_PLACE), "visitor"),
            (Limit(codes_counter(zone_id, run, f"network#{network}"), per_network, hour), "network"),
            (Limit(of_number, limits.CODES_PER_NUMBER_HOUR, hour), "number"),
            (Limit(of_number, limits.CODES_PER_NUMBER), "number"),
            (Limit(codes_counter(zone_id, run), int(rules.get("most", limits.MOST))), "run"),
        )
        counted: list[Limit] = []
        for limit, what in steps:
            if not self._phones.take(limit, self._from_ms(zone)):
                self._give_back(counted)
                if what == "run":
                    logger.warning(NO_MORE, extra={"zone_id": zone.zone_id, "why": "used up"})
                raise CodeRefused(_TOO_MANY[what], what)
            counted.append(limit)
        return counted

    def _give_back(self, counted: list[Limit]) -> None:
        for limit in counted:
            self._phones.give_back(limit)

    def _prove(self, zone: Zone, passcodes: Passcodes, who: Who, number: str, code: str) -> None:
        visitor = self._phones.tag(zone.zone_id, zone.run, who.visitor_id)
        tries = Limit(codes_counter(zone.zone_id, zone.run, f"checks#{visitor}"), limits.CHECKS_PER_PLACE)
        if not self._phones.take(tries, self._from_ms(zone)):
            raise CodeRefused("Too many codes were tried for this place.", "visitor")
        digits = "".join(character for character in code if character.isdigit())
        if len(digits) != limits.CODE_LENGTH or not passcodes.check(number, who.visitor_id, digits):
            raise InvalidInput("This code is wrong, too old, or was tried too often: have a new one sent.", "/code")

    def _held_by(self, zone: Zone, visitor_id: str | None) -> QueueItem | None:
        """The place of whoever has a number, as long as it stands."""
        item = self._queue.get(zone.zone_id, zone.run, visitor_id) if visitor_id else None
        return None if item is None or self._status(zone, item) in IS_OVER else item

    def _bind(self, zone: Zone, visitor_id: str, tag: str, over: str | None) -> bool:
        from_ms = self._from_ms(zone)
        return self._phones.bind(zone.zone_id, zone.run, tag, visitor_id, from_ms, instead_of=over or "")

    def _store(self, item: QueueItem, tag: str) -> None:
        if item.phone == tag:
            return
        attempt = self._ids.attempt_id()
        if self._queue.verify_phone(item, phone=tag, attempt=attempt, now_ms=self._clock.now_ms()) is Answer.YES:
            return
        stored = self._queue.get(item.zone_id, item.run, item.visitor_id)
        if stored is None or stored.phone != tag:
            raise Unsure

    def _from_ms(self, zone: Zone) -> int:
        return max(self._clock.now_ms(), zone.starts_at_ms or 0)


_TOO_MANY = {
    "visitor": "As many codes as a place may have were sent already.",
    "network": "Too many codes were sent to your network within the hour. Another connection may help.",
    "number": "As many codes as a number may get were sent already. Try again in an hour.",
    "run": "As many codes as the organiser pays for were sent already. Please ask the organiser.",
}
