"""Options on and off again, in both orders: nothing goes that is in use, and every plan after an apply is empty."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.terraform.day_two import DayTwo
from tests.terraform.provider_truths import TRUTHS, Json
from tests.terraform.test_plans import ADDRESSES
from tests.terraform.workspace import ROOT, copy_of_the_code, require_stand_in

BASE = {"artifacts_dir": "../../tests/artifacts", "origin_domain_name": "origin.example.com"}
ZONE = "Z0123456789ABCDEFGHIJ"
OWN_WEB_ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/mine/1"
CERTIFICATE = "arn:aws:acm:us-east-1:123456789012:certificate/1"
CACHE_POLICY = "658327ea-f89d-4fab-a63d-7e88639e58f6"

OPTIONS: dict[str, dict[str, Any]] = {
    "firewall": {
        "security": {
            "firewall": True,
            "challenge": True,
            "bots": {},
            "requests_per_5_min": 500,
            "blocked_requests_per_5_min": 200_000,
            "managed_rule_groups": [{"name": "AWSManagedRulesKnownBadInputsRuleSet", "count": True}],
        },
        "monitoring": {"emails": ["a@example.com"]},
    },
    "site_cache_policy": {"distribution": {"site_cache_policy_id": CACHE_POLICY}},
    "domain": {
        "distribution": {
            "domain": {"names": ["example.com", "www.example.com"], "hosted_zone_id": ZONE, "address_records": True}
        }
    },
    "everything_else": {
        "distribution": {
            "domain": {"names": ["example.com"], "certificate_arn": CERTIFICATE},
            "error_page_path": "/.waiting-room/pages/unavailable.html",
            "access_logs_bucket": "logs.s3.amazonaws.com",
            "forward_host_header": False,
            "price_class": "PriceClass_100",
            "origin": {"protocol_policy": "http-only", "http_port": 8080, "path": "/shop", "read_timeout": 60},
        },
        "security": {"web_acl_arn": OWN_WEB_ACL, "shield_advanced": True},
        "functions": {
            "tracing": True,
            "memory_mb": {"bouncer": 1024},
            "reserve_concurrency": False,
            "layer_arns": ["arn:aws:lambda:eu-west-1:123456789012:layer:collector:7"],
            "log_retention_days": 90,
        },
        "tables": {"deletion_protection": False, "kms_key_arn": "arn:aws:kms:eu-west-1:123456789012:key/1"},
        "archive": {
            "enabled": False,
            "infrequent_access_after_days": 40,
            "glacier_after_days": 80,
            "expire_after_days": 500,
            "force_destroy": True,
        },
        "metrics": {"backend": "timestream"},
        "alerts": {"origination_identity_arn": "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1"},
        "phone_codes": {
            "origination_identity": "arn:aws:sms-voice:eu-west-1:123456789012:pool/pool-1",
            "notify_code_configuration": "codes-1",
            "configuration_set": "sent",
        },
        "monitoring": {"alarms": False, "dashboard": False, "budget": {"monthly_usd": 9, "emails": ["a@example.com"]}},
        "gate": {"on_missing_snapshot": "pass", "skip_destroy": True},
        "cors_origins": ["https://shop.example.org"],
        "retention_days": {"places": 1, "minutes": 30},
        "origin_secret": "0123456789abcdef0123456789abcdef",
        "check_quotas": False,
        "expected_joins_per_sec": 2000,
    },
}
"""Values of the module. Those that touch the distribution stand alone: one could hide what another one does."""

NO_OPTIONS = {"name", "origin_domain_name", "existing_distribution", "artifacts_dir"}
"""What a deployment is made of."""


@pytest.fixture(scope="module")
def deployments(tmp_path_factory: pytest.TempPathFactory) -> Callable[[dict[str, Any]], DayTwo]:
    """Makes a deployment with the given values."""
    require_stand_in()

    def make(values: dict[str, Any]) -> DayTwo:
        made = DayTwo(copy_of_the_code(tmp_path_factory.mktemp("day_two")), BASE)
        made.apply(values)
        return made

    return make


def changed(deployment: DayTwo, values: dict[str, Any], *replace: str) -> set[str]:
    """Change a deployment, which must go well; return what was made anew."""
    step = deployment.plan(values, *replace)
    assert list(step.faults()) == []
    assert deployment.go() == ()
    return step.replaced()


def made_anew(addresses: set[str], kind: str) -> set[str]:
    return {address for address in addresses if f".{kind}." in address}


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("first", ["without", "with"])
def test_an_option_goes_on_and_off(deployments: Callable[[Any], DayTwo], option: str, first: str) -> None:
    values = [{}, OPTIONS[option]] if first == "without" else [OPTIONS[option], {}]
    deployment = deployments(values[0])
    for each in (values[1], values[0]):
        anew = changed(deployment, each)
        assert made_anew(anew, "aws_dynamodb_table") | made_anew(anew, "aws_s3_bucket") == set()


def test_the_order_is_in_the_state_once_a_release_that_knows_it_was_applied(
    deployments: Callable[[Any], DayTwo],
) -> None:
    deployment = deployments(OPTIONS["firewall"])
    deployment.edit_state("aws_wafv2_web_acl", lambda instance: instance.pop("create_before_destroy"))
    assert list(deployment.plan({}).faults()), "an older release's state does not know"
    assert changed(deployment, OPTIONS["firewall"]) == set()
    changed(deployment, {})


def test_a_new_snapshot_id_gives_the_distribution_a_new_gatekeeper_before_the_old_one_goes(
    deployments: Callable[[Any], DayTwo],
) -> None:
    anew = changed(deployments({}), {}, "module.waiting_room.terraform_data.snapshot_id")
    assert made_anew(anew, "aws_lambda_function") == {"module.waiting_room.module.gatekeeper.aws_lambda_function.this"}


def test_another_name_makes_all_anew_beside_the_old(deployments: Callable[[Any], DayTwo]) -> None:
    step = deployments(OPTIONS["firewall"]).plan({**OPTIONS["firewall"], "name": "another"})
    assert list(step.faults()) == []
    assert made_anew(step.replaced(), "aws_wafv2_web_acl")
    assert made_anew(step.replaced(), "aws_cloudfront_function")


def raised_by_itself(instance: Json) -> None:
    """DynamoDB guide, "Understanding DynamoDB warm throughput": a table's grows with what it has had to take."""
    instance["attributes"]["warm_throughput"] = [{"read_units_per_second": 90_000, "write_units_per_second": 50_000}]


