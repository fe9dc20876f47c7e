"""Other origins read nothing unless they are listed, and then exactly those do."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import ORIGIN_SECRET, ROOT, SCRIPT, ZONE_ID, ApiWorld, HttpAnswer, event, send
from waiting_room import schemas
from waiting_room.config import BouncerConfig
from waiting_room.http.frame.app import HttpApp
from waiting_room.http.frame.cors import Cors
from waiting_room.http.frame.guards import only_from_distribution

SHOP, OTHER = "https://shop.example.org", "https://shop.example.org.evil.example"
PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


def world_with(*origins: str) -> ApiWorld:
    world = ApiWorld()
    world.put_zone()
    app = world.bouncer
    world.bouncer = HttpApp(
        app._router,
        world.clock,
        world.log,
        world.ids.jitter,
        guard=only_from_distribution(ORIGIN_SECRET),
        cors=Cors(origins),
    )
    return world


def ask(world: ApiWorld, method: str, origin: str | None, path: str = "/visitors", **headers: str) -> HttpAnswer:
    sent = {**SCRIPT, **({"origin": origin} if origin else {}), **headers}
    return world.visit(method, path, headers=sent)


def cors_headers(answer: HttpAnswer) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_off_unless_origins_are_listed() -> None:
    world = world_with()
    answers = [ask(world, "POST", SHOP), ask(world, "OPTIONS", SHOP, **PREFLIGHT)]
    assert [answer.status for answer in answers] == [201, 405]
    assert all(cors_headers(answer) == {} for answer in answers)
    assert all("vary" not in answer.headers for answer in answers)


def test_a_listed_origin_reads_answers_and_refusals_with_credentials() -> None:
    world = world_with(SHOP, "https://app.example.org:8443")
    for answer, status in ((ask(world, "POST", SHOP), 201), (ask(world, "GET", SHOP, "/visitors/me"), 401)):
        assert answer.status == status
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert answer.headers["access-control-allow-credentials"] == "true"
        assert "retry-after" in answer.headers["access-control-expose-headers"]
        assert answer.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    "origin",
    [OTHER, "http://shop.example.org", "https://SHOP.example.org", f"{SHOP}:443", f"{SHOP}/", "null", "*", "", None],
)
def test_no_other_origin_does(origin: str | None) -> None:
    world = world_with(SHOP)
    for answer in (ask(world, "POST", origin), ask(world, "OPTIONS", origin, **PREFLIGHT)):
        assert cors_headers(answer) == {}
        assert answer.headers["vary"] == "Origin", "a cache must not show one origin's answer to another"


def test_a_preflight_is_answered_with_what_the_document_lists() -> None:
    rules = schemas.openapi()["x-foyer-cors"]
    answer = ask(world_with(SHOP), "OPTIONS", SHOP, **PREFLIGHT)
    assert answer.status == 204
    assert answer.headers["access-control-allow-methods"] == "DELETE, GET, POST"
    assert answer.headers["access-control-allow-headers"].split(", ") == rules["headers"]
    assert answer.headers["access-control-allow-origin"] == SHOP
    used = {operation.method for operation in schemas.operations().values() if operation.function == "bouncer"}
    assert used == set(rules["methods"])


def test_a_request_that_did_not_come_through_the_distribution_learns_nothing() -> None:
    sample = event("enter")
    sample["headers"] = {"origin": SHOP, **PREFLIGHT}
    refused = send(world_with(SHOP).bouncer, sample, "OPTIONS", f"{ROOT}/zones/{ZONE_ID}/visitors")
    assert refused.status == 403


@pytest.mark.parametrize(("site", "told"), [("cross-site", True), ("same-site", False), ("same-origin", False)])
def test_a_page_of_another_site_keeps_its_token_itself(site: str, told: bool) -> None:
    joined = ask(world_with(SHOP), "POST", SHOP, **{"sec-fetch-site": site})
    assert ("visitor_token" in joined.json) is told


@pytest.mark.parametrize(("value", "origins"), [("none", ()), (SHOP, (SHOP,)), (f"{SHOP},{OTHER}", (SHOP, OTHER))])
def test_the_list_is_read_from_the_environment(value: str, origins: tuple[str, ...]) -> None:
    values: dict[str, Any] = dict.fromkeys(BouncerConfig.__dataclass_fields__, "x")
    assert BouncerConfig(**{**values, "cors_origins": value}).origins == origins
