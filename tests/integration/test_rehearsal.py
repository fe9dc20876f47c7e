"""`wr rehearse` on the running stack: everything held, everybody gone, everything put back, also after Ctrl-C."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.types import TypeDeserializer

from scripts.local.stack import CREDENTIALS, REGION
from scripts.operator_cli import rehearse
from scripts.operator_cli.cli import main
from scripts.rehearsal import director
from tests.integration.running import Foyer, wait_until
from tests.integration.zones import open_zones, path_of, sample_site, status_of, zone
from tests.support.tools import require_tool
from waiting_room import schemas

ZONE_ID, AHEAD, LIVE = "practice", "ahead", "onsale"
CAP, SIZE = 3, 10
QUICK = ("--stay", "1", "2", "--over", "3", "--minutes", "4", "--absent", "0.2", "--give-up", "0")
PLAYED_SEC = 240.0


@pytest.fixture(scope="module", autouse=True)
def engine() -> None:
    require_tool("locust", importlib.util.find_spec("locust"), "install the extra `rehearse` to play rehearsals")


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setattr(rehearse, "BUILD", tmp_path)


def places(foyer: Foyer, zone_id: str, run: int) -> list[dict[str, Any]]:
    """Every place of a run as the database has it."""
    read = TypeDeserializer().deserialize
    table, partition = foyer.stack.tables["queue"], schemas.table("queue")["partition_key"]["name"]
    pages = foyer.client("dynamodb").get_paginator("scan").paginate(TableName=table)
    items = [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    return [item for item in items if item[partition].startswith(f"{zone_id}#{run}#")]


def stored(foyer: Foyer, zone_id: str) -> dict[str, Any]:
    document: dict[str, Any] = foyer.operate("GET", f"/zones/{zone_id}").json()
    return document


def test_a_crowd_is_played_judged_and_sent_home(foyer: Foyer, credentials: None, tmp_path: Path, capsys: Any) -> None:
    open_zones(foyer, zone(ZONE_ID, max_active=CAP, rehearsal=True, session={"idle_sec": 30, "max_sec": 600}))
    before = stored(foyer, ZONE_ID)
    with sample_site(foyer, ZONE_ID) as edge:
        played = [f"--host={edge.url}", f"--visitors={SIZE}", f"--checkout={path_of(ZONE_ID)}/checkout", *QUICK]
        # The machine may be busy with other tests: this is about what is said, not about how fast it was.
        slow = ("claim_p95_ms=60000", "push_p95_ms=60000", "occupancy=0.01", "failed_pct=50", "throttled_pct=50")
        easy = [part for target in slow for part in ("--target", target)]
        code = main(["--api-url", foyer.api_url, "rehearse", ZONE_ID, *played, *easy])
    shown = capsys.readouterr()
    assert code == 0, shown
    document = json.loads((tmp_path / f"{ZONE_ID}.json").read_text())
    rows = {row["name"]: row for row in document["verdict"]}
    for name in ("cap", "order", "places kept", "nobody lost", "failed requests", "claim ms"):
        assert rows[name]["state"] == "held", rows[name]
        assert f"ok  {name}" in shown.out
    assert (document["holds"], document["figures"]["unfinished"]) == (True, 0)

    # Counted afresh, from the table: as many places and purchases as the log has, and nobody is left behind.
    events = [json.loads(text) for text in (tmp_path / f"{ZONE_ID}.events.jsonl").read_text().splitlines()]
    happened = Counter(event["event"] for event in events)
    taken = places(foyer, ZONE_ID, before["run"] + 1)
    statuses = Counter(place["status"] for place in taken)
    bought = sum(event.get("how") == "checkout" for event in events)
    assert (len(taken), happened["arrived"], statuses["completed"]) == (SIZE, SIZE, bought)
    assert statuses == Counter({"completed": bought, "left": SIZE - bought}), statuses
    assert happened["inside"] + happened["absent"] == SIZE
    assert happened["socket_open"] > 0, "nobody opened a connection"

    after = stored(foyer, ZONE_ID)
    assert (after["run"], after["rehearsal"], after["control"]) == (before["run"] + 2, True, "auto")
    assert not (tmp_path / f"{ZONE_ID}.before.json").exists()


def test_a_live_zone_is_left_alone(foyer: Foyer, credentials: None, capsys: Any) -> None:
    open_zones(foyer, zone(LIVE))
    command = ["--api-url", foyer.api_url, "rehearse", LIVE, f"--host={foyer.url}", "--visitors=3"]
    for flags in ([], ["--on-a-live-zone"], ["--beside-real-visitors"], ["--own-run"]):
        assert main([*command, *flags]) == 2
    assert "onsale is live: it is open" in capsys.readouterr().err
    assert places(foyer, LIVE, stored(foyer, LIVE)["run"]) == []


@contextlib.contextmanager
def started(foyer: Foyer, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`wr rehearse` in a process of its own."""
    keys = {name.upper(): value for name, value in CREDENTIALS.items()}
    with subprocess.Popen(
        [str(director.ROOT / "scripts" / "wr"), "--api-url", foyer.api_url, "rehearse", *arguments],
        env={"PATH": "/usr/bin:/bin", "AWS_REGION": REGION, **keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_ctrl_c_sends_everybody_home_and_puts_the_zone_back(foyer: Foyer) -> None:
    starts_at_ms = time.time_ns() // 1_000_000 + 3_600_000
    foyer.operate("DELETE", f"/zones/{AHEAD}")
    foyer.apply_zone(zone(AHEAD, mode="combined", starts_at_ms=starts_at_ms, max_active=1))
    before = stored(foyer, AHEAD)
    command = (AHEAD, f"--host={foyer.url}", "--visitors=6", "--own-run", *QUICK)
    with started(foyer, *command) as process:
        run = before["run"] + 1
        wait_until(lambda: len(places(foyer, AHEAD, run)) >= 4, PLAYED_SEC, "some have joined")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=PLAYED_SEC)
    assert process.returncode == 130, said
    assert "Broken off: this is no verdict." in said
    statuses = Counter(place["status"] for place in places(foyer, AHEAD, run))
    assert statuses.keys() <= {"left"}, statuses
    after = stored(foyer, AHEAD)
    assert (after["run"], after["starts_at_ms"], after["rehearsal"]) == (run + 1, starts_at_ms, False)
    wait_until(lambda: status_of(foyer, AHEAD).get("phase") == "before", 60, "the zone waits for its start again")
