"""What minute rows say of a run: waits, drop-off, how good the estimates were, what a minute brought.

A lane's course is two curves over time: how many places were taken (tail) and how many were called (serving). Who
stands at a position came when the first curve passed it and was called when the second did, so the wait is the
distance between the curves. Points lie ten seconds apart, and between two of them the curves are taken to be straight.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

MINUTE_MS = 60_000
GAP_MS = 20_000
"""Points further apart have no exchanger between them: whoever came then came just before the later one."""
STEP_MS = 10_000
PIECES = 20
"""Most parts in which those called between two points are looked at."""
SHORT_WAIT_MS = 30_000
"""A wait shorter than this was hardly worth an estimate; its error says nothing."""


@dataclass(frozen=True)
class CoursePoint:
    """A lane at a moment."""

    at_ms: int
    tail: int
    serving: int
    speed_per_sec: float


@dataclass(frozen=True)
class Wait:
    """`count` visitors who were called at `called_at_ms` after `wait_ms`, and what they were told when they came."""

    called_at_ms: int
    wait_ms: float
    told_ms: float | None
    count: float


def lanes_of(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """The lanes that any row knows, in order of appearance."""
    return list(dict.fromkeys(lane for row in rows for lane in row.get("course", {})))


def course(rows: Iterable[Mapping[str, Any]], lane: str) -> list[CoursePoint]:
    """A lane's points in order of time; both curves only grow, whatever was written late."""
    points: list[CoursePoint] = []
    for row in sorted(rows, key=lambda row: int(row["minute_at_ms"])):
        for second, tail, serving, speed in row.get("course", {}).get(lane, ()):
            last = points[-1] if points else CoursePoint(-1, 0, 0, 0.0)
            at_ms = int(row["minute_at_ms"]) + int(second) * 1000
            if at_ms > last.at_ms:
                points.append(
                    CoursePoint(at_ms, max(last.tail, int(tail)), max(last.serving, int(serving)), float(speed))
                )
    return points


def waits(points: Sequence[CoursePoint], starts_at_ms: int = 0, since_ms: int = 0) -> list[Wait]:
    """Who was called since a moment, and how long after coming; before the start nobody waits for anything but it."""
    found: list[Wait] = []
    tails = [point.tail for point in points]
    for before, after in pairwise(points):
        called = after.serving - before.serving if after.at_ms >= since_ms else 0
        pieces = min(called, PIECES)
        for piece in range(pieces):
            part = (piece + 0.5) / pieces
            position = before.serving + called * part
            called_at_ms = _between(before, after, part)
            came = _came(points, tails, position)
            if came is None:
                continue
            came_at_ms, seen = came
            wait_ms = max(0.0, called_at_ms - max(came_at_ms, starts_at_ms))
            ahead = position - seen.serving
            told_ms = (
                ahead / seen.speed_per_sec * 1000 if seen.speed_per_sec > 0 and seen.at_ms >= starts_at_ms else None
            )
            found.append(Wait(round(called_at_ms), wait_ms, told_ms, called / pieces))
    return found


def _between(before: CoursePoint, after: CoursePoint, part: float) -> float:
    begins = after.at_ms - STEP_MS if after.at_ms - before.at_ms > GAP_MS else before.at_ms
    return begins + (after.at_ms - begins) * part


def _came(points: Sequence[CoursePoint], tails: Sequence[int], position: float) -> tuple[float, CoursePoint] | None:
    """When the tail passed a position, and the point that was known then; None for before the first point."""
    index = bisect_left(tails, position)
    if index == len(points) or (index == 0 and tails[0] > 0 and points[0].serving > position):
        return None
    if index == 0:
        return float(points[0].at_ms), points[0]
    before, after = points[index - 1], points[index]
    part = (position - before.tail) / (after.tail - before.tail)
    return _between(before, after, part), before


def percentile(found: Iterable[Wait], share: float) -> float | None:
    """The wait in seconds that this share of those called did not exceed; None where nobody was called."""
    ordered = sorted(found, key=lambda wait: wait.wait_ms)
    left = sum(wait.count for wait in ordered) * share
    for wait in ordered:
        left -= wait.count
        if left <= 1e-9:
            return wait.wait_ms / 1000
    return None


def estimate_error(found: Iterable[Wait]) -> float | None:
    """Mean distance of what visitors were told from what came, as a share of what came."""
    judged = [wait for wait in found if wait.told_ms is not None and wait.wait_ms >= SHORT_WAIT_MS]
    weight = sum(wait.count for wait in judged)
    if not weight:
        return None
    return sum(abs((wait.told_ms or 0.0) - wait.wait_ms) / wait.wait_ms * wait.count for wait in judged) / weight


@dataclass(frozen=True)
class DropOff:
    """Visitors who left the page while they waited and are not back; `share` of all who joined."""

    gone: int
    share: float
    mean_wait_sec: float | None


def drop_off(row: Mapping[str, Any]) -> DropOff:
    """From the newest row; its numbers are those of the whole run."""
    lanes = list(row.get("departures", {}).values())
    gone = max(0, sum(lane.get("away", 0) - lane.get("back", 0) for lane in lanes))
    waited = sum(lane.get("wait_sec", 0) for lane in lanes)
    joined = int(row.get("joined", 0))
    return DropOff(gone, gone / joined if joined else 0.0, waited / gone if gone else None)


def per_minute(rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """What each minute brought of a number that only grows, for each row but the first; by the time between rows."""
    found = []
    for before, after in pairwise(rows):
        elapsed_ms = max(1, after.get("updated_at_ms", 0) - before.get("updated_at_ms", 0))
        # After minutes without a row the zone was idle: what is new came in this one.
        elapsed_ms = min(max(elapsed_ms, 10_000), MINUTE_MS)
        found.append(max(0, after.get(name, 0) - before.get(name, 0)) * MINUTE_MS / elapsed_ms)
    return found
