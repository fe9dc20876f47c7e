"""Names and attributes of cookies; a browser keeps six zones."""

from __future__ import annotations

import base64
import json

from tests.support.gate_support import SIGNER, access_claims, visitor_claims
from waiting_room.http.frame.cookies import ZONES_PER_BROWSER, clear_cookie, cookie_name, evictions, set_cookie


def token(issued_at_sec: object) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"iat": issued_at_sec}).encode()).decode().rstrip("=")
    return f"head.{payload}.tail"


def visits(**zones: object) -> dict[str, str]:
    return {cookie_name("visitor", zone): token(issued) for zone, issued in zones.items()}


def names(set_cookies: list[str]) -> list[str]:
    return [cookie.partition("=")[0] for cookie in set_cookies]


def test_a_cookie_has_what_the_host_prefix_demands() -> None:
    cookie = set_cookie(cookie_name("access", "gala"), "a.b.c", 300)

    assert cookie == "__Host-wr-access-gala=a.b.c; Max-Age=300; Path=/; Secure; HttpOnly; SameSite=Lax"


def test_a_cookie_in_the_past_is_one_that_goes() -> None:
    assert "Max-Age=0" in set_cookie("x", "y", -5)
    assert clear_cookie("x").startswith("x=; Max-Age=0;")


def test_six_zones_fit() -> None:
    kept = visits(**{f"zone{index}": index for index in range(ZONES_PER_BROWSER - 1)})

    assert evictions(kept, "new") == []
    assert evictions({**kept, **visits(new=9)}, "new") == []


def test_six_zones_leave_room_for_everything_else() -> None:
    """An HTTP API takes 10,240 bytes of request line and headers: path, `to`, a browser's headers, a login's claim."""
    longest = {"zone": "z" * 40, "lane": "l" * 12, "run": 999}
    number = 10**7
    visitor = SIGNER.sign(
        "visitor", visitor_claims(**longest, gen=9, shard=399, seq=number, position=number, arrival=number)
    )
    access = SIGNER.sign("access", access_claims(**longest, net="n" * 11))
    pairs = [(cookie_name(kind, "z" * 40), value) for kind, value in (("visitor", visitor), ("access", access))]
    one_zone = sum(len(f"{name}={value}; ") for name, value in pairs)
    assert ZONES_PER_BROWSER * one_zone <= 6_950


def test_the_zone_used_longest_ago_goes_with_both_its_cookies() -> None:
    kept = visits(a=50, b=20, c=70, d=60, e=40, f=30)
    kept[cookie_name("access", "b")] = token(25)
    kept[cookie_name("access", "f")] = token(90)

    assert names(evictions(kept, "new")) == ["__Host-wr-visitor-b", "__Host-wr-access-b"]


def test_a_token_nobody_can_read_counts_as_the_oldest() -> None:
    kept = visits(a=50, b="soon", c=70, d=60, e=40, f=30)
    kept[cookie_name("visitor", "g")] = "no-token"

    assert set(names(evictions(kept, "new"))) == {"__Host-wr-visitor-b", "__Host-wr-visitor-g"}


def test_names_that_are_no_zones_are_left_alone() -> None:
    kept = {f"__Host-wr-visitor-{name}": "" for name in ("A", "-b", "c" * 41, "", "x y")} | {"other": "1"}

    assert evictions(kept, "new") == []
