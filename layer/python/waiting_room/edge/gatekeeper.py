"""One viewer-request event in, a request for the site or an answer of our own out."""

from __future__ import annotations

import json
import logging
import sys
import time
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from waiting_room.domain.gate.gate import BadRequest, NotFound, Pass, Redirect, Refuse, Unavailable, blind_pass
from waiting_room.domain.gate.request import HEADER_PREFIX, GateRequest
from waiting_room.edge import responses
from waiting_room.edge.events import MOST_HEADERS, forwarded, read_request
from waiting_room.edge.exit_lists import ExitLists
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import Snapshots, Transport

__all__ = ["Gatekeeper"]

EXEMPT = HEADER_PREFIX + "exempt"
EXEMPT_PASSES = "exempt_passes"

_LOG = logging.getLogger("gatekeeper")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


class Gatekeeper:
    """The gate of one deployment. Safe to call from threads; what it keeps is only a cache."""

    def __init__(
        self,
        settings: EdgeSettings,
        snapshots: Snapshots | None = None,
        now_ms: Callable[[], int] = _now_ms,
        write: Callable[[str], object] = _print,
    ) -> None:
        """`write` takes lines for CloudWatch, which reads them from what a function prints."""
        self._settings = settings
        self._snapshots = snapshots or _snapshots(settings)
        self._now_ms = now_ms
        self._write = write

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Decide about one event. Whatever goes wrong, nobody gets past: the answer is 503 then."""
        try:
            return self._answer(event["Records"][0]["cf"])
        except Exception:  # noqa: BLE001 - the outermost frame: a fault must close the gate, and be seen in the log
            _LOG.exception("unexpected error")
            return responses.unavailable(0.5, page=False)

    def _answer(self, cf: Mapping[str, Any]) -> dict[str, Any]:
        if len(cf["request"]["headers"]) > MOST_HEADERS:
            return responses.bad_request(page=False)
        now_ms = self._now_ms()
        arrived = read_request(cf)
        request = arrived.request
        known = self._snapshots.current(request.distribution_host, now_ms)
        if known is not None:
            decision = known.gate.decide(request, now_ms)
        elif self._settings.on_missing_snapshot == "pass":
            decision = blind_pass(request)
        else:
            return responses.unavailable(_jitter(cf), page=request.wants_page)
        if isinstance(decision, Pass):
            if decision.noticed:
                _notice(decision)
            if EXEMPT in decision.add:
                self._count_exempt(decision, now_ms)
            return forwarded(cf["request"], arrived, decision)
        return _answered(cf, request, decision)

    def _count_exempt(self, decision: Pass, now_ms: int) -> None:
        """One line for CloudWatch (embedded metric format): which link or rule let a request past the line of a zone.

        It lies in the Region of the edge, and counts there as `exempt_passes` of the zone.
        """
        metrics = [{"Name": EXEMPT_PASSES, "Unit": "Count"}]
        counted = {"Namespace": self._settings.issuer, "Dimensions": [["zone_id"]], "Metrics": metrics}
        line = {"_aws": {"Timestamp": now_ms, "CloudWatchMetrics": [counted]}, "zone_id": decision.zone_id}
        self._write(json.dumps({**line, EXEMPT_PASSES: 1, "exempt": decision.add[EXEMPT]}))


def _snapshots(settings: EdgeSettings) -> Snapshots:
    """Snapshots and exit lists of any host, over the same connections."""
    transport = Transport(settings)
    on_missing = False if settings.on_missing_snapshot == "pass" else None
    return Snapshots(settings.issuer, transport, lambda host: ExitLists(partial(transport.get, host), on_missing))


def _answered(
    cf: Mapping[str, Any], request: GateRequest, decision: Redirect | Refuse | BadRequest | NotFound | Unavailable
) -> dict[str, Any]:
    if isinstance(decision, BadRequest):
        return responses.bad_request(page=request.wants_page)
    if isinstance(decision, NotFound):
        return responses.not_found(page=request.wants_page)
    if isinstance(decision, Unavailable):
        return responses.unavailable(_jitter(cf), page=request.wants_page)
    if decision.noticed:
        _notice(decision)
    if isinstance(decision, Redirect):
        return responses.redirect(decision.location, decision.cookies)
    return responses.refusal(decision, _jitter(cf))


def _notice(decision: Pass | Redirect | Refuse) -> None:
    """Nothing else tells how many an observing zone would have sent to the line, or how often a token was shared."""
    _LOG.warning(json.dumps({"observed": decision.noticed, "zone_id": decision.zone_id}))


def _jitter(cf: Mapping[str, Any]) -> float:
    return zlib.crc32(cf["config"].get("requestId", "").encode()) / 2**32
