"""An independent count of live sessions, made from the access tokens that visitors were given.

It knows nothing of the product's own counters. A session is live from the arrival of its first token until the
visitor asked to end it, or until the last token's `exp`. Requests take time: what the server did in between is
known only to lie between request and answer. So there are two counts: `certain` takes the shortest time a session
can have lived (a count above the cap proves a fault), `possible` the longest (at or below the cap proves there is
none among the tokens that arrived).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .event_log import Event

Interval = tuple[int, int]
"""From, inclusive, to, exclusive; epoch milliseconds."""


@dataclass(frozen=True)
class Report:
    """What a log proves. `faults` is empty when every rule held."""

    sessions: int
    certain_peak: int
    certain_peak_at_ms: int
    possible_peak: int
    counts: dict[str, int]
    faults: list[str] = field(default_factory=list)


@dataclass
class _Session:
    tokens: list[tuple[int, int, int]] = field(default_factory=list)
    end_requested_at_ms: int | None = None
    end_received_at_ms: int | None = None

    def certain(self) -> Iterator[Interval]:
        return _cut(((received, exp) for _, received, exp in self.tokens), self.end_requested_at_ms)

    def possible(self) -> Iterator[Interval]:
        return _cut(((requested, exp) for requested, _, exp in self.tokens), self.end_received_at_ms)


def check(events: Iterable[Event], max_active: int) -> Report:
    """Check a crowd's log: the cap, one position for one visitor, and places that only get better."""
    sessions: dict[str, _Session] = {}
    lines: list[Event] = []
    counts: dict[str, int] = {}
    for event in events:
        counts[event["event"]] = counts.get(event["event"], 0) + 1
        if event["event"] == "token":
            session = sessions.setdefault(event["sid"], _Session())
            session.tokens.append((event["requested_at_ms"], event["received_at_ms"], event["exp_sec"] * 1000))
        elif event["event"] == "ended":
            session = sessions.setdefault(event["sid"], _Session())
            session.end_requested_at_ms = event["requested_at_ms"]
            session.end_received_at_ms = event["received_at_ms"]
        elif event["event"] == "line":
            lines.append(event)
    certain, at_ms = _peak(session.certain() for session in sessions.values())
    possible, _ = _peak(session.possible() for session in sessions.values())
    faults = list(_line_faults(lines))
    if certain > max_active:
        faults.append(f"{certain} sessions were live at {at_ms} ms, {max_active} are allowed")
    return Report(len(sessions), certain, at_ms, possible, counts, faults)


def _cut(intervals: Iterable[Interval], end_ms: int | None) -> Iterator[Interval]:
    for start, end in intervals:
        last = end if end_ms is None else min(end, end_ms)
        if last > start:
            yield start, last


def _peak(sessions: Iterable[Iterable[Interval]]) -> tuple[int, int]:
    """The largest number of sessions live at once and when; intervals of one session count once."""
    edges = [edge for intervals in sessions for start, end in _union(intervals) for edge in ((start, 1), (end, -1))]
    live = peak = at_ms = 0
    # At the same millisecond an end comes before a start: an interval does not contain its own end.
    for moment, change in sorted(edges):
        live += change
        if live > peak:
            peak, at_ms = live, moment
    return peak, at_ms


def _union(intervals: Iterable[Interval]) -> Iterator[Interval]:
    merged: Interval | None = None
    for start, end in sorted(intervals):
        if merged is None:
            merged = (start, end)
        elif start <= merged[1]:
            merged = (merged[0], max(merged[1], end))
        else:
            yield merged
            merged = (start, end)
    if merged is not None:
        yield merged


def _line_faults(lines: Iterable[Event]) -> Iterator[str]:
    """Two visitors with one position, and anybody's place getting worse without a rejoin."""
    owners: dict[tuple[int, int], str] = {}
    last: dict[str, Event] = {}
    for line in lines:
        visitor, run, position = line["visitor"], line["run"], line["position"]
        owner = owners.setdefault((run, position), visitor)
        if owner != visitor:
            yield f"position {position} of run {run} was given to {owner} and to {visitor}"
        before = last.get(visitor)
        if before is not None and before["run"] == run and before["joined"] == line["joined"]:
            if position > before["position"]:
                yield f"{visitor} moved back from position {before['position']} to {position}"
            if line["ahead"] > before["ahead"]:
                yield f"{visitor} saw {before['ahead']} ahead, then {line['ahead']}"
        last[visitor] = line
