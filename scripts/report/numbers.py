"""A sale in numbers: visits from the archive, levels from the minute rows, settings from the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scripts.report.questions import Answers

MINUTE_MS = 60_000

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
    estimates: list[Row]
    order_kept: list[Row]
    operations: list[Row]
    checks: list[Check]
    draw: Row | None = None

    @property
    def estimate_error(self) -> float | None:
        """Mean error of the waits that were told, as a share of those there were; None where none was told."""
        weight = sum(row["admitted"] for row in self.estimates)
        if not weight:
            return None
        return float(sum(abs(row["error"]) * row["admitted"] for row in self.estimates) / weight)

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
    waits = answers.ask("wait_by_arrival", zone_id, run)
    return Numbers(
        zone_id=zone_id,
        run=run,
        zone=zone,
        totals=totals,
        waits=answers.ask("waits", zone_id, run),
        outcomes=answers.ask("outcomes", zone_id, run),
        by_minute=with_rate(answers.ask("arrivals", zone_id, run), rows, zone, operations),
        wait_by_arrival=waits,
        drop_off=answers.ask("drop_off", zone_id, run),
        levels=[level(row, zone, operations) for row in rows],
        estimates=estimates(rows, waits),
        order_kept=answers.ask("order_kept", zone_id, run),
        operations=operations,
        checks=checks(totals, rows, zone),
        draw=draw,
    )


def level(row: Mapping[str, Any], zone: Row | None, operations: Sequence[Row]) -> Row:
    """A minute row as the page shows it, with the cap that was set."""
    told = {
        "minute_at_ms": row["minute_at_ms"],
        "phase": row["phase"],
        "waiting": max(0, row["joined"] - row["called"]),
        "in_zone": row["active"],
        "cap": row["limits"].get("max_active")
        if "limits" in row
        else setting(zone, operations, "max_active", row["updated_at_ms"]),
        "sold": row["sold"],
        "show_up_share": row["show_up_share"],
    }
    lanes = row.get("lanes", {})
    return told | {f"waiting_{lane}": max(0, each["tail"] - each["serving"]) for lane, each in lanes.items()}


def with_rate(
    minutes: Sequence[Row], rows: Sequence[Mapping[str, Any]], zone: Row | None, operations: Sequence[Row]
) -> list[Row]:
    """Minutes with the rate that was set in each: as its row has it, else as the audit log does."""
    told = {row["minute_at_ms"]: row["limits"].get("rate_per_min") for row in rows if "limits" in row}
    return [
        {
            **row,
            "rate_per_min": told[row["minute_at_ms"]]
            if row["minute_at_ms"] in told
            else setting(zone, operations, "rate_per_min", row["minute_at_ms"] + MINUTE_MS),
        }
        for row in minutes
    ]


def setting(zone: Row | None, operations: Sequence[Row], name: str, at_ms: int) -> Any:
    """What a setting was at a moment: as the audit log has it, else as it is now."""
    changes = [
        (each["happened_at_ms"], *json.loads(each["details"])[name])
        for each in operations
        if name in json.loads(each["details"] or "{}")
    ]
    before = [change for change in changes if change[0] <= at_ms]
    if before:
        return before[-1][2]
    return changes[0][1] if changes else (zone or {}).get(name)


def estimates(rows: Sequence[Mapping[str, Any]], waits: Sequence[Row]) -> list[Row]:
    """By minute and lane of joining: the wait the line's speed promised whoever came last, and the one there was."""
    promised = {}
    for row in rows:
        for lane, each in row.get("lanes", {}).items():
            ahead = each["tail"] - each["serving"]
            if each["speed_per_sec"] > 0 and ahead > 0:
                promised[row["minute_at_ms"], lane] = round(ahead / each["speed_per_sec"], 1)
    return [
        {
            "minute_at_ms": wait["minute_at_ms"],
            "lane": wait["lane"],
            "admitted": wait["admitted"],
            "promised_sec": promised[wait["minute_at_ms"], wait["lane"]],
            "waited_sec": wait["median_sec"],
            "error": round(promised[wait["minute_at_ms"], wait["lane"]] / wait["median_sec"] - 1, 3),
        }
        for wait in waits
        if (wait["minute_at_ms"], wait["lane"]) in promised and wait["median_sec"] > 0
    ]


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
