"""Holds planned values against botocore's models: what AWS would refuse at apply is found here.

A resource is matched with the call that makes it. Each of its values whose name is a member somewhere in that call's
input must be one that the member takes: type, choices, length, bounds, pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import Shape

from tests.terraform.workspace import Json

CALLS = {
    "aws_acm_certificate": ("acm", "RequestCertificate"),
    "aws_apigatewayv2_api": ("apigatewayv2", "CreateApi"),
    "aws_apigatewayv2_deployment": ("apigatewayv2", "CreateDeployment"),
    "aws_apigatewayv2_integration": ("apigatewayv2", "CreateIntegration"),
    "aws_apigatewayv2_route": ("apigatewayv2", "CreateRoute"),
    "aws_apigatewayv2_stage": ("apigatewayv2", "CreateStage"),
    "aws_athena_named_query": ("athena", "CreateNamedQuery"),
    "aws_athena_workgroup": ("athena", "CreateWorkGroup"),
    "aws_budgets_budget": ("budgets", "CreateBudget"),
    "aws_cloudfront_cache_policy": ("cloudfront", "CreateCachePolicy"),
    "aws_cloudfront_distribution": ("cloudfront", "CreateDistribution"),
    "aws_cloudfront_function": ("cloudfront", "CreateFunction"),
    "aws_cloudfront_origin_access_control": ("cloudfront", "CreateOriginAccessControl"),
    "aws_cloudfront_response_headers_policy": ("cloudfront", "CreateResponseHeadersPolicy"),
    "aws_cloudwatch_dashboard": ("cloudwatch", "PutDashboard"),
    "aws_cloudwatch_log_group": ("logs", "CreateLogGroup"),
    "aws_cloudwatch_log_metric_filter": ("logs", "PutMetricFilter"),
    "aws_cloudwatch_log_stream": ("logs", "CreateLogStream"),
    "aws_cloudwatch_metric_alarm": ("cloudwatch", "PutMetricAlarm"),
    "aws_dynamodb_table": ("dynamodb", "CreateTable"),
    "aws_glue_catalog_database": ("glue", "CreateDatabase"),
    "aws_glue_catalog_table": ("glue", "CreateTable"),
    "aws_iam_policy": ("iam", "CreatePolicy"),
    "aws_iam_role": ("iam", "CreateRole"),
    "aws_iam_role_policy": ("iam", "PutRolePolicy"),
    "aws_kinesis_firehose_delivery_stream": ("firehose", "CreateDeliveryStream"),
    "aws_kms_alias": ("kms", "CreateAlias"),
    "aws_kms_key": ("kms", "CreateKey"),
    "aws_lambda_event_source_mapping": ("lambda", "CreateEventSourceMapping"),
    "aws_lambda_function": ("lambda", "CreateFunction"),
    "aws_lambda_function_event_invoke_config": ("lambda", "PutFunctionEventInvokeConfig"),
    "aws_lambda_layer_version": ("lambda", "PublishLayerVersion"),
    "aws_lambda_permission": ("lambda", "AddPermission"),
    "aws_pinpointsmsvoicev2_configuration_set": ("pinpoint-sms-voice-v2", "CreateConfigurationSet"),
    "aws_pinpointsmsvoicev2_opt_out_list": ("pinpoint-sms-voice-v2", "CreateOptOutList"),
    "aws_route53_record": ("route53", "ChangeResourceRecordSets"),
    "aws_s3_bucket": ("s3", "CreateBucket"),
    "aws_s3_bucket_lifecycle_configuration": ("s3", "PutBucketLifecycleConfiguration"),
    "aws_s3_bucket_policy": ("s3", "PutBucketPolicy"),
    "aws_s3_bucket_public_access_block": ("s3", "PutPublicAccessBlock"),
    "aws_s3_object": ("s3", "PutObject"),
    "aws_scheduler_schedule": ("scheduler", "CreateSchedule"),
    "aws_sns_topic": ("sns", "CreateTopic"),
    "aws_sns_topic_subscription": ("sns", "Subscribe"),
    "aws_sqs_queue": ("sqs", "CreateQueue"),
    "aws_timestreamwrite_database": ("timestream-write", "CreateDatabase"),
    "aws_timestreamwrite_table": ("timestream-write", "CreateTable"),
    "aws_wafv2_web_acl": ("wafv2", "CreateWebACL"),
}

NO_CALL = {"aws_acm_certificate_validation", "terraform_data"}
"""What the provider waits for, or keeps to itself."""

UNLIKE = {("aws_lambda_function", "arn")}
"""Arguments for something else than the member that is called the same."""

COMPUTED = re.compile(r"-mock-[0-9a-f]{8}")
"""The stand-in provider's values for what AWS would give."""


