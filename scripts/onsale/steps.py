"""The steps, in their order. Each does what the operator does, and then says what must be true."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx

from scripts.onsale.reported import report
from scripts.onsale.stage import Stage, now_ms
from scripts.rehearsal.script import USUAL, Script
from scripts.rehearsal.targets import Limits, Targets
from scripts.rehearsal.verdict import verdict
from scripts.visitors.browser import PAGE_HEADERS
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone

Json = dict[str, Any]
Step = Callable[[Stage], None]

REHEARSED = 6
CROWD = 50
CAP = 8
RATE_PER_MIN = 60
INVENTORY = 30
OPENS_IN_SEC = 120
"""Time enough for the whole crowd to join; the start is then set to seconds from now."""
LOOKED_ON_SEC = 20
"""How long the halved rate is looked at: the whole rate would let in more than may be then."""
STILL_SEC = 6
SAVED_UP_SEC = 5
"""Seconds of the set rate that the engine saves up at most."""
CHANGE_MS = 2_000
"""From an operator's answer to the last claim that may have been under way."""
IN_FLIGHT = 4
"""The local engine starts a process for every parallel request."""


def document(zone_id: str, path: str, site_key_sha256: str, starts_at_ms: int) -> Json:
    """The zone as the file has it: a start in the future, a cap, a rate, and so much to sell."""
    return {
        "zone_id": zone_id,
        "title": zone_id.replace("-", " ").capitalize(),
        "mode": "combined",
        "rules": [{"paths": [path]}],
        "landing_path": path,
        "starts_at_ms": starts_at_ms,
        "max_active": CAP,
        "rate_per_min": RATE_PER_MIN,
        "inventory": INVENTORY,
        "session": {"idle_sec": 30, "max_sec": 600},
        "claim": {"window_sec": 20, "grace_sec": 20},
        "poll": {"near_sec": 1, "far_sec": 5, "near_ahead": 200},
        "forward_token": True,
        "site_key_sha256": site_key_sha256,
    }


def apply(stage: Stage) -> None:
    """The zone is what its file says, and applying the file again changes nothing."""
    file = stage.zone_file()
    stage.wr("zones", "apply", str(file))
    first = stage.zone()
    stage.must(_settings(first) == _settings(stage.document), "the zone is what the file says")
    stage.wr("zones", "apply", str(file))
    stage.must(stage.zone() == first, f"applied again it is still version {first['version']} of run {first['run']}")


def rehearse(stage: Stage) -> None:
    """A small crowd in a run of its own; behind it everything is as it was, in a new run."""
    before = stage.zone()
    path = before["landing_path"]
    crowd = ("--visitors", str(REHEARSED), "--over", "3", "--stay", "1", "2", "--minutes", "4", "--absent", "0")
    stage.wr(
        *("rehearse", stage.zone_id, "--host", stage.site_url, "--own-run", "--checkout", f"{path}/checkout"),
        *(*crowd, "--silent", "0", "--output", str(stage.folder / "rehearsal.json")),
        # How fast this machine is, or how busy, is no question of the zone's.
        *("--target", "claim_p95_ms=60000", "--target", "push_p95_ms=60000", "--target", "occupancy=0.01"),
        *("--target", "failed_pct=50", "--target", "throttled_pct=50"),
    )
    after = stage.zone()
    kept = ("starts_at_ms", "max_active", "rate_per_min", "inventory", "control")
    stage.must(all(after[name] == before[name] for name in kept), "every setting is as it was before the rehearsal")
    stage.must(after["run"] == before["run"] + 2, f"run {after['run']} begins with nobody in it")
    stage.must(not stage.places(), "no place of the rehearsal is left in this run")


def pre_queue(stage: Stage) -> None:
    """The start is set, the crowd comes, and nobody is let in or told a position."""
    stage.wr("set", stage.zone_id, f"starts_at=+{OPENS_IN_SEC}s")
    stage.until(lambda: stage.status().get("phase") == "before", "the status document says that the start is to come")
    path = stage.zone()["landing_path"]
    habits = replace(
        USUAL,
        absent_share=0.1,
        give_up_share=0.1,
        silent_share=0.05,
        button_share=0.1,
        stay_sec=(3.0, 5.0),
        patience_sec=(20.0, 60.0),
    )
    script = Script(
        hosts=(stage.site_url,),
        zone_id=stage.zone_id,
        path=path,
        visitors=CROWD,
        checkout_path=f"{path}/checkout",
        over_sec=5.0,
        lasts_sec=420,
        in_flight=IN_FLIGHT,
        held_sec=20,
        habits=habits,
    )
    stage.bring(script)
    stage.until(lambda: len(stage.places()) == CROWD, f"all {CROWD} have a place in the queue table")
    stage.must(now_ms() < stage.zone()["starts_at_ms"], "the start is still to come")
    stage.must(not stage.admitted(), "nobody is in")
    stage.until(lambda: stage.tail() == CROWD, f"visitors are told that {CROWD} wait")
    stage.must(all(lane["serving"] == 0 for lane in stage.status()["lanes"].values()), "nobody is called")


