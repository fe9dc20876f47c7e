"""Routes come from the OpenAPI document, errors from one table, and everything else is a plain 500."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ROOT, ApiWorld, ListLog, event, send
from tests.support.fakes import FakeClock
from waiting_room import schemas
from waiting_room.domain import errors as domain_errors
from waiting_room.domain.errors import Overloaded
from waiting_room.http.frame.app import HttpApp
from waiting_room.http.frame.errors import problem_document, retry_after_sec
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response
from waiting_room.http.frame.router import Router


@pytest.fixture
def world() -> ApiWorld:
    return ApiWorld()


def test_an_operation_the_document_does_not_know_is_a_mistake() -> None:
    with pytest.raises(LookupError, match="no_such_operation"):
        Router(schemas.operations().values(), {"no_such_operation": lambda _: Response(200)})


def test_an_unknown_path_is_404_and_a_wrong_method_405_with_those_allowed(world: ApiWorld) -> None:
    unknown = world.visit("GET", f"{ROOT}/nothing")
    wrong = world.visit("PUT", "/visitors")

    assert (unknown.status, unknown.problem) == (404, "unknown-route")
    assert (wrong.status, wrong.problem, wrong.headers["allow"]) == (405, "wrong-method", "POST")


def test_the_operator_is_not_reached_through_the_bouncer(world: ApiWorld) -> None:
    assert world.visit("GET", f"{ROOT}/admin/zones").status == 404


@pytest.mark.parametrize("secret", [None, "", "wrong", "an-origin-secret "])
def test_every_bouncer_route_wants_the_secret_of_the_distribution(world: ApiWorld, secret: str | None) -> None:
    world.put_zone()
    for known in schemas.operations().values():
        if known.function == "bouncer":
            sample = event("enter")
            sample["headers"] = {} if secret is None else {"x-foyer-origin-secret": secret}
            answer = send(world.bouncer, sample, known.method, known.path.replace("{zone_id}", "midnight-sun"))
            assert (answer.status, answer.problem) == (403, "forbidden")


def test_an_operator_route_without_an_authorizer_is_closed(world: ApiWorld) -> None:
    sample = event("control_iam")
    del sample["requestContext"]["authorizer"]

    assert send(world.operator, sample, "GET", f"{ROOT}/admin/zones").status == 403


def test_a_problem_document_says_where_and_what() -> None:
    error = domain_errors.InvalidInput("Use 1 or more.", "/max_active")

    assert problem_document(error) == {
        "type": "urn:foyer:problem:invalid-input",
        "title": "The request is not valid",
        "status": 400,
        "detail": "Use 1 or more.",
        "pointer": "/max_active",
        "errors": [{"pointer": "/max_active", "detail": "Use 1 or more."}],
    }


def test_a_problem_document_tells_every_fault_and_leads_with_the_first() -> None:
    faults = [domain_errors.Fault(f"/rules/{number}", "Begin with '/'.") for number in range(1_000)]

    told = problem_document(domain_errors.InvalidZone.of(faults))

    assert (told["pointer"], told["detail"]) == ("/rules/0", "Begin with '/'.")
    most = schemas.components()["Problem"]["properties"]["errors"]["maxItems"]
    assert [error["pointer"] for error in told["errors"]] == [f"/rules/{number}" for number in range(most)]


def test_retry_after_is_spread_and_only_there_when_it_helps() -> None:
    assert [retry_after_sec(Overloaded(retry_after_sec=4), jitter) for jitter in (0.0, 0.5, 0.999)] == [4, 6, 8]
    assert retry_after_sec(domain_errors.Lapsed(), 0.5) is None


def app_with(endpoint: Any) -> tuple[HttpApp, ListLog]:
    log = ListLog()
    router = Router(schemas.operations().values(), {"enter_zone": endpoint})
    return HttpApp(router, FakeClock(), log, lambda: 0.5, guard=lambda _: None), log


def raising(error: Exception) -> Any:
    def endpoint(_: Request) -> Response:
        raise error

    return endpoint


def test_overload_is_429_with_retry_after() -> None:
    app, log = app_with(raising(Overloaded()))

    answer = app(event("enter"), None)

    assert (answer["statusCode"], answer["headers"]["retry-after"]) == (429, "3")
    assert log.lines[0]["problem"] == "overloaded"


def test_an_unknown_error_is_a_plain_500_and_logged_with_its_stack() -> None:
    app, log = app_with(raising(RuntimeError("secret detail")))

    answer = app(event("enter"), None)

    assert answer["statusCode"] == 500
    assert "secret detail" not in str(answer)
    assert "RuntimeError" in log.lines[0]["stack"]
    assert log.lines[0]["operation"] == "enter_zone"


def test_an_event_without_anything_is_answered() -> None:
    app, _ = app_with(raising(RuntimeError()))

    assert app({}, None)["statusCode"] == 404


def test_a_person_gets_a_page_with_a_strict_policy_and_a_program_a_document(world: ApiWorld) -> None:
    page = world.visit("GET", f"{ROOT}/nothing", headers=BROWSER)
    document = world.visit("GET", f"{ROOT}/nothing")

    assert page.status == document.status == 404
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "script-src" not in page.headers["content-security-policy"]
    assert document.headers["content-type"] == "application/problem+json"
    for answer in (page, document):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
