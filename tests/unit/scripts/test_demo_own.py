"""A site of your own behind the demo's edge: what is refused before anything starts, and what its servers are told."""

from __future__ import annotations

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import pytest

from foyer_origin import Settings
from scripts.demo.own import OwnSite, first_page, needed, read_own_site, until_there
from scripts.demo_site.keys import Keys, kept_keys
from scripts.operator_api.errors import BadInput

ZONE: dict[str, Any] = {
    "zone_id": "my-show",
    "mode": "queueing",
    "max_active": 2,
    "rules": [{"paths": ["/events/my-show*"]}],
    "forward_token": True,
}
ORIGIN = "http://localhost:3000"
EDGE_PORT = 8080


def written(folder: Path, content: object) -> str:
    file = folder / "my.json"
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return str(file)


def test_without_either_it_is_the_sample_site() -> None:
    assert read_own_site("", "", EDGE_PORT) is None


def test_origin_and_zones_are_read(tmp_path: Path) -> None:
    own = read_own_site(ORIGIN + "/", written(tmp_path, [ZONE, ZONE | {"zone_id": "other"}]), EDGE_PORT)
    assert own is not None
    assert (own.origin, [zone["zone_id"] for zone in own.zones], own.notes) == (ORIGIN, ["my-show", "other"], ())


def test_one_without_the_other_is_refused(tmp_path: Path) -> None:
    for origin, zones in ((ORIGIN, ""), ("", written(tmp_path, ZONE))):
        with pytest.raises(BadInput, match="ORIGIN and ZONES go together"):
            read_own_site(origin, zones, EDGE_PORT)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, r"my\.json cannot be read: No such file"),
        ("{", "line 1, column 2: not JSON"),
        ("[]", "there is no zone in it"),
        ({**ZONE, "mode": "fast"}, r"zone 1 \(my-show\): /mode"),
        ([ZONE, ZONE], "another zone of this file has it already"),
        ({**ZONE, "version": 3}, "the service sets this itself"),
    ],
)
def test_a_file_that_cannot_be_applied_is_refused(tmp_path: Path, content: object, said: str) -> None:
    zones = str(tmp_path / "my.json") if content is None else written(tmp_path, content)
    with pytest.raises(BadInput, match=said):
        read_own_site(ORIGIN, zones, EDGE_PORT)


@pytest.mark.parametrize(
    "origin", ["localhost:3000", "ftp://localhost", "http://", "http://localhost:many", "http://a?b"]
)
def test_what_is_no_address_is_refused(tmp_path: Path, origin: str) -> None:
    with pytest.raises(BadInput, match="ORIGIN is the address your site listens on"):
        read_own_site(origin, written(tmp_path, ZONE), EDGE_PORT)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_the_edge_in_front_of_itself_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(BadInput, match="PORT=8081"):
        read_own_site(f"http://{host}:{EDGE_PORT}", written(tmp_path, ZONE), EDGE_PORT)


def test_what_does_not_fit_this_machine_is_changed_or_told(tmp_path: Path) -> None:
    rule = {"hosts": ["tickets.example.com"], "paths": ["/events/my-show"]}
    own = read_own_site(ORIGIN, written(tmp_path, {**ZONE, "rules": [rule], "forward_token": False}), EDGE_PORT)
    assert own is not None
    assert own.zones[0]["rules"] == [{"paths": ["/events/my-show"]}]
    assert [note.split(":")[0] for note in own.notes] == ["my-show", "my-show"]
    assert "every host" in own.notes[0]
    assert "forward_token" in own.notes[1]


@pytest.mark.parametrize(
    ("zone", "page"),
    [
        (ZONE, "/events/my-show"),
        ({**ZONE, "landing_path": "/landing"}, "/landing"),
        ({**ZONE, "rules": [{"paths": ["*"]}]}, "/"),
    ],
)
def test_the_page_to_open_first(zone: dict[str, Any], page: str) -> None:
    assert first_page(zone) == page


def test_the_keys_are_the_same_at_the_next_start_and_nobody_else_s(tmp_path: Path) -> None:
    file = tmp_path / "build" / "keys.json"
    first = kept_keys(["a"], file)
    second = kept_keys(["a", "b"], file)
    assert (second.origin_secret, second.site_keys["a"]) == (first.origin_secret, first.site_keys["a"])
    assert len({second.origin_secret, *second.site_keys.values()}) == 3
    assert kept_keys(["b"], file) == second
    assert file.stat().st_mode & 0o777 == 0o600
    assert second.origin_secret not in repr(second)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1, "origin_secret": ""}'])
def test_a_damaged_file_of_keys_is_made_anew(tmp_path: Path, content: str) -> None:
    file = tmp_path / "keys.json"
    file.write_text(content, encoding="utf-8")
    keys = kept_keys(["a"], file)
    assert len(keys.origin_secret) >= 32
    assert len(keys.site_keys["a"]) >= 32


def test_the_variables_are_what_the_package_reads() -> None:
    zones = [ZONE, ZONE | {"zone_id": "other"}]
    keys = Keys("s" * 32, {"my-show": "k" * 32, "other": "o" * 32})
    text = needed(OwnSite(ORIGIN, zones, ("other: a note",)), "http://localhost:8080", "foyer", keys)
    environment: dict[str, str] = {}
    read = []
    for line in text.splitlines():
        if line.startswith("  export "):
            name, _, value = line.removeprefix("  export ").partition("=")
            environment[name] = value
            if name == "FOYER_SITE_KEY":
                read.append(Settings.from_env(environment))
    assert [(each.zone_id, each.site_key) for each in read] == [("my-show", "k" * 32), ("other", "o" * 32)]
    assert {each.origin_secret for each in read} == {keys.origin_secret}
    assert text.endswith("Note: other: a note.")


def test_a_site_that_is_not_there_is_waited_for_and_that_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scripts.demo.own.ASK_EVERY_SEC", 0.01)
    said: list[str] = []

    async def wait() -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
        origin = f"http://127.0.0.1:{port}"
        waiting = asyncio.create_task(until_there(origin, said.append))
        while not said:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        assert not waiting.done()
        server = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
        await asyncio.wait_for(waiting, 10)
        server.close()

    asyncio.run(wait())
    (text,) = said
    assert text.startswith("Nothing answers at http://127.0.0.1:")
