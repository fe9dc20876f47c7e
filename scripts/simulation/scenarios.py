"""The scenarios, by name. `quick` ones are small enough to run with the tests."""

from __future__ import annotations

from dataclasses import replace

from scripts.simulation.actions import change, control, kill, reset
from scripts.simulation.doors import DOORS
from scripts.simulation.gates import GATE
from scripts.simulation.network import ROUGH
from scripts.simulation.occupancy import BASELINES, LANES, OCCUPANCY, SCRIPT, SMALL, queueing
from scripts.simulation.openings import OPENINGS
from scripts.simulation.phantoms import PHANTOMS
from scripts.simulation.rehearsal import REHEARSALS
from scripts.simulation.simulation import Scenario
from scripts.simulation.storms import GREAT_STORMS, STORMS
from scripts.visitors.arrivals import flash, steady, waves
from scripts.visitors.habits import Habits

EVERYBODY = Habits(silent_share=0.3, button_share=0.35, stay_sec=(60, 60))
WALKED_AWAY = Habits(absent_share=1.0)

NOBODY_LAPSES = (
    Scenario(
        name="idle zone, first joiner",
        about="one visitor at 300 s into a zone nobody asked for yet",
        zone=queueing(10),
        groups=((flash(1, 1, from_sec=300), EVERYBODY),),
        seconds=480,
        measures=frozenset({"first"}),
    ),
    Scenario(
        name="3,000 after ten idle minutes, 60 a minute",
        about="a crowd at 600 s at a zone that lets 60 a minute in",
        zone={"mode": "waiting_room", "rate_per_min": 60, "starts_in_sec": 0, "session": dict(SCRIPT)},
        groups=((flash(3000, 60, from_sec=600), replace(EVERYBODY, absent_share=0.2)),),
        seconds=600 + 3900,
        measures=frozenset({"eta"}),
    ),
    Scenario(
        name="5,000 after fifteen idle minutes, cap 500",
        about="a crowd at 900 s at an empty room for 500",
        zone=queueing(500),
        groups=((flash(5000, 60, from_sec=900), replace(EVERYBODY, absent_share=0.2)),),
        seconds=900 + 1200,
        measures=frozenset({"eta"}),
    ),
    Scenario(
        name="10,000 absentees before 100 present",
        about="everybody ahead has walked away; cap 100",
        zone=queueing(100),
        groups=((flash(10_000, 60), WALKED_AWAY), (flash(100, 5, from_sec=61), EVERYBODY)),
        seconds=1500,
        measures=frozenset({"first"}),
    ),
    Scenario(
        name="pause longer than the window",
        about="paused for five minutes with a window of one; cap 100",
        zone=queueing(100),
        groups=((flash(600, 60), EVERYBODY),),
        actions=((70, control("pause")), (370, control("auto"))),
        seconds=1200,
    ),
    Scenario(
        name="a whole called batch walks away",
        about="the first 200 called are gone, 300 wait behind; cap 100",
        zone=queueing(100),
        groups=((flash(200, 10), WALKED_AWAY), (flash(300, 10, from_sec=11), EVERYBODY)),
        seconds=900,
    ),
    Scenario(
        name="capacity halved and doubled, locked, resumed",
        about="cap 200, 100, 400; locked for a minute and a half; all while 2,500 wait",
        zone=queueing(200),
        groups=((flash(2500, 60), replace(EVERYBODY, absent_share=0.2)),),
        actions=(
            (120, change(max_active=100)),
            (300, change(max_active=400)),
            (420, control("lock")),
            (510, control("auto")),
        ),
        seconds=1500,
    ),
    Scenario(
        name="rate changed, then paused",
        about="60, 300, 30, 600 a minute, with a pause of two minutes",
        zone={"mode": "waiting_room", "rate_per_min": 60, "starts_in_sec": 30, "session": dict(SCRIPT)},
        groups=((flash(1200, 60), replace(EVERYBODY, absent_share=0.2)),),
        actions=(
            (120, change(rate_per_min=300)),
            (240, change(rate_per_min=30)),
            (300, control("pause")),
            (420, control("auto")),
            (480, change(rate_per_min=600)),
        ),
        seconds=1000,
    ),
    Scenario(
        name="reset mid-sale",
        about="a new run at 120 s: everybody joins again, nobody is let in on an old place; cap 100",
        zone=queueing(100),
        groups=((flash(500, 30), EVERYBODY),),
        actions=((120, reset),),
        seconds=1000,
    ),
    Scenario(
        name="late returners",
        about="a third is away when called and comes back 10 to 200 s later; cap 100",
        zone=queueing(100),
        groups=((flash(900, 60), replace(EVERYBODY, absent_share=0.33, late_share=1.0, late_sec=(10, 200))),),
        seconds=1500,
    ),
)

