"""From the events of a rehearsal to a verdict: each rule and figure against its target."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ..visitors.check import Report, check
from ..visitors.event_log import Event
from .targets import Limits, Targets, spread

SHORTEST_WAIT_SEC = 60
"""Below a minute the page shows "a moment" and no number."""
EPOCH_MS = 1_000
"""With several join counters the order is exact up to one epoch, and the time it takes to read them all."""
ENDS = ("inside", "absent", "over", "gave_up", "fault")
MINUTE_MS = 60_000
SAVED_UP_SEC = 5
"""Seconds of the set rate that may come on top of a minute: what the engine saves up, and the time of a request."""

State = Literal["held", "broken", "not measured"]


@dataclass(frozen=True)
class Row:
    """One line of the verdict. `figure` and `target` are as a person reads them; `details` for programs."""

    name: str
    figure: str
    target: str
    state: State
    details: Mapping[str, Any]


@dataclass(frozen=True)
class Played:
    """What is left of a rehearsal: its events in order, what locust measured, and who was asked to come."""

    events: Sequence[Event]
    figures: Mapping[str, Any]
    visitors: int


def verdict(played: Played, limits: Limits, targets: Targets) -> list[Row]:
    """Every row, rules first."""
    events = played.events
    checked = check(events, limits.max_active if limits.max_active is not None else played.visitors + 1)
    line_faults = [fault for fault in checked.faults if "sessions were live" not in fault]
    return [
        _cap(checked, limits),
        _rate(events, limits),
        _inventory(events, limits),
        _order(events, limits),
        _judged(
            "places kept",
            not line_faults,
            f"{len(line_faults)} shared or worse",
            "0",
            {"faults": line_faults[:10]},
        ),
        _nobody_lost(played),
        _share("failed requests", _failed(played.figures), played.figures, targets.failed_pct),
        _share("throttled requests", _throttled(events), played.figures, targets.throttled_pct),
        _occupancy(events, limits),
        _estimates(events, targets),
        _latency("claim", [event["ms"] for event in _of(events, "claimed")], targets.claim_p95_ms),
        _latency("push", list(_push_ms(events)), targets.push_p95_ms),
        _latency("call to inside", list(_inside_ms(events)), None),
    ]


def holds(rows: Sequence[Row]) -> bool:
    """Whether nothing is broken."""
    return all(row.state != "broken" for row in rows)


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows for programs."""
    return [asdict(row) for row in rows]


def _of(events: Sequence[Event], *kinds: str) -> Iterator[Event]:
    return (event for event in events if event["event"] in kinds)


def _judged(name: str, good: bool, figure: str, target: str, details: Mapping[str, Any] | None = None) -> Row:
    return Row(name, figure, target, "held" if good else "broken", details or {})


def _silent(name: str, why: str, target: str = "") -> Row:
    return Row(name, why, target, "not measured", {})


def _cap(checked: Report, limits: Limits) -> Row:
    if limits.max_active is None:
        return _silent("cap", "the zone has none")
    details = {"certain": checked.certain_peak, "possible": checked.possible_peak, "sessions": checked.sessions}
    figure = f"{checked.certain_peak} at once of {checked.sessions} sessions"
    return _judged("cap", checked.certain_peak <= limits.max_active, figure, f"<= {limits.max_active}", details)


def _rate(events: Sequence[Event], limits: Limits) -> Row:
    """The most sessions that began within any minute."""
    if limits.rate_per_min is None:
        return _silent("rate", "the zone sets none")
    first: dict[str, int] = {}
    for event in _of(events, "token"):
        first.setdefault(event["sid"], event["received_at_ms"])
    moments = sorted(first.values())
    most = max((number + 1 - bisect_left(moments, at - MINUTE_MS + 1) for number, at in enumerate(moments)), default=0)
    allowed = limits.rate_per_min * (1 + SAVED_UP_SEC / 60) + 1
    target = f"<= {limits.rate_per_min:g} a minute"
    return _judged("rate", most <= allowed, f"{most} in the fullest minute", target, {"allowed": allowed})


