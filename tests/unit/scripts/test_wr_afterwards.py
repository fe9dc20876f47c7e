"""`wr history` and `wr report` from their arguments to what they print, write and end with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts.report.files import archive_folder
from tests.support.api_world import ZONE_ID
from tests.support.memory_aws import MemoryBucket
from tests.unit.scripts.test_wr_commands import ZONE, service, wr

__all__ = ["service", "wr"]

ROW = {
    "zone_id": ZONE_ID,
    "run": 1,
    "visitor_id": "v" * 22,
    "lane": "general",
    "shard": 0,
    "seq": 1,
    "joined_at_ms": 1000,
}
JOINED = {**ROW, "event_id": "1", "sequence": "1", "change": "joined", "happened_at_ms": 1000, "status": "waiting"}
ADMITTED = {
    **ROW,
    "event_id": "2",
    "sequence": "2",
    "change": "admitted",
    "happened_at_ms": 31_000,
    "status": "admitted",
}
LINES = "".join(json.dumps(row) + "\n" for row in (JOINED, {**ADMITTED, "wait_ms": 30_000}))


@pytest.fixture
def zone(wr: Any, tmp_path: Path) -> str:
    """A zone that an operator has changed for a reason."""
    file = tmp_path / "zones.json"
    file.write_text(json.dumps(ZONE), encoding="utf-8")
    assert wr("zones", "apply", str(file)) == 0
    assert wr("set", ZONE_ID, "max_active=7", "--reason", "The shop is fast.") == 0
    assert wr("control", ZONE_ID, "pause", "--reason", "Payment is down.") == 0
    return ZONE_ID


def test_history_says_who_changed_what_from_what_to_what_and_why(wr: Any, zone: str, capsys: Any) -> None:
    capsys.readouterr()
    assert wr("history", zone) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].strip().endswith("settings (--json shows them)")
    assert "set_control, run 1  by arn:aws:" in lines[2]
    assert [line.strip() for line in lines[3:5]] == ["reason: The shop is fast.", "max_active: 5 -> 7"]
    assert [line.strip() for line in lines[6:]] == ["reason: Payment is down.", 'control: "auto" -> "pause"']
    assert wr("history", zone, "--entries", "1", "--json") == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert entry["changes"] == {"control": ["auto", "pause"]}
    assert wr("history", zone, "--run", "2") == 0
    assert capsys.readouterr().out == f"Nothing is noted of {zone} in run 2.\n"
    assert wr("set", zone, "starts_at=2027-03-01T18:00:00Z") == 0
    assert wr("history", zone, "--entries", "1") == 0
    assert "starts_at_ms: not set -> 2027-03-01 18:00:00" in capsys.readouterr().out


def test_a_report_is_one_file_and_tells_what_does_not_agree(wr: Any, zone: str, tmp_path: Path, capsys: Any) -> None:
    part = tmp_path / f"changes/zone_id={zone}/day=1970-01-01"
    part.mkdir(parents=True)
    (part / "rows").write_text(LINES, encoding="utf-8")
    output = tmp_path / "report.html"
    arguments = ("--archive", str(tmp_path), "--output", str(output), "--export", str(tmp_path / "out"))
    assert wr("report", zone, "1", *arguments) == 0
    said = capsys.readouterr().out
    assert f"{output}: 1 visitors, 1 admitted" in said
    assert output.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert json.loads((tmp_path / "out" / "report.json").read_text(encoding="utf-8"))["waits"][0]["median_sec"] == 30
    empty = tmp_path / "empty.html"
    assert wr("report", zone, "9", "--archive", str(tmp_path), "--output", str(empty)) == 2
    assert "in run 9" in capsys.readouterr().err
    assert not empty.exists()


def test_a_report_without_an_archive_says_where_it_is(wr: Any, zone: str, tmp_path: Path, capsys: Any) -> None:
    assert wr("report", zone, "1") == 2
    assert "--archive s3://BUCKET" in capsys.readouterr().err
    assert wr("report", zone, "1", "--archive", str(tmp_path)) == 2
    assert f"zone_id={zone}" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        wr("report", zone, "first")


class Bucket(MemoryBucket):
    """One that can be listed, too."""

    def get_paginator(self, operation: str) -> Any:
        assert operation == "list_objects_v2"
        return self

    def paginate(self, *, Bucket: str, Prefix: str) -> Any:  # noqa: N803
        keys = [{"Key": key} for key in self.objects if key.startswith(Prefix)]
        return [{"Contents": keys[:1]}, {"Contents": keys[1:]}, {}]


def test_files_of_the_zone_alone_are_fetched_and_gone_afterwards() -> None:
    names = ("zone_id=a/day=2026-06-01/one", "zone_id=a/day=2026-06-02/two", "zone_id=ab/day=2026-06-01/other")
    bucket = Bucket({f"changes/{name}": name.encode() for name in names})
    with archive_folder("s3://foyer-archive/", "a", bucket) as folder:
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        assert files == [f"changes/{name}" for name in names[:2]]
    assert not folder.exists()
