"""The two calls the site's servers make to the waiting room."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

import httpx

_TIMEOUT_SEC = 15.0


class Verdict(Enum):
    """What the waiting room says of a visitor who wants to buy."""

    CONFIRMED = "confirmed"
    OVER = "over"
    USED = "used"
    UNKNOWN = "unknown"
    UNSURE = "unsure"


_VERDICTS = {200: Verdict.CONFIRMED, 409: Verdict.USED, 410: Verdict.OVER, 401: Verdict.UNKNOWN}


class WaitingRoomClient:
    """Calls through the edge, as a site does in production. `transport` replaces the network in tests."""

    def __init__(
        self, edge_url: str, site_keys: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._edge_url = edge_url
        self._site_keys = site_keys
        self._transport = transport

    async def confirm(self, zone_id: str, token: str, reference: str) -> Verdict:
        """Spend the visitor's admission on a purchase; asked again with the same reference, the same answer."""
        answer = await self._call(
            "POST",
            "/.waiting-room/v1/confirmations",
            self._site_keys[zone_id],
            {"token": token, "reference": reference, "checkout": True},
        )
        return Verdict.UNSURE if answer is None else _VERDICTS.get(answer.status_code, Verdict.UNSURE)

    async def leave(self, zone_id: str, token: str) -> bool:
        """End the visitor's session, so that the next in line comes in; False when that is not sure."""
        answer = await self._call("DELETE", f"/.waiting-room/v1/zones/{zone_id}/sessions/me", token)
        return answer is not None and answer.status_code == 204

    async def _call(
        self, method: str, path: str, bearer: str, body: Mapping[str, Any] | None = None
    ) -> httpx.Response | None:
        """The answer, or None when there was none."""
        headers = {"authorization": f"Bearer {bearer}", "accept": "application/json"}
        async with httpx.AsyncClient(
            base_url=self._edge_url, transport=self._transport, timeout=_TIMEOUT_SEC, trust_env=False
        ) as http:
            try:
                return await http.request(method, path, headers=headers, json=body)
            except httpx.TransportError:
                return None
