"""What the dashboard shows: zones, public status documents and minute rows, each read no more often than it changes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any

import httpx

from ...operator_api.api import OperatorApi
from ...operator_api.connection import Target
from ...operator_api.errors import OperatorError
from ...report import insights
from ..watch import read_status
from ..words.consequences import PlannedChange, plan
from ..words.entries import MANY, lines, who

Json = dict[str, Any]

ZONES_EVERY_SEC = 3.0
STATUS_EVERY_SEC = 2.0
REST_EVERY_SEC = 20.0
"""For a zone that nobody ticks: its status document stands still."""
ROWS_EVERY_SEC = 5.0
FIRST_ROWS = 240
NEXT_ROWS = 3
LIVE_MS = 30_000
"""A status document this young is being written."""
WINDOW_MS = 10 * 60_000
"""Waits and estimates are told of those who were called in the last ten minutes."""
AT_ONCE = 8
SPARK = 40
CHANGES_EVERY_SEC = 10.0
MOST_ENTRIES, CHANGES = 40, 5
"""Entries of the audit log that are looked through for so many changes."""
NO_CHANGE = ("look_up_visitor",)
CHARTED = 240


@dataclass
class _Known:
    """What was read of a zone last, and when."""

    status: Json = field(default_factory=dict)
    rows: dict[int, Json] = field(default_factory=dict)
    run: int = 0
    status_at: float = float("-inf")
    rows_at: float = float("-inf")
    changes: list[Json] = field(default_factory=list)
    changes_at: float = float("-inf")
    version: int = 0
    trouble: str = ""
    exempt_links: int | None = None


class Dashboard:
    """Answers of the dashboard as plain data. May be asked by several browsers at once: only one of them reads."""

    def __init__(
        self,
        api: OperatorApi,
        target: Target,
        http: httpx.Client,
        health: Callable[[], Json] = dict,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._api = api
        self._target = target
        self._http = http
        self._health = health
        self._now_ms = now_ms
        self._zones: list[Json] = []
        self._zones_at = float("-inf")
        self._known: dict[str, _Known] = {}
        self._lock = threading.Lock()

    def overview(self) -> Json:
        """Every zone in short, and what CloudWatch says of the functions."""
        with self._lock:
            self._refresh()
            zones = [self._short(zone) for zone in self._zones]
        return {"at_ms": self._now_ms(), "zones": zones, "health": self._health()}

    def detail(self, zone_id: str) -> Json:
        """One zone with its courses over time; raises Refused for an unknown one."""
        with self._lock:
            self._refresh()
            zone = next((zone for zone in self._zones if zone["zone_id"] == zone_id), None) or self._api.zone(zone_id)
            known = self._known.setdefault(zone_id, _Known())
            # Whoever looks at a zone at rest wants its past too.
            self._read_rows(zone, known)
            self._read_changes(zone, known)
            told = {"charts": charts(self._rows(zone)), "changes": known.changes, "settings": zone}
            return {**self._short(zone), **told}

    def plan(self, zone_id: str, action: str, value: Any) -> tuple[Json, PlannedChange]:
        """The zone as it is now, and what a change would do. Raises BadInput, Refused."""
        zone = self._api.zone(zone_id)
        with self._lock:
            short = self._short(zone)
        return zone, plan(zone, short["waiting"], short["active"] or 0, short["sold"] or 0, action, value)

    def change(self, zone_id: str, body: Json, version: int) -> Json:
        """Make a change over the version that was confirmed. Raises Refused, `stale-version` among others."""
        changed = self._api.control(zone_id, {**body, "version": version})
        with self._lock:
            self._zones_at = float("-inf")
        return changed

    def visitor(self, zone_id: str, visitor_id: str) -> Json:
        """What the service knows about one visitor."""
        return self._api.visitor(zone_id, visitor_id)

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._zones_at >= ZONES_EVERY_SEC:
            self._zones, self._zones_at = self._api.zones(), now
            ids = {zone["zone_id"] for zone in self._zones}
            self._known = {zone_id: known for zone_id, known in self._known.items() if zone_id in ids}
        with ThreadPoolExecutor(AT_ONCE) as threads:
            list(threads.map(self._refresh_zone, self._zones))

    def _refresh_zone(self, zone: Json) -> None:
        known = self._known.setdefault(zone["zone_id"], _Known())
        now = time.monotonic()
        try:
            every = STATUS_EVERY_SEC if self._live(known) else REST_EVERY_SEC
            if now - known.status_at >= every:
                known.status_at = now
                known.status = read_status(self._http, self._target, zone["zone_id"])
            if self._live(known):
                self._read_rows(zone, known)
        except OperatorError as error:
            known.trouble = str(error)
        else:
            known.trouble = ""

    def _live(self, known: _Known) -> bool:
        return self._now_ms() - int(known.status.get("updated_at_ms", 0)) < LIVE_MS

    def _read_rows(self, zone: Json, known: _Known) -> None:
        now = time.monotonic()
        if known.run != zone["run"]:
            known.run, known.rows, known.rows_at = zone["run"], {}, float("-inf")
        if now - known.rows_at < ROWS_EVERY_SEC:
            return
        known.rows_at = now
        answer = self._api.metrics(zone["zone_id"], NEXT_ROWS if known.rows else FIRST_ROWS)
        known.exempt_links = (answer.get("exempt") or {}).get("links")
        if answer.get("run") == known.run:
            known.rows |= {row["minute_at_ms"]: row for row in answer["minutes"]}

    def _read_changes(self, zone: Json, known: _Known) -> None:
        """The newest changes, at once when there is a new version; others (a bypass token) a little later."""
        now = time.monotonic()
        if known.version == zone["version"] and now - known.changes_at < CHANGES_EVERY_SEC:
            return
        known.version, known.changes_at = zone["version"], now
        entries = self._api.history(zone["zone_id"], MOST_ENTRIES)
        known.changes = [change_of(entry) for entry in reversed(entries) if entry["action"] not in NO_CHANGE][:CHANGES]

    def _rows(self, zone: Json) -> list[Json]:
        known = self._known.setdefault(zone["zone_id"], _Known())
        return [known.rows[minute] for minute in sorted(known.rows)]

    def _short(self, zone: Json) -> Json:
        known = self._known.setdefault(zone["zone_id"], _Known())
        own = {"trouble": known.trouble, "exempt_links": known.exempt_links}
        return {**summary(zone, known.status, self._rows(zone), self._now_ms()), **own}


def _phase(status: Mapping[str, Any]) -> str:
    """The phase as visitors have it; an open zone whose door is shut lets nobody in either."""
    phase = str(status.get("phase", ""))
    return "door_shut" if phase == "open" and status.get("door") == "shut" else phase


def summary(zone: Mapping[str, Any], status: Mapping[str, Any], rows: list[Json], now_ms: int) -> Json:
    """One zone's numbers now; None for what nobody has measured yet."""
    of_run = status if status.get("run") == zone["run"] else {}
    lanes = {name: _lane(lane) for name, lane in of_run.get("lanes", {}).items()}
    last: Json = rows[-1] if rows else {}
    found = recent_waits(zone, rows, now_ms)
    admitted = insights.per_minute(rows[-2:], "tokens_issued")
    ended = zone["control"] == "end"
    return {
        "zone_id": zone["zone_id"],
        "title": zone.get("title", ""),
        "phase": _phase(of_run) or ("ended" if ended else "resting"),
        "control": zone["control"],
        "mode": zone["mode"],
        "run": zone["run"],
        "version": zone["version"],
        "starts_at_ms": zone.get("starts_at_ms"),
        "message": zone.get("message", ""),
        "lanes": lanes,
        "waiting": sum(lane["waiting"] for lane in lanes.values()),
        "joined": last.get("joined"),
        "called": last.get("called"),
        "lapsed": last.get("lapsed"),
        "active": last.get("active"),
        "max_active": zone.get("max_active"),
        "rate": round(admitted[-1], 1) if admitted else None,
        "rate_per_min": zone.get("rate_per_min"),
        "safe_rate_per_min": zone.get("safe_rate_per_min"),
        "pinned": zone.get("pinned", False),
        "automatic": "protection" in zone or "activation" in zone,
        "show_up_share": last.get("show_up_share"),
        "wait_lately": any(wait.called_at_ms >= now_ms - WINDOW_MS for wait in found),
        "wait_median_sec": insights.percentile(found, 0.5),
        "wait_p95_sec": insights.percentile(found, 0.95),
        "estimate_error": insights.estimate_error(found),
        "drop_off": asdict(insights.drop_off(last)) if last else None,
        "sold": last.get("sold"),
        "inventory": zone.get("inventory"),
        "exempt_rules": len(zone.get("exempt", ())),
        "tick_age_sec": _age_sec(of_run, now_ms),
        "changed": {
            "at_ms": zone.get("updated_at_ms"),
            "by": who(zone.get("updated_by", "")),
            "why": zone.get("updated_why", ""),
        },
        "spark": [max(0, row.get("joined", 0) - row.get("called", 0)) for row in rows[-SPARK:]],
    }


