"""What can be said of a plan as a whole: it stays quiet, it is small, it keeps its secrets and its addresses."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.terraform.workspace import ROOT, Plan

MOST_RESOURCES = 131
ADDRESSES = Path(__file__).with_name("addresses.txt")
"""Resources that deployments have, as `<module path>.<type>.<name>`. Add to it; to take one away add a moved block."""


def places(plan: Plan) -> set[str]:
    """Addresses below the module `waiting_room` without indexes."""
    addresses = (re.sub(r"\[[^]]*\]", "", address) for address in plan.resources)
    return {each.removeprefix("module.waiting_room.") for each in addresses if each.startswith("module.waiting_room.")}


def moved() -> set[str]:
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "terraform").glob("*.tf"))
    return set(re.findall(r"moved\s*\{\s*from\s*=\s*(\S+)", text))


def test_a_plan_after_an_apply_is_empty(deployment: Plan) -> None:
    assert deployment.changes == ()


def test_the_minimal_example_is_small(minimal: Plan) -> None:
    assert len(minimal.resources) <= MOST_RESOURCES


def test_no_private_key_is_in_the_state(deployment: Plan) -> None:
    kinds = {resource["type"] for resource in deployment.resources.values()}
    assert not kinds & {"aws_ssm_parameter", "aws_secretsmanager_secret_version", "tls_private_key", "random_password"}
    assert "PRIVATE KEY" not in json.dumps(list(deployment.resources.values()))


def test_the_origin_secret_is_long_and_in_two_places_only(minimal: Plan) -> None:
    (secret,) = {
        header["value"]
        for origin in minimal.one("aws_cloudfront_distribution")["origin"]
        for header in origin["custom_header"]
    }
    assert re.fullmatch(r"[0-9a-f]{64}", secret)
    holders = {each["type"] for each in minimal.resources.values() if secret in json.dumps(each["values"])}
    assert holders == {"aws_cloudfront_distribution", "aws_lambda_function", "terraform_data"}


def test_files_of_the_bucket_are_sent_with_the_headers_of_the_schema(deployment: Plan) -> None:
    policy = deployment.one("aws_cloudfront_response_headers_policy", "module.behaviours")
    (said,), (custom,) = policy["security_headers_config"], policy["custom_headers_config"]
    found = {each["header"]: each["value"] for each in custom["items"]} | {
        "content-security-policy": said["content_security_policy"][0]["content_security_policy"],
        "x-content-type-options": "nosniff" if said["content_type_options"] else "",
        "x-frame-options": said["frame_options"][0]["frame_option"],
        "referrer-policy": said["referrer_policy"][0]["referrer_policy"],
        "strict-transport-security": f"max-age={said['strict_transport_security'][0]['access_control_max_age_sec']}",
    }
    headers = json.loads((ROOT / "schemas" / "behaviours.json").read_text(encoding="utf-8"))["headers"]
    assert found == headers["every"] | headers["file"]
    overridden = [part[0]["override"] for name, part in said.items() if name != "strict_transport_security" and part]
    assert all(overridden), "whatever the bucket says"


def test_no_address_is_lost(minimal: Plan, complete: Plan, attached: Plan) -> None:
    kept = places(minimal) | places(complete) | places(attached)
    released = set(ADDRESSES.read_text(encoding="utf-8").split())
    assert released - kept - moved() == set(), "whoever has these would lose them: add moved blocks"
    assert kept - released == set(), f"add these to {ADDRESSES.name}"


@pytest.mark.parametrize("kind", ["aws_dynamodb_table"])
def test_what_cannot_be_made_again_is_protected(kind: str, minimal: Plan) -> None:
    assert all(each["deletion_protection_enabled"] for each in minimal.of_type(kind))
