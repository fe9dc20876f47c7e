"""`wr` reads zone files and settings: every mistake is found here, with its place, before anything is sent."""

from __future__ import annotations

import json

import pytest

from scripts.operator_cli.errors import BadInput
from scripts.operator_cli.moments import parse_moment
from scripts.operator_cli.settings import parse_settings, patched
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


@pytest.mark.parametrize(
    ("content", "mistake"),
    [
        ('{\n  "zone_id": "a",\n  oops\n}', "line 3, column 3: not JSON"),
        ('{"zone_id": "a", "zone_id": "b"}', "the key 'zone_id' stands twice"),
        ('{"max_active": NaN}', "NaN is not a JSON number"),
        ([], "there is no zone in it"),
        ("7", "a list of zones is needed, not a number"),
        ({"zones": {}}, "/zones: a list of zones is needed, not an object"),
        ({"zones": [ZONE], "default": {}}, "/default: only `defaults` and `zones`"),
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


def test_moments_are_exact():
    assert parse_moment("+2h", 5) == 7_200_005
    assert parse_moment("2027-03-01T18:00:00.250+01:00", 0) == 1_803_920_400_250
    assert parse_moment("2027-03-01T17:00:00Z", 0) == 1_803_920_400_000


def test_a_patch_is_merged_as_the_service_merges_it():
    document = {"session": {"idle_sec": 300, "heartbeat_sec": 20}, "inventory": 5}
    patch = {"session": {"idle_sec": 60, "heartbeat_sec": None}, "inventory": None, "title": "T"}
    assert patched(document, patch) == {"session": {"idle_sec": 60}, "title": "T"}