def recent_waits(zone: Mapping[str, Any], rows: list[Json], now_ms: int) -> list[insights.Wait]:
    """Those called lately, of all lanes; where nobody was, all there are."""
    courses = [insights.course(rows, lane) for lane in insights.lanes_of(rows)]
    starts_at_ms = zone.get("starts_at_ms") or 0

    def since(moment_ms: int) -> list[insights.Wait]:
        return [wait for points in courses for wait in insights.waits(points, starts_at_ms, moment_ms)]

    return since(now_ms - WINDOW_MS) or since(0)


def charts(rows: list[Json]) -> Json:
    """Series over time, one value to a minute; None where nothing is known."""
    rows = rows[-CHARTED:]
    limits = [row.get("limits", {}) for row in rows]
    return {
        "at_ms": [row["minute_at_ms"] for row in rows],
        "waiting": [max(0, row.get("joined", 0) - row.get("called", 0)) for row in rows],
        "arrivals": [None, *insights.per_minute(rows, "joined")][: len(rows)],
        "admitted": [None, *insights.per_minute(rows, "tokens_issued")][: len(rows)],
        "rate": [limit.get("rate_per_min") for limit in limits],
        "inside": [row.get("active") for row in rows],
        "cap": [limit.get("max_active") for limit in limits],
        "sold": [row.get("sold") for row in rows],
        "inventory": [limit.get("inventory") for limit in limits],
        "show_up": [row.get("show_up_share") for row in rows],
        "dropped": [insights.drop_off(row).gone for row in rows],
        "wait_median": [_of_visits(row, "wait_median_sec", max) for row in rows],
        "wait_p95": [_of_visits(row, "wait_p95_sec", max) for row in rows],
        "completed": [_of_visits(row, "completed", sum) for row in rows],
    }


def change_of(entry: Mapping[str, Any]) -> Json:
    """An entry of the audit log as the page shows it."""
    action = str(entry["action"]).replace("_", " ")
    what = [f"{action}: {len(entry['changes'])} settings"] if len(entry["changes"]) > MANY else lines(entry) or [action]
    return {"at_ms": entry["at_ms"], "by": who(entry["by"]), "what": "; ".join(what)}


def _of_visits(row: Mapping[str, Any], name: str, together: Callable[[Iterable[Any]], Any]) -> Any:
    """A number that the recorder counted in a minute, of all lanes; None where it counted none."""
    known = [lane[name] for lane in row.get("visits", {}).values() if lane.get(name) is not None]
    return together(known) if known else None


def _lane(lane: Mapping[str, Any]) -> Json:
    waiting = max(0, int(lane["tail"]) - int(lane["serving"]))
    return {"waiting": waiting, "serving": lane["serving"], "tail": lane["tail"], "per_min": lane["speed_per_sec"] * 60}


def _age_sec(status: Mapping[str, Any], now_ms: int) -> float | None:
    return max(0, now_ms - status["updated_at_ms"]) / 1000 if "updated_at_ms" in status else None
