"""Rule 6: without a valid access or bypass token nothing reaches a guarded path, whatever the shape of the request."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.gate_support import (
    FETCH,
    HOST,
    KEYS,
    NOW_SEC,
    PAGE,
    SIGNER,
    access_claims,
    access_token,
    bypass_token,
    decided,
    request,
    snapshot,
    visitor_claims,
    zone,
)
from tests.support.origin_models import ORIGINS, serves
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import new_key
from waiting_room.domain.gate.gate import BadRequest, Pass
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.snapshot import GateSnapshot

TARGET = "/events/midnight-sun"
STATES = [snapshot(zone(control=control)) for control in ("auto", "pause", "lock", "end")]


class OtherKeys:
    """Keys of another deployment under the ids of ours."""

    keys = tuple(
        type(own)(own.kid, own.state, 0, stranger.private_jwk, {**stranger.public_jwk, "kid": own.kid})
        for own, stranger in ((own, new_key(own.state, 0)) for own in KEYS.keys)
    )

    def load(self):
        return self.keys


BAD_TOKENS = [
    "",
    "a.b.c",
    access_token() + "x",
    access_token()[:-2],
    access_token(exp=NOW_SEC),
    access_token(zone="winter-gala"),
    access_token(run=2),
    SIGNER.sign("visitor", visitor_claims()),
    bypass_token(run=2),
    Signer(OtherKeys(), "foyer").sign("access", access_claims()),
    Signer(KEYS, "elsewhere").sign("access", access_claims()),
]

PIECES = [
    *(
        "/",
        "//",
        "/./",
        "/../",
        "\\",
        "..\\",
        ";",
        ";v=1",
        "..;/",
        ".",
        "..",
        " ",
        "%20",
        "%",
        "%%",
        "?",
        "#",
        "*",
        "x",
    ),
    *(
        "%2f",
        "%2F",
        "%5c",
        "%2e",
        "%2e%2e",
        "%252e",
        "%252f",
        "%25",
        "%3b",
        "%3f",
        "%23",
        "%00",
        "%0a",
        "%ff",
        "%c0%af",
    ),
    *("%u002f", "%u2215", "%ef%bc%8f", "%e2%80%a8", "%c2%85", "events", "midnight-sun", "EVENTS", "Midnight-Sun"),
    *(
        "/events",
        "/midnight-sun",
        "/events/midnight-sun",
        "%65vents",
        "m%69dnight%2dsun",
        "/.waiting-room",
        ".waiting-room",
    ),
    *("static", "/events/midnight-sun/static", "é", "\u2215", "\ufffd", "\udc80", "ſ"),
]


def reaches_the_zone(asked: GateRequest) -> bool:
    """Whether some origin would show a guarded page for what the gate forwards."""
    return any(serves(origin, asked.path, TARGET) for origin in ORIGINS)


def any_request(rng: random.Random) -> GateRequest:
    """A request of any shape, with bad tokens at most."""
    headers = dict(rng.choice((PAGE, FETCH, {})))
    if rng.random() < 0.5:
        headers["authorization"] = rng.choice(("Bearer ", "bearer", "Basic ")) + rng.choice(BAD_TOKENS)
    if rng.random() < 0.5:
        name = rng.choice(("purpose", "referer", "x-waiting-room-exempt", "origin", "x-forwarded-host"))
        headers[name] = rng.choice(("prefetch", f"https://{HOST}{TARGET}", "1", "", "https://["))
    return request(
        "/" + "".join(rng.choice(PIECES) for _ in range(rng.randrange(8))),
        rng.choice(("", "a=1", "wr_bypass", f"wr_bypass={BAD_TOKENS[-3]}", "wr_bypass=%ff&&=&")),
        method=rng.choice(("GET", "GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "x")),
        headers=headers,
        host=rng.choice((HOST, HOST.upper(), "d111111abcdef8.cloudfront.net", "", None, "[", HOST + ":443")),
        **{kind: rng.choice(BAD_TOKENS) for kind in ("access", "bypass") if rng.random() < 0.5},
    )


def check_that_it_stays_outside(asked: GateRequest, state: GateSnapshot) -> bool:
    """Whether it passed; fails if it passed to somewhere guarded."""
    decision = decided(asked, state)
    if not isinstance(decision, Pass):
        return False
    assert asked.is_preflight or not reaches_the_zone(asked), asked
    return True


def test_no_request_without_a_good_token_reaches_the_zone():
    """20,000 requests of any shape; the failing one is printed."""
    rng = random.Random(20_000)
    passed = sum(check_that_it_stays_outside(any_request(rng), rng.choice(STATES)) for _ in range(20_000))
    assert passed > 1_000, "open paths must pass, else nothing is tested"


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.randoms(use_true_random=False), st.sampled_from(STATES))
def test_no_request_without_a_good_token_reaches_the_zone_and_the_smallest_that_does_is_found(rng, state):
    check_that_it_stays_outside(any_request(rng), state)


def test_no_encoding_of_the_guarded_path_reaches_the_zone():
    rng = random.Random(416)
    reaching = 0
    for _ in range(3_000):
        asked = request(_disguised(rng, TARGET))
        reaching += reaches_the_zone(asked)
        check_that_it_stays_outside(asked, STATES[0])
    assert reaching > 300, "the disguises must still lead somewhere"


@pytest.mark.parametrize("detour", ["..", "%2e%2e", ".%2E", "..;", "%2e%2e;x", "..%3b", "%252e%252e"])
@pytest.mark.parametrize("slash", ["/", "%2f", "%2F", "\\", "%5c", "%252f", "//"])
def test_no_detour_by_our_own_prefix_reaches_the_zone(detour, slash):
    for path in (f"/.waiting-room{slash}{detour}{slash}events/midnight-sun", f"/x{slash}{detour}/events/midnight-sun"):
        assert not isinstance(decided(request(path)), Pass)
        assert not isinstance(decided(request(path, access=access_token(exp=NOW_SEC))), Pass)


@pytest.mark.parametrize("bad", BAD_TOKENS)
@pytest.mark.parametrize("headers", [PAGE, FETCH])
def test_no_bad_token_opens_the_zone_however_it_is_brought(bad, headers):
    for state in STATES:
        for asked in (
            request(headers=headers, access=bad, bypass=bad),
            request(headers={**headers, "authorization": f"Bearer {bad}"}),
            request(f"{TARGET}/seats", f"wr_bypass={bad}", method="POST", headers=headers),
        ):
            assert not isinstance(decided(asked, state), Pass)


def test_the_same_requests_do_reach_the_zone_with_a_good_token():
    """The tests above could not fail if the gate refused everything. The most crowded disguises it does refuse."""
    rng, token = random.Random(416), access_token()
    disguised = (request(_disguised(rng, TARGET), access=token) for _ in range(2_000))
    decisions = [decided(asked) for asked in disguised if reaches_the_zone(asked)]
    assert {type(decision) for decision in decisions} <= {Pass, BadRequest}
    assert sum(isinstance(decision, Pass) for decision in decisions) > 0.9 * len(decisions) > 100


def _disguised(rng: random.Random, path: str) -> str:
    """The path as some server may still read it: escaped, in another case, with slashes, dots and parameters."""
    segments = []
    for segment in path.split("/")[1:]:
        text = "".join(_escaped(rng, character) for character in segment)
        text += rng.choice(("", "", "", ";v=1", "%3bv", ".", "%20"))
        before = rng.choice(
            ("", "", "", "/", "./", "x/../", "%2e/", "y/%2e%2e/", "y/..;/", "y/..%2f", "y%2fz/%2e%2e/", "\\")
        )
        segments.append(before + text)
    slash = rng.choice(("/", "/", "%2f", "\\", "%5C", "//"))
    return "/" + slash.join(segments) + rng.choice(("", "", "", "%3Fv", "%23", "/seats"))


def _escaped(rng: random.Random, character: str) -> str:
    choice = rng.random()
    if choice < 0.15:
        return f"%{ord(character):02x}"
    if choice < 0.2:
        return f"%25{ord(character):02X}"
    if choice < 0.3 and character in string.ascii_letters:
        return character.swapcase()
    return character
