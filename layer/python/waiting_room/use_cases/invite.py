"""Invite: a signed claim to a place in another lane than the general one, good for one visitor."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.locations import invitation_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Ids, Tokens


@dataclass(frozen=True)
class Invitation:
    """An invitation that was made. The token itself is stored nowhere."""

    invitation_id: str
    token: str
    link: str
    expires_at_ms: int


class MakeInvitation:
    """Signs invitations: for an operator, or for the site's server when one of its users has logged in."""

    def __init__(self, tokens: Tokens, clock: Clock, ids: Ids) -> None:
        self._tokens = tokens
        self._clock = clock
        self._ids = ids

    def __call__(self, zone: Zone, lane: str, expires_in_sec: int, reference: str | None = None) -> Invitation:
        """An invitation for the current run; the same `reference` (the site's id of its user) is the same invitation.

        Raises InvalidInput for a lane the zone does not have, NotReady without signing keys.
        """
        if lane not in zone.lanes:
            raise InvalidInput(f"The zone has no such lane: use one of {', '.join(zone.lanes)}.", "/lane")
        invitation_id = self._ids.session_id() if reference is None else _id_of(zone, reference)
        now_sec = self._clock.now_ms() // 1000
        expires_at_sec = now_sec + expires_in_sec
        claims = {
            "zone": zone.zone_id,
            "run": zone.run,
            "sub": "invitation",
            "jti": invitation_id,
            "lane": lane,
            "iat": now_sec,
            "exp": expires_at_sec,
        }
        token = self._tokens.sign("invitation", claims)
        return Invitation(invitation_id, token, invitation_url(zone.zone_id, token), expires_at_sec * 1000)


def _id_of(zone: Zone, reference: str) -> str:
    return hashlib.sha256(f"{zone.zone_id}\n{zone.run}\n{reference}".encode()).hexdigest()[:32]
