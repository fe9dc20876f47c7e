"""The check on the site's own servers: who gets in, and who does not, alike in Python, in Node and in nginx."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest

from foyer_origin import VISIT, AsgiMiddleware, NotAdmitted, Settings, WaitingRoom, WsgiMiddleware
from tests.support.gate_support import KEYS, SIGNER, access_claims, bypass_claims, visitor_claims
from tests.support.generated_requests import unsigned
from tests.support.origin_rooms import (
    FOLDER,
    JWKS,
    SECRET,
    Harness,
    MakeRoom,
    NodeRoom,
    RoomFailed,
    RoomServer,
    maker,
    node_harness,
    node_package,
    require_node,
    usual_settings,
)
from tests.support.serving import served
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import new_key

LATER = {"exp": int(time.time()) + 86_400, "iat": int(time.time()) - 5}
"""These tokens are made when the tests are collected, which may be long before they run."""

CLAIMS = {**access_claims(**LATER), "iss": "foyer", "aud": "access"}
GOOD = SIGNER.sign("access", access_claims(**LATER))

Ask = Callable[[dict[str, str]], int]


class Strangers:
    keys = (new_key("active", 0),)

    def load(self) -> Any:
        return self.keys


def symmetric() -> str:
    """Signed with the public key as if it were a shared secret."""
    public = KEYS.keys[0].public_jwk
    return jwt.encode(CLAIMS, public["x"] + public["y"], algorithm="HS256", headers={"kid": public["kid"]})


def signed(claims: dict[str, Any], **head: Any) -> str:
    """Signed with the deployment's own key, whatever it says."""
    told = {"alg": "ES256", "kid": KEYS.keys[0].kid, **head}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in (told, claims)]
    algorithm = jwt.get_algorithm_by_name("ES256")
    signature = algorithm.sign(b".".join(parts), jwt.PyJWK({**KEYS.keys[0].private_jwk}).key)
    return b".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=")]).decode()


BAD_TOKENS = {
    "none": "",
    "no token": "a.b.c",
    "no JSON": "e30.bm90IGpzb24.c2ln",
    "two parts": GOOD.rpartition(".")[0],
    "four parts": GOOD + ".x",
    "a part of it": GOOD[: len(GOOD) // 2],
    "altered": GOOD[:-4] + "AAAA",
    "two of them": f"{GOOD}, {GOOD}",
    "too long": GOOD + "A" * 5000,
    "expired": SIGNER.sign("access", access_claims(exp=int(time.time()) - 1)),
    "of another zone": SIGNER.sign("access", access_claims(zone="winter-gala", **LATER)),
    "of a visitor who waits": SIGNER.sign("visitor", visitor_claims(**LATER)),
    "a bypass token": SIGNER.sign("bypass", bypass_claims(**LATER)),
    "of another deployment": Signer(KEYS, "elsewhere").sign("access", access_claims(**LATER)),
    "of an unknown key": Signer(Strangers(), "foyer").sign("access", access_claims(**LATER)),
    "signed for another token": f"{GOOD.rpartition('.')[0]}.{signed(CLAIMS).rpartition('.')[2]}",
    "unsigned": unsigned(GOOD),
    "symmetric": symmetric(),
    "critical extension": signed(CLAIMS, crit=["b64"], b64=True),
    "for another purpose": signed({**CLAIMS, "aud": "invitation"}),
    "without an end": signed({name: value for name, value in CLAIMS.items() if name != "exp"}),
    "without a key id": signed(CLAIMS, kid=""),
}


@pytest.fixture(scope="module")
def server() -> RoomServer:
    return RoomServer()


@pytest.fixture(scope="module")
def site_url(server: RoomServer) -> Iterator[str]:
    with served(server) as url:
        yield url


def wsgi(room: WaitingRoom) -> Ask:
    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        assert environ[VISIT].zone_id == "midnight-sun"
        return []

    def ask(headers: dict[str, str]) -> int:
        statuses: list[str] = []
        environ = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        environ["PATH_INFO"] = "/events/midnight-sun"
        list(WsgiMiddleware(app, room)(environ, lambda status, _: statuses.append(status)))
        return int(statuses[0][:3])

    return ask


def asgi(room: WaitingRoom) -> Ask:
    async def app(scope: Any, _receive: Any, send: Any) -> None:
        assert scope[VISIT].zone_id == "midnight-sun"
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def ask(headers: dict[str, str]) -> int:
        sent: list[dict[str, Any]] = []

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "path": "/events/midnight-sun", "headers": raw}
        asyncio.run(AsgiMiddleware(app, room)(scope, None, send))  # type: ignore[arg-type]
        return int(sent[0]["status"])

    return ask


