"""The check on the site's own servers, for WSGI (Flask, Django) and ASGI (FastAPI, Starlette); needs `pyjwt[crypto]`.

    app = WaitingRoomWsgi(app, Check(secret, "https://tickets.example.com", "midnight-sun", issuer="foyer"))

The zone needs `forward_token`; CloudFront adds `x-origin-secret` to what it sends (a custom header of the origin).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

import jwt

REFUSED = b"Please come in by the front door."


class Check:
    """Lets in what came through CloudFront with a valid access token of this zone. Keys are fetched once in 5 min."""

    def __init__(self, secret: str, site_url: str, zone_id: str, *, issuer: str) -> None:
        self._secret, self._zone_id, self._issuer = secret, zone_id, issuer
        self._keys = jwt.PyJWKClient(f"{site_url}/.waiting-room/jwks.json", lifespan=300, timeout=3)

    def __call__(self, headers: Mapping[str, str]) -> dict[str, Any] | None:
        """The claims of the visitor, `{}` for exempt staff, None for everybody else."""
        if not hmac.compare_digest(headers.get("x-origin-secret", "").encode(), self._secret.encode()):
            return None
        if headers.get("x-waiting-room-exempt") and headers.get("x-waiting-room-zone") == self._zone_id:
            return {}
        token = headers.get("x-waiting-room-token", "")
        try:
            key = self._keys.get_signing_key_from_jwt(token)
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=["ES256"], audience="access", issuer=self._issuer, options={"require": ["exp"]}
            )
        except jwt.PyJWTError:
            return None
        return claims if claims.get("zone") == self._zone_id else None


class WaitingRoomWsgi:
    """WSGI middleware."""

    def __init__(self, app: Callable[..., Iterable[bytes]], check: Check) -> None:
        self._app, self._check = app, check

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer 403 or pass on, the claims in `environ["waiting_room"]`."""
        names = (name for name in environ if name.startswith("HTTP_"))
        claims = self._check({name[5:].lower().replace("_", "-"): environ[name] for name in names})
        if claims is None:
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Cache-Control", "no-store")])
            return [REFUSED]
        return self._app({**environ, "waiting_room": claims}, start_response)


class WaitingRoomAsgi:
    """ASGI middleware."""

    def __init__(self, app: Callable[..., Awaitable[None]], check: Check) -> None:
        self._app, self._check = app, check

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Answer 403 or pass on, the claims in `scope["waiting_room"]`."""
        claims: dict[str, Any] | None = None
        if scope["type"] != "lifespan":
            named = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            claims = await asyncio.to_thread(self._check, named)
        if claims is not None or scope["type"] == "lifespan":
            await self._app({**scope, "waiting_room": claims}, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"text/plain"), (b"cache-control", b"no-store")]
            await send({"type": "http.response.start", "status": 403, "headers": headers})
            await send({"type": "http.response.body", "body": REFUSED})
