"""Phones as identities: what may be sent to a number, and what a run keeps of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from typing import Literal

__all__ = ["CodeChannel", "is_dear", "number_tag"]

CodeChannel = Literal["sms", "voice", "whatsapp"]

CODE_LENGTH = 6
"""Digits of a passcode."""
CODE_MINUTES = 10
"""How long a passcode is good for."""
CODE_ATTEMPTS = 5
"""Tries for one passcode, the most the service allows."""
CODES_PER_NUMBER_HOUR = 3
CODES_PER_NUMBER = 6
"""Passcodes sent to one number in an hour by the clock, and in a run, from however many places."""
CODES_PER_PLACE = 6
"""Passcodes sent for one place in a run, to whatever numbers."""
CHECKS_PER_PLACE = CODES_PER_PLACE * CODE_ATTEMPTS
"""Passcodes tried for one place in a run: a guess is right once in a million."""
PER_NETWORK = 100
"""Passcodes sent for one network in an hour, unless the zone says otherwise: a mobile network puts many behind it."""
MOST = 10_000
"""Passcodes of a run, unless the zone says otherwise."""
ALERTS_PER_NUMBER = 5
"""Alerts that may be asked for to one number in a run, from however many places."""

_DEAR = (
    # "List of ITU-T Recommendation E.164 assigned country codes": shared cost, satellites, networks, premium rate.
    *("+808", "+870", "+878", "+881", "+882", "+883", "+888", "+979"),
    # Premium and personal numbers of national plans (Ofcom, NANPA, BNetzA, ARCEP, CNMC, AGCOM, ACM, UKE, RTR, BAKOM).
    *("+449", "+4470", "+1900", "+49900", "+49137", "+3389", "+34803", "+34806", "+34807", "+3989", "+31900", "+31906"),
    *("+31909", "+4870", "+43900", "+43930", "+43931", "+41900", "+41901", "+41906"),
)
"""How numbers begin whose calls and messages cost extra, some of it for whoever had them asked for."""


def is_dear(number: str) -> bool:
    """Whether a number (E.164) costs extra wherever it is called from: none of the kind is ever sent to."""
    return number.startswith(_DEAR)


def number_tag(key: str, zone_id: str, run: int, number: str) -> str:
    """What stands for a number in one run of one zone: 22 base64url characters of an HMAC-SHA-256 (RFC 2104).

    Keyed, for all numbers there are can be tried in minutes.
    """
    digest = hmac.new(key.encode(), f"number|{zone_id}|{run}|{number}".encode(), hashlib.sha256).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
