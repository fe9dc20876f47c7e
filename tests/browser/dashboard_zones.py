"""A dashboard over made-up zones: one in the middle of a sale, some in other phases, many at rest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from scripts.operator_api.connection import Target
from scripts.operator_cli.dashboard.server import run, serve
from scripts.operator_cli.dashboard.state import Dashboard

Json = dict[str, Any]

VISITOR = "v" * 22
MINUTES = 45


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class CannedService:
    """The operator's API and the public status documents of these zones; keeps what was changed."""

    def __init__(self, at_rest: int = 24) -> None:
        self.changes: list[tuple[str, Json]] = []
        self.all = [self._zone("midnight-sun", "Midnight Sun", rate_per_min=120, max_active=900, inventory=4000)]
        self.all += [self._zone("northern-light", "Northern Light", control="pause", rate_per_min=60, max_active=300)]
        self.all += [self._zone("winter-gala", "Winter Gala", control="lock", rate_per_min=60, max_active=300)]
        self.all += [self._zone(f"matinee-{number}", f"Matinée {number}") for number in range(at_rest)]

    def _zone(self, zone_id: str, title: str, **more: Any) -> Json:
        fixed = {"mode": "combined", "control": "auto", "run": 1, "version": 4, "starts_at_ms": now_ms() - 2_700_000}
        changed = {"updated_at_ms": now_ms() - 240_000, "updated_by": "arn:aws:sts::1:assumed-role/operators/ines"}
        return {"zone_id": zone_id, "title": title, "max_active": 100, **fixed, **changed, **more}

    def zones(self) -> list[Json]:
        return self.all

    def zone(self, zone_id: str) -> Json:
        return next(zone for zone in self.all if zone["zone_id"] == zone_id)

    def metrics(self, zone_id: str, minutes: int | None = None) -> Json:
        rows = [_row(index, self.zone(zone_id)) for index in range(MINUTES)] if not zone_id.startswith("mat") else []
        return {"zone_id": zone_id, "run": 1, "minutes": rows[-(minutes or 60) :]}

    def history(self, zone_id: str, entries: int | None = None) -> list[Json]:
        at_ms = self.zone(zone_id)["updated_at_ms"]
        by, told = "arn:aws:sts::1:assumed-role/operators/ines", {"reason": "", "changes": {}, "details": {}}
        return [
            {**told, "at_ms": at_ms - 5000, "by": by, "action": "set_control", "changes": {"rate_per_min": [240, 120]}},
            {**told, "at_ms": at_ms - 3000, "by": by, "action": "look_up_visitor", "details": {"visitor_id": VISITOR}},
            {**told, "at_ms": at_ms, "by": by, "action": "set_control", "changes": {"starts_at_ms": [None, at_ms]}},
        ]

    def control(self, zone_id: str, body: Json) -> Json:
        self.changes.append((zone_id, body))
        zone = self.zone(zone_id)
        zone |= {**body.get("changes", {}), "version": zone["version"] + 1}
        zone["control"] = body.get("control", zone["control"])
        return zone

    def visitor(self, zone_id: str, visitor_id: str) -> Json:
        joined = now_ms() - 1_800_000
        place = {"lane": "general", "run": 1, "status": "admitted", "position": 811, "rejoined": "", "revoked": False}
        ended = {"completed_at_ms": None, "expires_at_ms": now_ms() + 200_000, "visitor_id": visitor_id}
        return {
            **place,
            **ended,
            "joined_at_ms": joined,
            "away_at_ms": joined + 300_000,
            "admitted_at_ms": joined + 900_000,
        }

    def status(self, request: httpx.Request) -> httpx.Response:
        """The answer to a read of a status document."""
        zone = self.zone(request.url.path.rpartition("/")[2].removesuffix(".json"))
        if zone["zone_id"].startswith("mat"):
            return httpx.Response(404)
        phase = {"auto": "open", "pause": "paused", "lock": "locked"}[zone["control"]]
        lanes = {"general": {"serving": 5200, "tail": 8900, "speed_per_sec": 2.4}}
        lanes["vip"] = {"serving": 310, "tail": 318, "speed_per_sec": 0.2}
        return httpx.Response(200, json={"run": 1, "phase": phase, "lanes": lanes, "updated_at_ms": now_ms()})


def _row(index: int, zone: Json) -> Json:
    minute_at_ms = (now_ms() // 60_000 - MINUTES + 1 + index) * 60_000
    tail = min(8900, 5000 + index * 90) if index > 2 else index * 2000
    points = [
        [second, tail + second, max(0, index * 115 - 20 + second * 2), 2.0 + index % 3 / 10] for second in (0, 20, 40)
    ]
    return {
        "minute_at_ms": minute_at_ms,
        "updated_at_ms": minute_at_ms + 58_000,
        "joined": tail + 318,
        "called": index * 117,
        "tokens_issued": index * 78 + index % 5 * 6,
        "lapsed": index * 30,
        "active": min(890, index * 40),
        "sold": index * 31,
        "show_up_share": 0.66,
        "departures": {"general": {"away": index * 12, "back": index * 5, "wait_sec": index * 7 * 260}},
        "limits": {name: zone.get(name) for name in ("rate_per_min", "max_active", "inventory")},
        "course": {"general": points},
        "visits": {"general": {"completed": 31, "wait_median_sec": 300.5 + index, "wait_p95_sec": 500.5}},
    }


@contextmanager
def dashboard(service: CannedService) -> Iterator[str]:
    """A dashboard over the service; the address to open."""
    target = Target("http://api", "http://site", "eu-west-1", None)
    with httpx.Client(transport=httpx.MockTransport(service.status)) as site:
        server, address = serve(Dashboard(service, target, site, lambda: {"errors": 0, "throttles": 3}), 0, now_ms)  # type: ignore[arg-type]
        thread = run(server)
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