def _inventory(events: Sequence[Event], limits: Limits) -> Row:
    if limits.inventory is None:
        return _silent("inventory", "the zone has none")
    bought = sum(event["how"] == "checkout" for event in _of(events, "ended"))
    return _judged("inventory", bought <= limits.inventory, f"{bought} bought", f"<= {limits.inventory}")


def _order(events: Sequence[Event], limits: Limits) -> Row:
    """Whoever had a place before another asked for one stands before that one."""
    if not limits.in_order:
        return _silent("order", "places are drawn")
    worst_ms = max(inversions_ms(events), default=0)
    allowed_ms = 0 if limits.one_counter else EPOCH_MS
    target = "exact" if limits.one_counter else f"within {allowed_ms} ms"
    figure = "everybody behind those who came before" if worst_ms == 0 else f"overtaken by {worst_ms} ms"
    return _judged("order", worst_ms <= allowed_ms, figure, target, {"worst_ms": worst_ms})


def inversions_ms(events: Sequence[Event]) -> Iterator[int]:
    """For each visitor who stands before somebody that surely came first: by how long that one did, milliseconds."""
    position: dict[tuple[str, int, int], int] = {}
    for event in _of(events, "joined", "line"):
        if event["position"] is not None:
            position.setdefault((event["visitor"], event["run"], event["joined"]), event["position"])
    runs: dict[int, list[tuple[int, int, int]]] = {}
    for event in _of(events, "joined"):
        held = position.get((event["visitor"], event["run"], event["joined"]))
        if held is not None:
            runs.setdefault(event["run"], []).append((event["received_at_ms"], event["requested_at_ms"], held))
    for placed in runs.values():
        # By position: whoever stands further back must not have been answered before this one asked.
        earliest_behind: int | None = None
        for answered_ms, asked_ms, _ in sorted(placed, key=lambda each: -each[2]):
            if earliest_behind is not None and earliest_behind < asked_ms:
                yield asked_ms - earliest_behind
            earliest_behind = answered_ms if earliest_behind is None else min(earliest_behind, answered_ms)


def _nobody_lost(played: Played) -> Row:
    """Everybody who stayed was let in, or told that nothing is left; nobody present was passed over or thrown out."""
    events = played.events
    ended = {event["visitor"] for event in _of(events, *ENDS)}
    lost = {
        "faults": [f"{event['visitor']}: {event['what']}" for event in _of(events, "fault")],
        "lapsed while there": [event["visitor"] for event in _of(events, "lapsed") if event["present"]],
        "still waiting at the end": sorted({event["visitor"] for event in _of(events, "arrived")} - ended),
        "never came": played.visitors - len({event["visitor"] for event in _of(events, "arrived")}),
    }
    counts = {name: len(who) if isinstance(who, list) else who for name, who in lost.items()}
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    shown = {name: who[:10] if isinstance(who, list) else who for name, who in lost.items()}
    return _judged("nobody lost", not any(counts.values()), told or "0 lost", "0", shown)


def _failed(figures: Mapping[str, Any]) -> int:
    return sum(entry["failures"] for entry in figures["by_request"])


def _throttled(events: Sequence[Event]) -> int:
    return sum(event["status"] == 429 for event in _of(events, "busy"))


def _share(name: str, count: int, figures: Mapping[str, Any], target_pct: float) -> Row:
    requests = sum(entry["count"] for entry in figures["by_request"])
    if not requests:
        return _silent(name, "no request was sent", f"<= {target_pct:g} %")
    pct = 100 * count / requests
    figure = f"{count:,} of {requests:,} ({pct:.2f} %)"
    return _judged(name, pct <= target_pct, figure, f"<= {target_pct:g} %", {"count": count, "requests": requests})


def _occupancy(events: Sequence[Event], limits: Limits) -> Row:
    """People really there by the cap, over the seconds in which somebody present waited and the room had been full."""
    if limits.max_active is None:
        return _silent("occupancy", "the zone has no cap")
    mean = occupancy(events, limits.max_active)
    target = f">= {limits.occupancy:.2f}"
    if mean is None:
        return _silent("occupancy", "the room was never full", target)
    return _judged("occupancy", mean >= limits.occupancy, f"{mean:.2f}", target, {"mean": mean})


