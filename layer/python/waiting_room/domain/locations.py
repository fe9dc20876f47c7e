"""Where things are under the prefix, for those who send visitors there. The routes themselves are in openapi.json."""

from __future__ import annotations

from urllib.parse import quote

__all__ = [
    "PREFIX",
    "SITE_KEY",
    "alerts_url",
    "bypass_url",
    "codes_url",
    "door_url",
    "draw_path",
    "enter_url",
    "invitation_url",
    "move_url",
    "page_path",
    "page_url",
    "phone_url",
    "place_url",
    "renew_url",
    "verify_url",
]

PREFIX = "/.waiting-room"
"""Everything under it belongs to the waiting room itself."""
SITE_KEY = "site.json"
"""Where the site bucket says under which address visitors find the site; outside the prefix: it is served to nobody."""


def page_path(zone_id: str) -> str:
    """Path of a zone's waiting page."""
    return f"{PREFIX}/pages/{zone_id}/index.html"


def draw_path(zone_id: str, run: int) -> str:
    """Path of the document that a run's draw is checked by."""
    return f"{PREFIX}/draws/{zone_id}/{run}.json"


def verify_url(zone_id: str, run: int, lane: str, number: int) -> str:
    """The page that recomputes a draw, filled in for a visitor's number in it, from 1."""
    return f"{PREFIX}/assets/verify/index.html?zone={zone_id}&run={run}&lane={lane}&arrival={number}"


def door_url(zone_id: str) -> str:
    """The operation `pass_door`."""
    return f"{PREFIX}/v1/zones/{zone_id}/door"


def page_url(zone_id: str, to: str | None) -> str:
    """The waiting page, remembering where the visitor wants to go: a path already checked by `safe_path`, or None."""
    return page_path(zone_id) + _query(to)


def enter_url(zone_id: str, to: str | None) -> str:
    """The operation `enter_zone`."""
    return f"{PREFIX}/v1/zones/{zone_id}/enter{_query(to)}"


def place_url(zone_id: str, to: str | None) -> str:
    """The operation `get_visitor`, which a browser without scripts gets as a page."""
    return f"{PREFIX}/v1/zones/{zone_id}/visitors/me{_query(to)}"


def alerts_url(zone_id: str) -> str:
    """The operations that ask for an alert and take it back."""
    return f"{PREFIX}/v1/zones/{zone_id}/visitors/me/alerts"


def codes_url(zone_id: str) -> str:
    """The operation that sends a passcode to a phone."""
    return f"{PREFIX}/v1/zones/{zone_id}/visitors/me/codes"


def phone_url(zone_id: str) -> str:
    """The operation that verifies a phone with a passcode."""
    return f"{PREFIX}/v1/zones/{zone_id}/visitors/me/phone"


def move_url(zone_id: str, token: str | None = None) -> str:
    """The operations that move a place to another device, as a link with a token."""
    return f"{PREFIX}/v1/zones/{zone_id}/moves" + _secret(token)


def invitation_url(zone_id: str, token: str | None = None) -> str:
    """The operations that take an invitation, as a link with a token."""
    return f"{PREFIX}/v1/zones/{zone_id}/invitations" + _secret(token)


def bypass_url(zone_id: str, token: str | None = None) -> str:
    """The operations that let staff past the line, as a link with a token."""
    return f"{PREFIX}/v1/zones/{zone_id}/bypasses" + _secret(token)


def renew_url(zone_id: str, to: str | None) -> str:
    """The operation that renews a session and leads back."""
    return f"{PREFIX}/v1/zones/{zone_id}/sessions/me/renew{_query(to)}"


def _secret(token: str | None) -> str:
    """A token as the fragment of an address: browsers send it to nobody, so no log has it and no Referer tells it."""
    return f"#{quote(token, safe='')}" if token else ""


def _query(to: str | None) -> str:
    return f"?to={quote(to, safe='/')}" if to else ""
