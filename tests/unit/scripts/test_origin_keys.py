"""The public keys at the site's own servers: rotated, withdrawn, not to be had, asked for by a flood."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest

from foyer_origin.keys import ASK_AGAIN_SEC, FRESH_SEC, KEPT_SEC, KeySet
from tests.support.gate_support import access_claims
from tests.support.origin_rooms import JWKS, MakeRoom, RoomFailed, RoomServer
from tests.unit.scripts.test_origin_check import BAD_TOKENS, GOOD, LATER, headers
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import new_key

NEW = new_key("active", 0)


class Rotated:
    keys = (NEW,)

    def load(self) -> Any:
        return self.keys


BY_NEW_KEY = Signer(Rotated(), "foyer").sign("access", access_claims(**LATER))
UNKNOWN = BAD_TOKENS["of an unknown key"]
JUST_AFTER = 0.1


@pytest.fixture
def server(running: tuple[RoomServer, str]) -> RoomServer:
    server, _ = running
    server.keys, server.keys_asked = JWKS, 0
    return server


def test_the_keys_are_kept(make_room: MakeRoom, server: RoomServer) -> None:
    room = make_room()
    for _ in range(3):
        room.check(headers())
        room.advance(FRESH_SEC / 3 - 1)
    assert server.keys_asked == 1
    room.advance(4)
    room.check(headers())
    assert server.keys_asked == 2


def test_a_new_key_counts_at_once_and_a_withdrawn_one_until_the_keys_are_old(
    make_room: MakeRoom, server: RoomServer
) -> None:
    room = make_room()
    room.check(headers())
    server.keys = [{**NEW.public_jwk, "use": "sig"}]
    room.advance(ASK_AGAIN_SEC)
    room.check(headers(BY_NEW_KEY))
    assert refused(room, GOOD) == "NotAdmitted"
    assert server.keys_asked == 2

    server.keys = JWKS
    room.advance(FRESH_SEC - 1)
    room.check(headers(BY_NEW_KEY))
    room.advance(1)
    assert refused(room, BY_NEW_KEY) == "NotAdmitted"


def test_made_up_key_ids_do_not_make_us_ask_more_often(make_room: MakeRoom, server: RoomServer) -> None:
    room = make_room()
    room.check(headers())
    for _ in range(20):
        assert refused(room, UNKNOWN) == "NotAdmitted"
        room.advance(1)
    assert server.keys_asked == 1 + 20 // ASK_AGAIN_SEC - 1


def test_without_any_keys_nobody_is_told_from_anybody_and_we_ask_no_more_often(
    make_room: MakeRoom, server: RoomServer
) -> None:
    server.keys = None
    room = make_room()
    for _ in range(5):
        assert refused(room, GOOD) == "KeysUnavailable"
    assert server.keys_asked == 1
    server.keys = JWKS
    room.advance(ASK_AGAIN_SEC)
    room.check(headers())
    assert server.keys_asked == 2


@pytest.mark.parametrize("keys", [None, [], "nonsense", [{"kty": "oct", "k": "AAAA", "kid": "x", "alg": "HS256"}]])
def test_what_is_no_key_set_takes_no_key_away_for_a_day(make_room: MakeRoom, server: RoomServer, keys: object) -> None:
    room = make_room()
    room.check(headers())
    server.keys = keys
    room.advance(FRESH_SEC)
    room.check(headers())
    room.check(headers())
    assert refused(room, UNKNOWN) == "NotAdmitted"
    assert server.keys_asked == 2
    room.advance(KEPT_SEC - FRESH_SEC - JUST_AFTER)
    room.check(headers())
    room.advance(JUST_AFTER)
    assert refused(room, GOOD) == "KeysUnavailable"


def test_one_asks_and_the_others_go_by_what_is_known() -> None:
    """A key set that does not answer must hold up one thread, not all of them."""
    now, asked, answer = [0.0], threading.Event(), threading.Event()
    fetches: list[float] = []

    def fetch() -> Any:
        fetches.append(now[0])
        if len(fetches) > 1:
            asked.set()
            assert answer.wait(10)
        return {"keys": JWKS}

    keys = KeySet(fetch, lambda: now[0])
    kid = JWKS[0]["kid"]
    assert keys.find(kid)
    now[0] = FRESH_SEC
    slow = threading.Thread(target=keys.find, args=(kid,))
    slow.start()
    assert asked.wait(10)
    assert all(keys.find(kid) for _ in range(100))
    answer.set()
    slow.join(10)
    assert len(fetches) == 2


def test_a_crowd_that_comes_before_the_keys_waits_for_one_question() -> None:
    fetches, found = [], []
    gate = threading.Barrier(8)

    def fetch() -> Any:
        fetches.append(1)
        return {"keys": JWKS}

    keys = KeySet(fetch)

    def look() -> None:
        gate.wait(10)
        found.append(keys.find(JWKS[0]["kid"]))

    threads = [threading.Thread(target=look) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(fetches), len(found), None in found) == (1, 8, False)


def test_keys_of_another_kind_are_left_out(make_room: MakeRoom, server: RoomServer) -> None:
    server.keys = [{"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "rsa", "alg": "RS256"}, *JWKS]
    room = make_room()
    room.check(headers())
    head = base64.urlsafe_b64encode(b'{"alg":"ES256","kid":"rsa"}').decode()
    assert refused(room, ".".join([head, *GOOD.split(".")[1:]])) == "NotAdmitted"


def refused(room: Any, token: str) -> str:
    """The name of the error for a token."""
    with pytest.raises(RoomFailed) as failed:
        room.check(headers(token))
    return str(failed.value.name)