def occupancy(events: Sequence[Event], cap: int) -> float | None:
    """Time-weighted, from the moment the room was full first, while the line is not empty; None when it never was."""
    inside, waiting = set[str](), set[str]()
    began: int | None = None
    weighted = total = 0
    last_ms = 0
    for event in events:
        if began is not None and waiting:
            span_ms = event["at_ms"] - last_ms
            weighted, total = weighted + span_ms * min(len(inside), cap), total + span_ms
        last_ms = event["at_ms"]
        who, kind = event["visitor"], event["event"]
        if kind == "line":
            waiting.add(who)
        elif kind == "inside":
            inside.add(who)
            waiting.discard(who)
        elif kind in ("ended", "silent", "absent", "over", "gave_up", "fault"):
            inside.discard(who)
            waiting.discard(who)
        if began is None and len(inside) >= cap:
            began = last_ms
    return weighted / total / cap if total else None


def _estimates(events: Sequence[Event], targets: Targets) -> Row:
    """Ranges as shown, from a minute on, against the waits as they turned out."""
    called = {(event["visitor"], event["run"]): event["at_ms"] for event in _of(events, "called")}
    errors, right = list[float](), 0
    for event in _of(events, "line"):
        called_ms = called.get((event["visitor"], event["run"]))
        if called_ms is None or event.get("high_sec", 0) <= SHORTEST_WAIT_SEC:
            continue
        true_sec = (called_ms - event["at_ms"]) / 1000
        errors.append(100 * abs((event["low_sec"] + event["high_sec"]) / 2 - true_sec) / max(true_sec, 1.0))
        right += event["low_sec"] <= true_sec <= event["high_sec"]
    target = f"<= {targets.estimate_error_pct:g} %"
    if not errors:
        return _silent("wait estimate", "no wait of a minute was shown", target)
    mean, in_range = sum(errors) / len(errors), 100 * right / len(errors)
    figure = f"{mean:.0f} % off, {in_range:.0f} % within the range, {len(errors)} shown"
    details = {"mean_error_pct": mean, "in_range_pct": in_range, "shown": len(errors)}
    return _judged("wait estimate", mean <= targets.estimate_error_pct, figure, target, details)


def _latency(name: str, values: list[float], target_ms: float | None) -> Row:
    target = "" if target_ms is None else f"p95 <= {target_ms:g} ms"
    if not values:
        return _silent(f"{name} ms", "none", target)
    found = spread(values)
    figure = f"{found['p50']:,} / {found['p95']:,} / {found['max']:,}"
    if target_ms is None:
        return Row(f"{name} ms", figure, target, "not measured", found)
    return _judged(f"{name} ms", found["p95"] <= target_ms, figure, target, found)


def _push_ms(events: Sequence[Event]) -> Iterator[float]:
    """From the tick that called to the message at the visitor."""
    written = sorted((event["run"], event["tick"], event["updated_at_ms"]) for event in _of(events, "status"))
    for event in _of(events, "pushed"):
        called_ms = _moment_of(written, event["run"], event["tick"])
        if called_ms is not None:
            yield event["at_ms"] - called_ms


def _moment_of(written: Sequence[tuple[int, int, int]], run: int, tick: int) -> float | None:
    """When a tick was, by its status document; between those of its neighbours where nobody read its own."""
    at = bisect_left(written, (run, tick, 0))
    after = written[at] if at < len(written) and written[at][0] == run else None
    before = written[at - 1] if at > 0 and written[at - 1][0] == run else None
    if after is not None and after[1] == tick:
        return after[2]
    if after is None or before is None:
        return None
    return before[2] + (after[2] - before[2]) * (tick - before[1]) / (after[1] - before[1])


def _inside_ms(events: Sequence[Event]) -> Iterator[float]:
    for event in _of(events, "inside"):
        if event["called_at_ms"] is not None:
            yield float(event["at_ms"] - event["called_at_ms"])
