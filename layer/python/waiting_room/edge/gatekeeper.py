"""One viewer-request event in, a request for the site or an answer of our own out."""

from __future__ import annotations

import json
import logging
import time
import zlib
from collections.abc import Callable, Mapping
from typing import Any

from waiting_room.domain.gate import BadRequest, Decision, NotFound, Pass, Redirect, decide, open_pass
from waiting_room.domain.gate_request import GateRequest
from waiting_room.edge import responses
from waiting_room.edge.events import forwarded, read_request
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import Snapshots, Transport

__all__ = ["Gatekeeper"]

_LOG = logging.getLogger("gatekeeper")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Gatekeeper:
    """The gate of one deployment. Safe to call from threads; what it keeps is only a cache."""

    def __init__(
        self, settings: EdgeSettings, snapshots: Snapshots | None = None, now_ms: Callable[[], int] = _now_ms
    ) -> None:
        self._settings = settings
        self._snapshots = snapshots or Snapshots(settings.issuer, Transport(settings))
        self._now_ms = now_ms

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Decide about one event. Whatever goes wrong, nobody gets past: the answer is 503 then."""
        try:
            return self._answer(event["Records"][0]["cf"])
        except Exception:  # noqa: BLE001 - the outermost frame: a fault must close the gate, and be seen in the log
            _LOG.exception("unexpected error")
            return responses.unavailable(0.5, page=False)

    def _answer(self, cf: Mapping[str, Any]) -> dict[str, Any]:
        request, now_ms = read_request(cf), self._now_ms()
        jitter = zlib.crc32(cf["config"].get("requestId", "").encode()) / 2**32
        known = self._snapshots.current(request.distribution_host, now_ms)
        if known is not None:
            decision = decide(request, known.snapshot, known.verifier.verify, now_ms)
        elif self._settings.on_missing_snapshot == "pass":
            decision = open_pass(request)
        else:
            return responses.unavailable(jitter, page=request.wants_page)
        return _carried_out(cf, request, decision, jitter)


def _carried_out(cf: Mapping[str, Any], request: GateRequest, decision: Decision, jitter: float) -> dict[str, Any]:
    if isinstance(decision, Pass):
        if decision.would_wait:
            # Nothing else tells an observing zone how many it would have sent to the line.
            _LOG.warning(json.dumps({"observed": "would wait", "zone_id": decision.zone_id}))
        return forwarded(cf["request"], decision)
    if isinstance(decision, Redirect):
        return responses.redirect(decision.location, decision.cookies)
    if isinstance(decision, BadRequest):
        return responses.bad_request(page=request.wants_page)
    if isinstance(decision, NotFound):
        return responses.not_found(page=request.wants_page)
    return responses.refusal(decision, jitter)
