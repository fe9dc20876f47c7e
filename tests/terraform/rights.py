"""Rights of the functions' roles in a plan, against those that schemas/functions.json gives them: no less, no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tests.terraform.workspace import Json, Plan

OWN_RIGHTS = {"OwnLog", "OwnFailures", "OwnTraces", "KeyOfTables"}
"""Statements that belong to every function of a kind and are in no schema."""


class Rights:
    """One plan, made from these entries of schemas/functions.json and this schemas/behaviours.json."""

    def __init__(self, plan: Plan, functions: Mapping[str, Any], behaviours: Mapping[str, Any]) -> None:
        self.plan = plan
        self.functions = functions
        self.behaviours = behaviours
        self.distribution = plan.one("aws_cloudfront_distribution")
        self.lambdas = {each["function_name"]: each for each in plan.of_type("aws_lambda_function")}
        self.apis = {each["id"]: each for each in plan.of_type("aws_apigatewayv2_api")}

    def name(self, component: str) -> str:
        """The planned name of a component's function."""
        names = [name for name in self.lambdas if re.fullmatch(rf"[a-z-]+?-{component}", name)]
        return names[0] if len(names) == 1 else f"no function {component}"

    def rights(self, component: str, spec: Json, function: Json) -> Iterator[str]:
        statements = self.statements(function["role"])
        given = {(action, arn) for each in statements if each["Sid"] not in OWN_RIGHTS for action, arn in pairs(each)}
        wanted = {
            (action, arn)
            for permission in spec["permissions"]
            for action in permission["actions"]
            for arn in self.arns(permission["resource"])
        }
        for action, arn in sorted(wanted - given):
            yield f"{component} may not {action} on {arn}"
        for action, arn in sorted(given - wanted):
            yield f"{component} may {action} on {arn}, which no schema says"
        own = {each["Sid"]: each for each in statements if each["Sid"] in OWN_RIGHTS}
        group = f"/aws/lambda/{function['function_name']}"
        if group not in {each["name"] for each in self.plan.of_type("aws_cloudwatch_log_group")}:
            yield f"{component} has no log group"
        if f":log-group:{group}:*" not in str(own.get("OwnLog", {}).get("Resource")):
            yield f"{component} may not write its log"
        if spec["asynchronous"] and own.get("OwnFailures", {}).get("Resource") != self.plan.one("aws_sqs_queue")["arn"]:
            yield f"{component} may not hand over its failures"

    def statements(self, role_arn: str) -> list[Json]:
        """The statements of all policies of a role."""
        roles = {each["arn"]: each["name"] for each in self.plan.of_type("aws_iam_role")}
        policies = [each for each in self.plan.of_type("aws_iam_role_policy") if each["role"] == roles.get(role_arn)]
        return [statement for each in policies for statement in listed(json.loads(each["policy"])["Statement"])]

    def arns(self, resource: str) -> list[str]:
        """What a right of schemas/functions.json is on, made of what is planned and not of how it is named."""
        kind, _, name = resource.partition(":")
        tables = {each["name"]: each["arn"] for each in self.plan.of_type("aws_dynamodb_table")}
        table = next((arn for each, arn in tables.items() if each.endswith("-" + name.replace("_", "-"))), "no table")
        if kind == "table":
            return [table]
        if kind == "stream":
            return [f"{table}/stream/*"]
        if kind == "function":
            return [self.lambdas.get(self.name(name), {}).get("arn", "no function")]
        if kind == "bucket":
            bucket = f"arn:aws:s3:::{self.plan.one('aws_s3_bucket', 'module.storage')['bucket']}"
            return [f"{bucket}/{name}" if name else bucket]
        deployment = self.distribution["comment"]
        if resource == "secret:join_secrets":
            return [f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{deployment}/join-secrets/*"]
        if resource == "secret:signing_keys":
            secret = self.plan.one("aws_secretsmanager_secret")["name"]
            return [f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{secret}-??????"]
        if resource == "parameter:signing_keys":
            return [f"arn:aws:ssm:eu-west-1:123456789012:parameter/{deployment}/signing-keys"]
        if resource == "websocket:connections":
            api = self.plan.one("aws_apigatewayv2_api", "module.websocket_api")
            stage = self.plan.one("aws_apigatewayv2_stage", "module.websocket_api")["name"]
            return [f"{api['execution_arn']}/{stage}/*/@connections/*"]
        if resource == "streams":
            return ["*"]
        if resource == "alarms":
            return ["arn:aws:cloudwatch:eu-west-1:123456789012:alarm:*"]
        if resource == "codes:service":
            variables = self.lambdas.get(self.name("bouncer"), {}).get("environment", [{}])[0].get("variables", {})
            return ["*"] if variables.get("CODES_IDENTITY", "none") != "none" else []
        holder = {
            "archive:stream": "aws_kinesis_firehose_delivery_stream",
            "failures:queue": "aws_sqs_queue",
            "alerts:identity": "aws_kms_key",
            "alerts:key": "aws_kms_key",
            "metrics:table": "aws_timestreamwrite_table",
            "metrics:endpoints": "aws_timestreamwrite_table",
        }[resource]
        if not self.plan.of_type(holder):
            # A right on a part that is switched off is not given.
            return []
        if resource == "alerts:identity":
            return ["arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-0123456789abcdef"]
        return ["*"] if resource == "metrics:endpoints" else [self.plan.one(holder)["arn"]]


def listed(value: Any) -> list[Any]:
    """IAM writes a list of one as that one."""
    return value if isinstance(value, list) else [value]


def pairs(statement: Json) -> Iterator[tuple[str, str]]:
    """Every action of a statement with every resource."""
    for action in listed(statement["Action"]):
        for resource in listed(statement["Resource"]):
            yield action, resource
