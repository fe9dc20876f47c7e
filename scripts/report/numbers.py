"""A sale in numbers: visits from the archive, levels from the minute rows, settings from the audit log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from . import evidence, insights
from .questions import Answers

MINUTE_MS = 60_000
AT_LAST = 2**62

Row = dict[str, Any]


@dataclass(frozen=True)
class Check:
    """A number counted twice, independently; the archive may lack what Firehose has not delivered yet."""

    what: str
    archive: int
    counters: int
    meaning: str

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.archive == self.counters


@dataclass(frozen=True)
class Numbers:
    """Everything the page shows. Moments in epoch milliseconds, lengths in seconds."""

    zone_id: str
    run: int
    zone: Row | None
    totals: Row
    waits: list[Row]
    outcomes: list[Row]
    by_minute: list[Row]
    wait_by_arrival: list[Row]
    drop_off: list[Row]
    levels: list[Row]
    line: list[Row]
    estimates: list[Row]
    order_kept: list[Row]
    operations: list[Row]
    checks: list[Check]
    holders: list[Row]
    distribution: list[Row]
    enforced: list[Row]
    draw: Row | None = None

    @property
    def estimate_error(self) -> float | None:
        """Mean error of the waits that were told, as a share of those there were; None where none was told."""
        weight = sum(row["called"] for row in self.estimates)
        if not weight:
            return None
        return float(sum(row["error"] * row["called"] for row in self.estimates) / weight)

    @property
    def gone(self) -> int:
        """Who gave up for good while waiting: left the line, or closed the page and was not seen again."""
        return sum(int(row["visitors"]) for row in self.drop_off)

    @property
    def longest_line(self) -> int | None:
        """Most who waited at a time, not called yet; None where nobody looked."""
        return max((row["waiting"] for row in self.line), default=None)

    @property
    def document(self) -> Row:
        """All of it as data, for the export."""
        checks = [{**asdict(check), "agrees": check.agrees} for check in self.checks]
        return {**asdict(self), "checks": checks, "estimate_error": self.estimate_error}

    @property
    def tables(self) -> dict[str, list[Row]]:
        """The parts that are tables, by name, for the export."""
        document = self.document
        return {name: value for name, value in document.items() if isinstance(value, list)} | {"totals": [self.totals]}


class Settings:
    """What a zone's settings were at any moment: by the audit log, which is read once, else as they are now."""

    def __init__(self, zone: Row | None, operations: Iterable[Row]) -> None:
        self._zone = zone or {}
        self._changes: dict[str, list[tuple[int, Any]]] = {}
        for each in operations:
            for name, change in json.loads(each["details"] or "{}").items():
                self._changes.setdefault(name, []).append((each["happened_at_ms"], change))

    def at(self, at_ms: int, name: str) -> Any:
        """A setting at a moment; before the first change of it, what that change found."""
        changes = self._changes.get(name, [])
        made = [change for changed_at_ms, change in changes if changed_at_ms <= at_ms]
        if made:
            return made[-1][1]
        return changes[0][1][0] if changes else self._zone.get(name)


def count(
    answers: Answers,
    zone_id: str,
    run: int,
    rows: Sequence[Row],
    zone: Row | None = None,
    draw: Row | None = None,
) -> Numbers:
    """The numbers of a run; `rows` are its minute rows, `zone` its settings now, where they are known."""
    totals = answers.ask("totals", zone_id, run)[0]
    operations = answers.ask("operations", zone_id)
    holders = answers.ask("holders", zone_id, run)
    settings = Settings(zone, operations)
    starts_at_ms = settings.at(AT_LAST, "starts_at_ms") or 0
    return Numbers(
        zone_id=zone_id,
        run=run,
        zone=zone,
        totals=totals,
        waits=answers.ask("waits", zone_id, run),
        outcomes=answers.ask("outcomes", zone_id, run),
        by_minute=with_rate(answers.ask("arrivals", zone_id, run), rows, settings),
        wait_by_arrival=answers.ask("wait_by_arrival", zone_id, run),
        drop_off=answers.ask("drop_off", zone_id, run),
        levels=[level(row, settings) for row in rows],
        line=line(rows),
        estimates=estimates(rows, starts_at_ms),
        order_kept=answers.ask("order_kept", zone_id, run),
        operations=during(operations, run),
        checks=checks(totals, rows, zone),
        holders=holders,
        distribution=evidence.distribution(holders),
        enforced=evidence.enforced(rows[-1] if rows else None),
        draw=draw,
    )


