"""The rate follows the site's health, the line comes and goes with it, and the operator's hand wins."""

from __future__ import annotations

import random

import pytest

from tests.support.deployment import Deployment
from waiting_room.adapters.health import Alarms, HttpsProbe
from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.protection import Health, health_after, step
from waiting_room.domain.zone.zones import Zone

MINUTE = 60_000
RULES = [{"hosts": ["tickets.example.com", "*.example.org"], "paths": ["/events"]}]
ALARM = {"alarm": "site-slow"}


def zone(**more):
    document = {"zone_id": "a", "mode": "queueing", "max_active": 500, "rules": RULES, "health": ALARM}
    return Zone.from_document({**document, **more})


def guarded(**more):
    return zone(**{"rate_per_min": 100, "protection": {"least_per_min": 10}, **more})


def test_a_breach_cuts_the_rate_and_it_comes_back_in_steps():
    cut = step(guarded(), Health(False, 0), 0, 0)
    assert cut.changes == {"safe_rate_per_min": 70}
    assert cut.why == "the site is unwell: rate 100 -> 70"
    again = step(guarded(safe_rate_per_min=70), Health(False, 0), 0, 2 * MINUTE)
    assert again.changes == {"safe_rate_per_min": 49}
    assert step(guarded(safe_rate_per_min=70), Health(False, 0), 0, MINUTE) is None, "a cut needs time to show"
    assert step(guarded(safe_rate_per_min=49), Health(True, 0), 0, MINUTE) is None, "one good reading is no recovery"
    assert step(guarded(safe_rate_per_min=49), Health(True, 0), 0, 2 * MINUTE).changes == {"safe_rate_per_min": 54}
    assert step(guarded(safe_rate_per_min=98), Health(True, 0), 0, 9 * MINUTE).changes == {"safe_rate_per_min": None}


def test_it_stays_inside_the_operators_bounds():
    assert step(guarded(safe_rate_per_min=12), Health(False, 0), 0, 0).changes == {"safe_rate_per_min": 10}
    assert step(guarded(safe_rate_per_min=10), Health(False, 0), 0, 0) is None
    assert step(guarded(), Health(True, 0), 0, 9 * MINUTE) is None
    assert guarded(safe_rate_per_min=300).effective.rate_per_min == 100
    assert guarded(safe_rate_per_min=30).effective.rate_per_min == 30
    assert zone(rate_per_min=100, safe_rate_per_min=30).effective.rate_per_min == 100, "protection was taken away"


@pytest.mark.parametrize("control", ["pause", "lock", "pass", "end"])
def test_it_leaves_a_zone_alone_that_is_in_the_operators_hand(control):
    assert step(guarded(control=control), Health(False, 0), 0, 0) is None
    assert step(guarded(pinned=True), Health(False, 0), 0, 0) is None


def test_a_turn_is_remembered_with_its_moment_and_nobody_knows_changes_nothing():
    well = health_after(None, True, 5)
    assert well == Health(True, 5)
    assert health_after(well, True, 9) == well
    assert health_after(well, None, 9) == well
    assert health_after(well, False, 9) == Health(False, 9)
    assert health_after(None, None, 9) is None


