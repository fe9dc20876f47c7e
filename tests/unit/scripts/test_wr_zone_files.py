"""`wr` reads zone files and settings: every mistake is found here, with its place, before anything is sent."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from scripts.operator_api.errors import BadInput
from scripts.operator_cli.settings import parse_settings, patched
from scripts.operator_cli.words.moments import parse_moment
from scripts.operator_cli.zone_files import BadZoneFile, read_zone_file
from waiting_room import schemas

ZONE = {
    "zone_id": "midnight-sun",
    "mode": "queueing",
    "max_active": 5,
    "rules": [{"paths": ["/events/midnight-sun"]}],
}


def written(tmp_path, content):
    path = tmp_path / "zones.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def mistakes_of(tmp_path, content):
    with pytest.raises(BadZoneFile) as refusal:
        read_zone_file(written(tmp_path, content))
    assert "nothing was changed" in str(refusal.value)
    return refusal.value.mistakes


def test_one_zone_a_list_and_defaults_are_read(tmp_path):
    assert read_zone_file(written(tmp_path, ZONE)) == [ZONE]
    other = {**ZONE, "zone_id": "other"}
    assert read_zone_file(written(tmp_path, [ZONE, other])) == [ZONE, other]
    defaults = {"mode": "queueing", "max_active": 9, "session": {"idle_sec": 60, "max_sec": 600}}
    zones = [{"zone_id": "a", "rules": ZONE["rules"], "session": {"idle_sec": 90}}]
    (read,) = read_zone_file(written(tmp_path, {"defaults": defaults, "zones": zones}))
    assert read["max_active"] == 9
    assert read["session"] == {"idle_sec": 90, "max_sec": 600}


def test_a_start_may_be_written_for_people(tmp_path):
    zone = {**ZONE, "mode": "combined", "starts_at": "2027-03-01T18:00:00+01:00"}
    (read,) = read_zone_file(written(tmp_path, zone))
    assert read["starts_at_ms"] == 1_803_920_400_000
    assert "starts_at" not in read


@pytest.mark.parametrize(
    ("change", "mistake"),
    [
        ({"max_active": "five"}, "zone 1 (midnight-sun): /max_active: "),
        ({"max_active": 0}, "zone 1 (midnight-sun): /max_active: "),
        ({"max_activ": 5}, "zone 1 (midnight-sun): /max_activ"),
        ({"session": {"idle_sec": 5}}, "zone 1 (midnight-sun): /session/idle_sec: "),
        ({"rules": [{"paths": ["/a"]}, {"paths": []}]}, "zone 1 (midnight-sun): /rules/1/paths: "),
        ({"mode": "combined"}, "zone 1 (midnight-sun): /starts_at_ms: "),
        ({"starts_at": "2027-03-01T18:00:00"}, "zone 1 (midnight-sun): /starts_at: "),
        ({"starts_at": "+60s"}, "zone 1 (midnight-sun): /starts_at: "),
        ({"run": 2}, "zone 1 (midnight-sun): /run: "),
        ({"zone_id": "Midnight"}, "zone 1 (Midnight): /zone_id: "),
    ],
)
def test_a_mistake_is_named_with_zone_and_pointer(tmp_path, change, mistake):
    (found,) = mistakes_of(tmp_path, {**ZONE, **change})
    assert found.startswith(mistake)


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path):
    zones = [ZONE, {**ZONE, "zone_id": "b", "max_active": -1}, {**ZONE, "zone_id": "c", "mode": "lottery"}, ZONE, 7]
    found = mistakes_of(tmp_path, zones)
    assert [line.split(":")[0] for line in found] == ["zone 2 (b)", "zone 3 (c)", "zone 4 (midnight-sun)", "zone 5"]


def test_all_mistakes_of_one_zone_are_told_at_once(tmp_path):
    schedule = {"windows": [{"starts_at": "soon"}, {"starts_at": "2027-03-01T18:00", "repeat": {"times": 3}}]}
    zone = {**ZONE, "run": 2, "stage": "open", "max_active": 0, "colour": "red", "schedule": schedule}
    found = mistakes_of(tmp_path, zone)
    assert [line.split(": ")[1] for line in found] == [
        *("/schedule/windows/0/starts_at", "/schedule/windows/1/starts_at", "/schedule/windows/1/repeat"),
        *("/run", "/stage", "/colour", "/max_active"),
    ]
    unwell = {**ZONE, "mode": "combined", "beacon": "drand", "rules": [{"paths": ["/a"]}, {"paths": ["/b/%2e%2e"]}]}
    assert [line.split(": ")[1] for line in mistakes_of(tmp_path, unwell)] == ["/starts_at_ms", "/beacon", "/rules/1"]


def test_an_unknown_time_zone_is_one_mistake(tmp_path):
    zone = {**ZONE, "time_zone": "Europe/Nowhere", "starts_at": "2027-03-01T18:00", "ends_at": "tomorrow"}
    found = mistakes_of(tmp_path, zone)
    assert [line.split(": ")[1] for line in found] == ["/time_zone", "/schedule/windows/0/ends_at"]


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ('{\n  "zone_id": "a",\n  oops\n}', "line 3, column 3: not JSON"),
        ('{"zone_id": "a", "zone_id": "b"}', "the key 'zone_id' stands twice"),
        ('{"max_active": NaN}', "NaN is not a JSON number"),
        ([], "there is no zone in it"),
        ("7", "a list of zones is needed, not a number"),
        ({"zones": {}}, "/zones: a list of zones is needed, not an object"),
        ({"zones": [ZONE], "default": {}}, "/default: only `defaults`, `templates` and `zones`"),
        ({"defaults": {"zone_id": "a"}, "zones": [ZONE]}, "/defaults/zone_id: each zone needs its own"),
    ],
)
def test_a_file_that_is_no_list_of_zones_is_refused(tmp_path, content, mistake):
    assert mistake in mistakes_of(tmp_path, content)[0]


def test_a_file_that_cannot_be_read_is_said_so(tmp_path):
    with pytest.raises(BadInput, match="No such file"):
        read_zone_file(tmp_path / "nowhere.json")
    latin = tmp_path / "latin.json"
    latin.write_bytes(b'{"title": "caf\xe9"}')
    with pytest.raises(BadZoneFile, match="not UTF-8 at byte 14"):
        read_zone_file(latin)


def settings(*pairs):
    return parse_settings(list(pairs), schemas.load("zone"), 1_000)


def test_settings_are_read_by_their_type_in_the_schema():
    assert settings("rate_per_min=30", "max_active=5", "message=Doors = open") == {
        "rate_per_min": 30,
        "max_active": 5,
        "message": "Doors = open",
    }
    assert settings("message=12", "inventory=none", "observe=true") == {
        "message": "12",
        "inventory": None,
        "observe": True,
    }
    assert settings("poll.far_sec=60", "session.heartbeat_sec=none") == {
        "poll": {"far_sec": 60},
        "session": {"heartbeat_sec": None},
    }
    assert settings("session.idle_sec=60", "session.max_sec=600") == {"session": {"idle_sec": 60, "max_sec": 600}}
    assert settings("starts_at=+60s") == {"starts_at_ms": 61_000}


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ("rate_per_min", "write key=value"),
        ("rate=30", "There is no setting 'rate'"),
        ("session.idle=30", "There is no setting 'session.idle'; there are: heartbeat_sec, idle_sec, kind, max_sec"),
        ("message.text=30", "There is no setting 'message.text'; there are: none"),
        ("version=3", "There is no setting 'version'"),
        ("max_active=many", "max_active=many: a value of type integer is needed"),
        ("starts_at=tomorrow", "is not a moment"),
        ("starts_at=2027-03-01T18:00:00", "has no time zone"),
    ],
)
def test_a_setting_that_cannot_be_right_is_refused(pair, message):
    with pytest.raises(BadInput, match=message):
        settings(pair)


def test_every_pair_that_cannot_be_read_is_told():
    with pytest.raises(BadInput) as refused:
        settings("max_active=many", "colour=red", "inventory=5", "session.idle=9", "loud")
    assert [line[:30] for line in str(refused.value).splitlines()] == [
        "max_active=many: a value of ty",
        "There is no setting 'colour'; ",
        "There is no setting 'session.i",
        "'loud': write key=value, for e",
    ]


def test_moments_are_exact():
    assert parse_moment("+2h", 5) == 7_200_005
    assert parse_moment("2027-03-01T18:00:00.250+01:00", 0) == 1_803_920_400_250
    assert parse_moment("2027-03-01T17:00:00Z", 0) == 1_803_920_400_000


def test_a_patch_is_merged_as_the_service_merges_it():
    document = {"session": {"idle_sec": 300, "heartbeat_sec": 20}, "inventory": 5}
    patch = {"session": {"idle_sec": 60, "heartbeat_sec": None}, "inventory": None, "title": "T"}
    assert patched(document, patch) == {"session": {"idle_sec": 60}, "title": "T"}


def scheduled(tmp_path, **zone):
    base = {"zone_id": "a", "mode": "combined", "max_active": 5, "rules": [{"paths": ["/a"]}]}
    return read_zone_file(written(tmp_path, {**base, **zone}))[0]


def refused(tmp_path, **zone):
    with pytest.raises(BadZoneFile) as mistake:
        scheduled(tmp_path, **zone)
    return str(mistake.value)


def test_a_local_time_is_read_in_the_places_own_time_summer_and_winter(tmp_path):
    winter = scheduled(tmp_path, time_zone="Europe/Oslo", starts_at="2027-03-27T20:00")
    summer = scheduled(tmp_path, time_zone="Europe/Oslo", starts_at="2027-03-28T20:00")
    assert summer["starts_at_ms"] - winter["starts_at_ms"] == 23 * 3_600_000
    assert "time_zone" not in summer


def test_a_time_that_the_clocks_skip_or_repeat_is_refused(tmp_path):
    said = refused(tmp_path, time_zone="Europe/Oslo", starts_at="2027-03-28T02:30")
    assert "/starts_at: 2027-03-28T02:30:00 does not exist in Europe/Oslo: the clocks go forward" in said
    said = refused(tmp_path, time_zone="America/New_York", starts_at="2027-11-07T01:30")
    assert "happens twice in America/New_York" in said
    assert "-04:00 or -05:00" in said
    chosen = scheduled(tmp_path, time_zone="America/New_York", starts_at="2027-11-07T01:30-05:00")
    assert chosen["starts_at_ms"] == 1825569000000


def test_a_time_zone_that_is_none_is_refused(tmp_path):
    assert "/time_zone: there is no time zone 'Oslo'" in refused(
        tmp_path, time_zone="Oslo", starts_at="2027-01-01T10:00"
    )
    assert "set time_zone" in refused(tmp_path, starts_at="2027-01-01T10:00")
    for name in ("../../etc/passwd", "", 5):
        assert "/time_zone" in refused(tmp_path, time_zone=name, starts_at="2027-01-01T10:00")


def test_start_and_end_make_a_window(tmp_path):
    zone = scheduled(tmp_path, starts_at="2027-01-01T10:00Z", opens_at="2027-01-01T09:00Z", ends_at="2027-01-01T12:00Z")
    (window,) = zone["schedule"]["windows"]
    assert window["ends_at_ms"] - window["starts_at_ms"] == 2 * 3_600_000
    assert window["starts_at_ms"] - window["opens_at_ms"] == 3_600_000
    assert "starts_at_ms" not in zone


def test_the_opening_of_the_line_is_written_in_words(tmp_path):
    moments = {"starts_at": "2027-01-01T10:00", "opens_at": "2027-01-01T08:30", "time_zone": "Europe/Oslo"}
    zone = scheduled(tmp_path, **moments)
    assert (zone["starts_at_ms"] - zone["opens_at_ms"], "schedule" in zone) == (5_400_000, False)
    assert "/opens_at_ms" in refused(tmp_path, **{**moments, "opens_at": "2027-01-01T10:01"})
    assert "opens_at or opens_at_ms" in refused(tmp_path, **moments, opens_at_ms=zone["opens_at_ms"])


def test_a_row_of_slots_is_written_once(tmp_path):
    slot = {"starts_at": "2027-01-01T10:00", "ends_at": "2027-01-01T10:45", "opens_at": "2027-01-01T09:55"}
    windows = [{**slot, "repeat": {"every_min": 60, "times": 8}}]
    zone = scheduled(tmp_path, time_zone="Asia/Tokyo", schedule={"windows": windows})
    starts = [window["starts_at_ms"] for window in zone["schedule"]["windows"]]
    assert len(starts) == 8
    assert {after - before for before, after in pairwise(starts)} == {3_600_000}
    crowded = [{**slot, "repeat": {"every_min": 30, "times": 2}}]
    assert "opens before the one" in refused(tmp_path, time_zone="Asia/Tokyo", schedule={"windows": crowded})
    for repeat in ({"every_min": 0, "times": 2}, {"times": 2}, 5, {"every_min": 60, "times": 501}):
        assert "/repeat" in refused(
            tmp_path, schedule={"windows": [{"starts_at": "2027-01-01T10:00Z", "repeat": repeat}]}
        )


def test_what_says_the_start_twice_is_refused(tmp_path):
    windows = {"windows": [{"starts_at_ms": 1_800_000_000_000}]}
    assert "the schedule sets the start" in refused(tmp_path, schedule=windows, starts_at="2027-01-01T10:00Z")
    assert "stands with starts_at" in refused(tmp_path, ends_at="2027-01-01T10:00Z")


def test_hundreds_of_events_are_written_over_templates(tmp_path):
    content = {
        "defaults": {"mode": "queueing", "max_active": 100, "session": {"idle_sec": 120}, "template": "hall"},
        "templates": {"hall": {"max_active": 300}, "arena": {"max_active": 2000, "session": {"max_sec": 900}}},
        "zones": [{"zone_id": f"event-{n}", "rules": [{"paths": [f"/events/{n}"]}]} for n in range(300)],
    }
    content["zones"][7]["template"] = "arena"
    content["zones"][8]["max_active"] = 50
    zones = read_zone_file(written(tmp_path, content))
    assert len(zones) == 300
    assert [zone["max_active"] for zone in zones[6:9]] == [300, 2000, 50]
    assert zones[7]["session"] == {"idle_sec": 120, "max_sec": 900}
    assert all("template" not in zone for zone in zones)
    content["zones"][9]["template"] = "stadium"
    with pytest.raises(BadZoneFile, match="there is no template 'stadium'; there are: hall, arena"):
        read_zone_file(written(tmp_path, content))
