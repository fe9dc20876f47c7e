"""Bypass tokens, revocations, look-up and metrics over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, OPERATOR, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.support.sale import EXITS_SEC
from waiting_room import schemas
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.validation import validate
from waiting_room.use_cases import bypass
from waiting_room.use_cases.bypass import guarded_path


@pytest.fixture
def world() -> ApiWorld:
    world = ApiWorld()
    world.put_zone()
    return world


def post(world: ApiWorld, what: str, **body: Any) -> HttpAnswer:
    return world.operate("POST", f"/zones/{ZONE_ID}/{what}", body)


def admitted(world: ApiWorld) -> tuple[Browser, str]:
    """A browser that is in, and the id of its visitor."""
    browser = Browser(world)
    browser.enter()
    world.tick(2)
    browser.enter()
    return browser, str(browser.ask("GET", "/visitors/me").json["visitor_id"])


def session_of(world: ApiWorld, browser: Browser) -> str:
    claims = world.tokens.verify(browser.access_token, "access", now_sec=world.clock.now_sec)
    assert claims is not None
    return str(claims["sid"])


class TestBypass:
    def test_a_token_is_made_and_noted_without_itself(self, world: ApiWorld) -> None:
        answer = post(world, "bypass-tokens", name="Box office", expires_in_sec=600)
        made = answer.json
        claims = world.tokens.verify(made["token"], "bypass", now_sec=world.clock.now_sec)

        assert answer.status == 201
        validate(made, schemas.components()["BypassToken"])
        assert claims is not None
        assert (claims["jti"], claims["name"], claims["run"]) == (made["id"], "Box office", 1)
        assert claims["exp"] * 1000 == made["expires_at_ms"] == world.clock.ms + 600_000
        record = world.stores.zones.record(ZONE_ID, f"bypass#{made['id']}")
        assert record is not None
        assert (record["name"], record["created_by"]) == ("Box office", OPERATOR)
        assert made["token"] not in str(record)
        assert made["token"] not in str(world.log.lines)
        assert world.log.lines[-1]["audit"]["bypass_id"] == made["id"]

    def test_the_token_is_in_no_part_of_the_link_that_is_sent_to_a_server(self, world: ApiWorld) -> None:
        made = post(world, "bypass-tokens", name="Ines").json

        assert made["link"] == f"/.waiting-room/v1/zones/{ZONE_ID}/bypasses#{made['token']}"

    @pytest.mark.parametrize(
        ("landing_path", "paths", "found"),
        [
            ("/events/x?seat=1", ["/events/x"], "/events/x?seat=1"),
            ("/", ["/events/x"], "/events/x"),
            ("/", ["=/start"], "/start"),
            ("/", ["/a/*/b"], "/a/-/b"),
            ("/", ["/%45vents"], "/%45vents"),
            ("/", ["/"], "/"),
        ],
    )
    def test_it_leads_to_a_guarded_path(self, landing_path: str, paths: list[str], found: str) -> None:
        zone = Zone(ZONE_ID, "queueing", ({"paths": paths},), landing_path=landing_path, max_active=1)

        assert guarded_path(zone) == found

    def test_a_rule_of_one_method_is_enough(self) -> None:
        zone = Zone(ZONE_ID, "queueing", ({"paths": ["/a"], "methods": ["GET"]},), max_active=1)

        assert guarded_path(zone) == "/a"

    def test_a_landing_path_that_is_left_open_has_no_gate(self) -> None:
        rule = {"paths": ["/a"], "excludes": ["/a/open"]}
        zone = Zone(ZONE_ID, "queueing", (rule,), landing_path="/a/open", max_active=1)

        assert guarded_path(zone) == "/a"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({}, "/name"),
            ({"name": ""}, "/name"),
            ({"name": "x" * 61}, "/name"),
            ({"name": "x", "expires_in_sec": 59}, "/expires_in_sec"),
            ({"name": "x", "expires_in_sec": 86_401}, "/expires_in_sec"),
            ({"name": "x", "zone": "y"}, "/zone"),
        ],
    )
    def test_bad_input_is_400(self, world: ApiWorld, body: dict[str, Any], pointer: str) -> None:
        answer = post(world, "bypass-tokens", **body)

        assert (answer.status, answer.json["pointer"]) == (400, pointer)

    def test_a_flood_of_links_is_refused_until_the_hour_is_over(self, world: ApiWorld, monkeypatch: Any) -> None:
        monkeypatch.setattr(bypass, "MOST_AN_HOUR", 3)
        for number in range(3):
            assert post(world, "bypass-tokens", name=f"Usher {number}").status == 201
            world.clock.advance(60)
        refused = post(world, "bypass-tokens", name="One too many")
        assert (refused.status, refused.problem) == (429, "overloaded")
        assert int(refused.headers["retry-after"]) >= 3600 - 180
        world.clock.advance(3600 - 180)
        assert post(world, "bypass-tokens", name="Usher 4").status == 201
        assert post(world, "bypass-tokens", name="Usher 5").status == 429


class TestErasure:
    def erase(self, world: ApiWorld, visitor_id: str) -> HttpAnswer:
        return world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}")

    def test_nothing_is_left_and_the_slot_is_free(self, world: ApiWorld) -> None:
        world.put_zone(version=1, max_active=1)
        browser, visitor_id = admitted(world)
        follower = Browser(world)
        follower.enter()
        for _ in range(2):
            assert self.erase(world, visitor_id).status == 204
        assert not any(visitor_id in str(key) for key in world.dynamo.tables["queue"].records)
        assert not any(
            visitor_id in str(row) for table in world.dynamo.tables.values() for row in table.records.values()
        )
        world.tick(EXITS_SEC)
        assert follower.enter().location == "/events/midnight-sun"
        assert browser.ask("POST", "/sessions/me/renewals").status in (401, 410)

    def test_places_of_earlier_runs_go_too(self, world: ApiWorld) -> None:
        _, visitor_id = admitted(world)
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
        assert self.erase(world, visitor_id).status == 204
        assert not any(visitor_id in str(key) for key in world.dynamo.tables["queue"].records)
        assert world.log.lines[-1]["audit"] == {"action": "erase_visitor", "visitor_id": visitor_id, "places": 1}

    def test_who_comes_again_is_somebody_new_at_the_end_of_the_line(self, world: ApiWorld) -> None:
        browser, visitor_id = Browser(world), ""
        visitor_id = browser.ask("POST", "/visitors").json["visitor_id"]
        Browser(world).ask("POST", "/visitors")
        self.erase(world, visitor_id)
        assert browser.ask("POST", "/visitors").json["position"] == 2

    def test_one_who_joins_again_meanwhile_is_ended_once_more(self, world: ApiWorld) -> None:
        browser, visitor_id = admitted(world)
        seen: list[str] = []

        def rejoin(method: str, _: dict[str, Any], phase: str) -> None:
            if (method, phase) == ("delete_item", "before") and not seen:
                seen.append(method)
                browser.ask("POST", "/visitors")

        world.dynamo.on_call = rejoin
        assert self.erase(world, visitor_id).status == 204
        world.dynamo.on_call = None
        assert seen
        assert not any(visitor_id in str(key) for key in world.dynamo.tables["queue"].records)

    @pytest.mark.parametrize("visitor_id", ["short", "a%23b"])
    def test_what_is_no_visitor_is_404(self, world: ApiWorld, visitor_id: str) -> None:
        assert self.erase(world, visitor_id).problem == "unknown-visitor"


class TestRevocation:
    def test_a_visitor_is_barred_and_the_slot_goes_to_the_next(self, world: ApiWorld) -> None:
        world.put_zone(version=1, max_active=1)
        browser, visitor_id = admitted(world)
        follower = Browser(world)
        follower.enter()
        first = post(world, "revocations", visitor_id=visitor_id, reason="scalper")
        again = post(world, "revocations", visitor_id=visitor_id, reason="scalper")
        world.tick(EXITS_SEC)

        assert (first.status, again.status) == (201, 201)
        assert world.stores.zones.record(ZONE_ID, f"revocation#visitor#{visitor_id}") is not None
        assert browser.ask("POST", "/access-tokens").status == 403
        assert browser.ask("POST", "/visitors").status == 403
        assert "/pages/" in browser.enter().location
        assert follower.enter().location == "/events/midnight-sun"

    def test_a_session_gets_no_new_token_and_its_slot_goes_to_the_next(self, world: ApiWorld) -> None:
        world.put_zone(version=1, max_active=1)
        browser, _ = admitted(world)
        follower = Browser(world)
        follower.enter()
        assert post(world, "revocations", session_id=session_of(world, browser)).status == 201

        assert browser.ask("POST", "/sessions/me/renewals").status == 403
        world.tick(EXITS_SEC)
        assert follower.enter().location == "/events/midnight-sun"

    def test_its_visitor_is_not_sent_in_circles(self, world: ApiWorld) -> None:
        browser, _ = admitted(world)
        post(world, "revocations", session_id=session_of(world, browser))

        assert "/pages/" in browser.enter().location
        assert browser.ask("GET", "/visitors/me", headers=BROWSER).status == 200

    def test_a_bypass_token_is_revoked_until_its_end(self, world: ApiWorld) -> None:
        made = post(world, "bypass-tokens", name="Ines").json
        answer = post(world, "revocations", bypass_id=made["id"])

        assert answer.json["expires_at_ms"] == made["expires_at_ms"]
        record = world.stores.zones.record(ZONE_ID, f"revocation#bypass#{made['id']}")
        assert record is not None
        assert record["revoked_by"] == OPERATOR

    def test_who_is_not_there_cannot_be_revoked(self, world: ApiWorld) -> None:
        visitor = post(world, "revocations", visitor_id="V" * 22)
        bypass = post(world, "revocations", bypass_id="unknown")

        assert (visitor.status, visitor.problem) == (404, "unknown-visitor")
        assert (bypass.status, bypass.json["pointer"]) == (400, "/bypass_id")
        assert world.stores.zones.records(ZONE_ID, "revocation#") == []

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"reason": "x"},
            {"session_id": "short"},
            {"session_id": "S" * 22, "visitor_id": "V" * 22},
            {"session_id": "S" * 22, "until": 5},
        ],
    )
    def test_bad_input_is_400(self, world: ApiWorld, body: dict[str, Any]) -> None:
        assert post(world, "revocations", **body).status == 400


class TestLookUp:
    def look_up(self, world: ApiWorld, visitor_id: str) -> HttpAnswer:
        return world.operate("GET", f"/zones/{ZONE_ID}/visitors/{visitor_id}")

    def test_what_is_stored_is_told_with_what_is_true_now(self, world: ApiWorld) -> None:
        browser, visitor_id = admitted(world)
        found = self.look_up(world, visitor_id).json

        assert (found["status"], found["stored_status"], found["position"]) == ("admitted", "admitted", 0)
        assert found["session_id"] == session_of(world, browser)
        assert found["expires_at_ms"] > world.clock.ms
        assert not found["revoked"]
        assert "eyJ" not in str(found)

    def test_a_session_that_ran_out_is_not_called_live(self, world: ApiWorld) -> None:
        _, visitor_id = admitted(world)
        world.tick()
        world.clock.advance(700)
        world.tick()
        found = self.look_up(world, visitor_id).json

        assert (found["status"], found["stored_status"]) == ("lapsed", "admitted")

    def test_a_revoked_session_is_said_to_be(self, world: ApiWorld) -> None:
        browser, visitor_id = admitted(world)
        post(world, "revocations", session_id=session_of(world, browser))

        assert self.look_up(world, visitor_id).json["revoked"]

    def test_who_looked_is_noted(self, world: ApiWorld) -> None:
        _, visitor_id = admitted(world)
        self.look_up(world, visitor_id)

        assert world.log.lines[-1]["audit"] == {"action": "look_up_visitor", "visitor_id": visitor_id}

    @pytest.mark.parametrize("visitor_id", ["V" * 22, "short", "a%23b"])
    def test_somebody_unknown_is_404(self, world: ApiWorld, visitor_id: str) -> None:
        answer = self.look_up(world, visitor_id)

        assert (answer.status, answer.problem) == (404, "unknown-visitor")


class TestMetrics:
    def test_minute_rows_are_told_oldest_first(self, world: ApiWorld) -> None:
        Browser(world).enter()
        for _ in range(3):
            world.tick()
            world.clock.advance(59)
        answer = world.operate("GET", f"/zones/{ZONE_ID}/metrics")
        minutes = [row["minute_at_ms"] for row in answer.json["minutes"]]

        assert (answer.json["zone_id"], answer.json["run"]) == (ZONE_ID, 1)
        assert minutes == sorted(minutes)
        assert len(minutes) == 3
        assert minutes[-1] % 60_000 == 0
        newest = world.operate("GET", f"/zones/{ZONE_ID}/metrics", query="minutes=1").json["minutes"]
        assert [row["minute_at_ms"] for row in newest] == minutes[-1:]

    def test_who_is_exempt_is_told_as_it_stands_now(self, world: ApiWorld) -> None:
        def exempt(query: str = "") -> Any:
            return world.operate("GET", f"/zones/{ZONE_ID}/metrics", query=query).json["exempt"]

        assert exempt() == {"links": 0, "revoked": 0, "rules": 0}
        for seconds in (60, 3600, 3600):
            made = post(world, "bypass-tokens", name="Box office", expires_in_sec=seconds)
        assert exempt() == {"links": 3, "revoked": 0, "rules": 0}
        post(world, "revocations", bypass_id=made.json["id"])
        assert exempt() == {"links": 2, "revoked": 1, "rules": 0}
        world.clock.advance(61)
        assert exempt() == {"links": 1, "revoked": 1, "rules": 0}
        rule = {"name": "monitor", "ip_ranges": ["192.0.2.0/24"]}
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"exempt": [rule]}})
        assert exempt()["rules"] == 1
        # A link counts in the run it was made for, and of an earlier run nobody asks who is exempt.
        world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
        assert exempt() == {"links": 0, "revoked": 0, "rules": 1}
        assert exempt("run=1") is None

    @pytest.mark.parametrize("minutes", ["0", "1441", "-1", "1.5", "many", "", "99999999"])
    def test_a_bad_number_of_minutes_is_400(self, world: ApiWorld, minutes: str) -> None:
        answer = world.operate("GET", f"/zones/{ZONE_ID}/metrics", query=f"minutes={minutes}")

        assert (answer.status, answer.json["pointer"]) == (400, "/minutes")