class TestByLoad:
    def test_a_line_comes_with_the_breach_and_goes_when_it_is_served_and_all_is_well(self):
        open_to_all = zone(activation={"quiet_min": 5}, control="pass")
        assert step(open_to_all, Health(False, 0), 0, 0) is None
        assert step(open_to_all, Health(False, 0), 0, MINUTE).changes == {"control": "auto"}
        queueing = zone(activation={"quiet_min": 5})
        assert step(queueing, Health(True, 0), 0, 4 * MINUTE) is None
        assert step(queueing, Health(True, 0), 3, 50 * MINUTE) is None, "who waits is not let go all at once"
        assert step(queueing, Health(True, 0), 0, 5 * MINUTE).changes == {"control": "pass"}
        assert step(queueing, Health(False, 0), 0, 50 * MINUTE) is None

    def test_it_does_not_flap(self):
        """Health that turns every minute: one switch on, none off."""
        now, switches, health = zone(activation={"quiet_min": 5}, control="pass"), 0, None
        for minute in range(0, 120):
            health = health_after(health, minute % 3 == 0, minute * MINUTE)
            done = step(now, health, 0, minute * MINUTE)
            if done:
                now, switches = now.with_changes(**done.changes), switches + 1
        assert (switches, now.control) == (1, "auto")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"health": None, "protection": {}, "rate_per_min": 5}, "/protection"),
        ({"protection": {}}, "/protection"),
        ({"protection": {"least_per_min": 50}, "rate_per_min": 5}, "/protection/least_per_min"),
        ({"activation": {}, "mode": "combined", "starts_at_ms": 1}, "/activation"),
        ({"activation": {}, "schedule": {"windows": [{"starts_at_ms": 9}]}}, "/activation"),
        ({"health": {"probe": {"host": "other.example.net", "path": "/up"}}}, "/health/probe/host"),
        ({"health": {"probe": {"host": "169.254.169.254", "path": "/up"}}}, "/health/probe/host"),
        ({"health": {"probe": {"host": "localhost", "path": "/up"}}}, "/health/probe/host"),
        ({"health": {"probe": {"host": "example.org", "path": "/up"}}}, "/health/probe/host"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, pointer):
    document = {"zone_id": "a", "mode": "queueing", "max_active": 5, "rules": RULES, "health": ALARM, **changes}
    with pytest.raises(InvalidZone) as refused:
        checked({name: value for name, value in document.items() if value is not None})
    assert refused.value.pointer == pointer


def test_a_probe_of_a_guarded_page_is_refused_for_it_would_see_the_waiting_room():
    world = Deployment()
    rules = [{"hosts": ["tickets.example.com"], "paths": ["/"], "excludes": ["/up"]}]
    probe = {"host": "tickets.example.com", "path": "/events"}
    refused = world.put_zone(rules=rules, health={"probe": probe})
    assert (refused.status, refused.json["pointer"]) == (400, "/health/probe/path")
    assert world.put_zone(rules=rules, health={"probe": {**probe, "path": "/up"}}).status == 201


def live(alarm="OK", **more):
    world = Deployment()
    assert world.put_zone(health=ALARM, **more).status == 201
    world.alarms.states["site-slow"] = alarm
    return world


def minutes(world, count=1):
    for _ in range(count):
        world.run("dispatcher")
        world.functions.started.clear()
        world.clock.advance(60)
    return world.operate("GET", "/zones/midnight-sun").json


def test_the_dispatcher_holds_the_rate_and_says_why():
    world = live("ALARM", rate_per_min=100, protection={})
    held = minutes(world)
    assert (held["rate_per_min"], held["safe_rate_per_min"]) == (100, 70)
    assert (held["updated_by"], held["updated_why"]) == ("protection", "the site is unwell: rate 100 -> 70")
    audit = next(line["audit"] for line in world.log.lines if line["message"] == "automatic change")
    assert audit["changed"] == {"safe_rate_per_min": [None, 70]}
    entry = world.operate("GET", "/zones/midnight-sun/history").json["entries"][-1]
    assert (entry["action"], entry["by"], entry["changes"]) == ("automatic", "protection", audit["changed"])
    assert entry["reason"] == held["updated_why"]
    world.alarms.states["site-slow"] = "OK"
    healed = minutes(world, 10)
    assert "safe_rate_per_min" not in healed


def test_the_rate_that_holds_is_the_one_the_exchanger_ticks_by():
    world = live("ALARM", rate_per_min=600, protection={"factor": 0.1})
    minutes(world)
    world.tick()
    assert world.operate("GET", "/zones/midnight-sun/metrics").json["minutes"][-1]["limits"]["rate_per_min"] == 60


def test_a_rate_set_by_hand_is_pinned_until_it_is_released():
    world = live("ALARM", rate_per_min=100, protection={})
    minutes(world)
    by_hand = world.operate("POST", "/zones/midnight-sun/control", {"changes": {"rate_per_min": 90}}).json
    assert by_hand["pinned"] is True
    assert "safe_rate_per_min" not in by_hand
    assert "safe_rate_per_min" not in minutes(world, 5)
    world.operate("POST", "/zones/midnight-sun/control", {"changes": {"pinned": False}})
    assert minutes(world, 2)["safe_rate_per_min"] == 63