@cache
def members(service: str, call: str) -> Mapping[str, tuple[Shape, ...]]:
    """Scalar members anywhere in a call's input, by their name in small letters."""
    model = botocore.session.get_session().get_service_model(service)
    found: dict[str, list[Shape]] = {}
    seen: set[str] = set()

    def walk(shape: Any, name: str) -> None:
        if shape.type_name == "structure":
            if shape.name in seen:
                return
            seen.add(shape.name)
            for each, member in shape.members.items():
                walk(member, each)
        elif shape.type_name == "list":
            walk(shape.member, name)
        elif shape.type_name == "map":
            walk(shape.value, "")
        else:
            found.setdefault(name.lower(), []).append(shape)

    walk(model.operation_model(call).input_shape, "")
    return {name: tuple(shapes) for name, shapes in found.items()}


def faults(kind: str, values: Json) -> Iterator[str]:
    """What the model of a resource's call refuses in its values."""
    known = members(*CALLS[kind])
    for name, value in leaves(values):
        shapes = known.get(name.replace("_", ""), ())
        if not shapes or (kind, name) in UNLIKE or COMPUTED.search(str(value)):
            continue
        refusals = [refusal(shape, value) for shape in shapes]
        if all(refusals):
            yield f"{name} = {value!r}: {refusals[0]}"


def checked(kind: str, values: Json) -> int:
    """How many values of a resource a model speaks of."""
    known = members(*CALLS[kind])
    return sum(name.replace("_", "") in known and (kind, name) not in UNLIKE for name, _ in leaves(values))


def leaves(values: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value that is set, with the name of its argument."""
    if isinstance(values, dict):
        for each, value in values.items():
            yield from leaves(value, each)
    elif isinstance(values, list):
        for value in values:
            yield from leaves(value, name)
    elif values is not None and values != "":
        yield name, values


def refusal(shape: Any, value: Any) -> str | None:
    """Why a shape does not take a value, or None."""
    rules = shape.metadata
    if shape.type_name in ("integer", "long", "double", "float"):
        return _number(rules, value)
    if shape.type_name == "boolean":
        return None if isinstance(value, bool) or value in ("true", "false") else "no boolean"
    if shape.type_name == "string":
        return _text(shape, rules, value)
    return None


def _number(rules: Mapping[str, Any], value: Any) -> str | None:
    if isinstance(value, bool) or not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", str(value)):
        return "no number"
    number = float(value)
    if number < rules.get("min", number) or number > rules.get("max", number):
        return f"not within {rules.get('min')} and {rules.get('max')}"
    return None


def _text(shape: Any, rules: Mapping[str, Any], value: Any) -> str | None:
    text = str(value)
    if shape.enum and text not in shape.enum:
        return f"none of {', '.join(shape.enum)}"
    if not rules.get("min", 0) <= len(text) <= rules.get("max", len(text)):
        return f"{len(text)} characters"
    pattern = rules.get("pattern")
    if pattern and not _fits(pattern, text):
        return f"does not fit {pattern}"
    return None


def _fits(pattern: str, text: str) -> bool:
    """Java's patterns as Python reads them; one that Python does not know takes everything."""
    readable = re.sub(r"\\p\{[^}]*\}", r"\\w", pattern).replace("[\\w\\w\\w\\w", "[\\s\\S")
    try:
        return re.fullmatch(readable, text, re.DOTALL) is not None
    except re.error:
        return True