COURSES = (
    Scenario(
        name="two waves",
        about="the same crowd twice, ten minutes apart; cap 300",
        zone=queueing(300),
        groups=((waves(1500, 240, (0, 600)), replace(EVERYBODY, absent_share=0.2)),),
        seconds=1500,
        measures=frozenset({"eta"}),
    ),
    Scenario(
        name="exchangers killed",
        about="every exchanger dies at 60, 150 and 240 s; cap 60",
        zone=queueing(60),
        groups=((flash(300, 60), replace(EVERYBODY, stay_sec=(40, 40))),),
        actions=((60, kill), (150, kill), (240, kill)),
        seconds=700,
        measures=frozenset({"recovery"}),
    ),
    Scenario(
        name="sold out",
        about="150 tickets, 500 visitors, cap 60: as many access tokens as tickets",
        zone=queueing(60, inventory=150),
        groups=((flash(500, 30), Habits(absent_share=0.2, silent_share=0.2, button_share=0.08, stay_sec=(40, 40))),),
        seconds=720,
        measures=frozenset({"sold_out"}),
    ),
    Scenario(
        name="sold out, most of them far back",
        about="400 tickets, 5,000 visitors, cap 200",
        zone=queueing(200, inventory=400),
        groups=((flash(5000, 60), Habits(absent_share=0.2, silent_share=0.2, button_share=0.08, stay_sec=(60, 60))),),
        seconds=900,
        measures=frozenset({"sold_out"}),
    ),
    Scenario(
        name="sold out in one go",
        about="as many tickets as there is room, 500; 4,000 visitors, quick buyers",
        zone=queueing(500, inventory=500),
        groups=((flash(4000, 30), Habits(absent_share=0.1, silent_share=0.05, button_share=0.0, stay_sec=(30, 30))),),
        seconds=600,
        measures=frozenset({"sold_out"}),
    ),
    Scenario(
        name="sold out after long hesitation",
        about="60 tickets, 1,500 visitors, cap 100; two of three leave without buying",
        zone=queueing(100, inventory=60),
        groups=((flash(1500, 60), Habits(absent_share=0.2, silent_share=0.3, button_share=0.35, stay_sec=(120, 120))),),
        seconds=2400,
        measures=frozenset({"sold_out"}),
    ),
    Scenario(
        name="rough weather",
        about="crashes, lost and late answers, throttles, pauses, reloads, second tabs, reconnects; cap 60",
        zone=queueing(60, inventory=2000),
        groups=(
            (
                flash(500, 60),
                Habits(
                    absent_share=0.2,
                    late_share=0.5,
                    silent_share=0.3,
                    button_share=0.35,
                    stay_sec=(45, 45),
                    second_tab_share=0.3,
                    reload_share=0.05,
                    lost_answer_share=0.03,
                ),
            ),
        ),
        weather=ROUGH,
        actions=((100, kill), (200, change(max_active=30)), (320, change(max_active=80))),
        seconds=1500,
        measures=frozenset({"recovery"}),
    ),
    Scenario(
        name="450 joins a second on one counter",
        about="27,000 visitors before a start, as fast as one partition of DynamoDB safely takes them",
        zone={
            "mode": "combined",
            "max_active": 2000,
            "starts_in_sec": 120,
            "expected_joins_per_sec": 450,
            "session": dict(SCRIPT),
        },
        groups=((steady(450, 60), replace(EVERYBODY, absent_share=0.35)),),
        seconds=150,
        warm=40,
        drains=False,
    ),
)


