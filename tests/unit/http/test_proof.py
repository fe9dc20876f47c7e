"""Proof of work at joining: asked for, checked without storing anything, and good for one place only."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.support.api_world import BROWSER, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.unit.http.test_identity import ISSUER, LOGIN, claim
from waiting_room.domain.zone.proofs import ProofRules, bits_at, is_solved
from waiting_room.http.credentials import JOIN_CLAIM_HEADER
from waiting_room.use_cases.prove import CHALLENGE_SEC

BITS = 6


def world_with(**changes: Any) -> ApiWorld:
    world = ApiWorld()
    rules = {"mode": "require", "bits": BITS, **changes}
    assert world.put_zone(proof_of_work=rules).status == 201
    return world


def solved(challenge: dict[str, Any], *, rightly: bool = True) -> dict[str, str]:
    """The proof of a challenge, or one that is not."""
    tries = (str(number) for number in itertools.count())
    solution = next(text for text in tries if is_solved(challenge["nonce"], text, challenge["bits"]) is rightly)
    return {"challenge": challenge["challenge"], "solution": solution}


def challenged(world: ApiWorld, **parts: Any) -> dict[str, Any]:
    answer = world.visit("POST", "/visitors", **parts)
    assert (answer.status, answer.problem) == (428, "proof-needed")
    told: dict[str, Any] = answer.json["challenge"]
    return told


def join(world: ApiWorld, proof: dict[str, str], **parts: Any) -> HttpAnswer:
    return world.visit("POST", "/visitors", {"proof": proof}, **parts)


def places(world: ApiWorld) -> int:
    return len(world.dynamo.tables["queue"].records)


def test_a_solved_challenge_gives_one_place_however_often_it_is_shown() -> None:
    world = world_with()
    proof = solved(challenged(world))
    assert places(world) == 0
    answers = [join(world, proof) for _ in range(3)]
    assert [answer.status for answer in answers] == [201, 200, 200]
    assert len({answer.json["visitor_id"] for answer in answers}) == places(world) == 1


def test_what_is_not_solved_gives_another_challenge() -> None:
    world = world_with()
    challenge = challenged(world)
    assert join(world, solved(challenge, rightly=False)).status == 428
    assert join(world, {**solved(challenge), "challenge": "no.token.at-all"}).status == 428
    assert places(world) == 0


def test_a_challenge_is_of_its_zone_its_run_and_its_time() -> None:
    world = world_with()
    old = solved(challenged(world))
    world.clock.advance(CHALLENGE_SEC)
    assert join(world, old).status == 428
    elsewhere = {"zone_id": "winter-gala", "mode": "queueing", "max_active": 1, "rules": [{"paths": ["/gala"]}]}
    elsewhere["proof_of_work"] = {"mode": "require", "bits": BITS}
    assert world.operate("PUT", "/zones/winter-gala", elsewhere).status == 201
    foreign = world.visit("POST", "/.waiting-room/v1/zones/winter-gala/visitors").json["challenge"]
    assert join(world, solved(foreign)).status == 428
    earlier = solved(challenged(world))
    world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True})
    world.clock.advance(20)
    assert join(world, earlier).status == 428
    assert places(world) == 0


def test_a_dearer_price_counts_at_once() -> None:
    world = world_with()
    cheap = solved(challenged(world))
    world.put_zone(proof_of_work={"mode": "require", "bits": BITS + 1}, version=1)
    world.clock.advance(3)
    assert join(world, cheap).status == 428


def test_no_other_token_is_a_challenge_and_a_challenge_is_no_other_token() -> None:
    world = world_with()
    challenge = challenged(world)
    bearer = {"authorization": f"Bearer {challenge['challenge']}"}
    assert world.visit("GET", "/visitors/me", headers={**SCRIPT, **bearer}).status == 401
    (visitor,) = join(world, solved(challenge)).cookies.values()
    assert join(world, {"challenge": visitor, "solution": "1"}).status == 428


def test_a_browser_goes_by_the_waiting_page_and_its_work_is_its_own() -> None:
    world = world_with()
    mine, other = Browser(world), Browser(world)
    for browser in (mine, other):
        assert "/pages/" in browser.enter().location
    assert world.log.lines[-1]["proof"] == "deferred"
    assert places(world) == 0
    answer = mine.ask("POST", "/visitors", headers=SCRIPT)
    proof = solved(answer.json["challenge"])
    assert other.ask("POST", "/visitors", {"proof": proof}, headers=SCRIPT).status == 428, "made for somebody else"
    assert mine.ask("POST", "/visitors", {"proof": proof}, headers=SCRIPT).status == 201
    world.tick()
    assert mine.enter().location == "/events/midnight-sun"


def test_an_account_does_its_own_work() -> None:
    world = ApiWorld()
    identity = {"mode": "require", "issuer": ISSUER, "keys": [dict(LOGIN.public_jwk)]}
    assert world.put_zone(identity=identity, proof_of_work={"mode": "require", "bits": BITS}).status == 201
    ada, grace = ({JOIN_CLAIM_HEADER: claim(world, name)} for name in ("ada", "grace"))
    proof = solved(challenged(world, headers=ada))
    assert join(world, proof, headers=grace).status == 428
    assert join(world, proof, headers=ada).status == 201


def test_who_has_a_place_proves_nothing_again_until_it_is_over() -> None:
    world = world_with()
    browser = Browser(world)
    browser.enter()
    challenge = browser.ask("POST", "/visitors", headers=SCRIPT).json["challenge"]
    proof = solved(challenge)
    browser.ask("POST", "/visitors", {"proof": proof}, headers=SCRIPT)
    assert browser.ask("POST", "/visitors", headers=SCRIPT).status == 200
    browser.ask("DELETE", "/sessions/me", headers=SCRIPT)
    another = browser.ask("POST", "/visitors", {"proof": proof}, headers=SCRIPT)
    assert another.status == 428, "the work was for the place that was left"
    joined = browser.ask("POST", "/visitors", {"proof": solved(another.json["challenge"])}, headers=SCRIPT)
    assert joined.status == 201, "back at the end of the line"


def test_observing_lets_everybody_join_and_says_who_proved() -> None:
    world = world_with(mode="observe")
    asked = world.visit("POST", "/visitors", {"prove": True})
    assert asked.status == 428
    proof = solved(asked.json["challenge"])
    wrong = solved(asked.json["challenge"], rightly=False)
    for body, seen in ((None, "missing"), ({"proof": proof}, "valid"), ({"proof": wrong}, "bad")):
        assert world.visit("POST", "/visitors", body).status == 201
        assert world.log.lines[-1]["proof"] == seen
    Browser(world).enter()
    assert world.log.lines[-1]["proof"] == "deferred"


def without_scripts(world: ApiWorld) -> tuple[Browser, HttpAnswer]:
    browser = Browser(world)
    browser.enter()
    return browser, browser.ask("GET", "/visitors/me", headers=BROWSER)


def test_without_scripts_one_waits_a_moment_instead() -> None:
    world = world_with(without_scripts="wait", wait_sec=30)
    browser, page = without_scripts(world)
    assert (page.status, places(world)) == (200, 0)
    assert 'data-state="moment"' in page.body
    assert 'http-equiv="refresh" content="30;' in page.body
    world.clock.advance(29)
    assert 'content="1;' in browser.ask("GET", "/visitors/me", headers=BROWSER).body
    assert places(world) == 0
    world.clock.advance(1)
    assert browser.ask("GET", "/visitors/me", headers=BROWSER).status == 200
    assert (places(world), world.log.lines[-1]["proof"]) == (1, "waited")


def test_without_scripts_one_is_told_so_where_they_are_needed() -> None:
    world = world_with(without_scripts="refuse")
    browser, page = without_scripts(world)
    assert page.status == 403
    assert 'data-state="scripts"' in page.body
    world.clock.advance(3600)
    assert browser.ask("GET", "/visitors/me", headers=BROWSER).status == 403
    assert places(world) == 0


def test_the_price_rises_with_the_joins_and_falls_again() -> None:
    world = world_with(bits=2, most_bits=4)
    world.put_zone(proof_of_work={"mode": "require", "bits": 2, "most_bits": 4}, expected_joins_per_sec=1, version=1)
    world.clock.advance(3)
    assert challenged(world)["bits"] == 2
    for _ in range(3):
        for _ in range(20):
            assert join(world, solved(challenged(world))).status == 201
        world.clock.advance(1)
    assert challenged(world)["bits"] == 4, "twenty joins a second where one is expected, as high as it goes"
    world.clock.advance(31)
    assert challenged(world)["bits"] == 2


@pytest.mark.parametrize(("pace", "bits"), [(0, 16), (100, 16), (101, 17), (200, 17), (201, 18), (800, 19), (1e9, 20)])
def test_each_doubling_of_the_joins_costs_a_bit(pace: float, bits: int) -> None:
    assert bits_at(ProofRules(bits=16, most_bits=20), pace, 100) == bits


@pytest.mark.parametrize("solution", ["", "-1", "1.0", " 1", "1\n", "x", "1" * 17, "\u0661"])
def test_a_solution_is_a_number_and_nothing_else(solution: str) -> None:
    assert not is_solved("nonce", solution, 0)


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"bits": 0}, "/bits"),
        ({"bits": 25}, "/bits"),
        ({"bits": 20, "most_bits": 19}, "/most_bits"),
        ({"mode": "off"}, "/mode"),
        ({"wait_sec": 1}, "/wait_sec"),
    ],
)
def test_rules_without_sense_are_refused_with_their_place(rules: dict[str, Any], pointer: str) -> None:
    answer = ApiWorld().put_zone(proof_of_work=rules)
    assert (answer.status, answer.json["pointer"]) == (400, f"/proof_of_work{pointer}")
