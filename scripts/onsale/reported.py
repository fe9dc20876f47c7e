"""The last step: the report of the run, and whether its numbers are those of an independent count."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from scripts.onsale.counts import Counts, archived, differences, of_archive, of_report, of_table
from scripts.onsale.stage import Stage, StepFailed

Json = dict[str, Any]

ENTRIES = 1000
"""Of the audit log: more than one on-sale makes."""


def report(stage: Stage) -> None:
    """The report says what the archive's raw files, the queue table, the counters and the audit log say."""
    table = of_table(stage.places())
    _agree(
        stage,
        lambda: differences(_archive(stage), "the archive's files", table, "the queue table"),
        "every change of the queue table is in the archive",
    )
    run = stage.zone()["run"]
    page, folder = stage.folder / f"{stage.zone_id}.html", stage.folder / "report"
    where = ("--archive", f"s3://{stage.archive}", "--output", str(page), "--export", str(folder))
    stage.wr("report", stage.zone_id, str(run), *where)
    document = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    told = of_report(document)
    for counted, name in ((table, "the queue table"), (_archive(stage), "the archive's files")):
        differing = differences(told, "the report", counted, name)
        stage.must(not differing, "; ".join(differing) or f"{_short(told)} in the report as in {name}")
    _counters_agree(stage, document)
    _log_agrees(stage, document, run)


def _archive(stage: Stage) -> Counts:
    return of_archive(archived(stage.archived_lines(), stage.zone()["run"]))


def _agree(stage: Stage, differing: Callable[[], list[str]], what: str) -> None:
    """Wait until nothing differs. Raises StepFailed that says what still does."""
    last: list[str] = []

    def agrees() -> bool:
        last[:] = differing()
        return not last

    try:
        stage.until(agrees, what)
    except StepFailed as failed:
        raise StepFailed(f"{failed}; {'; '.join(last)}") from None


def _counters_agree(stage: Stage, document: Json) -> None:
    """What the report itself holds against the run's counters, and the sales against the counters table."""
    for check in document["checks"]:
        what, archive, counters = check["what"], check["archive"], check["counters"]
        stage.must(archive == counters, f"{what}: {archive} in the archive, {counters} by the minute rows")
    sold, last = stage.sold(), document["levels"][-1]["sold"]
    stage.must(document["totals"]["completed"] == sold == last, f"{sold} are sold, by the counters table")
    cap, fullest = stage.document["max_active"], max(level["in_zone"] for level in document["levels"])
    stage.must(fullest <= cap, f"no minute was told with more than {fullest} inside, {cap} may be")
    longest, places = max(row["waiting"] for row in document["line"]), document["totals"]["places"]
    stage.must(0 < longest <= places, f"at most {longest} waited at a time, of {places} places")


def _log_agrees(stage: Stage, document: Json, run: int) -> None:
    """What was done in this run, by the report and by the audit log."""
    told = sorted((each["happened_at_ms"], each["action"]) for each in document["operations"] if each["run"] == run)
    entries = stage.api.history(stage.zone_id, ENTRIES, run)
    noted = sorted((each["at_ms"], each["action"]) for each in entries if each.get("run") == run)
    only = sorted(set(told) ^ set(noted))
    stage.must(not only, f"not both in report and audit log: {only}" if only else f"{len(noted)} actions, by both")
    changed = [json.loads(each["details"]) for each in document["operations"] if each["run"] == run]
    controls = [each["control"][1] for each in changed if "control" in each]
    stage.must(controls == ["pause", "auto", "end"], f"the report has every turn of the switch: {', '.join(controls)}")
    rate = stage.document["rate_per_min"]
    rates = [each["rate_per_min"] for each in changed if "rate_per_min" in each]
    stage.must(rates == [[rate, rate // 2]], f"the report has the halved rate: {rates}")


def _short(counts: Counts) -> str:
    names = ("visitors", "admitted", "completed", "left the zone", "gave up", "drop-off")
    return ", ".join(f"{name} {counts[name]}" for name in names)
