"""Every Region is planned: what the distribution is told must be somewhere that AWS has it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping

import boto3
import pytest

from tests.terraform.workspace import ROOT, init, require_terraform, terraform

HAS_ORIGIN_SHIELD = {
    *("us-east-2", "us-east-1", "us-west-2", "ap-south-1", "ap-northeast-2", "ap-southeast-1", "ap-southeast-2"),
    *("ap-northeast-1", "eu-central-1", "eu-west-1", "eu-west-2", "sa-east-1"),
}
"""CloudFront guide, "Use Amazon CloudFront Origin Shield", "Choosing the AWS Region for your Origin Shield"."""

WITHOUT = "xx-future-1"
"""A Region that nobody knows yet."""

EACH = """
variable "regions" { type = list(string) }
module "in" {
  for_each = toset(var.regions)
  source   = "./in"
  region   = each.key
}
output "found" { value = { for region, in in module.in : region => in.found } }
"""
ONE = """
variable "region" { type = string }
locals { region = var.region }
output "found" { value = local.origin_shield_region }
"""


@pytest.fixture(scope="module")
def shields(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str | None]:
    """The Region of Origin Shield by the deployment's, for every Region that has Lambda."""
    require_terraform()
    folder = tmp_path_factory.mktemp("regions")
    (folder / "in").mkdir()
    shutil.copy(ROOT / "terraform" / "origin_shield.tf", folder / "in")
    (folder / "in" / "main.tf").write_text(ONE, encoding="utf-8")
    (folder / "main.tf").write_text(EACH, encoding="utf-8")
    regions = [*boto3.Session().get_available_regions("lambda"), WITHOUT]
    init(folder)
    terraform(folder, "plan", "-no-color", "-input=false", "-out=plan", f"-var=regions={json.dumps(regions)}")
    plan = json.loads(terraform(folder, "show", "-json", "plan"))
    found: Mapping[str, str | None] = plan["planned_values"]["outputs"]["found"]["value"]
    assert found.keys() == set(regions)
    return found


def test_origin_shield_is_where_it_exists(shields: Mapping[str, str | None]) -> None:
    assert {shield for region, shield in shields.items() if region != WITHOUT} <= HAS_ORIGIN_SHIELD
    assert all(shields[region] == region for region in HAS_ORIGIN_SHIELD)


def test_a_region_that_is_not_known_gets_none(shields: Mapping[str, str | None]) -> None:
    assert shields[WITHOUT] is None
