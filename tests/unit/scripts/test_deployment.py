"""Where a stack on this machine describes itself, and where the tools keep what they write."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.deployment import local, places
from scripts.deployment.local import Announcement


def test_a_description_is_for_its_user_alone_and_gone_afterwards(tmp_path: Path) -> None:
    files = (tmp_path / "own" / "a.json", tmp_path / "user" / "a.json")
    made = Announcement.made(files, {"api_url": "http://127.0.0.1:1"})
    assert [file.stat().st_mode & 0o077 for file in files] == [0, 0]
    assert files[1].parent.stat().st_mode & 0o077 == 0
    made.take_back()
    made.take_back()
    assert not any(file.exists() for file in files)


def test_what_another_stack_has_written_since_stays(tmp_path: Path) -> None:
    file = tmp_path / "a.json"
    first = Announcement.made([file], {"api_url": "http://127.0.0.1:1"})
    Announcement.made([file], {"api_url": "http://127.0.0.1:2"})
    first.take_back()
    assert '"http://127.0.0.1:2"' in file.read_text(encoding="utf-8")


def test_a_checkout_looks_at_its_own_stack_which_also_tells_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    own, of_user = local.ANNOUNCED
    assert own == local.DESCRIPTION == places.ROOT / "build" / local.FILE
    assert of_user == places.user_folder() / local.FILE
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert places.user_folder() == Path("/state/foyer")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/home/ines")
    assert places.user_folder() == Path("/home/ines/.local/state/foyer")


def test_what_is_not_a_checkout_keeps_its_files_with_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "IN_CHECKOUT", False)
    assert places.own_folder() == places.user_folder()
