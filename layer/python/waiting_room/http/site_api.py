"""What the site's own servers ask for, authenticated by the zone's site key."""

from __future__ import annotations

import hmac
from dataclasses import asdict, dataclass

from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import BadToken, Forbidden
from waiting_room.domain.zones import Zone
from waiting_room.http.body import read_body
from waiting_room.http.credentials import Credentials
from waiting_room.http.request import Request
from waiting_room.http.response import Response, json_response
from waiting_room.http.router import Endpoint
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.revoke import RefuseRevoked
from waiting_room.use_cases.zones import hash_site_key


@dataclass(frozen=True)
class SiteApi:
    """Confirmations."""

    zones: ZoneCopies
    credentials: Credentials
    confirm: Confirm
    refuse_revoked: RefuseRevoked

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        return {"confirm_token": self.confirm_token}

    def confirm_token(self, request: Request) -> Response:
        """Tie the session of an access token to a purchase; with `checkout` complete it.

        A token past its end is looked at too: a retry must get the answer of the first try.
        """
        site_key = request.bearer
        if site_key is None:
            raise BadToken("Send the zone's site key: Authorization: Bearer <site key>.")
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


def _check_site_key(zone: Zone, site_key: str) -> None:
    if not hmac.compare_digest(hash_site_key(site_key), zone.site_key_sha256):
        raise Forbidden("This is not the site key of the token's zone.")
