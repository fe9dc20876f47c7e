"""Where a visitor may be sent back to."""

from __future__ import annotations

from urllib.parse import quote, urljoin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.redirects import safe_path
from waiting_room.domain.locations import PREFIX

REFUSED = [
    "",
    "events/x",
    "https://evil.example",
    "HTTPS:evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%5Cevil.example",
    "/%5c%5cevil.example",
    "/%2F/evil.example",
    "/%2fevil.example",
    "/%252Fevil.example",
    "/a//b",
    "/.//evil.example",
    "/..//evil.example",
    "/a\r\nSet-Cookie: x=1",
    "/a\x00",
    "/a\x7f",
    "/%0d%0aSet-Cookie:x",
    "/%00",
    "/\ud800",
    "/%ff",
    "/" + "a" * 3000,
    "/.waiting-room",
    "/.waiting-room/v1/zones/x/enter",
    "/.waiting-room?x=1",
    "/.waiting-room;x=1/v1",
    "/.Waiting-Room/v1",
    "/%2ewaiting-room/v1",
    "/%252ewaiting%252droom/v1",
    "/x/../.waiting-room/v1",
    "/x/%2e%2e/.waiting-room/v1",
    "/./.waiting-room/v1",
    "/%25252525252e",
]

TAKEN = {
    "/": "/",
    "/events/x": "/events/x",
    "/events/x?seat=4&row=2#map": "/events/x?seat=4&row=2#map",
    "/events/x?next=https://shop.example//a": "/events/x?next=https://shop.example//a",
    "/events/x?q=a\\b": "/events/x?q=a%5Cb",
    "/a%20b": "/a%20b",
    "/a b": "/a%20b",
    "/caf\u00e9?q=\u00fc": "/caf%C3%A9?q=%C3%BC",
    "/.well-known/x": "/.well-known/x",
    "/.waiting-rooms": "/.waiting-rooms",
    "/x/.waiting-room/v1": "/x/.waiting-room/v1",
}


@pytest.mark.parametrize("to", REFUSED)
def test_a_dangerous_path_is_refused_with_its_pointer(to: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        safe_path(to)
    assert caught.value.pointer == "/to"


@pytest.mark.parametrize(("to", "location"), TAKEN.items())
def test_a_path_of_the_site_is_taken_and_fit_for_a_header(to: str, location: str) -> None:
    assert safe_path(to) == location


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("/\\.%2fF5cCeEwW:?#@;\t\r\n ae\u00e9"), max_size=12))
def test_whatever_is_taken_leads_to_this_host_and_not_under_the_prefix(text: str) -> None:
    try:
        location = safe_path("/" + text)
    except InvalidInput:
        return
    assert location.isascii()
    assert location.isprintable()
    assert urljoin("https://site.example/page", location).startswith("https://site.example/")
    assert quote(location, safe="") != ""
    assert not location.startswith(("//", "/\\", PREFIX + "/"))