def level(row: Mapping[str, Any], settings: Settings) -> Row:
    """A minute row as the page shows it, with the cap that was set."""
    told = {
        "minute_at_ms": row["minute_at_ms"],
        "phase": row["phase"],
        "waiting": max(0, row["joined"] - row["called"]),
        "in_zone": row["active"],
        "cap": row["limits"].get("max_active") if "limits" in row else settings.at(row["updated_at_ms"], "max_active"),
        "sold": row["sold"],
        "show_up_share": row["show_up_share"],
    }
    lanes = row.get("lanes", {})
    return told | {f"waiting_{lane}": max(0, each["tail"] - each["serving"]) for lane, each in lanes.items()}


def with_rate(minutes: Sequence[Row], rows: Sequence[Mapping[str, Any]], settings: Settings) -> list[Row]:
    """Minutes with the rate that was set in each: as its row has it, else as the audit log does."""
    told = {row["minute_at_ms"]: row["limits"].get("rate_per_min") for row in rows if "limits" in row}
    return [
        {
            **row,
            "rate_per_min": told[row["minute_at_ms"]]
            if row["minute_at_ms"] in told
            else settings.at(row["minute_at_ms"] + MINUTE_MS, "rate_per_min"),
        }
        for row in minutes
    ]


def during(operations: Sequence[Row], run: int) -> list[Row]:
    """What was done to a run: what names it, and between its first and the next run's first what names none."""
    begins = min((each["happened_at_ms"] for each in operations if each["run"] == run), default=None)
    ends = min((each["happened_at_ms"] for each in operations if (each["run"] or 0) > run), default=None)

    def within(at_ms: int) -> bool:
        return begins is not None and begins <= at_ms and (ends is None or at_ms < ends)

    return [each for each in operations if each["run"] == run or (not each["run"] and within(each["happened_at_ms"]))]


def line(rows: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Visitors in line and not called yet, every ten seconds, of all lanes and of each."""
    lanes = insights.lanes_of(rows)
    waiting: dict[int, Row] = {}
    for lane in lanes:
        for point in insights.course(rows, lane):
            waiting.setdefault(point.at_ms, {})[f"waiting_{lane}"] = point.tail - point.serving
    return [
        {
            "at_ms": at_ms,
            "waiting": sum(each.values()),
            **{f"waiting_{lane}": each.get(f"waiting_{lane}") for lane in lanes},
        }
        for at_ms, each in sorted(waiting.items())
    ]


def estimates(rows: Sequence[Mapping[str, Any]], starts_at_ms: int) -> list[Row]:
    """By minute and lane of joining: the mean wait that the line's speed promised, and the mean until the call.

    From the lane's course, ten seconds exact; waits of less than half a minute were hardly worth a promise.
    """
    found: dict[tuple[int, str], list[insights.Wait]] = {}
    for lane in insights.lanes_of(rows):
        for wait in insights.waits(insights.course(rows, lane), starts_at_ms):
            if wait.told_ms is not None and wait.wait_ms >= insights.SHORT_WAIT_MS:
                came_at_ms = int(wait.called_at_ms - wait.wait_ms)
                found.setdefault((came_at_ms - came_at_ms % MINUTE_MS, lane), []).append(wait)
    return [
        {
            "minute_at_ms": minute_at_ms,
            "lane": lane,
            "called": round(sum(wait.count for wait in waits)),
            "promised_sec": _mean_sec(waits, "told_ms"),
            "waited_sec": _mean_sec(waits, "wait_ms"),
            "error": round(insights.estimate_error(waits) or 0.0, 3),
        }
        for (minute_at_ms, lane), waits in sorted(found.items())
    ]


def _mean_sec(waits: Sequence[insights.Wait], name: str) -> float:
    whole: float = sum(getattr(wait, name) * wait.count for wait in waits)
    return round(whole / sum(wait.count for wait in waits) / 1000, 1)


def checks(totals: Row, rows: Sequence[Mapping[str, Any]], zone: Row | None) -> list[Check]:
    """What the archive counts beside what the counters of the run say."""
    if not rows:
        return []
    last = rows[-1]
    found = [
        Check("places", totals["places"], last["joined"], "a number whose answer was lost is nobody's place"),
        Check(
            "admitted", totals["admitted"], last["tokens_issued"], "a session that came back is issued a token twice"
        ),
    ]
    if zone and zone.get("inventory") is not None:
        found.append(Check("sold", totals["completed"], last["sold"], "sold with an inventory"))
    return found