def test_an_alarm_that_nobody_knows_or_without_data_changes_nothing():
    for state in ("INSUFFICIENT_DATA", None):
        world = live(rate_per_min=100, protection={})
        world.alarms.states = {} if state is None else {"site-slow": state}
        assert minutes(world, 3)["version"] == 1


def test_an_operator_who_is_faster_wins():
    world = live("ALARM", rate_per_min=100, protection={})
    saved = world.dynamo.put_item

    def slower(**request):
        if request["Item"].get("item") == {"S": "config"} and request["Item"]["updated_by"] == {"S": "protection"}:
            world.dynamo.put_item = saved
            world.operate("POST", "/zones/midnight-sun/control", {"changes": {"rate_per_min": 40}})
        return saved(**request)

    world.dynamo.put_item = slower
    after = minutes(world)
    assert (after["rate_per_min"], after["pinned"]) == (40, True)
    assert "safe_rate_per_min" not in after


def test_a_line_by_load_begins_within_minutes_and_somebody_moves_it():
    world = live("ALARM", activation={}, control="pass")
    world.run_started()
    world.run("dispatcher")
    world.clock.advance(60)
    world.functions.started.clear()
    world.run("dispatcher")
    assert [given["zones"] for name, given in world.functions.started if name.endswith("exchanger")][-1] == [
        "midnight-sun"
    ]
    assert world.operate("GET", "/zones/midnight-sun").json["control"] == "auto"


def settle(bears, rate=600, minutes=480, seed=1):
    """A site that is slow whenever more than `bears` came in in the last minute; admissions by minute."""
    rng, health = random.Random(seed), None
    held = zone(rate_per_min=rate, max_active=100_000, protection={"least_per_min": 10, "step_per_min": 10})
    came = []
    for minute in range(minutes):
        admitted = held.effective.rate_per_min * rng.uniform(0.9, 1.0)
        came.append(admitted)
        health = health_after(health, admitted <= bears, minute * MINUTE)
        done = step(held, health, 1000, minute * MINUTE)
        if done:
            held = held.with_changes(**done.changes)
    return came


@pytest.mark.parametrize("bears", [60, 150, 300])
def test_the_rate_settles_near_what_the_site_bears(bears):
    came = settle(bears)[120:]
    mean, over = sum(came) / len(came), sum(1 for each in came if each > bears) / len(came)
    print(f"bears {bears} a minute: mean {mean:.0f} ({mean / bears:.0%}), over it in {over:.0%} of the minutes")
    assert 0.7 * bears <= mean <= bears
    assert over <= 0.25
    assert max(came) <= bears / 0.9 + 10, "one step beyond what it bore"


def test_alarms_are_asked_a_hundred_at_a_time():
    asked = []

    class Client:
        def describe_alarms(self, **request):
            asked.append(request["AlarmNames"])
            return {"CompositeAlarms": [{"AlarmName": request["AlarmNames"][0], "StateValue": "ALARM"}]}

    assert Alarms(Client()).well([f"a{number:03}" for number in range(150)]) == {"a000": False, "a100": False}
    assert [len(names) for names in asked] == [100, 50]


class Connection:
    """Answers one request; `took` seconds pass meanwhile."""

    def __init__(self, status=200, took=0.1, fails=None):
        self.status, self.took, self.fails, self.closed, self.now = status, took, fails, False, 0.0

    def __call__(self, host, **settings):
        self.asked, self.settings = host, settings
        return self

    def request(self, method, path, headers):
        self.path = path

    def getresponse(self):
        if self.fails:
            raise self.fails
        self.now += self.took
        return self

    def read(self, most):
        return b""

    def close(self):
        self.closed = True


@pytest.mark.parametrize(
    ("connection", "well"),
    [
        (Connection(), True),
        (Connection(status=302), False),
        (Connection(status=503), False),
        (Connection(took=1.5), False),
        (Connection(fails=TimeoutError()), False),
        (Connection(fails=ConnectionResetError()), False),
    ],
)
def test_a_probe_is_well_when_it_answers_in_time(connection, well):
    probe = HttpsProbe(connection, lambda: connection.now)
    assert probe.well("tickets.example.com", "/up", 1000) is well
    assert connection.closed
    assert (connection.asked, connection.path, connection.settings["timeout"]) == ("tickets.example.com", "/up", 1.0)
