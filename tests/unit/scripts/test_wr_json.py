"""What `wr --json` promises: each command's answer is one JSON document, with these keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scripts.operator_cli import cli, draws, examine, metrics_commands, rehearse, watch
from scripts.operator_cli.checks.findings import Finding, State
from scripts.operator_cli.completion import words
from tests.support.api_world import SNAPSHOT_KEY, ZONE_ID, Browser
from tests.unit.scripts.test_wr_afterwards import LINES
from tests.unit.scripts.test_wr_commands import ZONE, drawn, service, wr

__all__ = ["service", "wr"]

VISITOR = "VISITOR"
"""Stands for the id of a visitor who is in line."""
KEY = "KEY"
"""Stands for the id of a key that was replaced a day ago."""
FOLDER = "FOLDER"
"""Stands for a folder with a file of zones and an archive."""
URL = "https://tickets.example/events/midnight-sun"

PROMISED: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "zones new": (("my-show", "--paths", "/x"), {"//", "zone_id", "mode", "rules", "max_active"}),
    "zones fields": (("claim",), {"fields"}),
    "zones apply": (("FOLDER/zones.json", "--dry-run"), {"zones"}),
    "zones list": ((), {"zones"}),
    "zones show": ((ZONE_ID,), {"zone_id", "mode", "rules", "max_active"}),
    "control": ((ZONE_ID, "pause"), {"zone"}),
    "set": ((ZONE_ID, "max_active=6"), {"zone", "changed"}),
    "watch": ((ZONE_ID, "--once"), {"zone", "status", "metrics"}),
    "dashboard": ((), {"address"}),
    "bypass": ((ZONE_ID, "--for", "Ann"), {"id", "link", "url", "expires_at_ms"}),
    "invite": ((ZONE_ID, "--lane", "general", "--for", "Ann"), {"id", "link", "url", "token", "expires_at_ms"}),
    "revoke": ((ZONE_ID, "--visitor", VISITOR), {"zone_id", "visitor_id"}),
    "look-up": ((ZONE_ID, VISITOR), {"visitor", "story"}),
    "verify-draw": (
        ("winter-gala", "--arrival", "3"),
        {"zone_id", "run", "commitment", "beacon", "early", "lane", "place"},
    ),
    "erase": ((ZONE_ID, VISITOR), {"erased"}),
    "keys list": ((), {"keys"}),
    "keys rotate": ((), {"step", "wait_sec", "keys"}),
    "keys retire": ((KEY, "--force"), {"retired"}),
    "explain": ((URL,), {"method", "path", "hosts", "other_readings", "rules", "tokens", "decision"}),
    "secret": ((), {"secret", "sha256"}),
    "preflight": (("2000", "--region", "eu-west-1"), {"needs", "fine", "findings"}),
    "verify-deploy": (("https://tickets.example",), {"fine", "findings"}),
    "cost": ((), {"assumed", "idle_month", "waiting", "admitted"}),
    "rehearse": ((ZONE_ID, "--put-back"), {"put_back"}),
    "page preview": ((ZONE_ID,), {"address"}),
    "history": ((ZONE_ID,), {"entries"}),
    "report": (
        (ZONE_ID, "1", "--archive", FOLDER, "--output", "FOLDER/r.html"),
        {"file", "visitors", "admitted", "differing", "exported"},
    ),
    "metrics": ((ZONE_ID, "runs"), {"rows"}),
    "completion": (("bash",), {"shell", "script"}),
}


class Served:
    """A server, or a client, that nobody asks."""

    server_address = ("127.0.0.1", 1)

    def __enter__(self) -> Served:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing was opened."""

    def serve_forever(self) -> None:
        """Ends at once."""

    def close(self) -> None:
        """Nothing was opened."""


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for what is neither the operator's API nor this machine: AWS, the site, a browser."""
    finding = Finding("quota", State.ACT, "too low", "Ask for more.")
    monkeypatch.setattr(examine, "run", lambda _: [finding])
    monkeypatch.setattr(examine, "made_clients", lambda _: {})
    monkeypatch.setattr(examine, "_snapshot_key", lambda *_: None)
    monkeypatch.setattr(draws, "read_draw", lambda *_: drawn()[0])
    monkeypatch.setattr(watch, "read_status", lambda *_: {"phase": "open"})
    monkeypatch.setattr(rehearse.takeover, "put_back", lambda *_: ZONE_ID)
    monkeypatch.setattr(metrics_commands, "timestream_client", lambda *_: Served())
    monkeypatch.setattr(metrics_commands.Timestream, "ask", lambda *_: [{"run": 1}])
    monkeypatch.setattr("scripts.operator_cli.commands.serve", lambda *_: Served())
    monkeypatch.setattr("scripts.operator_cli.dashboard.server.serve", lambda *_: (Served(), "http://127.0.0.1:1/x/"))


@pytest.fixture
def given(wr: Any, service: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """What the placeholders stand for, in a service that has a zone with a visitor and has turned its keys."""
    file = tmp_path / "zones.json"
    file.write_text(json.dumps(ZONE), encoding="utf-8")
    wr("zones", "apply", str(file))
    visitor = Browser(service.world).ask("POST", "/visitors").json["visitor_id"]
    part = tmp_path / f"changes/zone_id={ZONE_ID}/day=1970-01-01"
    part.mkdir(parents=True)
    (part / "rows").write_text(LINES, encoding="utf-8")
    capsys.readouterr()
    return {VISITOR: visitor, FOLDER: str(tmp_path)}


def leaves() -> Iterator[str]:
    """Every command that does something, as it is typed."""
    known = dict(words(cli._parser()))
    for typed in known:
        # `wr keys` alone lists them.
        if not any(other.startswith(f"{typed} ") for other in known):
            yield typed.removeprefix("wr ")


def test_every_command_is_promised() -> None:
    assert sorted(leaves()) == sorted(PROMISED)


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("command", PROMISED)
@pytest.mark.usefixtures("elsewhere")
def test_its_answer_is_one_document_with_the_keys_promised(
    command: str, before: bool, wr: Any, service: Any, given: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    arguments, keys = PROMISED[command]
    if KEY in arguments:
        given[KEY] = replaced_key(wr, service, capsys)
    for name, value in given.items():
        arguments = tuple(word.replace(name, value) for word in arguments)
    line = [*command.split(), *arguments]
    code = wr("--json", *line) if before else wr(*line, "--json")
    said = capsys.readouterr()
    assert code == (1 if command in ("preflight", "verify-deploy") else 0), said.err
    assert keys <= json.loads(said.out).keys()


def replaced_key(wr: Any, service: Any, capsys: pytest.CaptureFixture[str]) -> str:
    """The key that another has replaced, long enough ago, as every edge knows."""
    keys = service.world.operate("GET", "/keys").json["keys"]
    service.world.objects.put(SNAPSHOT_KEY, json.dumps({"keys": keys}).encode(), "", "")
    service.world.clock.advance(400)
    wr("keys", "rotate")
    service.world.clock.advance(400)
    capsys.readouterr()
    return str(keys[0]["kid"])