def start(stage: Stage) -> None:
    """The start comes, and the first are let in: none earlier, none too many."""
    stage.wr("set", stage.zone_id, "starts_at=+5s")
    starts_at_ms = stage.zone()["starts_at_ms"]
    stage.until(lambda: stage.status().get("phase") == "open", "the status document says that it is open")
    began = stage.until(stage.admitted, "the first session has begun")
    stage.must(began[0] >= starts_at_ms, "nobody was let in before the start")


def halve_rate(stage: Stage) -> None:
    """Half of the rate: from then on at most so many begin."""
    half = RATE_PER_MIN // 2
    stage.wr("set", stage.zone_id, f"rate_per_min={half}")
    from_ms = now_ms() + CHANGE_MS
    stage.must(stage.zone()["rate_per_min"] == half, f"the rate is {half} a minute")
    time.sleep(LOOKED_ON_SEC)
    until_ms = now_ms()
    began = sum(from_ms <= at_ms < until_ms for at_ms in stage.admitted())
    most = half * ((until_ms - from_ms) / 1000 + SAVED_UP_SEC) / 60 + 1
    stage.must(began <= most, f"{began} were let in within {LOOKED_ON_SEC} s, at most {most:.0f} may be")


def pause(stage: Stage) -> None:
    """Nobody new is let in; the line stays as it is."""
    stage.wr("control", stage.zone_id, "pause")
    paused_ms = now_ms() + CHANGE_MS
    stage.until(lambda: stage.status().get("phase") == "paused", "the status document says that it is paused")
    time.sleep(STILL_SEC)
    stage.must(not [at_ms for at_ms in stage.admitted() if at_ms > paused_ms], "nobody was let in meanwhile")
    stage.must(stage.sold() < INVENTORY, f"{stage.sold()} of {INVENTORY} are sold, and people wait for the rest")
    stage.notes["admitted_when_paused"] = len(stage.admitted())


def resume(stage: Stage) -> None:
    """The line moves again."""
    stage.wr("control", stage.zone_id, "auto")
    before = stage.notes["admitted_when_paused"]
    stage.until(lambda: len(stage.admitted()) > before, f"more than the {before} from before the pause are let in")


def sold_out(stage: Stage) -> None:
    """The last is sold, everybody is told, and not one too many was sold."""
    stage.until(lambda: stage.status().get("phase") == "sold_out", "the status document says that it is sold out", 300)
    completed = sum(place["status"] == "completed" for place in stage.places())
    stage.must(stage.sold() == INVENTORY, f"{INVENTORY} are sold, by the counters table")
    stage.must(completed == INVENTORY, f"{INVENTORY} places are completed, by the queue table")
    stage.must(len(stage.crowd.events) > 0, "the crowd has gone home")


def end(stage: Stage) -> None:
    """The run is over: nobody comes in any more, and what was counted in three places is the same."""
    stage.wr("control", stage.zone_id, "end")
    stage.until(lambda: stage.status().get("phase") == "ended", "the status document says that it has ended")
    page = httpx.get(
        stage.site_url + stage.zone()["landing_path"], headers=PAGE_HEADERS, follow_redirects=False, trust_env=False
    )
    stage.must(page.status_code == 303, "the gate lets nobody through")
    _counts_agree(stage)
    limits = Limits.of(Zone.from_document(_settings(stage.zone())), USUAL, Targets())
    rows = {row.name: row for row in verdict(stage.crowd, limits, Targets())}
    for name in ("cap", "inventory", "order", "places kept", "nobody lost"):
        stage.must(rows[name].state == "held", f"{name}: {rows[name].figure} ({rows[name].target})")


def _settings(document: Json) -> Json:
    """The operator's part of a zone, with every default filled in."""
    own = {name: value for name, value in document.items() if name not in SERVER_FIELDS}
    filled = Zone.from_document(own).document
    return {name: value for name, value in filled.items() if name not in SERVER_FIELDS}


def _counts_agree(stage: Stage) -> None:
    """The crowd's own log, the queue table and the minute rows are three counts of one sale."""
    events, places = stage.crowd.events, stage.places()
    sessions = {event["sid"] for event in events if event["event"] == "token"}
    bought = sum(event.get("how") == "checkout" for event in events if event["event"] == "ended")
    stage.must(sessions == {place["sid"] for place in places if "sid" in place}, f"{len(sessions)} sessions, by both")
    stage.must(bought == stage.sold(), f"{bought} bought, by the crowd's log and the counters table")
    counted = (len(places), bought, len(sessions))
    stage.until(lambda: _last_minute(stage) == counted, f"the minute rows say the same: {counted}")


def _last_minute(stage: Stage) -> tuple[int, int, int]:
    """Joined, sold and let in, by the newest minute row."""
    row = stage.api.metrics(stage.zone_id)["minutes"][-1]
    return (row["joined"], row["sold"], row["tokens_issued"])


STEPS: tuple[tuple[str, Step], ...] = (
    ("apply", apply),
    ("rehearse", rehearse),
    ("pre-queue", pre_queue),
    ("start", start),
    ("rate halved", halve_rate),
    ("pause", pause),
    ("resume", resume),
    ("sold out", sold_out),
    ("end", end),
    ("report", report),
)
"""In the order they are played."""


def play(stage: Stage) -> None:
    """Every step, one after the other. Raises StepFailed at the first that did not lead where it should."""
    try:
        for name, step in STEPS:
            stage.say(name)
            step(stage)
    finally:
        stage.dismiss()
