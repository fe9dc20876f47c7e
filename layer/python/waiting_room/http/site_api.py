"""What the site's own servers ask for, authenticated by the zone's site key."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass
from typing import Any

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import BadToken, Forbidden
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, json_response
from waiting_room.http.frame.router import Endpoint
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.invite import Invitation, MakeInvitation
from waiting_room.use_cases.revoke import RefuseRevoked
from waiting_room.use_cases.zones import hash_site_key

INVITATION_SEC = 86_400
"""How long an invitation is good for unless said otherwise."""


@dataclass(frozen=True)
class SiteApi:
    """Confirmations and invitations."""

    zones: ZoneCopies
    credentials: Credentials
    confirm: Confirm
    refuse_revoked: RefuseRevoked
    invite: MakeInvitation

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        return {"confirm_token": self.confirm_token, "invite_user": self.invite_user}

    def invite_user(self, request: Request) -> Response:
        """Make an invitation for a user who logged in at the site; the same user gets the same one."""
        site_key = _site_key(request)
        body = read_body("invite_user", request)
        zone = self.zones.fresh(body["zone_id"])
        _check_site_key(zone, site_key)
        made = self.invite(zone, body["lane"], body.get("expires_in_sec", INVITATION_SEC), body["reference"])
        return json_response(201, invitation_json(made))

    def confirm_token(self, request: Request) -> Response:
        """Tie the session of an access token to a purchase; with `checkout` complete it.

        A token past its end is looked at too: a retry must get the answer of the first try.
        """
        site_key = _site_key(request)
        body = read_body("confirm_token", request)
        held = self.credentials.read_pass(body["token"])
        zone = self.zones.fresh(held.zone_id)
        _check_site_key(zone, site_key)
        if held.run != zone.run:
            raise BadToken("The access token is of a run that is over.")
        self.refuse_revoked(zone, held.visitor_id, held.sid)
        confirmation = self.confirm(
            zone,
            held.visitor_id,
            held.sid,
            held.expires_at_sec,
            body["reference"],
            checkout=body.get("checkout", False),
        )
        return json_response(200, asdict(confirmation))


def invitation_json(made: Invitation) -> dict[str, Any]:
    """An invitation as those are told who asked for it."""
    return {"id": made.invitation_id, "token": made.token, "link": made.link, "expires_at_ms": made.expires_at_ms}


def _site_key(request: Request) -> str:
    if request.bearer is None:
        raise BadToken("Send the zone's site key: Authorization: Bearer <site key>.")
    return request.bearer


def _check_site_key(zone: Zone, site_key: str) -> None:
    if not hmac.compare_digest(hash_site_key(site_key), zone.site_key_sha256):
        raise Forbidden("This is not the site key of the zone.")
