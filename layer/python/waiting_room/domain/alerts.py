"""Alerts: who may be told by telephone, how far ahead, and under which number."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.phones import is_dear

__all__ = ["CHANNELS", "Alert", "Channel", "lead_sec", "near_end", "telephone_number"]

Channel = Literal["sms", "voice"]
CHANNELS: tuple[Channel, ...] = ("sms", "voice")

LEAD_SEC = 900
"""How long before the turn somebody is told, unless the zone says otherwise: time to get back to a screen."""
MOST = 10_000
"""Alerts of a run, unless the zone says otherwise."""
MAX_PRICE_USD = 0.2
"""What a message, or a minute of a call, may cost, unless the zone says otherwise."""

_NUMBER = re.compile(r"\A\+[1-9][0-9]{6,14}\Z")
"""E.164: a plus sign and at most fifteen digits; no country has numbers of fewer than seven."""
_SPACING = re.compile(r"[\s().\u2010-\u2015/-]")


@dataclass(frozen=True)
class Alert:
    """What a visitor asked for: to be told once, over a channel, when the turn is near.

    `sealed` is the telephone number, encrypted. `position` is None while the place is not known.
    """

    zone_id: str
    run: int
    lane: str
    visitor_id: str
    channel: Channel
    sealed: bytes
    language: str
    consent_at_ms: int
    position: int | None = None


def lead_sec(settings: Mapping[str, Any] | None) -> int:
    """How long before the turn the visitors of a zone are told, by its `alerts`; 0 where nobody is."""
    return 0 if settings is None else int(settings.get("lead_sec", LEAD_SEC))


def near_end(serving: int, speed_per_sec: float, lead_sec: int) -> int:
    """The position after the last whose turn comes within `lead_sec` at this speed."""
    return serving + math.ceil(max(0.0, speed_per_sec) * lead_sec)


def telephone_number(text: str, prefixes: Iterable[str]) -> str:
    """The number in the form +491701234567, whatever people put between its digits.

    Raises InvalidInput for what is no number with its country, for a country that the organiser sends nothing to, and
    for ranges that cost extra: messages there are dear, and some are asked for by those who earn on them.
    """
    number = _SPACING.sub("", text)
    if not _NUMBER.match(number):
        raise InvalidInput("Give the number with its country in front, like +44 7700 900123.", "/number")
    allowed = sorted(prefixes)
    if not number.startswith(tuple(allowed)):
        raise InvalidInput(f"Messages go to numbers that begin with {', '.join(allowed)} only.", "/number")
    if is_dear(number):
        raise InvalidInput("Nothing is sent to numbers that cost extra.", "/number")
    return number