def status_of(harness: Harness, command: str) -> Ask:
    """200 for whoever a command of the harness lets in."""

    def ask(headers: dict[str, str]) -> int:
        try:
            value = harness.run(command, headers)
        except RoomFailed as error:
            return 403 if error.name == "NotAdmitted" else 500
        return value if isinstance(value, int) else 200

    return ask


@pytest.fixture(scope="module", params=["wsgi", "asgi", "check", "fetched", "express", "nginx"])
def ask(request: pytest.FixtureRequest, site_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ask]:
    if request.param in ("wsgi", "asgi"):
        room = WaitingRoom(Settings(**usual_settings(site_url)))
        yield {"wsgi": wsgi, "asgi": asgi}[request.param](room)
        room.close()
        return
    folder = tmp_path_factory.mktemp("origin")
    if request.param == "nginx":
        require_node()
        keys = folder / "jwks.json"
        keys.write_text(json.dumps({"keys": JWKS}))
        with node_harness("nginx", str(FOLDER / "nginx"), str(keys)) as harness:
            yield status_of(harness, "check")
        return
    with node_harness("package", str(node_package(folder / "package"))) as harness:
        NodeRoom(harness, usual_settings(site_url))
        yield status_of(harness, request.param)


@pytest.fixture(scope="module", params=["python", "node"])
def make_room(
    request: pytest.FixtureRequest, site_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeRoom]:
    with maker(request.param, site_url, tmp_path_factory.mktemp(request.param)) as make:
        yield make


def headers(token: str = GOOD, **changes: str) -> dict[str, str]:
    return {"x-origin-secret": SECRET, "x-waiting-room-token": token, **changes}


OPEN = {"x-origin-secret": SECRET, "x-waiting-room-open": "pass", "x-waiting-room-zone": "midnight-sun"}
STAFF = {"x-origin-secret": SECRET, "x-waiting-room-exempt": "id", "x-waiting-room-zone": "midnight-sun"}


def test_an_admitted_visitor_through_cloudfront_gets_in(ask: Ask) -> None:
    assert ask(headers()) == 200
    assert ask(headers()) == 200


@pytest.mark.parametrize("name", BAD_TOKENS)
def test_nobody_gets_in_with_another_token(ask: Ask, name: str) -> None:
    assert ask(headers(BAD_TOKENS[name])) == 403


@pytest.mark.parametrize("secret", ["", SECRET[:-1], SECRET + "t", SECRET.upper()])
def test_nobody_gets_in_past_cloudfront(ask: Ask, secret: str) -> None:
    assert ask({**headers(), "x-origin-secret": secret}) == 403
    assert ask({"x-waiting-room-token": GOOD}) == 403


def test_staff_get_in_by_what_the_gate_says_of_this_zone(ask: Ask) -> None:
    assert ask(STAFF) == 200
    assert ask({name: value for name, value in STAFF.items() if name != "x-origin-secret"}) == 403
    assert ask({**STAFF, "x-waiting-room-zone": "winter-gala"}) == 403


def test_while_the_gate_is_open_everybody_gets_in_and_only_the_gate_can_say_so(ask: Ask) -> None:
    for why in ("pass", "observe", "preflight"):
        assert ask({**OPEN, "x-waiting-room-open": why}) == 200
    assert ask({"x-origin-secret": SECRET, "x-waiting-room-open": "no-snapshot"}) == 200
    assert ask({**OPEN, "x-waiting-room-zone": "winter-gala"}) == 403
    for secret in ({}, {"x-origin-secret": ""}, {"x-origin-secret": SECRET[:-1]}):
        for forged in (OPEN, {"x-waiting-room-open": "no-snapshot"}):
            assert ask({**forged, "x-origin-secret": "", **secret}) == 403
    assert ask({"x-origin-secret": SECRET, "x-waiting-room-zone": "midnight-sun"}) == 403, "says nothing"


