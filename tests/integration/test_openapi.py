"""Calls generated from openapi.json against the running stack: no 5xx, no status or body that is not documented."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.integration.running import SIGNED, Foyer
from tests.integration.zones import open_zones, zone
from tests.support.serving import Receive, Scope, Send, served
from tests.support.tools import require_tool

ROOT = Path(__file__).parents[2]
TOOL = ROOT / "build" / "schemathesis" / "bin" / "schemathesis"
EXAMPLES = 12
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
HOP_BY_HOP = (b"connection", b"content-length", b"transfer-encoding", b"content-encoding")
# A deleted zone would leave the others nothing to ask for; a changed one waits for somebody who tests that.
LEFT_OUT = ("delete_zone", "retire_key")


@pytest.fixture(scope="module")
def target(request: pytest.FixtureRequest) -> Foyer:
    """The running stack with the zone the calls are aimed at; nothing is started where the tool is missing."""
    require_tool("schemathesis", TOOL.is_file(), "`make schemathesis` installs it into build/")
    foyer: Foyer = request.getfixturevalue("foyer")
    open_zones(foyer, zone("openapi"))
    return foyer


@pytest.mark.parametrize("who", ["visitors", "sites", "operators"])
def test_every_answer_is_as_documented(target: Foyer, tmp_path: Path, who: str) -> None:
    with served(Signing(target.api_url)) as signing:
        done = generated_calls(signing if who == "operators" else target.url, who, tmp_path)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def generated_calls(url: str, who: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(TOOL), "--config-file", str(Path(__file__).parent / "schemathesis.toml"), "run"]
    command += [str(ROOT / "schemas" / "openapi.json"), "--url", url, "--phases", "fuzzing", "--no-color"]
    command += ["--include-tag", who, "--checks", ",".join(CHECKS), "--max-examples", str(EXAMPLES)]
    command += ["--generation-deterministic"]
    for name in LEFT_OUT:
        command += ["--exclude-operation-id", name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


class Signing:
    """Signs every call as an operator and passes it on: the tool that makes them cannot."""

    def __init__(self, api_url: str) -> None:
        self._api_url = api_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope["raw_path"].decode("latin-1")
        query = scope["query_string"].decode("latin-1")
        kept = [(name, value) for name, value in scope["headers"] if name in (b"content-type", b"accept")]
        url = self._api_url + target + (f"?{query}" if query else "")
        answer = await asyncio.to_thread(
            httpx.request, scope["method"], url, content=body, headers=kept, auth=SIGNED, timeout=30
        )
        headers = [(name, value) for name, value in answer.headers.raw if name.lower() not in HOP_BY_HOP]
        await send({"type": "http.response.start", "status": answer.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content})
