"""The examples of the check on the site's own servers: who gets in, and who does not, alike in every language."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest

from scripts.origin_examples.waiting_room import Check, WaitingRoomAsgi, WaitingRoomWsgi
from tests.support.gate_support import KEYS, SIGNER, access_claims, bypass_claims, visitor_claims
from tests.support.generated_requests import unsigned
from tests.support.tools import require_tool
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import new_key

FOLDER = Path(__file__).parents[3] / "scripts" / "origin_examples"
HARNESS = Path(__file__).parents[2] / "support" / "origin_harness.mjs"
SECRET = "origin-secret"
LATER = {"exp": int(time.time()) + 86_400, "iat": int(time.time()) - 5}
"""These tokens are made when the tests are collected, which may be long before they run."""

GOOD = SIGNER.sign("access", access_claims(**LATER))
JWKS = {"keys": [{**key.public_jwk, "use": "sig"} for key in KEYS.keys]}

Ask = Callable[[dict[str, str]], int]


class Strangers:
    keys = (new_key("active", 0),)

    def load(self) -> Any:
        return self.keys


def symmetric() -> str:
    """Signed with the public key as if it were a shared secret."""
    public = KEYS.keys[0].public_jwk
    claims = {**access_claims(**LATER), "iss": "foyer", "aud": "access"}
    return jwt.encode(claims, public["x"] + public["y"], algorithm="HS256", headers={"kid": public["kid"]})


def critical() -> str:
    private = jwt.PyJWK({**KEYS.keys[0].private_jwk}).key
    claims = {**access_claims(**LATER), "iss": "foyer", "aud": "access"}
    headers = {"kid": KEYS.keys[0].kid, "crit": ["b64"], "b64": True}
    return jwt.encode(claims, private, algorithm="ES256", headers=headers)


BAD_TOKENS = {
    "none": "",
    "no token": "a.b.c",
    "two parts": GOOD.rpartition(".")[0],
    "four parts": GOOD + ".x",
    "altered": GOOD[:-4] + "AAAA",
    "expired": SIGNER.sign("access", access_claims(exp=int(time.time()) - 1)),
    "of another zone": SIGNER.sign("access", access_claims(zone="winter-gala", **LATER)),
    "of a visitor who waits": SIGNER.sign("visitor", visitor_claims(**LATER)),
    "a bypass token": SIGNER.sign("bypass", bypass_claims(**LATER)),
    "of another deployment": Signer(KEYS, "elsewhere").sign("access", access_claims(**LATER)),
    "of an unknown key": Signer(Strangers(), "foyer").sign("access", access_claims(**LATER)),
    "unsigned": unsigned(GOOD),
    "symmetric": symmetric(),
    "critical extension": critical(),
}


def wsgi(check: Check) -> Ask:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        assert environ["waiting_room"] is not None
        return []

    def ask(headers: dict[str, str]) -> int:
        statuses: list[str] = []
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        list(WaitingRoomWsgi(app, check)(environ, lambda status, _: statuses.append(status)))
        return int(statuses[0][:3])

    return ask


def asgi(check: Check) -> Ask:
    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        assert scope["waiting_room"] is not None
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def ask(headers: dict[str, str]) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        asyncio.run(WaitingRoomAsgi(app, check)({"type": "http", "headers": raw}, None, send))
        return int(sent[0]["status"])

    return ask


@pytest.fixture(scope="module", params=["wsgi", "asgi", "express", "nginx"])
def ask(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    if request.param in ("wsgi", "asgi"):
        check = Check(SECRET, "https://s.test", "midnight-sun", issuer="foyer")
        check._keys.fetch_data = lambda: check._keys.jwk_set_cache.put(JWKS) or JWKS  # type: ignore[method-assign]
        yield {"wsgi": wsgi, "asgi": asgi}[request.param](check)
        return
    require_tool("node", shutil.which("node"), "install Node.js 18 or newer to test the examples for Node and nginx")
    keys = tmp_path_factory.mktemp("keys") / "jwks.json"
    keys.write_text(json.dumps(JWKS))
    command = ["node", str(HARNESS), request.param, str(FOLDER), str(keys)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None

        def status(headers: dict[str, str]) -> int:
            process.stdin.write(json.dumps(headers) + "\n")  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            answered, fetches = json.loads(process.stdout.readline())  # type: ignore[union-attr]
            # nginx keeps them itself, which takes a real one: tests/integration/test_nginx_example.py.
            assert fetches <= 1 or request.param == "nginx", "the keys are kept"
            return int(answered)

        yield status
        process.stdin.close()


def headers(token: str = GOOD, **changes: str) -> dict[str, str]:
    return {"x-origin-secret": SECRET, "x-waiting-room-token": token, **changes}


def test_an_admitted_visitor_through_cloudfront_gets_in(ask: Ask) -> None:
    assert ask(headers()) == 200
    assert ask(headers()) == 200


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_nobody_gets_in_with_another_token(ask: Ask, name: str) -> None:
    assert ask(headers(BAD_TOKENS[name])) == 403


@pytest.mark.parametrize("secret", ["", "origin-secre", "origin-secret ", "ORIGIN-SECRET"])
def test_nobody_gets_in_past_cloudfront(ask: Ask, secret: str) -> None:
    assert ask({**headers(), "x-origin-secret": secret}) == 403
    assert ask({"x-waiting-room-token": GOOD}) == 403


def test_staff_get_in_by_what_the_gate_says_of_this_zone(ask: Ask) -> None:
    staff = {"x-waiting-room-exempt": "id", "x-waiting-room-zone": "midnight-sun"}
    assert ask({"x-origin-secret": SECRET, **staff}) == 200
    assert ask(staff) == 403
    assert ask({"x-origin-secret": SECRET, **staff, "x-waiting-room-zone": "winter-gala"}) == 403


def test_a_websocket_is_closed_and_the_server_may_start() -> None:
    check = Check(SECRET, "https://s.test", "midnight-sun", issuer="foyer")
    sent: list[dict[str, Any]] = []
    passed: list[str] = []

    async def app(scope: dict[str, Any], _receive: Any, _send: Any) -> None:
        passed.append(scope["type"])

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    guarded = WaitingRoomAsgi(app, check)
    asyncio.run(guarded({"type": "lifespan"}, None, send))
    asyncio.run(guarded({"type": "websocket", "headers": []}, None, send))
    assert (passed, sent) == (["lifespan"], [{"type": "websocket.close", "code": 1008}])
