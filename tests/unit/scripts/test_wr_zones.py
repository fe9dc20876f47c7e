"""`wr zones new` and `wr zones fields`: a start that `wr zones apply` takes, and settings explained from the schema."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from scripts.operator_cli.cli import main
from scripts.operator_cli.zone_fields import explained, fields
from scripts.operator_cli.zone_files import BadZoneFile, read_zone_file
from scripts.operator_cli.zone_start import NEEDED, OFFERED
from scripts.tfdocs import zones
from tests.unit.house.test_schemas import ROOT
from waiting_room import schemas
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.validation import validate
from waiting_room.use_cases.zones import run_faults

ZONE = schemas.load("zone")


def read(tmp_path: Path, text: str) -> dict[str, Any]:
    """The one zone of a file."""
    file = tmp_path / "zones.json"
    file.write_text(text, encoding="utf-8")
    (document,) = read_zone_file(file)
    return document


def begun(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["zones", "new", "my-show", "--paths", "/events/x", *arguments]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("mode", NEEDED)
def test_a_start_is_taken_as_it_is(mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = read(tmp_path, begun(capsys, "--mode", mode, "--hosts", "tickets.example.com"))
    assert document["rules"] == [{"hosts": ["tickets.example.com"], "paths": ["/events/x"]}]
    assert (document["zone_id"], document["mode"], document["landing_path"]) == ("my-show", mode, "/events/x")
    assert document.keys() - {"starts_at_ms", "max_active", "rate_per_min"} == {
        *("zone_id", "title", "mode", "rules", "landing_path")
    }


@pytest.mark.parametrize("mode", NEEDED)
def test_a_setting_that_is_off_is_on_without_its_slashes(
    mode: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = begun(capsys, "--mode", mode).replace('"//', '"').replace('" ', '"remark ')
    lines = [line for line in text.splitlines() if not line.strip().startswith(('"remark', '"":'))]
    document = json.loads(text)
    used = {name: document[name] for name in document if name in {*OFFERED, *ZONE["properties"]}}
    assert {*OFFERED} <= used.keys()
    assert read(tmp_path, json.dumps(used))["inventory"] == OFFERED["inventory"]
    assert lines


def test_every_setting_has_its_remark_and_a_page_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    document = json.loads(begun(capsys))
    for name in {*OFFERED, "title", "mode", "rules", "landing_path"}:
        assert len(document[f"// {name}"]) > 20


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("My Show", "--paths", "/x"), "/zone_id: "),
        (("my-show", "--paths", "events"), "/rules/0/paths/0: "),
        (("my-show", "--paths", "/x", "--hosts", "https://a.example"), "/rules/0/hosts/0: "),
    ],
)
def test_what_no_zone_can_have_is_refused(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["zones", "new", *arguments]) == 2
    shown = capsys.readouterr()
    assert said in shown.err
    assert shown.out == ""


@pytest.mark.parametrize("paths", ["/a/*/b", "=/exact", "/*"])
def test_a_pattern_is_no_page_to_land_on(paths: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "new", "my-show", "--paths", paths]) == 0
    assert "*" not in read(tmp_path, capsys.readouterr().out)["landing_path"]


def test_remarks_stand_anywhere_and_twice_and_a_key_does_not(tmp_path: Path) -> None:
    text = """{"//": "one", "//": "two", "zone_id": "a", "mode": "queueing", "max_active": 1,
              "rules": [{"// why": "x", "paths": ["/a"]}]}"""
    assert read(tmp_path, text)["rules"] == [{"paths": ["/a"]}]
    with pytest.raises(BadZoneFile, match="'mode' stands twice"):
        read(tmp_path, text.replace('"max_active": 1', '"mode": "combined"'))


def test_every_setting_is_explained_and_its_example_is_one() -> None:
    known = {each.name: each for each in fields()}
    assert ZONE["properties"].keys() <= known.keys()
    assert {"session.idle_sec", "rules[].paths", "lanes.NAME.weight", "page.by_lane.NAME.cards[].title"} <= known.keys()
    sale = {"zone_id": "a", "mode": "queueing", "max_active": 1, "rules": [{"paths": ["/a"]}]}
    for name, each in known.items():
        assert len(each.description) > 5, name
        if each.example is not None:
            validate({**sale, name: each.example}, "zone")
        elif name in ZONE["properties"]:
            assert each.default is not None or each.kind.startswith("one of") or each.set_by_service, name


@pytest.mark.parametrize(
    ("name", "facts", "changes"),
    [
        ("rate_per_min", "number; a minute; more than 0, at most 600,000", "live"),
        ("session.idle_sec", "whole number; seconds; 30 to 3,600; default 300", "live"),
        ("order", 'one of fifo, lottery; default "fifo"', "with the next run"),
        ("zone_id", "text; needed", "never"),
        ("run", "whole number; 1 to 1,000,000,000; default 1", "set by the service"),
    ],
)
def test_a_setting_says_what_it_takes_and_when_it_changes(name: str, facts: str, changes: str) -> None:
    found = explained(name)[0]
    assert found.facts == facts
    assert found.changes.startswith(changes)


def test_what_a_run_keeps_is_told_as_changing_with_the_next() -> None:
    sale = {"zone_id": "a", "mode": "combined", "max_active": 1, "starts_at_ms": 1, "rules": [{"paths": ["/a"]}]}
    stored = Zone.from_document(sale)
    for name, value in (("order", "lottery"), ("beacon", "drand")):
        faults = run_faults(replace(stored, **{name: value}), stored, 0)
        assert [fault.pointer for fault in faults if "change it with a reset" in fault.detail] == [f"/{name}"]
    # This one is taken at once, and counts when a run begins.
    told = {each.name for each in fields() if each.with_next_run}
    assert told == {"order", "beacon", "expected_joins_per_sec"}


def test_a_part_is_told_with_what_is_in_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["zones", "fields", "claim"]) == 0
    told = capsys.readouterr().out
    assert "claim - Being called" in told
    assert "claim.grace_sec\n  Further seconds" in told
    assert main(["zones", "fields", "clam"]) == 2
    assert "Did you mean claim" in capsys.readouterr().err
    assert main(["zones", "fields"]) == 0
    assert "rate_per_min" in capsys.readouterr().out


def test_the_page_of_settings_is_up_to_date() -> None:
    assert (ROOT / "ZONES.md").read_text(encoding="utf-8") == zones.page(), "run make docs"
