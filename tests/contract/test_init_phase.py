"""What a visitor's function still has to do when its first event comes: nothing that could have been done before."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api_world import BROWSER, EVENTS, Browser
from tests.support.cold_start import TOP, World, handshake, http_event
from tests.support.deployment import OWN
from waiting_room.init_phase import built_at_start

LAMBDAS = TOP / "lambdas"


@pytest.fixture
def world() -> Iterator[World]:
    with World.serving() as world:
        yield world


def visits(world: World) -> dict[str, dict[str, Any]]:
    """The first events an instance of the bouncer may be given."""
    visitor = Browser(world.deployment)  # type: ignore[arg-type]
    visitor.ask("POST", "/visitors")
    world.deployment.tick()
    claim = http_event("POST", "/access-tokens", {})
    return {
        "enter": http_event("GET", "/enter", headers=BROWSER),
        "join": http_event("POST", "/visitors", {}),
        "claim": claim | {"cookies": [f"{name}={value}" for name, value in visitor.cookies.items()]},
    }


@pytest.mark.parametrize(("first", "status"), [("enter", 303), ("join", 201), ("claim", 201)])
def test_the_bouncer_imports_nothing_and_connects_nowhere_for_its_first_visitor(
    world: World, first: str, status: int
) -> None:
    started = world.start("bouncer", visits(world)[first], LAMBDAS / "bouncer")
    assert started.answer["statusCode"] == status
    assert (started.imported, started.clients, started.connections) == ([], [], 0)


def test_the_first_websocket_finds_everything_ready(world: World) -> None:
    visitor = Browser(world.deployment)  # type: ignore[arg-type]
    visitor.ask("POST", "/visitors")
    started = world.start("connections", handshake(visitor.cookies), LAMBDAS / "connections")
    assert started.answer == {"statusCode": 200}
    assert (started.imported, started.clients, started.connections) == ([], [], 0)


@pytest.mark.parametrize("admitted", [True, False])
def test_the_gate_has_only_its_snapshot_and_an_exit_list_to_fetch(world: World, tmp_path: Path, admitted: bool) -> None:
    shutil.copy(LAMBDAS / "gatekeeper" / "handler.py", tmp_path)
    settings = {"snapshot_path": f"/{OWN.snapshot_key}", "snapshot_scheme": "http", "issuer": "foyer"}
    (tmp_path / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
    event = json.loads((EVENTS / "viewer_request_navigation.json").read_text())
    viewer = event["Records"][0]["cf"]
    viewer["config"]["distributionDomainName"] = world.address.removeprefix("http://")
    viewer["request"]["uri"] = "/events/midnight-sun"
    visitor = Browser(world.deployment)  # type: ignore[arg-type]
    visitor.ask("POST", "/visitors")
    world.deployment.tick()
    visitor.ask("POST", "/access-tokens", {})
    cookie = f"__Host-wr-access-midnight-sun={visitor.access_token if admitted else 'x.y.z'}"
    viewer["request"]["headers"]["cookie"] = [{"key": "Cookie", "value": cookie}]
    started = world.start("gatekeeper", event, tmp_path)
    assert started.answer.get("status", "passes") == ("passes" if admitted else "303")
    assert (started.imported, started.clients, started.connections) == ([], [], 1)


def test_an_instance_that_starts_while_nothing_answers_serves_as_soon_as_something_does(world: World) -> None:
    """In the init phase two reads are tried twice and one once; then the first event reads the keys, twice."""
    world.refuse(first=7)
    started = world.start("bouncer", visits(world)["join"], LAMBDAS / "bouncer")
    assert started.answer["statusCode"] == 429
    assert started.clients == [], "they were made all the same"
    assert started.second["statusCode"] == 201


def test_what_cannot_be_built_at_the_start_is_built_by_the_first_call_that_can() -> None:
    outcomes = iter([OSError("down"), OSError("still down"), "app"])

    def build() -> str:
        outcome = next(outcomes)
        if isinstance(outcome, OSError):
            raise outcome
        return outcome

    app = built_at_start(build)
    with pytest.raises(OSError, match="still"):
        app()
    assert [app(), app()] == ["app", "app"]
