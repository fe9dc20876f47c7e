"""The dashboard's server: who may use it, what it shows, and that nothing changes unread."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager

import httpx
import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_api.errors import BadInput
from scripts.operator_cli.dashboard.cloudwatch import (
    LABELS,
    PHANTOMS,
    FunctionHealth,
    cloudwatch_client,
    edge_queries,
    queries,
)
from scripts.operator_cli.dashboard.server import run, serve
from scripts.operator_cli.dashboard.state import Dashboard, charts, summary
from scripts.operator_cli.words.consequences import plan
from scripts.operator_cli.words.stories import story
from tests.support.api_world import ZONE_ID, Browser
from tests.unit.scripts.test_wr_commands import Service
from waiting_room.domain.admission.status import status_key

CREDENTIALS = Credentials("AKIDEXAMPLE", "secret")


class Desk:
    """A dashboard over the operator's API on an in-memory database, and a browser's way to it."""

    def __init__(self, service, client, address):
        self.service, self.client, self.address = service, client, address
        self.origin = address.split("/", 3)[0] + "//" + address.split("/", 3)[2]

    def get(self, path, **headers):
        return self.client.get(self.address + path, headers=headers)

    def post(self, path, body, **headers):
        return self.client.post(self.address + path, json=body, headers={"origin": self.origin, **headers})

    def plan(self, action, value=None):
        return self.post(f"zones/{ZONE_ID}/plan", {"action": action, "value": value})

    def change(self, action, value=None, **more):
        planned = self.plan(action, value).json()
        body = {"action": action, "value": value, "version": planned["version"], **more}
        return self.post(f"zones/{ZONE_ID}/change", body)


@contextmanager
def at_desk():
    service = Service()
    service.world.put_zone(rate_per_min=60, max_active=20)
    site = httpx.Client(transport=httpx.MockTransport(lambda _: published(service)))
    api = OperatorApi(Target("http://api", "http://site", "eu-west-1", CREDENTIALS), httpx.MockTransport(service))
    target = Target("http://api", "http://site", "eu-west-1", CREDENTIALS)
    board = Dashboard(api, target, site, now_ms=service.world.clock.now_ms)
    server, address = serve(board, 0, service.world.clock.now_ms)
    thread = run(server)
    try:
        with httpx.Client(trust_env=False) as client:
            yield Desk(service, client, address)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        api.close()
        site.close()


def published(service):
    stored = service.world.objects.get(status_key(ZONE_ID))
    return httpx.Response(404) if stored is None else httpx.Response(200, content=stored.body)


@pytest.fixture
def desk():
    with at_desk() as desk:
        yield desk


class TestWhoMayUseIt:
    def test_the_page_and_its_files_are_served_below_the_token_only(self, desk):
        for path in ("", "dashboard.js", "charts.js", "dashboard.css", "zones"):
            answer = desk.get(path)
            assert answer.status_code == 200, path
            assert answer.headers["cache-control"] == "no-store"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        for address in (desk.origin + "/", desk.origin + "/" + "x" * 32 + "/", desk.origin + "/zones"):
            assert desk.client.get(address).status_code == 404
        assert desk.get("../../etc/passwd").status_code == 404

    def test_it_listens_on_this_machine_alone(self, desk):
        assert desk.origin.startswith("http://127.0.0.1:")

    def test_a_name_bound_to_this_address_is_refused(self, desk):
        assert desk.get("zones", host="attacker.example").status_code == 421
        assert desk.get("zones", host="127.0.0.1:1").status_code == 421

    def test_no_other_site_reads_or_writes(self, desk):
        body = {"action": "control", "value": "pause"}
        plan_path = f"zones/{ZONE_ID}/plan"
        assert desk.get("zones", origin="https://attacker.example").status_code == 403
        assert desk.get("zones", **{"sec-fetch-site": "cross-site"}).status_code == 403
        assert desk.post(plan_path, body, origin="https://attacker.example").status_code == 403
        assert desk.post(plan_path, body, origin="null").status_code == 403
        without = desk.client.post(desk.address + plan_path, json=body)
        assert without.status_code == 403
        as_form = desk.post(plan_path, body, **{"content-type": "text/plain"})
        assert as_form.status_code == 415
        assert not [request for request in desk.service.requests if request.method == "POST"]

    def test_what_is_no_request_of_the_page_is_refused(self, desk):
        headers = {"origin": desk.origin, "content-type": "application/json"}
        for content in (b"[]", b"{", b"\xff"):
            answer = desk.client.post(f"{desk.address}zones/{ZONE_ID}/plan", content=content, headers=headers)
            assert answer.status_code == 400
        long = desk.client.post(f"{desk.address}zones/{ZONE_ID}/plan", content=b"x" * 20_000, headers=headers)
        assert long.status_code == 413
        assert desk.get("zones/nowhere").status_code == 422


class TestWhatItShows:
    def test_the_line_of_each_zone(self, desk):
        world = desk.service.world
        for _ in range(30):
            Browser(world).ask("POST", "/visitors")
        world.tick(25)
        (zone,) = desk.get("zones").json()["zones"]
        assert (zone["phase"], zone["joined"], zone["max_active"], zone["rate_per_min"]) == ("open", 30, 20, 60)
        assert zone["lanes"]["general"]["tail"] == 30
        assert zone["waiting"] == 30 - zone["lanes"]["general"]["serving"]
        assert zone["wait_median_sec"] is not None
        detail = desk.get(f"zones/{ZONE_ID}").json()
        assert detail["charts"]["rate"][-1] == 60
        assert detail["charts"]["cap"][-1] == 20
        assert len({len(series) for series in detail["charts"].values()}) == 1

    def test_the_newest_changes_but_nobody_s_looking(self, desk):
        desk.change("rate_per_min", 30)
        desk.post(f"zones/{ZONE_ID}/visitor", {"visitor_id": "v" * 22})
        told = desk.get(f"zones/{ZONE_ID}").json()["changes"]
        assert told[0]["what"] == "rate_per_min: 60 -> 30"
        assert "/" not in told[0]["by"]
        assert re.fullmatch(r"put zone: \d\d settings", told[-1]["what"])
        desk.change("control", "pause")
        assert desk.get(f"zones/{ZONE_ID}").json()["changes"][0]["what"] == 'control: "auto" -> "pause"'

    def test_what_is_no_visitor_id_is_not_asked_for(self, desk):
        before = len(desk.service.requests)
        for name in ("../x", "v" * 21, ""):
            answer = desk.post(f"zones/{ZONE_ID}/visitor", {"visitor_id": name})
            assert answer.status_code == 400
            assert "22 letters" in answer.json()["error"]
        assert len(desk.service.requests) == before

    def test_waits_and_purchases_of_a_minute_are_those_of_the_slowest_lane_and_of_all(self):
        visits = {"a": {"completed": 2, "wait_median_sec": 7, "wait_p95_sec": 8}, "b": {"completed": 3}}
        drawn = charts([{"minute_at_ms": 0, "visits": visits}, {"minute_at_ms": 60_000}])
        assert (drawn["wait_median"], drawn["wait_p95"], drawn["completed"]) == ([7, None], [8, None], [5, None])

    def test_a_zone_that_was_never_ticked_makes_nothing_up(self, desk):
        (zone,) = desk.get("zones").json()["zones"]
        assert (zone["phase"], zone["waiting"], zone["active"], zone["wait_median_sec"]) == ("resting", 0, None, None)

    def test_a_status_of_an_older_run_counts_for_nothing(self):
        zone = {"zone_id": "a", "run": 2, "version": 1, "control": "auto", "mode": "queueing"}
        lanes = {"general": {"serving": 1, "tail": 9, "speed_per_sec": 0}}
        shown = summary(zone, {"run": 1, "lanes": lanes, "phase": "open", "updated_at_ms": 5}, [], 10)
        assert (shown["waiting"], shown["phase"]) == (0, "resting")

    def test_a_shut_door_is_shown_as_what_the_zone_does(self):
        zone = {"zone_id": "a", "run": 1, "version": 1, "control": "auto", "mode": "queueing"}
        status = {"run": 1, "lanes": {}, "phase": "open", "door": "shut", "updated_at_ms": 5}
        assert summary(zone, status, [], 10)["phase"] == "door_shut"
        assert summary(zone, {**status, "phase": "paused"}, [], 10)["phase"] == "paused"

    def test_charts_have_a_value_for_every_row(self):
        assert {len(series) for series in charts([]).values()} == {0}
        assert {len(series) for series in charts([{"minute_at_ms": 0}]).values()} == {1}

    def test_one_visitor_is_told_truthfully(self, desk):
        visitor = Browser(desk.service.world)
        visitor_id = visitor.ask("POST", "/visitors").json["visitor_id"]
        desk.service.world.tick()
        told = desk.post(f"zones/{ZONE_ID}/visitor", {"visitor_id": f" {visitor_id} "}).json()
        assert told["found"]["visitor_id"] == visitor_id
        assert "number 1 of its lane" in " ".join(told["story"])
        assert desk.post(f"zones/{ZONE_ID}/visitor", {"visitor_id": "x" * 22}).status_code == 422

    def test_links_in_force_are_shown_once_the_zone_is_ticked(self, desk):
        world = desk.service.world
        made = [world.operate("POST", f"/zones/{ZONE_ID}/bypass-tokens", {"name": "Box office"}) for _ in range(2)]
        world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"bypass_id": made[0].json["id"]})
        world.tick()
        (zone,) = desk.get("zones").json()["zones"]
        assert zone["exempt_links"] == 1


class TestChanges:
    def test_nothing_is_changed_before_it_is_confirmed(self, desk):
        said = desk.plan("control", "pause").json()
        assert "Nobody new is let in" in said["says"]
        assert desk.service.zone()["control"] == "auto"
        assert desk.change("control", "pause").status_code == 200
        assert desk.service.zone()["control"] == "pause"

    def test_a_zone_that_changed_meanwhile_is_left_alone(self, desk):
        version = desk.plan("rate_per_min", 30).json()["version"]
        desk.service.world.operate("POST", f"/zones/{ZONE_ID}/control", {"control": "lock"})
        body = {"action": "rate_per_min", "value": 30, "version": version}
        assert desk.post(f"zones/{ZONE_ID}/change", body).status_code == 409
        assert desk.service.zone()["rate_per_min"] == 60

    def test_a_digit_too_many_is_typed_twice(self, desk):
        assert desk.plan("rate_per_min", 6000).json()["type_again"] == "6000"
        assert desk.change("rate_per_min", 6000).status_code == 400
        assert desk.change("rate_per_min", 6000, typed="600").status_code == 400
        assert desk.service.zone()["rate_per_min"] == 60
        assert desk.change("rate_per_min", 6000, typed="6000").status_code == 200
        assert desk.service.zone()["rate_per_min"] == 6000

    def test_a_million_a_minute_is_refused_and_explained(self, desk):
        answer = desk.plan("rate_per_min", 1_000_000)
        assert answer.status_code == 400
        assert "16,667 a second" in answer.json()["error"]
        assert "The bound is 600,000" in answer.json()["error"]

    @pytest.mark.parametrize("value", [0, -1, None, "60", True, float("1e400")])
    def test_what_is_no_limit_is_refused(self, value):
        with pytest.raises(BadInput):
            plan({"zone_id": "a"}, 0, 0, 0, "rate_per_min", value)

    def test_the_other_buttons(self, desk):
        assert desk.change("message", "Doors are open.").status_code == 200
        assert desk.change("max_active", 7).status_code == 200
        assert desk.change("sold_out", typed=ZONE_ID).status_code == 200
        zone = desk.service.zone()
        assert (zone["message"], zone["max_active"], zone["inventory"]) == ("Doors are open.", 7, 0)
        assert desk.change("control", "pass").status_code == 400
        assert desk.change("control", "pass", typed=ZONE_ID).status_code == 200
        assert desk.plan("control", "party").status_code == 400
        assert desk.plan("nonsense").status_code == 400

    def test_a_rate_by_hand_is_pinned_and_released_again(self, desk):
        follows = {"health": {"alarm": "site-slow"}, "protection": {}}
        desk.service.world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": follows})
        assert "pinned by your hand" in desk.plan("rate_per_min", 50).json()["says"]
        assert desk.change("rate_per_min", 50).status_code == 200
        assert desk.service.zone()["pinned"] is True
        assert desk.change("release").status_code == 200
        assert desk.service.zone()["pinned"] is False

    def test_a_lower_cap_sends_nobody_away_and_says_so(self):
        said = plan({"zone_id": "a", "max_active": 100}, 5, 80, 0, "max_active", 50).says
        assert "80 are inside: nobody is sent away" in said


class Metrics:
    def __init__(self, answer):
        self.answer, self.asked = answer, []

    def get_metric_data(self, **asked):
        self.asked.append(asked)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_errors_and_throttles_are_summed_and_asked_for_once_a_minute():
    now = [1000.0]
    metrics = Metrics({"MetricDataResults": [{"Label": "errors", "Values": [2.0, 3.0]}]})
    health = FunctionHealth(metrics, "foyer", lambda: now[0])
    assert health() == {"errors": 5, "throttles": 0, "table throttles": 0, PHANTOMS: 0}
    health()
    assert len(metrics.asked) == 1
    now[0] += 60
    health()
    assert len(metrics.asked) == 2
    shown = [each for each in queries("foyer") if each.get("ReturnData", True)]
    assert [each["Label"] for each in shown] == list(LABELS)
    assert "foyer-protected-zones" in json.dumps(queries("foyer"))
    assert "phantoms" in shown[-1]["Expression"]


def test_passes_and_errors_of_the_edge_are_summed_over_its_regions():
    here = Metrics({"MetricDataResults": []})
    far = [
        Metrics({"MetricDataResults": [{"Label": "exempt passes", "Values": [4.0, 1.0]}]}),
        Metrics(
            {
                "MetricDataResults": [
                    {"Label": "exempt passes", "Values": [2.0]},
                    {"Label": "edge errors", "Values": [3.0]},
                ]
            }
        ),
        Metrics(ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData")),
    ]
    known = FunctionHealth(here, "foyer", lambda: 1000.0, far)()
    assert (known["exempt passes"], known["edge errors"]) == (7, 3)
    assert known["edge Regions that do not answer"] == 1
    assert "edge Regions that do not answer" not in FunctionHealth(here, "foyer", lambda: 1000.0, far[:2])()
    assert [len(each.asked) for each in far] == [2, 2, 1]


def test_cloudwatch_takes_what_it_is_asked():
    """By botocore's own model of the operation: names, types and lengths."""
    client = cloudwatch_client("eu-west-1", None)
    shape = client.meta.service_model.operation_model("GetMetricData").input_shape
    for asked in (queries("foyer"), edge_queries("foyer")):
        request = {"MetricDataQueries": asked, "StartTime": 0, "EndTime": 300}
        assert not ParamValidator().validate(request, shape).has_errors()
    client.close()
    errors, passes = (each["Expression"] for each in edge_queries("shop-eu"))
    assert passes == """SUM(SEARCH('{"shop-eu","zone_id"} MetricName="exempt_passes"', 'Sum', 60))"""
    assert "FunctionName=shop FunctionName=eu FunctionName=gatekeeper'" in errors


