"""The example for nginx in a real nginx: its own configuration, with this machine's addresses put in."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from scripts.local import free_port
from tests.integration.running import wait_until
from tests.support.origin_rooms import FOLDER, JWKS, SECRET
from tests.support.serving import EchoOrigin, Message, Receive, Scope, Send, served
from tests.support.tools import require_tool
from tests.unit.scripts.test_origin_check import BAD_TOKENS, GOOD, OPEN, headers

MODULE = Path("/usr/lib/nginx/modules/ngx_http_js_module.so")
START_SEC = 20
PAGE = "/events/midnight-sun/seats"


class KeySet:
    """Serves the key set and counts how often it is asked for."""

    def __init__(self) -> None:
        self.asked = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        start: Message = {"type": "http.response.start", "status": 200, "headers": []}
        await send(start)
        await send({"type": "http.response.body", "body": json.dumps({"keys": JWKS}).encode()})


class Nginx:
    """What stands in front of the site, and what it reads."""

    def __init__(self, url: str, site: EchoOrigin, keys: KeySet) -> None:
        self.url, self.site, self.keys = url, site, keys

    def ask(self, sent: dict[str, str], path: str = PAGE) -> int:
        return httpx.get(self.url + path, headers=sent, trust_env=False).status_code


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    hint = "install nginx and libnginx-mod-http-js to run the example for nginx"
    require_tool("nginx with njs", program and MODULE.exists(), hint)
    folder, site, keys = tmp_path_factory.mktemp("nginx"), EchoOrigin(), KeySet()
    port, kept_port = free_port(), free_port()
    shutil.copy(FOLDER / "nginx" / "waiting_room_njs.js", folder)
    with served(site) as site_url, served(keys) as keys_url:
        example = (FOLDER / "nginx" / "nginx.conf").read_text(encoding="utf-8")
        for told, ours in (
            ("listen 8080;", f"listen 127.0.0.1:{port};"),
            ("listen 127.0.0.1:8081;", f"listen 127.0.0.1:{kept_port};"),
            ("http://127.0.0.1:8081/", f"http://127.0.0.1:{kept_port}/"),
            ("/var/cache/nginx/waiting_room", f"{folder}/kept"),
            ("change me: the value CloudFront sends", SECRET),
            ("https://tickets.example.com", keys_url),
            ("http://127.0.0.1:9000", site_url),
        ):
            assert example.count(told) == 1, told
            example = example.replace(told, ours)
        scratch = "".join(
            f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "test.conf").write_text(
            f"load_module {MODULE};\npid {folder}/pid;\ndaemon off;\nmaster_process off;\nerror_log stderr info;\n"
            f"events {{}}\nhttp {{\naccess_log off;\n{scratch}{example}\n}}\n",
            encoding="utf-8",
        )
        command = [str(program), "-p", str(folder), "-c", str(folder / "test.conf"), "-e", "stderr"]
        with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
            try:
                running = Nginx(f"http://127.0.0.1:{port}", site, keys)
                wait_until(lambda: answers(running, process, folder / "log"), START_SEC, "nginx answers")
                yield running
            finally:
                process.terminate()


def answers(nginx: Nginx, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text(encoding="utf-8")
    try:
        return nginx.ask({}) > 0
    except httpx.TransportError:
        return False


def test_an_admitted_visitor_through_cloudfront_gets_in_and_the_keys_are_kept(nginx: Nginx) -> None:
    nginx.site.reset()
    assert [nginx.ask(headers()) for _ in range(3)] == [200, 200, 200]
    assert [seen["path"] for seen in nginx.site.received] == [PAGE] * 3
    assert nginx.keys.asked == 1


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_nobody_gets_in_with_another_token(nginx: Nginx, name: str) -> None:
    nginx.site.reset()
    assert nginx.ask(headers(BAD_TOKENS[name])) == 403
    assert nginx.site.received == []


@pytest.mark.parametrize("secret", [None, "", SECRET[:-1], SECRET.upper()])
def test_nobody_gets_in_past_cloudfront(nginx: Nginx, secret: str | None) -> None:
    sent = {"x-waiting-room-token": GOOD} | ({} if secret is None else {"x-origin-secret": secret})
    assert nginx.ask(sent) == 403


def test_while_the_gate_is_open_everybody_gets_in_next_to_the_secret_alone(nginx: Nginx) -> None:
    assert nginx.ask(OPEN) == nginx.ask({**OPEN, "x-waiting-room-open": "observe"}) == 200
    assert nginx.ask({"x-origin-secret": SECRET, "x-waiting-room-open": "no-snapshot"}) == 200
    assert nginx.ask({**OPEN, "x-waiting-room-zone": "winter-gala"}) == 403
    assert nginx.ask({**OPEN, "x-origin-secret": "guessed"}) == 403


def test_the_check_itself_cannot_be_asked(nginx: Nginx) -> None:
    assert nginx.ask(headers(), "/_waiting_room") == 404
