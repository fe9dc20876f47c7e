"""`wr page preview`: every state in every language, with all that the pages load; nothing goes on by itself."""

from __future__ import annotations

import json
import re
import threading
from pathlib import Path

import httpx
import pytest

from scripts.operator_cli import commands
from scripts.operator_cli.cli import main
from scripts.operator_cli.preview import STATES, Preview, serve
from tests.unit.scripts.test_wr_commands import API, Service
from waiting_room.http.page.languages import languages, texts

ZONE = {
    "zone_id": "midnight-sun",
    "title": "Midnight <Sun>",
    "mode": "queueing",
    "max_active": 5,
    "rules": [{"paths": ["/events"]}],
    "picture_url": "/static/sun.svg",
    "version": 4,
    "updated_by": "ines",
}


@pytest.fixture
def preview() -> Preview:
    return Preview(ZONE, "https://tickets.example.org", 1_780_315_200_000)


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("state", STATES)
def test_every_state_is_shown_in_every_language(preview: Preview, state: str, language: str) -> None:
    status, _, body = preview.answer(f"/state/{state}?lang={language}")
    page = body.decode()
    assert status == 200
    assert f'data-state="{state}"' in page
    assert f"{texts(language)['states'][state]['headline']}</h1>" in page
    assert 'http-equiv="refresh"' not in page


def test_the_index_leads_to_every_page_and_pages_to_what_they_load(preview: Preview) -> None:
    index = preview.answer("/")[2].decode()
    assert "Midnight &lt;Sun&gt;" in index
    links = re.findall(r'href="([^"]+)"', index)
    assert len(links) == len(STATES) * len(languages())
    page = preview.answer(links[0])[2].decode()
    for path in re.findall(r'href="(/\.waiting-room/assets/[^"]+)"', page):
        assert preview.answer(path)[0] == 200
    assert preview.answer("/static/sun.svg")[:2] == (302, "https://tickets.example.org/static/sun.svg")
    for nothing in ("/.waiting-room/v1/zones", "/.waiting-room/assets/../../etc/passwd"):
        assert preview.answer(nothing)[0] == 404


def test_it_is_served_on_this_machine_only(preview: Preview) -> None:
    with serve(preview, 0) as server:
        host, port = server.server_address[:2]
        assert host == "127.0.0.1"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        assert "You are in line" in httpx.get(f"http://127.0.0.1:{port}/state/waiting", trust_env=False).text
        server.shutdown()
        thread.join()


def test_a_planned_zone_is_shown_before_it_is_applied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    service = Service()
    service.world.put_zone()
    file = tmp_path / "zones.json"
    planned = {name: ZONE[name] for name in ("zone_id", "mode", "max_active", "rules")}
    file.write_text(json.dumps({**planned, "title": "Planned"}))
    shown: list[str] = []
    monkeypatch.setattr(
        commands,
        "Preview",
        lambda document, *_: shown.append(document["title"]) or (_ for _ in ()).throw(KeyboardInterrupt),
    )
    transport = httpx.MockTransport(service)
    arguments = ["--api-url", API, "page", "preview", "midnight-sun"]
    assert main(arguments, transport) == 130
    assert main([*arguments, "--file", str(file)], transport) == 130
    assert shown == ["Midnight Sun", "Planned"]
    file.write_text(json.dumps({**planned, "zone_id": "other"}))
    assert main([*arguments, "--file", str(file)], transport) == 2
    assert "has no zone midnight-sun" in capsys.readouterr().err
