"""Windows: when a zone opens by itself, each a run of its own, and what is refused."""

from __future__ import annotations

import pytest

from tests.support.deployment import Deployment
from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.schedule import due

MINUTE, HOUR = 60_000, 3_600_000
START = 1_800_000_000_000
RULES = [{"paths": ["/a"]}]
FIRST = {"starts_at_ms": START, "ends_at_ms": START + HOUR}
SECOND = {"opens_at_ms": START + 2 * HOUR, "starts_at_ms": START + 3 * HOUR}


def zone(*windows, stage="", outside="end", **more):
    schedule = {"windows": list(windows) or [FIRST, SECOND], "outside": outside}
    document = {"zone_id": "a", "mode": "combined", "max_active": 5, "rules": RULES, "schedule": schedule}
    return checked({**document, "stage": stage, **more})


@pytest.mark.parametrize(
    ("at_ms", "stage", "control"),
    [
        (START - 11 * MINUTE, "before", "end"),
        (START - 10 * MINUTE, f"open:{START}", "auto"),
        (START + HOUR - 1, f"open:{START}", "auto"),
        (START + HOUR, f"ended:{START}", "end"),
        (START + 2 * HOUR, f"open:{START + 3 * HOUR}", "auto"),
        (START + 999 * HOUR, f"open:{START + 3 * HOUR}", "auto"),
    ],
)
def test_the_stage_is_that_of_the_clock_and_is_entered_once(at_ms, stage, control):
    wanted = due(zone(), at_ms)
    assert (wanted.stage, wanted.control) == (stage, control)
    assert due(zone(stage=stage), at_ms) is None


def test_each_window_but_the_first_begins_a_run():
    assert due(zone(stage="before"), START).reset is False
    assert due(zone(stage=f"ended:{START}"), START + 2 * HOUR).reset is True
    assert due(zone(stage=f"open:{START}"), START + 2 * HOUR).reset is True, "the end was missed"


def test_a_window_that_is_moved_keeps_its_line():
    moved = {"starts_at_ms": START + 5 * MINUTE, "ends_at_ms": START + HOUR}
    wanted = due(zone(moved, SECOND, stage=f"open:{START}"), START)
    assert (wanted.starts_at_ms, wanted.reset) == (START + 5 * MINUTE, False)


def test_outside_of_windows_the_zone_holds_or_lets_pass():
    assert due(zone(outside="lock"), 0).control == "lock"
    assert due(zone(outside="pass", stage=f"open:{START}"), START + HOUR).control == "pass"


@pytest.mark.parametrize(
    ("windows", "said"),
    [
        ([{"starts_at_ms": START, "ends_at_ms": START}], "ends before it starts"),
        ([{"starts_at_ms": START, "opens_at_ms": START - MINUTE}], "three minutes before"),
        ([{"starts_at_ms": START}, SECOND], "needs an end: one follows"),
        ([{**FIRST, "ends_at_ms": START + 3 * HOUR}, SECOND], "opens before the one"),
    ],
)
def test_windows_that_contradict_each_other_are_refused(windows, said):
    with pytest.raises(InvalidZone, match=said):
        zone(*windows)


def test_a_zone_lives_through_its_windows_by_itself():
    world = Deployment()
    starts = world.clock.ms + 20 * MINUTE
    windows = [{"starts_at_ms": starts, "ends_at_ms": starts + 10 * MINUTE}]
    windows += [{"starts_at_ms": starts + 40 * MINUTE, "ends_at_ms": starts + 50 * MINUTE}]
    made = world.put_zone(zone_id="slots", mode="combined", schedule={"windows": windows})
    assert (made.status, made.json["control"]) == (201, "end")
    seen = []
    for _ in range(75):
        world.clock.advance(60)
        world.run("dispatcher")
        stored = world.operate("GET", "/zones/slots").json
        state = (stored["control"], stored["run"], stored.get("starts_at_ms"))
        if not seen or seen[-1] != state:
            seen.append(state)
    later = starts + 40 * MINUTE
    assert seen == [
        ("end", 1, None),
        ("auto", 1, starts),
        ("end", 1, starts),
        ("auto", 2, later),
        ("end", 2, later),
    ]
    assert (stored["updated_by"], stored["updated_why"]) == ("schedule", "the window is over")
    audits = [line["audit"] for line in world.log.lines if "audit" in line and line["audit"]["action"] == "automatic"]
    assert [audit["changed"]["stage"][1].partition(":")[0] for audit in audits] == [
        "before",
        "open",
        "ended",
        "open",
        "ended",
    ]
    assert audits[1]["changed"]["control"] == ["end", "auto"]


def test_what_the_operator_does_in_a_window_stays_until_the_next_stage():
    world = Deployment()
    starts = world.clock.ms + 5 * MINUTE
    window = {"starts_at_ms": starts, "ends_at_ms": starts + 10 * MINUTE}
    world.put_zone(zone_id="slots", mode="combined", schedule={"windows": [window]})
    world.run("dispatcher")
    world.operate("POST", "/zones/slots/control", {"control": "pause"})
    for _ in range(10):
        world.clock.advance(60)
        world.run("dispatcher")
        assert world.operate("GET", "/zones/slots").json["control"] == "pause"
    world.clock.advance(5 * 60)
    world.run("dispatcher")
    assert world.operate("GET", "/zones/slots").json["control"] == "end"


def test_the_same_document_again_changes_nothing():
    world = Deployment()
    starts = world.clock.ms + 5 * MINUTE
    changes = {"zone_id": "slots", "mode": "combined", "schedule": {"windows": [{"starts_at_ms": starts}]}}
    world.put_zone(**changes)
    world.run("dispatcher")
    version = world.operate("GET", "/zones/slots").json["version"]
    again = world.put_zone(**changes)
    assert (again.status, again.json["version"], again.json["control"]) == (200, version, "auto")