def test_what_the_tests_sign_themselves_is_good_but_for_what_they_change(ask: Ask) -> None:
    assert ask(headers(signed(CLAIMS))) == 200


def test_a_token_signed_by_a_clock_that_is_ahead_gets_in(ask: Ask) -> None:
    assert ask(headers(SIGNER.sign("access", access_claims(exp=LATER["exp"], iat=int(time.time()) + 3)))) == 200


def test_a_cookie_is_no_token(ask: Ask) -> None:
    cookie = f"__Host-wr-access-midnight-sun={GOOD}"
    assert ask({"x-origin-secret": SECRET, "cookie": f"{cookie}; {cookie}"}) == 403
    assert ask({**headers(), "cookie": "__Host-wr-access-midnight-sun=a.b.c; __Host-wr-access-winter-gala=d"}) == 200


def test_a_visit_says_whose_it_is_and_keeps_its_token_to_itself(make_room: MakeRoom) -> None:
    room = make_room()
    assert room.check(headers()) == {
        "zone_id": "midnight-sun",
        "visitor_id": CLAIMS["sub"],
        "session_id": CLAIMS["sid"],
        "lane": "general",
        "exempt": "",
        "open": "",
        "run": 1,
        "expires_at_sec": LATER["exp"],
        "token": GOOD,
    }
    assert GOOD not in room.shown(headers())
    assert room.check({name.title(): value for name, value in headers().items()})["token"] == GOOD
    staff = room.check({**STAFF, "x-waiting-room-lane": "vip"})
    assert (staff["exempt"], staff["lane"], staff["session_id"], staff["token"]) == ("id", "vip", "", "")


def test_whom_the_gate_lets_pass_without_a_session_is_let_in_next_to_the_secret_alone(make_room: MakeRoom) -> None:
    passed = {"x-waiting-room-zone": "midnight-sun", "x-waiting-room-open": "observe"}
    assert make_room().check({**passed, "x-origin-secret": SECRET})["open"] == "observe"
    assert make_room().check({**passed, "x-origin-secret": SECRET})["session_id"] == ""
    for room, told in (
        (make_room(), passed),
        (make_room(origin_secret=None), STAFF),
        (make_room(origin_secret=None), passed),
        (make_room(), {"x-origin-secret": SECRET}),
        (make_room(origin_secret=None), {"x-waiting-room-open": "no-snapshot"}),
    ):
        with pytest.raises(RoomFailed, match="NotAdmitted"):
            room.check(told)
    assert make_room(origin_secret=None).check({"x-waiting-room-token": GOOD})["token"] == GOOD


def test_a_session_without_its_token_tells_what_is_missing_in_the_zone(make_room: MakeRoom) -> None:
    told = {"x-origin-secret": SECRET, "x-waiting-room-zone": "midnight-sun", "x-waiting-room-session": "s"}
    with pytest.raises(RoomFailed, match="turn on forward_token"):
        make_room().check(told)


def test_a_run_can_be_asked_for(make_room: MakeRoom) -> None:
    assert make_room(run=1).check(headers())["run"] == 1
    with pytest.raises(RoomFailed, match="of another run"):
        make_room(run=2).check(headers())


def test_the_text_for_the_log_has_no_token(make_room: MakeRoom) -> None:
    for token in BAD_TOKENS.values():
        with pytest.raises(RoomFailed) as failed:
            make_room().check(headers(token))
        assert failed.value.name == "NotAdmitted"
        assert len(token) < 12 or token[-12:] not in failed.value.text


def test_a_header_that_stands_there_twice_counts_as_none(site_url: str) -> None:
    room = WaitingRoom(Settings(**usual_settings(site_url)))
    raw = [(name.encode(), value.encode()) for name, value in headers().items()]
    for again in (raw[0], raw[1], (b"X-Waiting-Room-Token", b"a.b.c")):
        with pytest.raises(NotAdmitted, match="twice"):
            room.check(Raw([*raw, again]))
    room.close()


class Raw:
    """Headers as a list, which some frameworks hand over."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self._raw = raw

    def items(self) -> list[tuple[str, str]]:
        return [(name.decode(), value.decode()) for name, value in self._raw]
