"""Who a request comes from: read from the headers of the gate, and believed for a reason only."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import jwt

from foyer_origin.errors import NotAdmitted
from foyer_origin.keys import KeySet
from foyer_origin.settings import Settings

PREFIX = "x-waiting-room-"
ORIGIN_SECRET_HEADER = "x-origin-secret"  # noqa: S105 - the name of a header
NO_SNAPSHOT = "no-snapshot"
"""The gate knows nothing of any zone, and the deployment said that everybody passes then."""
LONGEST_TOKEN = 4096


class Headers(Protocol):
    """Headers as every framework has them: a dict, Flask's, Django's, Starlette's. A name in any case."""

    def items(self) -> Iterable[tuple[str, str]]: ...


@dataclass(frozen=True)
class Visit:
    """Somebody whom the gate let in.

    With a session (`session_id`, `token`) it is a visitor admitted through the line. Without one the gate let them pass
    on purpose: staff and machines that are exempt (`exempt` says which), or everybody while the gate is open (`open`
    says why: `pass`, `observe`, `preflight`, or `no-snapshot`).
    """

    zone_id: str
    visitor_id: str = ""
    session_id: str = ""
    lane: str = ""
    exempt: str = ""
    open: str = ""
    run: int = 0
    expires_at_sec: int = 0
    """When the token runs out, in seconds since 1970; a renewed visit has a new one."""

    token: str = field(default="", repr=False)
    """The access token. Whoever has it can be this visitor: never log it."""


def read_visit(headers: Headers, settings: Settings, keys: KeySet) -> Visit:
    """The visit of a request. Raises NotAdmitted or KeysUnavailable.

    A token speaks for itself, being signed. Headers without one are believed only next to the origin secret, for
    without it anybody who reaches this server can have written them.
    """
    told = _told(headers)
    secret = settings.origin_secret
    if secret is not None and not hmac.compare_digest(told.get(ORIGIN_SECRET_HEADER, "").encode(), secret.encode()):
        raise NotAdmitted(f"no {ORIGIN_SECRET_HEADER}, or a wrong one: this did not come through CloudFront")
    if token := told.get(f"{PREFIX}token", ""):
        return _admitted(token, settings, keys)
    if secret is None:
        raise NotAdmitted(f"no {PREFIX}token, and headers are not believed without an origin secret")
    why = told.get(f"{PREFIX}open", "")
    if why == NO_SNAPSHOT:
        return Visit(settings.zone_id, open=why)
    if told.get(f"{PREFIX}zone") != settings.zone_id:
        raise NotAdmitted(f"no {PREFIX}zone of {settings.zone_id}: the gate does not guard this path for this zone")
    if told.get(f"{PREFIX}session"):
        raise NotAdmitted(f"a session and no {PREFIX}token: turn on forward_token in the zone")
    exempt = told.get(f"{PREFIX}exempt", "")
    if not exempt and not why:
        raise NotAdmitted(f"no {PREFIX}token, {PREFIX}exempt or {PREFIX}open: nobody says why this should be let in")
    return Visit(settings.zone_id, exempt=exempt, open=why, lane=told.get(f"{PREFIX}lane", ""))


def _told(headers: Headers) -> dict[str, str]:
    """The headers this is about, by lower-case name. Raises NotAdmitted when one stands there twice."""
    told: dict[str, str] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower == ORIGIN_SECRET_HEADER or lower.startswith(PREFIX):
            if lower in told:
                raise NotAdmitted(f"{lower} stands there twice")
            told[lower] = value
    return told


def _admitted(token: str, settings: Settings, keys: KeySet) -> Visit:
    try:
        claims = _claims(token, settings, keys)
    except (jwt.PyJWTError, ValueError) as error:
        raise NotAdmitted(f"the access token is not valid: {error}") from None
    kinds = (("zone", str), ("run", int), ("sub", str), ("sid", str), ("lane", str), ("exp", int))
    if not all(isinstance(claims.get(name), kind) for name, kind in kinds):
        raise NotAdmitted("the access token is not valid: it does not say whose it is")
    if claims["zone"] != settings.zone_id:
        raise NotAdmitted("the access token is of another zone")
    if settings.run not in (None, claims["run"]):
        raise NotAdmitted("the access token is of another run")
    return Visit(
        zone_id=claims["zone"],
        visitor_id=claims["sub"],
        session_id=claims["sid"],
        lane=claims["lane"],
        run=claims["run"],
        expires_at_sec=claims["exp"],
        token=token,
    )


def _claims(token: str, settings: Settings, keys: KeySet) -> Mapping[str, Any]:
    if len(token) > LONGEST_TOKEN:
        raise NotAdmitted("the access token is too long")
    head = jwt.get_unverified_header(token)
    if "crit" in head or not isinstance(head.get("kid"), str):
        raise NotAdmitted("the access token is not one of Foyer's")
    key = keys.find(head["kid"])
    if key is None:
        raise NotAdmitted("the access token is signed with an unknown key")
    claims: Mapping[str, Any] = jwt.decode(
        token,
        key,
        algorithms=["ES256"],
        audience="access",
        issuer=settings.issuer,
        # Its end is what counts. It may well have been signed by a clock that is a second ahead of this one.
        options={"verify_iat": False},
    )
    return claims
