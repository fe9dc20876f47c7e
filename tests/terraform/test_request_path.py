"""The request path, rebuilt from planned values: whole as it is planned, and broken wherever a link is cut."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.components import COMING
from tests.terraform.request_path import RequestPath
from tests.terraform.workspace import Json, Plan
from tests.unit.house.test_schemas import faults as schema_faults
from waiting_room import schemas


def faults(plan: Plan, functions: dict[str, Any]) -> list[str]:
    return list(RequestPath(plan, functions, schemas.behaviours()).faults(schemas.operations()))


def test_components_that_come_later_are_described_as_the_schema_wants() -> None:
    document = {**schemas.load("functions"), "functions": {**COMING, **schemas.functions()}}
    assert schema_faults("functions", document) == []


def test_every_link_of_the_minimal_example_holds(minimal: Plan) -> None:
    assert faults(minimal, schemas.functions()) == []


def test_every_link_holds_with_all_components_too(complete: Plan) -> None:
    assert faults(complete, {**COMING, **schemas.functions()}) == []


def test_a_distribution_that_was_there_keeps_errors_as_the_schema_says(attached: Plan) -> None:
    responses = attached.one("aws_cloudfront_distribution")["custom_error_response"]
    kept = {str(each["error_code"]): each["error_caching_min_ttl"] for each in responses}
    assert kept == schemas.behaviours()["error_caching_min_ttl_sec"]


def of(plan: Plan, kind: str, part: str = "") -> Json:
    """Values of the first resource of a type whose address has a part."""
    return next(
        each["values"] for address, each in sorted(plan.resources.items()) if each["type"] == kind and part in address
    )


def cut_route(plan: Plan) -> None:
    api = of(plan, "aws_apigatewayv2_api", "http_api")
    body = json.loads(api["body"])
    del body["paths"]["/.waiting-room/v1/confirmations"]
    api["body"] = json.dumps(body)


def open_admin_route(plan: Plan) -> None:
    api = of(plan, "aws_apigatewayv2_api", "http_api")
    body = json.loads(api["body"])
    del body["paths"]["/.waiting-room/v1/admin/keys"]["get"]["security"]
    api["body"] = json.dumps(body)


def swap_integration(plan: Plan) -> None:
    api = of(plan, "aws_apigatewayv2_api", "http_api")
    api["body"] = api["body"].replace("foyer-bouncer", "foyer-operator", 1)


def widen_right(plan: Plan) -> None:
    policy = of(plan, "aws_iam_role_policy", '"bouncer"')
    policy["policy"] = policy["policy"].replace("dynamodb:PutItem", "dynamodb:DeleteItem", 1)


def distribution(plan: Plan) -> Json:
    return of(plan, "aws_cloudfront_distribution")


def other_table(plan: Plan) -> None:
    variables = of(plan, "aws_lambda_function", '"bouncer"')["environment"][0]["variables"]
    variables["QUEUE_TABLE"] = variables["COUNTERS_TABLE"]


CUTS: dict[str, Callable[[Plan], Any]] = {
    "a behaviour is missing": lambda plan: distribution(plan)["ordered_cache_behavior"].pop(1),
    "operators' routes are not hidden": lambda plan: distribution(plan)["ordered_cache_behavior"].pop(0),
    "behaviours are in another order": lambda plan: distribution(plan)["ordered_cache_behavior"].reverse(),
    "the gate is gone": lambda plan: distribution(plan)["default_cache_behavior"][0].update(
        lambda_function_association=[]
    ),
    "the gate has no version": lambda plan: of(plan, "aws_lambda_function", "gatekeeper").update(qualified_arn="other"),
    "the gate looks elsewhere": lambda plan: of(plan, "aws_s3_object", "first_snapshot").update(
        key=".waiting-room/gate-0.json"
    ),
    "the API is no origin": lambda plan: of(plan, "aws_apigatewayv2_api", "http_api").update(api_endpoint="https://x"),
    "the API is asked at another stage": lambda plan: of(plan, "aws_apigatewayv2_stage", "http_api").update(
        name="guess"
    ),
    "the API is cached": lambda plan: distribution(plan)["ordered_cache_behavior"][1].update(cache_policy_id="x"),
    "the API is sent every cookie": lambda plan: distribution(plan)["ordered_cache_behavior"][1].update(
        origin_request_policy_id="b689b0a8-53d0-40ab-baf2-68738e2966ac"
    ),
    "the API is not sent all of ours": lambda plan: of(plan, "aws_cloudfront_origin_request_policy")["cookies_config"][
        0
    ]["cookies"][0]["items"].pop(),
    "an error is everybody's": lambda plan: distribution(plan)["custom_error_response"].pop(),
    "an error is kept": lambda plan: distribution(plan)["custom_error_response"][-1].update(error_caching_min_ttl=10),
    "no secret is sent": lambda plan: [each.update(custom_header=[]) for each in distribution(plan)["origin"]],
    "a route is missing": cut_route,
    "a route is open": open_admin_route,
    "a route leads to another function": swap_integration,
    "the API may not start a function": lambda plan: of(plan, "aws_lambda_permission").update(function_name="other"),
    "a function is missing": lambda plan: of(plan, "aws_lambda_function", '"exchanger"').update(function_name="other"),
    "a function has another zip": lambda plan: of(plan, "aws_lambda_function", '"bouncer"').update(filename="a/x.zip"),
    "a function has another handler": lambda plan: of(plan, "aws_lambda_function", '"bouncer"').update(
        handler="handler.main"
    ),
    "a variable names another table": other_table,
    "a table is missing": lambda plan: of(plan, "aws_dynamodb_table", '"queue"').update(name="other", arn="other"),
    "a right is wider": widen_right,
    "a role has no policy": lambda plan: of(plan, "aws_iam_role_policy", '"operator"').update(role="other"),
    "a stream is not read": lambda plan: of(plan, "aws_lambda_event_source_mapping").update(event_source_arn="other"),
    "a stream is off": lambda plan: of(plan, "aws_dynamodb_table", '"protected_zones"').update(stream_enabled=False),
    "a schedule starts nothing": lambda plan: of(plan, "aws_scheduler_schedule")["target"][0].update(arn="other"),
    "a schedule may start nothing": lambda plan: of(plan, "aws_iam_role_policy", "schedule").update(role="other"),
    "a log group is missing": lambda plan: of(plan, "aws_cloudwatch_log_group", '"bouncer"').update(name="other"),
}


@pytest.mark.parametrize("what", CUTS)
def test_a_broken_link_is_found(what: str, minimal: Plan) -> None:
    plan = Plan(copy.deepcopy(dict(minimal.resources)), ())
    CUTS[what](plan)
    assert faults(plan, schemas.functions()) != []
