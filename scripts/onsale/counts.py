"""One sale counted without the report: from the archive's raw lines and from the queue table, by plain Python.

Nothing here knows of the report's SQL or of DuckDB; what both say must be the same.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]
Counts = dict[str, Any]
"""By what is counted: a number, or numbers by lane or minute (a minute's first epoch millisecond)."""

MINUTE_MS = 60_000


def archived(lines: Iterable[bytes], run: int) -> list[Json]:
    """The changes of a run as they lie in the archive: each once, in the order the table made them."""
    once = {row["event_id"]: row for row in map(json.loads, lines) if row["change"] != "operated"}
    return sorted((row for row in once.values() if row["run"] == run), key=lambda row: str(row["sequence"]))


def of_archive(changes: Sequence[Json]) -> Counts:
    """What the changes of a run say, in their order."""
    kinds = Counter(_kind(change) for change in changes)
    last = {change["visitor_id"]: change for change in changes}
    gone = [seen for seen in _last_seen(changes) if _kind(seen) in ("gave up", "away")]
    came = [change for change in changes if change["change"] == "admitted"]
    places = {(each["lane"], each["shard"], each["seq"]): each for each in changes}
    return {
        "visitors": len(last),
        "places": kinds["joined"] + kinds["rejoined"],
        **{name: kinds[name] for name in ("admitted", "completed", "left the zone", "gave up", "revoked", "renewed")},
        "outcomes": dict(Counter(f"{change['lane']} {change['status']}" for change in last.values())),
        "drop-off": len(gone),
        "drop-off by minutes waited": dict(Counter(change["wait_ms"] // MINUTE_MS for change in gone)),
        "joined by minute": _by_minute(changes, "joined_at_ms", "joined", "rejoined"),
        "admitted by minute": _by_minute(came, "admitted_at_ms", "admitted"),
        "completed by minute": _by_minute(changes, "completed_at_ms", "completed"),
        **_waits((change["lane"], change["wait_ms"]) for change in came),
        **_order(places.values(), {_place(change): change["admitted_at_ms"] for change in came}),
    }


def of_table(places: Sequence[Json]) -> Counts:
    """What the queue table's items of a run say; of what is over they do not keep everything."""
    came = [place for place in places if "admitted_at_ms" in place]
    status = Counter((place["status"], "admitted_at_ms" in place) for place in places)
    away = [place for place in places if place["status"] == "waiting" and place.get("away_at_ms")]
    return {
        "visitors": len(places),
        "places": len(places),
        "admitted": len(came),
        "completed": status["completed", True],
        "left the zone": status["left", True],
        "gave up": status["left", False],
        "revoked": status["revoked", True] + status["revoked", False],
        "outcomes": dict(Counter(f"{place['lane']} {place['status']}" for place in places)),
        "drop-off": status["left", False] + len(away),
        "joined by minute": _by_minute(places, "joined_at_ms"),
        "admitted by minute": _by_minute(came, "admitted_at_ms"),
        "completed by minute": _by_minute(places, "completed_at_ms"),
        **_waits((place["lane"], place["admitted_at_ms"] - place["joined_at_ms"]) for place in came),
        **_order(places, {_place(place): place["admitted_at_ms"] for place in came}),
    }


def of_report(document: Json) -> Counts:
    """What the report's export says, under the same names."""
    totals, minutes = document["totals"], document["by_minute"]
    names = {"left the zone": "left_zone", "gave up": "gave_up", "renewed": "renewals"}
    counted = ("visitors", "places", "admitted", "completed", "left the zone", "gave up", "revoked", "renewed")
    drop_off = {row["minutes_waited"]: row["visitors"] for row in document["drop_off"]}
    return {
        **{name: totals[names.get(name, name)] for name in counted},
        "outcomes": {f"{row['lane']} {row['last_status']}": row["visitors"] for row in document["outcomes"]},
        "drop-off": sum(drop_off.values()),
        "drop-off by minutes waited": drop_off,
        **{
            f"{name} by minute": {row["minute_at_ms"]: row[name] for row in minutes if row[name]}
            for name in ("joined", "admitted", "completed")
        },
        "median wait, ms": {row["lane"]: row["median_sec"] * 1000 for row in document["waits"]},
        "95 % wait, ms": {row["lane"]: row["p95_sec"] * 1000 for row in document["waits"]},
        "longest wait, ms": {row["lane"]: row["longest_sec"] * 1000 for row in document["waits"]},
        "worst inversion, ms": {row["lane"]: row["worst_inversion_ms"] for row in document["order_kept"]},
        "admitted ahead": {row["lane"]: row["admitted_ahead"] for row in document["order_kept"]},
    }


def differences(one: Counts, one_name: str, other: Counts, other_name: str) -> list[str]:
    """A sentence for each number that both know and that is not the same."""
    return [
        f"{name}: {one[name]} in {one_name}, {other[name]} in {other_name}"
        for name in one
        if name in other and not _same(one[name], other[name])
    ]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    # A millisecond told as seconds and back is off by the rounding of floats.
    return math.isclose(one, other, abs_tol=1e-3)


def _kind(change: Json) -> str:
    """The change, with departures from the line apart from those from the zone."""
    if change["change"] != "left":
        return str(change["change"])
    return {"waiting": "gave up", "admitted": "left the zone"}[change["status_before"]]


def _last_seen(changes: Iterable[Json]) -> Iterable[Json]:
    """The last change of each visitor that says whether somebody is there."""
    return {each["visitor_id"]: each for each in changes if each["change"] not in ("moved", "changed")}.values()


def _place(item: Json) -> tuple[str, int, int]:
    return item["lane"], int(item["shard"]), int(item["seq"])


def _by_minute(items: Iterable[Json], moment: str, *kinds: str) -> dict[int, int]:
    """How many at each minute of a moment of theirs; of `kinds` only, where some are named."""
    told = [int(item[moment]) for item in items if item.get(moment) and (not kinds or item["change"] in kinds)]
    return dict(Counter(at_ms - at_ms % MINUTE_MS for at_ms in told))


def _waits(waited: Iterable[tuple[str, Any]]) -> Counts:
    """Median, 95th percentile and longest of each lane, milliseconds."""
    lanes: dict[str, list[int]] = {}
    for lane, wait_ms in waited:
        lanes.setdefault(lane, []).append(int(wait_ms))
    return {
        "median wait, ms": {lane: _share(own, 0.5) for lane, own in lanes.items()},
        "95 % wait, ms": {lane: _share(own, 0.95) for lane, own in lanes.items()},
        "longest wait, ms": {lane: max(own) for lane, own in lanes.items()},
    }


def _share(values: Sequence[int], share: float) -> float:
    """The value that a share of all lies below, in between two of them where need be."""
    ordered = sorted(values)
    whole, rest = divmod((len(ordered) - 1) * share, 1)
    low, high = ordered[int(whole)], ordered[min(int(whole) + 1, len(ordered) - 1)]
    return low + (high - low) * rest


def _order(places: Iterable[Json], admitted_at_ms: Mapping[tuple[str, int, int], Any]) -> Counts:
    """By lane: by how much somebody with an earlier number came later, and who was let in before such a one.

    Of lanes with one join counter: with several, the order is that of the epochs.
    """
    worst: Counter[str] = Counter()
    ahead: Counter[str] = Counter()
    latest: dict[str, tuple[int, int]] = {}
    for place in sorted(places, key=lambda each: int(each["seq"])):
        lane, came_ms = place["lane"], int(admitted_at_ms.get(_place(place), 0))
        join_ms, admission_ms = latest.get(lane, (0, 0))
        worst[lane] = max(worst[lane], join_ms - int(place["joined_at_ms"]))
        ahead[lane] += 0 < came_ms < admission_ms
        latest[lane] = max(join_ms, int(place["joined_at_ms"])), max(admission_ms, came_ms)
    return {"worst inversion, ms": dict(worst), "admitted ahead": dict(ahead)}