def test_a_table_that_is_warmer_than_asked_for_stays(deployments: Callable[[Any], DayTwo]) -> None:
    large = {"expected_joins_per_sec": 2000}
    deployment = deployments(large)
    deployment.edit_state("aws_dynamodb_table", raised_by_itself)
    assert changed(deployment, large) == set()
    assert made_anew(changed(deployment, {"expected_joins_per_sec": 1600}), "aws_dynamodb_table") == set()
    assert made_anew(changed(deployment, {}), "aws_dynamodb_table") == set()


def test_every_option_goes_on_and_off() -> None:
    text = (ROOT / "terraform" / "variables.tf").read_text(encoding="utf-8")
    known = {
        f"{name} {attribute}".strip()
        for name, kind in re.findall(r'^variable "(\w+)" \{\n(.*?)^  default ', text, re.M | re.S)
        if name not in NO_OPTIONS
        for attribute in re.findall(r"^    (\w+) +=", kind, re.M) or [""]
    }
    tried = {
        f"{name} {attribute}".strip()
        for option in OPTIONS.values()
        for name, value in option.items()
        for attribute in (value if isinstance(value, dict) else [""])
    }
    assert len(known) > 30
    assert known - tried == set()


def test_what_the_provider_does_is_known_of_every_resource() -> None:
    kinds = {address.rpartition(".")[0].rpartition(".")[2] for address in ADDRESSES.read_text("utf-8").split()}
    assert kinds - TRUTHS.keys() == set()
    assert all(truth.source for truth in TRUTHS.values())
