"""Identify: the visitor behind a join claim, a token of the site's own login. One person, one place, in any browser."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt

from waiting_room.adapters.login_keys import LoginKeys
from waiting_room.domain.errors import NotReady, SignInNeeded
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids

AUDIENCE = "waiting-room-join"
LONGEST_SEC = 3600
"""A join claim is made for the way from the login to the line; one that is valid longer is worth stealing."""
LONGEST_TOKEN, LONGEST_SUBJECT = 4096, 200


@dataclass(frozen=True)
class Identified:
    """Who somebody is. `account` stands for the person in this run and is told to nobody; empty where it is not known.

    `seen` is to be noted: `valid`, `missing`, `bad`, or `unread` while the login's keys cannot be had; empty where
    nobody asks for a claim.
    """

    visitor_id: str
    seen: str = ""
    account: str = ""


class Identify:
    """Gives a newcomer an id: by the claim where the zone wants that, else a new one."""

    def __init__(self, keys: LoginKeys, clock: Clock, ids: Ids) -> None:
        self._keys = keys
        self._clock = clock
        self._ids = ids

    def __call__(self, zone: Zone, claim: str | None) -> Identified:
        """Who it is by the claim; the visitor id is the account's where the zone requires one, else a fresh one.

        The same person gets the same id in one run of one zone, and another one everywhere else: what is stored tells
        nobody who it is. Raises SignInNeeded without a good claim in a zone that requires one, NotReady when there
        are no keys to check it with.
        """
        if zone.identity is None or zone.phone is not None:
            return Identified(self._ids.visitor_id())
        try:
            subject = self._subject(zone, claim) if claim else None
        except NotReady:
            if zone.identity["mode"] == "observe":
                return Identified(self._ids.visitor_id(), "unread")
            raise
        seen = "missing" if not claim else "bad" if subject is None else "valid"
        account = "" if subject is None else _account(zone, subject)
        if zone.identity["mode"] == "observe":
            return Identified(self._ids.visitor_id(), seen, account)
        if not account:
            raise SignInNeeded("Sign in on the site first: this line takes one place for each account.")
        return Identified(account, seen, account)

    def _subject(self, zone: Zone, claim: str) -> str | None:
        """Who the claim is about, or None for anything but a valid claim for this zone."""
        settings: Mapping[str, Any] = zone.identity or {}
        if len(claim) > LONGEST_TOKEN:
            return None
        try:
            kid = jwt.get_unverified_header(claim).get("kid")
            found = self._keys.find(zone, kid)
            if found is None:
                return None
            # The algorithm is the key's, never the token's. The time is checked below, by our own clock.
            claims = jwt.decode(
                claim,
                found.key,
                algorithms=[found.algorithm],
                audience=AUDIENCE,
                issuer=settings["issuer"],
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False, "verify_nbf": False},
            )
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            return None
        now_sec, subject, expires = self._clock.now_ms() // 1000, claims["sub"], claims["exp"]
        if type(expires) is not int or not now_sec < expires <= now_sec + LONGEST_SEC:
            return None
        if claims.get("zone", zone.zone_id) != zone.zone_id:
            return None
        return subject if isinstance(subject, str) and 0 < len(subject) <= LONGEST_SUBJECT else None


def _account(zone: Zone, subject: str) -> str:
    """What stands for a person in one run: without the site's key nobody can tell whom."""
    salt = f"{zone.zone_id}|{zone.run}|{zone.site_key_sha256}"
    digest = hashlib.sha256(f"{salt}|{subject}".encode()).digest()[:16]
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
