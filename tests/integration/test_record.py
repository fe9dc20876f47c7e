"""A visit on the running stack, and what is known of it afterwards: archive, metrics, history, report."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import httpx
import pytest
from botocore.credentials import Credentials

from scripts.local.stack import CREDENTIALS, REGION
from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_cli import afterwards
from scripts.report.files import archive_folder
from scripts.report.questions import Answers
from tests.integration.guests import Guest
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import SITE_KEY, open_zones, zone

ZONE_ID = "recorded"


@pytest.fixture(scope="module", autouse=True)
def _zone(foyer: Foyer) -> None:
    open_zones(foyer, zone(ZONE_ID))


def test_a_visit_is_archived_counted_and_reported(foyer: Foyer, http: httpx.Client, tmp_path: Path) -> None:
    guest = Guest(http, ZONE_ID)
    guest.open()
    guest.come_in()
    body = {"token": guest.token("access"), "reference": "order-7", "checkout": True}
    confirmed = http.post("/.waiting-room/v1/confirmations", json=body, headers={"authorization": f"Bearer {SITE_KEY}"})
    assert confirmed.status_code == 200, confirmed.text
    paused = foyer.operate("POST", f"/zones/{ZONE_ID}/control", {"control": "pause", "reason": "That was all."})
    assert paused.status_code == 200

    secrets = Credentials(CREDENTIALS["aws_access_key_id"], CREDENTIALS["aws_secret_access_key"])
    archive = f"s3://{foyer.stack.names.archive}"
    target = Target(foyer.api_url, foyer.url, REGION, secrets, archive=archive, endpoint=foyer.stack.endpoint)

    def delivered() -> bool:
        try:
            with (
                archive_folder(archive, ZONE_ID, foyer.client("s3")) as folder,
                Answers.of(folder, ZONE_ID) as answers,
            ):
                paused = "That was all." in [row["reason"] for row in answers.ask("operations", ZONE_ID)]
                return paused and answers.ask("totals", ZONE_ID, 1)[0]["completed"] == 1
        except afterwards.BadInput:
            return False

    wait_until(delivered, 30, "the visit and the pause in the archive")
    wait_until(lambda: minutes(foyer), 30, "the visit in the minute rows")
    api = OperatorApi(target)
    try:
        asked = {"zone": ZONE_ID, "run": 1, "archive": None, "export": str(tmp_path / "out")}
        told = [afterwards.report(api, target, argparse.Namespace(**asked, output=str(tmp_path / "report.html")))]
        told.append(afterwards.history(api, target, argparse.Namespace(zone=ZONE_ID, run=None, entries=5)))
    finally:
        api.close()
    said = "\n".join(line for answer in told for line in answer.lines)
    assert "1 visitors, 1 admitted" in said
    assert 'control: "auto" -> "pause"' in said
    assert "reason: That was all." in said
    report = json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))
    assert (report["totals"]["admitted"], report["totals"]["completed"]) == (1, 1)
    assert "That was all." in (tmp_path / "report.html").read_text(encoding="utf-8")


def minutes(foyer: Foyer) -> bool:
    """Whether the API tells the visit by lane."""
    rows = foyer.operate("GET", f"/zones/{ZONE_ID}/metrics?run=1").json()["minutes"]
    visits = [lane for row in rows for lane in row.get("visits", {}).values()]
    return sum(lane["completed"] for lane in visits) == 1
