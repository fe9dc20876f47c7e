"""What the firewall takes for machines: by class people, a lane of its own, work, the door, or asked for nothing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_proof import places, solved
from waiting_room import schemas
from waiting_room.domain.zone.machines import CLASSES

HEADER = schemas.behaviours()["bot_header"]
LANES = {"general": {"weight": 9}, "agents": {"weight": 1}}


def world_with(machines: dict[str, str] | None, **changes: Any) -> ApiWorld:
    world = ApiWorld()
    own = {} if machines is None else {"machines": machines}
    assert world.put_zone(**own, **changes).status == 201
    return world


def as_class(kind: str, headers: dict[str, str] = SCRIPT) -> dict[str, str]:
    return {**headers, HEADER: kind}


def join(world: ApiWorld, kind: str | None, body: Any = None, **parts: Any) -> HttpAnswer:
    return world.visit("POST", "/visitors", body, headers=as_class(kind) if kind else SCRIPT, **parts)


def noted(world: ApiWorld) -> Any:
    return world.log.lines[-1].get("machine")


@pytest.mark.parametrize("kind", CLASSES)
def test_each_class_is_refused_by_its_own_word_and_nobody_else_is(kind: str) -> None:
    world = world_with(dict.fromkeys(CLASSES, "as_people") | {kind: "refuse"})
    refused = join(world, kind)
    assert (refused.status, refused.problem) == (403, "machine")
    assert "ordinary browser" in refused.json["detail"]
    assert noted(world) == f"{kind}:refuse"
    others = [None, "no", *(other for other in CLASSES if other != kind)]
    assert [join(world, other).status for other in others] == [201] * len(others)
    assert places(world) == len(others)


def test_where_the_zone_says_nothing_all_are_people_and_all_are_counted() -> None:
    world = world_with(None)
    for kind in CLASSES:
        assert join(world, kind).status == 201
        assert noted(world) == f"{kind}:as_people"
    assert join(world, "no").status == 201
    assert noted(world) is None


def test_a_signed_agent_is_not_let_in_uncounted_by_the_defaults() -> None:
    world = world_with({})
    answers = {kind: join(world, kind) for kind in CLASSES}
    assert {kind: answer.status for kind, answer in answers.items()} == {
        "verified": 201,
        "crawler": 403,
        "automated": 428,
        "data_center": 201,
    }
    assert [line.get("machine") for line in world.log.lines[-4:]] == [
        "verified:as_people",
        "crawler:refuse",
        "automated:challenge",
        "data_center:as_people",
    ]


def test_a_challenged_class_has_to_work_although_nobody_else_has() -> None:
    world = world_with({"automated": "challenge"})
    asked = join(world, "automated")
    assert asked.status == 428
    assert join(world, "no").status == 201
    assert join(world, "automated", {"proof": solved(asked.json["challenge"])}).status == 201


def test_a_zone_that_requires_work_of_all_keeps_its_own_rules_for_machines() -> None:
    world = world_with({}, proof_of_work={"mode": "require", "bits": 3})
    assert join(world, "automated").json["challenge"]["bits"] == 3


def test_a_machine_gets_round_it_neither_by_entering_nor_by_the_page_without_scripts() -> None:
    for treatment in ("challenge", "refuse"):
        world = world_with({"automated": treatment})
        browser, headers = Browser(world), as_class("automated", BROWSER)
        for _ in range(3):
            browser.ask("GET", "/enter", headers=headers, query="to=/&again=1" if browser.cookies else "to=/")
        page = browser.ask("GET", "/visitors/me", headers=headers)
        assert page.status == 403
        assert f'data-state="{"machine" if treatment == "refuse" else "scripts"}"' in page.body
        assert places(world) == 0


def test_a_class_with_a_lane_stands_there_and_claims_only_from_it() -> None:
    world = world_with({"verified": "lane", "lane": "agents"}, lanes=LANES)
    agent, person = Browser(world), Browser(world)
    assert agent.ask("POST", "/visitors", headers=as_class("verified")).json["lane"] == "agents"
    assert noted(world) == "verified:lane"
    assert person.ask("POST", "/visitors", headers=SCRIPT).json["lane"] == "general"
    world.tick(3)
    for browser, status in ((agent, 201), (person, 403)):
        assert browser.ask("POST", "/access-tokens", headers=as_class("verified")).status == status
    assert person.ask("POST", "/access-tokens", headers=SCRIPT).status == 201, "the place is the person's still"


def test_an_invitation_does_not_take_a_class_out_of_its_lane() -> None:
    lanes = {**LANES, "vip": {"weight": 5}}
    world = world_with({"verified": "lane", "lane": "agents"}, lanes=lanes)
    invitation = world.operate("POST", f"/zones/{ZONE_ID}/invitations", {"lane": "vip", "name": "A."}).json["token"]
    assert join(world, "verified", {"invitation": invitation}).json["lane"] == "agents"


def test_an_exempt_class_is_asked_for_nothing_and_waits_like_everybody() -> None:
    limits: dict[str, Any] = {
        "network_limit": {"mode": "refuse", "places": 1},
        "proof_of_work": {"mode": "require", "bits": 3},
    }
    world = world_with({"verified": "exempt"}, **limits)
    answers = [join(world, "verified") for _ in range(3)]
    assert [answer.status for answer in answers] == [201] * 3
    assert {answer.json["lane"] for answer in answers} == {"general"}
    assert noted(world) == "verified:exempt"
    assert join(world, "data_center").status == 428


@pytest.mark.parametrize("treatment", ["refuse", "challenge"])
def test_a_place_that_a_person_took_is_not_a_machines_to_claim(treatment: str) -> None:
    world = world_with({"automated": treatment})
    browser = Browser(world)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 201
    world.tick(3)
    asked = browser.ask("POST", "/access-tokens", headers=as_class("automated"))
    if treatment == "refuse":
        assert (asked.status, asked.problem) == (403, "machine")
        assert noted(world) == "automated:refuse"
        entered = browser.ask("GET", "/enter", headers=as_class("automated", BROWSER), query="to=/")
        assert "access" not in "".join(entered.cookies)
        asked = browser.ask("POST", "/access-tokens", headers=SCRIPT)
    else:
        assert asked.status == 428
        proof = {"proof": solved(asked.json["challenge"])}
        asked = browser.ask("POST", "/access-tokens", proof, headers=as_class("automated"))
    assert asked.status == 201


@pytest.mark.parametrize("label", ["x" * 41, "<script>", "Ähnlich", "no\n", "anything"])
def test_what_is_no_class_of_ours_counts_as_automated(label: str) -> None:
    world = world_with({"automated": "refuse"})
    assert join(world, label).status == 403
    assert noted(world) == "automated:refuse"


def test_without_a_firewall_a_client_cannot_call_itself_one_of_the_exempt() -> None:
    world = ApiWorld(labelled=False)
    world.put_zone(machines={"verified": "exempt"}, proof_of_work={"mode": "require", "bits": 3})
    assert join(world, "verified").status == 428
    assert noted(world) is None


def test_who_has_a_place_keeps_it() -> None:
    world = world_with({"automated": "refuse"})
    browser = Browser(world)
    browser.enter()
    assert browser.ask("POST", "/visitors", headers=as_class("automated")).status == 200


@pytest.mark.parametrize(
    ("machines", "pointer"),
    [
        ({"verified": "lane"}, "/machines/lane"),
        ({"verified": "lane", "lane": "general"}, "/machines/lane"),
        ({"verified": "lane", "lane": "nowhere"}, "/machines/lane"),
        ({"verified": "welcome"}, "/machines/verified"),
        ({"robots": "refuse"}, "/machines/robots"),
    ],
)
def test_what_cannot_be_is_said(machines: dict[str, str], pointer: str) -> None:
    answer = ApiWorld().put_zone(machines=machines, lanes=LANES)
    assert (answer.status, answer.json["pointer"]) == (400, pointer)


@pytest.mark.parametrize(("mode", "status"), [("observe", 201), ("challenge", 428), ("refuse", 403)])
def test_a_zone_stored_with_the_setting_of_earlier_releases_does_what_it_did(mode: str, status: int) -> None:
    world = world_with(None)
    (stored,) = (each for each in world.dynamo.tables["protected_zones"].records.values() if "mode" in each.item)
    stored.item["bots"] = {"M": {"mode": {"S": mode}}}
    assert [join(world, kind).status for kind in ("automated", "data_center")] == [status] * 2
    assert [join(world, kind).status for kind in ("verified", "crawler", "no")] == [201] * 3, "they had no label then"
    assert "bots" not in (told := world.operate("GET", f"/zones/{ZONE_ID}").json)
    assert told["machines"]["automated"] == ("as_people" if mode == "observe" else mode)


def test_who_writes_the_setting_of_earlier_releases_is_told_the_new_one() -> None:
    answer = ApiWorld().put_zone(bots={"mode": "refuse"})
    assert (answer.status, answer.json["pointer"]) == (400, "/bots")
    assert "machines" in answer.json["detail"]


def test_each_class_is_counted_for_the_report_at_joining_and_at_claiming() -> None:
    world = world_with({"automated": "refuse"})
    assert join(world, "automated").status == 403
    browser = Browser(world)
    assert browser.ask("POST", "/visitors", headers=as_class("verified")).status == 201
    world.tick(3)
    assert browser.ask("POST", "/access-tokens", headers=as_class("automated")).status == 403
    assert browser.ask("POST", "/access-tokens", headers=as_class("data_center")).status == 201
    # An instance writes down what it counted every two seconds, with the next that it counts.
    world.tick(3)
    join(world, "automated")
    told = world.stores.limit_counts.totals(ZONE_ID, 1)
    assert told["refused"] == {"machine:automated": 3}
    assert told["observed"] == {"machine:verified": 1, "machine_claim:data_center": 1}