RUSH_SEC = 95
"""By then the dispatcher has had a whole minute to start the exchanger, and the gate sends newcomers to the page."""


def _rush(name: str, about: str, joins_per_sec: int, seconds: int) -> Scenario:
    """Everybody joins at once, before the start, on as many counters as the zone was set up for."""
    return Scenario(
        name=name,
        about=about,
        zone={
            "mode": "combined",
            "max_active": 2000,
            "starts_in_sec": 180,
            "expected_joins_per_sec": joins_per_sec,
            "session": dict(SCRIPT),
        },
        groups=((steady(joins_per_sec, seconds, from_sec=RUSH_SEC), replace(EVERYBODY, absent_share=0.35)),),
        seconds=RUSH_SEC + seconds + 5,
        warm=max(8, joins_per_sec // 10),
        measures=frozenset({"partitions"}),
        drains=False,
    )


DRAWS = (
    Scenario(
        name="a draw, then arrivals",
        about="400 who come before and after the line opens are drawn at the start, 60 late ones follow; cap 60",
        zone={
            "mode": "combined",
            "order": "lottery",
            "max_active": 60,
            "opens_in_sec": 20,
            "starts_in_sec": 40,
            "expected_joins_per_sec": 1500,
            "session": dict(SCRIPT),
        },
        groups=(
            (flash(400, 30), replace(EVERYBODY, absent_share=0.2, stay_sec=(20, 20), lost_answer_share=0.02)),
            (flash(60, 10, from_sec=45), replace(EVERYBODY, stay_sec=(20, 20))),
        ),
        seconds=420,
    ),
)
RUSHES = (
    _rush("1,000,000 joins in ten seconds", "100,000 joins a second before a start, on 1,000 counters", 100_000, 10),
    _rush("5,000 joins in one second", "5,000 joins a second before a start, on 50 counters", 5_000, 1),
    Scenario(
        name="several counters, no start",
        about="2,500 visitors in a second on 25 counters, let in as they are placed; cap 200",
        zone=queueing(200, expected_joins_per_sec=2500),
        groups=((steady(2500, 1, from_sec=5), replace(EVERYBODY, stay_sec=(20, 20))),),
        seconds=90,
        drains=False,
    ),
)
PARTITIONS = tuple(
    _rush(
        f"hashed partitions, {joins_per_sec:,} joins/s",
        f"as fast as the zone and the tables were sized for, for {seconds} s",
        joins_per_sec,
        seconds,
    )
    for joins_per_sec, seconds in ((2_000, 5), (20_000, 4), (100_000, 2))
)
QUICK = (
    "idle zone, first joiner",
    "a whole called batch walks away",
    "reset mid-sale",
    "exchangers killed",
    "rough weather",
    "sold out",
    "occupancy, cap 100",
    "occupancy, lanes, cap 100",
    "a draw, then arrivals",
    "5,000 joins in one second",
    "hashed partitions, 2,000 joins/s",
    "4,000 look for their drawn places",
    "16,000 look for their places",
    "several counters, no start",
    "claim, leave and claim again",
    "everybody leaves early",
)


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        OCCUPANCY,
        *LANES,
        *BASELINES,
        *NOBODY_LAPSES,
        *COURSES,
        *DRAWS,
        *RUSHES,
        *OPENINGS,
        *PARTITIONS,
        *STORMS,
        *GREAT_STORMS,
        *SMALL,
        *REHEARSALS,
        *DOORS,
        *GATE,
        *PHANTOMS,
    )
}
BY_NAME_ONLY = {scenario.name for scenario in GREAT_STORMS}
