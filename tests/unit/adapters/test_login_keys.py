"""Where a login's keys come from: a key set that is fetched and kept, or a secret of Secrets Manager."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import jwt
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.support.api_world import ZONE_ID, ApiWorld, HttpAnswer
from tests.unit.http.test_identity import ISSUER, LOGIN, OTHER, RSA, RSA_JWK, claim, join
from waiting_room.adapters import login_keys
from waiting_room.adapters.login_keys import (
    KEPT_SEC,
    LARGEST_SET_BYTES,
    LONGEST_KEPT_SEC,
    RETRY_SEC,
    fetch_https,
    key_set,
)
from waiting_room.use_cases.identify import AUDIENCE

URL = "https://login.example.com/.well-known/jwks.json"
SECRET = "a secret of the login that has 32 bytes at least"
SECRET_NAME = f"foyer/join-secrets/{ZONE_ID}"


def published(*jwks: Any) -> bytes:
    return json.dumps({"keys": [dict(jwk) for jwk in jwks]}).encode()


def world_with(mode: str = "require", *, document: bytes | None = None, **source: Any) -> ApiWorld:
    world = ApiWorld()
    source = source or {"jwks_url": URL}
    assert world.put_zone(identity={"mode": mode, "issuer": ISSUER, **source}).status == 201
    if document is not None:
        world.logins.documents[URL] = document
    return world


def test_keys_are_fetched_once_and_kept() -> None:
    world = world_with(document=published(LOGIN.public_jwk, RSA_JWK))
    assert [join(world, claim(world, name)).status for name in ("ada", "grace", "ada")] == [201, 201, 200]
    assert world.logins.asked == [URL]
    world.clock.advance(KEPT_SEC)
    assert join(world, claim(world, "joan")).status == 201
    assert world.logins.asked == [URL] * 2


def test_a_key_is_taken_that_the_login_has_just_begun_to_use() -> None:
    world = world_with(document=published(LOGIN.public_jwk))
    assert join(world, claim(world)).status == 201
    world.logins.documents[URL] = published(LOGIN.public_jwk, OTHER.public_jwk)
    world.clock.advance(RETRY_SEC)
    assert join(world, claim(world, "grace", key=OTHER)).status == 201


def test_made_up_key_ids_do_not_make_us_ask_again_and_again() -> None:
    world = world_with(document=published(LOGIN.public_jwk))
    for _ in range(20):
        assert join(world, claim(world, key=OTHER)).status == 401
    assert world.logins.asked == [URL]


def test_a_login_that_is_down_stops_nobody_whose_key_is_known() -> None:
    world = world_with(document=published(LOGIN.public_jwk))
    join(world, claim(world))
    world.logins.documents.clear()
    world.clock.advance(LONGEST_KEPT_SEC - 1)
    assert join(world, claim(world, "grace")).status == 201
    world.clock.advance(RETRY_SEC)
    late = join(world, claim(world, "joan"))
    assert (late.status, late.problem) == (503, "not-ready"), "a key taken away there must not count for ever"


def test_a_login_that_was_never_reached_is_said_so_and_not_waited_for_by_everybody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_with()
    answers = [join(world, claim(world)) for _ in range(5)]
    assert {(answer.status, answer.problem) for answer in answers} == {(503, "not-ready")}
    assert "login cannot be reached" in answers[0].json["detail"]
    assert "retry-after" in answers[0].headers
    assert world.logins.asked == [URL]
    assert [vars(record)["source"] for record in caplog.records] == [URL]
    world.logins.documents[URL] = published(LOGIN.public_jwk)
    world.clock.advance(RETRY_SEC)
    assert join(world, claim(world)).status == 201


def test_observing_lets_everybody_in_while_the_login_is_down() -> None:
    world = world_with("observe")
    assert join(world, claim(world)).status == 201
    assert world.log.lines[-1]["join_claim"] == "unread"


@pytest.mark.parametrize("document", [b"", b"[]", b'{"keys": 7}', b"{", b"\xff", b"null"])
def test_what_is_no_key_set_counts_as_a_login_that_is_down(document: bytes) -> None:
    world = world_with(document=document)
    assert join(world, claim(world)).status == 503


UNUSABLE = {
    "a secret": {"kty": "oct", "k": "A" * 43, "kid": "a"},
    "for encryption": {**RSA_JWK, "use": "enc"},
    "another algorithm": {**RSA_JWK, "alg": "PS256"},
    "another curve": {**LOGIN.public_jwk, "crv": "P-384", "alg": None},
    "no id": {name: value for name, value in RSA_JWK.items() if name != "kid"},
    "too short": {
        **jwt.algorithms.RSAAlgorithm.to_jwk(rsa.generate_private_key(65537, 1024).public_key(), as_dict=True),
        "kid": "short",
    },
    "no point": {**LOGIN.public_jwk, "x": "A" * 43},
    "no object": 7,
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_keys_that_cannot_be_used_are_left_out(name: str) -> None:
    document = json.dumps({"keys": [UNUSABLE[name], dict(LOGIN.public_jwk)]}).encode()
    assert key_set(document).keys() == {LOGIN.kid}


def test_the_algorithm_is_the_keys_also_where_the_set_does_not_say() -> None:
    silent = {name: value for name, value in RSA_JWK.items() if name != "alg"}
    world = world_with(document=published(silent))
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": world.clock.now_sec + 300}
    assert join(world, jwt.encode(claims, RSA, algorithm="RS256", headers={"kid": "rsa"})).status == 201
    assert join(world, jwt.encode(claims, RSA, algorithm="RS512", headers={"kid": "rsa"})).status == 401


def by_secret(world: ApiWorld, secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> HttpAnswer:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": world.clock.now_sec + 300, **changes}
    return join(world, jwt.encode(claims, secret, algorithm=algorithm))


def test_a_shared_secret_will_do_and_lies_in_no_table_and_no_log() -> None:
    world = world_with(shared_secret=True)
    world.secrets.values[SECRET_NAME] = SECRET
    first = by_secret(world)
    assert first.status == 201
    assert by_secret(world).json["visitor_id"] == first.json["visitor_id"]
    assert by_secret(world, "another secret that has 32 bytes at least").status == 401
    assert by_secret(world, SECRET + SECRET, "HS512").status == 401
    everything = str([table.records for table in world.dynamo.tables.values()]) + str(world.log.lines)
    assert SECRET not in everything


@pytest.mark.parametrize("value", [None, "", "x" * 31])
def test_a_secret_that_is_missing_or_short_lets_nobody_in(value: str | None) -> None:
    world = world_with(shared_secret=True)
    if value is not None:
        world.secrets.values[SECRET_NAME] = value
    refused = by_secret(world)
    assert (refused.status, refused.problem) == (503, "not-ready")
    assert SECRET_NAME in refused.json["detail"]


def test_a_right_that_is_missing_is_told_like_a_missing_secret_and_written_down(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = world_with(shared_secret=True)
    world.secrets.fault = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue")
    assert (by_secret(world).status, by_secret(world).problem) == (503, "not-ready")
    assert [vars(record)["why"] for record in caplog.records] == ["ValueError: AccessDeniedException"]


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"keys": [dict(LOGIN.public_jwk)], "jwks_url": URL},
        {"jwks_url": URL, "shared_secret": True},
        {"jwks_url": "http://login.example.com/jwks.json"},
        {"jwks_url": "https://me:pass@login.example.com/jwks.json"},
        {"jwks_url": "https://login.example.com/a b"},
        {"jwks_url": "file:///etc/passwd"},
        {"shared_secret": SECRET},
    ],
)
def test_a_login_has_one_source_of_keys(source: dict[str, Any]) -> None:
    answer = ApiWorld().put_zone(identity={"mode": "require", "issuer": ISSUER, **source})
    assert answer.status == 400
    assert answer.json["pointer"].startswith("/identity")


class Login(http.server.BaseHTTPRequestHandler):
    """Answers as its path says."""

    def do_GET(self) -> None:
        body = {"/long": b"x" * (LARGEST_SET_BYTES + 1)}.get(self.path, b"{}")
        self.send_response({"/moved": 302, "/down": 500}.get(self.path, 200))
        self.send_header("location", "/keys")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def login() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Login) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def test_only_https_is_asked(login: str) -> None:
    for url in (f"{login}/keys", "file:///etc/passwd"):
        with pytest.raises(ValueError, match="https"):
            fetch_https(url)


def test_no_redirect_is_followed_and_no_long_answer_read(login: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login_keys, "SCHEME", "http://")
    assert fetch_https(f"{login}/keys") == b"{}"
    for path in ("/moved", "/down"):
        with pytest.raises(OSError, match="HTTP Error"):
            fetch_https(login + path)
    with pytest.raises(ValueError, match="too long"):
        fetch_https(f"{login}/long")
