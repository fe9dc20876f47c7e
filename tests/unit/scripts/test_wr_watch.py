"""What `wr watch` draws."""

from __future__ import annotations

import httpx
import pytest

from scripts.operator_api.connection import Target
from scripts.operator_api.errors import Unreachable
from scripts.operator_cli.watch import read_status, render, summary
from scripts.operator_cli.words.tables import table

ZONE = {"zone_id": "midnight-sun", "title": "Midnight Sun", "control": "auto", "mode": "queueing", "run": 1}
STATUS = {
    "phase": "open",
    "tick": 9,
    "updated_at_ms": 10_000,
    "lanes": {"general": {"serving": 26, "floor": 12, "ahead": 26, "tail": 60, "speed_per_sec": 0.5}},
}


def test_a_shut_door_is_said_with_where_to_look():
    shut = {**STATUS, "door": "shut"}
    text = "\n".join(render(ZONE, shut, {"minutes": []}, 12_000))
    assert "THE DOOR IS SHUT: claims do not get through" in text
    assert "wr keys list" in text
    assert "  open  door shut  general: " in summary(shut, 12_000)
    assert "DOOR" not in "\n".join(render(ZONE, {**STATUS, "door": "open"}, {"minutes": []}, 12_000))


def test_the_line_is_shown_with_who_still_waits():
    text = "\n".join(render({**ZONE, "max_active": 5}, STATUS, {"minutes": []}, 12_000))
    assert "midnight-sun  Midnight Sun" in text
    assert "tick 9, 2 s ago" in text
    assert "max_active 5" in text
    assert "general       34       26     12    60          30" in text
    assert summary(STATUS, 12_000).endswith("open  general: waiting 34, called below 26, tail 60, 30.0/min")


def test_before_the_first_tick_nothing_is_made_up():
    assert "no status yet, control auto, mode queueing, run 1" in render(ZONE, {}, {}, 0)
    assert "no status yet" in summary({}, 0)


def test_who_passes_without_a_place_is_told():
    told = {"minutes": [], "exempt": {"links": 3, "revoked": 1, "rules": 2}}
    assert "exempt: 3 staff links in force (1 revoked), 2 rules" in render(ZONE, STATUS, told, 12_000)
    told["exempt"] = {"links": 0, "revoked": 0, "rules": 0}
    assert "exempt: 0 staff links in force, 0 rules" in render(ZONE, STATUS, told, 12_000)
    assert not any("exempt" in line for line in render(ZONE, STATUS, {"minutes": [], "exempt": None}, 12_000))


def row(minute, **counts):
    standing = {"joined": 0, "called": 0, "tokens_issued": 0, "lapsed": 0, "active": 4, "sold": 0, "show_up_share": 0.8}
    return {"minute_at_ms": minute * 60_000, "phase": "open", **standing, **counts}


def test_what_happened_in_a_minute_is_the_difference_and_the_latest_comes_first():
    rows = [row(minute, joined=10 * minute, called=minute * minute) for minute in range(1, 9)]
    lines = render(ZONE, STATUS, {"minutes": rows}, 12_000)
    head = next(index for index, line in enumerate(lines) if line.startswith("MINUTE"))
    assert lines[head].split()[:3] == ["MINUTE", "JOINED", "CALLED"]
    shown = [line.split()[1:3] for line in lines[head + 1 :]]
    assert shown == [["10", "15"], ["10", "13"], ["10", "11"], ["10", "9"], ["10", "7"], ["10", "5"]]
    assert lines[-1].split()[-3:] == ["4", "0", "80%"]


def test_waits_drop_off_and_the_last_change_are_told_above_the_minutes():
    course = {"general": [[0, 100, 40, 1.0], [10, 100, 60, 1.0], [20, 100, 80, 1.0]]}
    departures = {"general": {"away": 6, "back": 1, "wait_sec": 600}}
    first = row(0, joined=100, course={"general": [[0, 0, 0, 0.0], [30, 100, 0, 0.5]]})
    rows = [first, row(1, joined=100, course=course, departures=departures)]
    changed = {"updated_at_ms": 60_000, "updated_by": "protection", "updated_why": "the site is well"}
    text = "\n".join(render({**ZONE, **changed}, STATUS, {"minutes": rows}, 12_000))
    assert "wait of those called: median 36 s, 95 % within 50 s; gone while waiting 5 (5%), after 2.0 min" in text
    assert "by protection: the site is well" in text
    assert "wait of those" not in "\n".join(render(ZONE, STATUS, {"minutes": []}, 12_000))


def target(site_url="http://site"):
    return Target("http://api", site_url, "eu-west-1", None)


def test_a_status_that_is_not_there_yet_is_empty_and_a_broken_one_is_said():
    def answering(response):
        return httpx.Client(transport=httpx.MockTransport(lambda request: response))

    assert read_status(answering(httpx.Response(404)), target(), "a") == {}
    assert read_status(answering(httpx.Response(200, json=STATUS)), target(), "a") == STATUS
    with pytest.raises(Unreachable, match=r"http://site/\.waiting-room/status/a\.json does not answer"):
        read_status(answering(httpx.Response(500)), target(), "a")
    with pytest.raises(Unreachable, match="FOYER_SITE_URL"):
        read_status(answering(httpx.Response(200)), target(None), "a")


def test_tables_line_up_numbers_on_the_right():
    assert table(("A", "N"), [("x", 5), ("long", 12)]) == ["A      N", "x      5", "long  12"]
    assert table(("A", "N"), [("x", None)]) == ["A  N", "x  -"]