def test_cloudwatch_is_asked_with_a_client_that_gives_up_soon():
    client = cloudwatch_client("eu-west-1", None)
    assert (client.meta.service_model.service_name, client.meta.config.read_timeout) == ("cloudwatch", 5)
    client.close()


def test_without_the_right_to_ask_the_page_says_so():
    refused = ClientError({"Error": {"Code": "AccessDenied"}}, "GetMetricData")
    assert FunctionHealth(Metrics(refused), "foyer")() == {"CloudWatch": "cannot be asked (ClientError)"}


FOUND = {
    "lane": "general",
    "run": 1,
    "status": "waiting",
    "position": None,
    "joined_at_ms": 1_000_000,
    "rejoined": "",
    "away_at_ms": None,
    "admitted_at_ms": None,
    "expires_at_ms": None,
    "completed_at_ms": None,
    "revoked": False,
}


def test_a_story_says_what_is_stored_and_no_more():
    assert "has no position yet" in " ".join(story(FOUND, 0))
    gone = " ".join(story({**FOUND, "position": 4, "away_at_ms": 1_090_000}, 0))
    assert "after 90 s; no return is recorded" in gone
    back = " ".join(story({**FOUND, "position": 4, "away_at_ms": 1_090_000, "admitted_at_ms": 1_200_000}, 0))
    assert "came back later" in back
    assert "no return" not in back
    inside = {**FOUND, "position": 0, "status": "admitted", "admitted_at_ms": 1_600_000, "expires_at_ms": 2_000_000}
    assert "10 min after joining" in " ".join(story(inside, 1_700_000))
    bought = {**inside, "status": "completed", "completed_at_ms": 1_700_000, "reference": "A-7", "revoked": True}
    told = " ".join(story(bought, 1_700_000))
    assert "with the reference A-7" in told
    assert "refuses this visitor" in told
