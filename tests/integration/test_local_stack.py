"""The local stack as a user meets it: set up twice, listening on this machine only, gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from scripts.local import LocalStack, engine, functions
from tests.integration.running import Foyer, group_members, wait_until

ROOT = Path(__file__).resolve().parents[2]
LOOPBACK = {"0100007F", "0000000000000000FFFF00000100007F", "00000000000000000000000001000000"}


def state(stack: LocalStack) -> dict[str, Any]:
    """Return what the engine holds of a stack."""
    gateway, lambdas = stack.client("apigatewayv2"), stack.client("lambda")
    api_ids = [item["ApiId"] for item in gateway.get_apis()["Items"]]
    configurations = lambdas.list_functions()["Functions"]
    return {
        "tables": stack.client("dynamodb").list_tables()["TableNames"],
        "functions": sorted(
            (item["FunctionName"], item["CodeSha256"], item["Layers"][0]["Arn"], str(item["Environment"]))
            for item in configurations
        ),
        "apis": api_ids,
        "routes": sorted(item["RouteKey"] for item in gateway.get_routes(ApiId=api_ids[0], MaxResults="100")["Items"]),
        "integrations": len(gateway.get_integrations(ApiId=api_ids[0])["Items"]),
        "streams": len(lambdas.list_event_source_mappings()["EventSourceMappings"]),
        "schedules": [item["Name"] for item in stack.client("scheduler").list_schedules()["Schedules"]],
        "objects": [item["ETag"] for item in stack.client("s3").list_objects_v2(Bucket=stack.bucket)["Contents"]],
    }


def test_setting_up_again_changes_nothing_and_new_code_is_all_that_is_updated(tmp_path: Path) -> None:
    for folder in ("lambdas", "layer", "schemas"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    with LocalStack.start(root=tmp_path) as stack:
        before = state(stack)
        assert before["functions"]
        assert before["routes"]
        assert stack.changes
        assert stack.apply() == []
        assert state(stack) == before

        handler = tmp_path / "lambdas" / "bouncer" / "handler.py"
        handler.write_text(handler.read_text(encoding="utf-8") + "\nCHANGED = True\n", encoding="utf-8")
        assert stack.apply() == ["function foyer-bouncer code updated"]

        module = tmp_path / "layer" / "python" / "waiting_room" / "changed.py"
        module.write_text("", encoding="utf-8")
        regional = len(before["functions"])
        changes = stack.apply()
        assert changes[0] == "layer foyer-layer version 2 published"
        assert [change.split()[-2:] for change in changes[1:]] == [["configuration", "updated"]] * regional
        assert stack.apply() == []


def test_an_engine_that_was_there_before_is_used_and_left_running(monkeypatch: pytest.MonkeyPatch) -> None:
    with engine.running() as before:
        monkeypatch.setenv("AWS_ENDPOINT_URL", before.endpoint)
        with LocalStack.start() as first:
            described = first.describe()
            assert first.changes
        with LocalStack.start() as second:
            assert second.changes == []
            assert second.describe() == described
        assert httpx.get(f"{before.endpoint}/_ministack/ready").status_code == 200


def test_the_first_snapshot_is_there_before_the_first_zone(foyer: Foyer) -> None:
    answer = httpx.get(f"{foyer.url}/{foyer.stack.snapshot_key}")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "public, max-age=1")
    assert httpx.get(f"{foyer.url}/open").status_code == 200


def test_every_function_answers_with_its_own_settings(foyer: Foyer) -> None:
    guessed = httpx.get(f"{foyer.api_url}/.waiting-room/v1/zones/none/visitors/me")
    assert guessed.status_code == 403
    through_the_edge = httpx.get(f"{foyer.url}/.waiting-room/v1/zones/none/visitors/me")
    assert through_the_edge.json()["type"] == "urn:foyer:problem:unknown-zone"
    assert foyer.operate("GET", "/zones").json()["zones"] is not None
    for component in ("dispatcher", "publisher"):
        answer, failed = foyer.invoke(component, {})
        assert not failed, answer


def test_the_dispatcher_holds_bouncers_before_a_start(foyer: Foyer) -> None:
    """Of rights and wiring: a run of a wave calls the bouncer, which waits and does nothing."""
    answer, failed = foyer.invoke("dispatcher", {"warm": 2, "until_ms": time.time_ns() // 1_000_000 + 200})
    assert (answer, failed) == ('{"warmed": 2}', False)


def test_a_worker_that_was_killed_is_replaced(foyer: Foyer) -> None:
    foyer.invoke("dispatcher", {})
    assert foyer.kill("dispatcher") >= 1
    foyer.invoke("dispatcher", {})
    assert not foyer.invoke("dispatcher", {})[1]


def test_what_starts_functions_is_connected(foyer: Foyer) -> None:
    lambdas = foyer.client("lambda")
    publisher = lambdas.list_event_source_mappings(FunctionName="foyer-publisher")["EventSourceMappings"]
    assert [mapping["State"] for mapping in publisher] == ["Enabled"]
    schedule = foyer.client("scheduler").get_schedule(Name="foyer-dispatcher")
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    assert functions.find_configuration(lambdas, "foyer-gatekeeper") is None


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs /proc, that is Linux")
def test_everything_listens_on_this_machine_only(foyer: Foyer) -> None:
    assert foyer.stack.engine.group is not None
    processes = [*group_members(foyer.stack.engine.group), os.getpid()]
    listening = listening_addresses(processes)
    assert len(listening) >= 3, "engine, edge and origin were not found"
    assert {address for address, _ in listening} <= LOOPBACK


def listening_addresses(processes: list[int]) -> list[tuple[str, int]]:
    """Return address (hexadecimal, as the kernel writes it) and port of every socket that processes listen on."""
    inodes = set()
    for process in processes:
        for descriptor in Path(f"/proc/{process}/fd").glob("*"):
            try:
                inodes.add(str(descriptor.readlink()))
            except FileNotFoundError:
                continue
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text(encoding="utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                address, _, port = fields[1].rpartition(":")
                found.append((address, int(port, 16)))
    return found


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_end_leaves_no_process_and_no_file(tmp_path: Path, ending: signal.Signals) -> None:
    scratch, description = tmp_path / "tmp", tmp_path / "described" / "local-stack.json"
    scratch.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    running = subprocess.Popen(
        [sys.executable, "-m", "scripts.local", "--description", str(description)],
        cwd=ROOT,
        env=environment | {"TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        wait_until(lambda: description.exists() and description.read_text(encoding="utf-8"), 60, "the stack is up")
        assert description.stat().st_mode & 0o077 == 0
        group = engine_group(running.pid)
        api_url = httpx.Response(200, content=description.read_bytes()).json()["api_url"]
        assert httpx.get(f"{api_url}/.waiting-room/v1/zones/a/visitors/me", timeout=30).status_code == 403
        assert len(group_members(group)) >= 3, "guard, engine and worker were not found"
    finally:
        running.send_signal(ending)
        running.communicate(timeout=20)
    wait_until(lambda: not group_members(group), 5, "engine and workers are gone")
    assert list(scratch.iterdir()) == []
    if ending in (signal.SIGINT, signal.SIGTERM):
        assert (running.returncode, description.exists()) == (0, False)


def engine_group(parent: int) -> int:
    """Return the process group of the engine a process started."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="utf-8").split()
    assert len(children) == 1
    return int(children[0])
