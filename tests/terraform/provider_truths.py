"""What the AWS provider does and no schema tells: the stand-in updates everything in place, and takes away anything.

Each truth names the file in hashicorp/terraform-provider-aws (version 6) that says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

SERVICES = "internal/service/"


@dataclass(frozen=True)
class Truth:
    """`replaced_by`: attributes whose change makes the provider replace the resource (ForceNew). `lowered`: numbers
    that it can raise, and replaces the resource to lower. `named`: attributes that no two of the kind may share all of,
    so that a second one cannot be made beside the first. `in_use`: AWS refuses to delete it while a distribution names
    it."""

    source: str
    replaced_by: tuple[str, ...] = ()
    lowered: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    in_use: bool = False


TRUTHS = {
    # CloudFront: delete answers CachePolicyInUse, FunctionInUse and so on, and the provider asks once.
    "aws_cloudfront_cache_policy": Truth(SERVICES + "cloudfront/cache_policy.go", named=("name",), in_use=True),
    "aws_cloudfront_origin_request_policy": Truth(
        SERVICES + "cloudfront/origin_request_policy.go", named=("name",), in_use=True
    ),
    "aws_cloudfront_response_headers_policy": Truth(
        SERVICES + "cloudfront/response_headers_policy.go", named=("name",), in_use=True
    ),
    "aws_cloudfront_origin_access_control": Truth(
        SERVICES + "cloudfront/origin_access_control.go", named=("name",), in_use=True
    ),
    "aws_cloudfront_function": Truth(SERVICES + "cloudfront/function.go", ("name",), named=("name",), in_use=True),
    "aws_cloudfront_distribution": Truth(SERVICES + "cloudfront/distribution.go", ("staging",)),
    # WAFAssociatedItemException is asked again for five minutes, which end before a distribution was waited for that
    # only begins to change afterwards.
    "aws_wafv2_web_acl": Truth(
        SERVICES + "wafv2/web_acl.go", ("name", "name_prefix", "region", "scope"), named=("name",), in_use=True
    ),
    # "Lambda was unable to delete ... because it is a replicated function", until hours after the last distribution.
    "aws_lambda_function": Truth(
        SERVICES + "lambda/function.go",
        ("function_name", "package_type", "region"),
        named=("function_name",),
        in_use=True,
    ),
    "aws_lambda_layer_version": Truth(
        SERVICES + "lambda/layer_version.go",
        ("compatible_architectures", "compatible_runtimes", "description", "layer_name", "source_code_hash"),
    ),
    "aws_lambda_permission": Truth(
        SERVICES + "lambda/permission.go",
        ("action", "function_name", "principal", "qualifier", "source_arn", "statement_id"),
        named=("function_name", "statement_id"),
    ),
    "aws_lambda_event_source_mapping": Truth(
        SERVICES + "lambda/event_source_mapping.go", ("event_source_arn", "starting_position")
    ),
    "aws_lambda_function_event_invoke_config": Truth(
        SERVICES + "lambda/function_event_invoke_config.go", ("function_name", "qualifier")
    ),
    "aws_acm_certificate": Truth(
        SERVICES + "acm/certificate.go",
        ("domain_name", "key_algorithm", "region", "subject_alternative_names", "validation_method"),
        in_use=True,
    ),
    "aws_acm_certificate_validation": Truth(
        SERVICES + "acm/certificate_validation.go", ("certificate_arn", "region", "validation_record_fqdns")
    ),
    "aws_route53_record": Truth(SERVICES + "route53/record.go", ("name", "type", "zone_id")),
    # Two ForceNewIfChange on warm_throughput; since pull request 49032 (July 2026) the plan fails instead.
    "aws_dynamodb_table": Truth(
        SERVICES + "dynamodb/table.go",
        ("hash_key", "name", "range_key", "region"),
        lowered=("warm_throughput.0.read_units_per_second", "warm_throughput.0.write_units_per_second"),
        named=("name",),
    ),
    "aws_s3_bucket": Truth(SERVICES + "s3/bucket.go", ("bucket", "region"), named=("bucket",)),
    "aws_s3_bucket_policy": Truth(SERVICES + "s3/bucket_policy.go", ("bucket",)),
    "aws_s3_bucket_public_access_block": Truth(SERVICES + "s3/bucket_public_access_block.go", ("bucket",)),
    "aws_s3_bucket_lifecycle_configuration": Truth(SERVICES + "s3/bucket_lifecycle_configuration.go", ("bucket",)),
    "aws_s3_object": Truth(SERVICES + "s3/object.go", ("bucket", "key"), named=("bucket", "key")),
    "aws_apigatewayv2_api": Truth(
        SERVICES + "apigatewayv2/api.go", ("credentials_arn", "protocol_type", "route_key", "target")
    ),
    "aws_apigatewayv2_stage": Truth(SERVICES + "apigatewayv2/stage.go", ("api_id", "name"), named=("api_id", "name")),
    "aws_apigatewayv2_route": Truth(SERVICES + "apigatewayv2/route.go", ("api_id",), named=("api_id", "route_key")),
    "aws_apigatewayv2_integration": Truth(SERVICES + "apigatewayv2/integration.go", ("api_id", "integration_type")),
    "aws_apigatewayv2_deployment": Truth(SERVICES + "apigatewayv2/deployment.go", ("api_id", "triggers")),
    "aws_iam_role": Truth(SERVICES + "iam/role.go", ("name", "path"), named=("name",)),
    "aws_iam_role_policy": Truth(SERVICES + "iam/role_policy.go", ("name", "role"), named=("name", "role")),
    "aws_cloudwatch_log_group": Truth(SERVICES + "logs/group.go", ("name", "log_group_class"), named=("name",)),
    "aws_cloudwatch_log_stream": Truth(
        SERVICES + "logs/stream.go", ("log_group_name", "name"), named=("log_group_name", "name")
    ),
    "aws_cloudwatch_metric_alarm": Truth(
        SERVICES + "cloudwatch/metric_alarm.go", ("alarm_name",), named=("alarm_name",)
    ),
    "aws_cloudwatch_dashboard": Truth(SERVICES + "cloudwatch/dashboard.go", ("dashboard_name",)),
    "aws_cloudwatch_log_metric_filter": Truth(SERVICES + "logs/metric_filter.go", ("log_group_name", "name")),
    "aws_sqs_queue": Truth(SERVICES + "sqs/queue.go", ("name", "fifo_queue"), named=("name",)),
    "aws_sns_topic": Truth(SERVICES + "sns/topic.go", ("name", "fifo_topic"), named=("name",)),
    "aws_sns_topic_subscription": Truth(SERVICES + "sns/topic_subscription.go", ("endpoint", "protocol", "topic_arn")),
    "aws_secretsmanager_secret": Truth(SERVICES + "secretsmanager/secret.go", ("name",), named=("name",)),
    "aws_kinesis_firehose_delivery_stream": Truth(
        SERVICES + "firehose/delivery_stream.go", ("destination", "name"), named=("name",)
    ),
    "aws_glue_catalog_database": Truth(SERVICES + "glue/catalog_database.go", ("catalog_id", "name"), named=("name",)),
    "aws_glue_catalog_table": Truth(
        SERVICES + "glue/catalog_table.go", ("catalog_id", "database_name", "name"), named=("database_name", "name")
    ),
    "aws_athena_workgroup": Truth(SERVICES + "athena/workgroup.go", ("name",), named=("name",)),
    "aws_athena_named_query": Truth(
        SERVICES + "athena/named_query.go", ("database", "description", "name", "query", "workgroup")
    ),
    "aws_timestreamwrite_database": Truth(SERVICES + "timestreamwrite/database.go", ("database_name",)),
    "aws_timestreamwrite_table": Truth(SERVICES + "timestreamwrite/table.go", ("database_name", "table_name")),
    "aws_kms_key": Truth(SERVICES + "kms/key.go", ("customer_master_key_spec", "key_usage", "multi_region")),
    "aws_kms_alias": Truth(SERVICES + "kms/alias.go", ("name",), named=("name",)),
    "aws_scheduler_schedule": Truth(SERVICES + "scheduler/schedule.go", ("group_name", "name"), named=("name",)),
    "aws_shield_protection": Truth(SERVICES + "shield/protection.go", ("name", "resource_arn")),
    "aws_budgets_budget": Truth(SERVICES + "budgets/budget.go", ("account_id", "name"), named=("name",)),
    "aws_pinpointsmsvoicev2_configuration_set": Truth(
        SERVICES + "pinpointsmsvoicev2/configuration_set.go", ("name",), named=("name",)
    ),
    "aws_pinpointsmsvoicev2_opt_out_list": Truth(
        SERVICES + "pinpointsmsvoicev2/opt_out_list.go", ("name",), named=("name",)
    ),
    "terraform_data": Truth("builtin: internal/builtin/providers/terraform", ("triggers_replace",)),
}
"""By resource type. Some attributes have no default or say nothing here; they are left out."""


def replaced(change: Json) -> list[str]:
    """The attributes for which the provider would replace what this entry of `resource_changes` updates in place."""
    before, after, unknown = (change["change"][part] or {} for part in ("before", "after", "after_unknown"))
    if change["change"]["actions"] != ["update"]:
        return []
    truth = TRUTHS[change["type"]]
    return [
        *(name for name in truth.replaced_by if unknown.get(name) is True or before.get(name) != after.get(name)),
        *(path for path in truth.lowered if _lower(_at(after, path), _at(before, path))),
    ]


def used_by(values: Json) -> Iterator[str]:
    """Every text in a resource's values: ids and ARNs of others are among them."""
    for value in values.values():
        yield from _texts(value)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from _texts(child)


def _at(values: Any, path: str) -> Any:
    """What lies at a path; None where it ends before."""
    for step in path.split("."):
        if isinstance(values, list):
            values = values[int(step)] if int(step) < len(values) else None
        else:
            values = (values or {}).get(step)
    return values


def _lower(new: Any, old: Any) -> bool:
    return isinstance(new, int) and isinstance(old, int) and 0 != new < old
