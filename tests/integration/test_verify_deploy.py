"""`wr verify-deploy` on the whole stack, through the edge: all that applies there is found to be fine."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from scripts.edge import Edge
from scripts.operator_api import connection
from scripts.operator_api.api import OperatorApi
from scripts.operator_cli.checks.findings import State, run
from scripts.operator_cli.checks.verify_deploy import SeenDeployment, checks
from scripts.operator_cli.cli import main
from tests.integration.running import Foyer
from tests.integration.zones import open_zones, zone


@pytest.fixture(scope="module", autouse=True)
def zones(foyer: Foyer) -> None:
    open_zones(foyer, zone("verified"))


@pytest.fixture
def described(foyer: Foyer, tmp_path: Path) -> Path:
    """The file by which `wr` finds the stack."""
    file = tmp_path / "local-stack.json"
    file.write_text(json.dumps(foyer.stack.describe(edge_url=foyer.url)), encoding="utf-8")
    return file


def test_the_local_stack_passes(
    foyer: Foyer, described: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scripts.local.stack.DESCRIPTION", described)
    monkeypatch.delenv("FOYER_API_URL", raising=False)
    code = main(["verify-deploy"])
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert "0 to act on, 0 not known" in shown
    assert shown.count("ok   gate  ") == 3


def test_an_edge_without_the_gate_and_with_another_secret_is_told(foyer: Foyer, described: Path) -> None:
    class Careless:
        """The stack, with an edge that does not know the secret and a gate that lets everybody pass."""

        api_url = foyer.api_url
        bucket_url = foyer.stack.bucket_url
        sign_bucket_read = foyer.stack.sign_bucket_read
        websocket_url = foyer.stack.websocket_url
        origin_secret = "guessed"
        gatekeeper_settings = foyer.stack.gatekeeper_settings | {
            "snapshot_path": "/.waiting-room/gate-lost.json",
            "on_missing_snapshot": "pass",
        }
        outbox_page = foyer.stack.outbox_page

    target = connection.find_target(None, None, None, None, described)
    with Edge(0, Careless(), foyer.site_url) as edge, httpx.Client() as http:
        api = OperatorApi(target)
        found = run(checks(SeenDeployment(edge.url, target.api_url, http, api, target.snapshot_key)))
        api.close()
    wrong = {finding.name for finding in found if finding.state is State.ACT}
    # It is the gate that turns away what normalises under the prefix and yet is no behaviour's.
    assert wrong == {"enter", "cookies", "gate", "prefix"}
