"""Deployments that never were: applied and planned with the stand-in provider, once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.terraform import components
from tests.terraform.workspace import Plan, copy_of_the_code, deploy, require_stand_in

ARTIFACTS = {"artifacts_dir": "../../tests/artifacts"}
SITE = {**ARTIFACTS, "origin_domain_name": "origin.example.com"}
COMPLETE = {
    **SITE,
    "domain_name": "example.com",
    "hosted_zone_id": "Z0123456789ABCDEFGHIJ",
    "address_records": "true",
    "origination_identity_arn": "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-0123456789abcdef",
    "notify_code_configuration": "ncc-0123456789abcdef",
    "email": "operator@example.com",
}


@pytest.fixture(scope="session")
def minimal(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The minimal example, with the components there are."""
    require_stand_in()
    code = copy_of_the_code(tmp_path_factory.mktemp("minimal"))
    return deploy(code / "examples" / "minimal", SITE)


@pytest.fixture(scope="session")
def complete(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The complete example with every component, those that come later too, and Timestream for its metrics."""
    require_stand_in()
    code = copy_of_the_code(tmp_path_factory.mktemp("complete"))
    components.add_all(code.parent / "schemas")
    example = code / "examples" / "complete"
    main = example / "main.tf"
    main.write_text(with_timestream(main), encoding="utf-8")
    return deploy(example, COMPLETE)


@pytest.fixture(scope="session")
def attached(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """The example that attaches to an existing distribution."""
    require_stand_in()
    code = copy_of_the_code(tmp_path_factory.mktemp("attached"))
    return deploy(code / "examples" / "existing_distribution", SITE)


@pytest.fixture(params=["minimal", "complete", "attached"])
def deployment(request: pytest.FixtureRequest) -> Plan:
    """Each of them."""
    plan: Plan = request.getfixturevalue(request.param)
    return plan


def with_timestream(main: Path) -> str:
    """The example's text with the one option of which it can have only the other value."""
    text = main.read_text(encoding="utf-8")
    changed = text.replace('source = "../.."\n', 'source = "../.."\n  metrics = { backend = "timestream" }\n', 1)
    assert changed != text
    return changed
