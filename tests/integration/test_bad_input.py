"""Whatever visitors, sites and operators send: a refusal that says where the mistake is, and nothing else happens."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from scripts.visitors.browser import SCRIPT_HEADERS
from tests.integration.guests import Guest, problem_of
from tests.integration.running import SIGNED, Foyer
from tests.integration.zones import SITE_KEY, open_zones, zone
from waiting_room import schemas

SITE = {"Authorization": f"Bearer {SITE_KEY}"}


@pytest.fixture(scope="module")
def guest(foyer: Foyer, http: httpx.Client) -> Guest:
    """Somebody who is in, in a zone of this module."""
    open_zones(foyer, zone("strict"))
    guest = Guest(http, "strict")
    assert guest.is_in()
    return guest


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "https://evil.example/",
        "https:evil.example",
        "evil.example",
        "javascript:alert(1)",
        "/%2F/evil.example",
        "/%5cevil.example",
        "/..//evil.example",
        "/a\r\nSet-Cookie: a=b",
        "/\tevil.example",
        "/.waiting-room/v1/zones/strict/enter",
        "/x/%2e%2e/.waiting-room/v1/zones/strict/enter",
        "/" + "x" * 2_001,
    ],
)
def test_nobody_is_sent_off_the_site(http: httpx.Client, guest: Guest, to: str) -> None:
    query = f"?to={quote(to, safe='')}"
    for path in ("/enter", "/sessions/me/renew", "/visitors/me"):
        for cookies in ({}, guest.cookies):
            answer = Guest(http, "strict", dict(cookies)).get(guest.api + path + query)
            assert answer.status_code == 400, (path, answer.headers.get("location"))
            assert not {"location", "set-cookie"} & answer.headers.keys()
    assert guest.call("GET", f"/enter{query}").json()["pointer"] == "/to"


def test_an_unknown_zone_is_404_everywhere(foyer: Foyer, http: httpx.Client) -> None:
    bodies = {
        "set_control": {"control": "auto"},
        "create_bypass_token": {"name": "x"},
        "create_invitation": {"lane": "vip", "name": "x"},
        "create_revocation": {"visitor_id": "v" * 22},
    }
    for operation in schemas.operations().values():
        # One makes a zone; the other tells of zones that are no more, and so has an answer for every name.
        if "{zone_id}" not in operation.path or operation.operation_id in ("put_zone", "get_history"):
            continue
        for zone_id in ("nowhere", "NOWHERE", "no%2Fwhere", "x" * 60):
            path = operation.path.replace("{zone_id}", zone_id).replace("{visitor_id}", "v" * 22)
            if operation.function == "bouncer":
                answer = http.request(operation.method, path, headers=SCRIPT_HEADERS)
            else:
                content = bodies.get(operation.operation_id)
                answer = httpx.request(operation.method, foyer.api_url + path, json=content, auth=SIGNED)
            assert answer.status_code == 404, (operation, zone_id, answer.text)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b"", "/token"),
        (b"{", ""),
        (b"[]", ""),
        (b'"text"', ""),
        (b"\xff\xfe", ""),
        (b'{"token": NaN, "reference": "1"}', ""),
        (b"[" * 9_000, ""),
        (b'{"reference": "1"}', "/token"),
        (b'{"token": 7, "reference": "1"}', "/token"),
        (b'{"token": "", "reference": "1"}', "/token"),
        (b'{"token": "t", "reference": ["1"]}', "/reference"),
        (b'{"token": "t", "reference": "' + b"x" * 101 + b'"}', "/reference"),
        (b'{"token": "t", "reference": "1", "checkout": "yes"}', "/checkout"),
        (b'{"token": "t", "reference": "1", "a/b~c": 1}', "/a~1b~0c"),
    ],
)
def test_a_sites_mistake_is_pointed_at(http: httpx.Client, body: bytes, pointer: str) -> None:
    answer = http.post("/.waiting-room/v1/confirmations", content=body, headers=SITE)
    assert (answer.status_code, problem_of(answer)) == (400, "invalid-input")
    assert answer.json()["pointer"] == pointer


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"max_active": "5"}, "/max_active"),
        ({"max_active": 0}, "/max_active"),
        ({"max_active": None}, "/max_active"),
        ({"mode": "waiting_room"}, "/starts_at_ms"),
        ({"rules": []}, "/rules"),
        ({"rules": [{"paths": ["events"]}]}, "/rules/0/paths/0"),
        ({"rules": [{"paths": ["/a"], "colour": "red"}]}, "/rules/0/colour"),
        ({"landing_path": "//evil.example"}, "/landing_path"),
        ({"session": {"idle_sec": 1}}, "/session/idle_sec"),
        ({"session": {"idle_sec": 600, "max_sec": 60}}, "/session/max_sec"),
        ({"picture_url": "http://evil.example/x.png"}, "/picture_url"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_a_zone_with_a_mistake_is_refused_whole(foyer: Foyer, changes: dict[str, Any], pointer: str) -> None:
    answer = foyer.operate("PUT", "/zones/mistaken", zone("mistaken", **changes))
    assert (answer.status_code, answer.json()["pointer"]) == (400, pointer), answer.text
    assert foyer.operate("GET", "/zones/mistaken").status_code == 404


def test_an_operators_mistake_changes_nothing(foyer: Foyer, guest: Guest) -> None:
    before = foyer.operate("GET", "/zones/strict").json()
    for path, body, pointer in (
        ("/control", {"control": "open"}, "/control"),
        ("/control", {"changes": {"max_active": 0}}, "/changes/max_active"),
        ("/control", {"changes": {"run": 7}}, "/changes/run"),
        ("/control", {"reset": "yes"}, "/reset"),
        ("/control", [], ""),
        ("/bypass-tokens", {}, "/name"),
        ("/bypass-tokens", {"name": "x", "expires_in_sec": 1}, "/expires_in_sec"),
        ("/revocations", {"session_id": "../../x"}, "/session_id"),
    ):
        answer = foyer.operate("POST", f"/zones/strict{path}", body)
        assert (answer.status_code, answer.json().get("pointer")) == (400, pointer), (path, body, answer.text)
    stale = foyer.operate("POST", "/zones/strict/control", {"control": "end", "version": before["version"] + 1})
    assert (stale.status_code, problem_of(stale)) == (409, "stale-version")
    assert foyer.operate("GET", "/zones/strict").json() == before


def test_bodies_over_16_kib_are_refused(foyer: Foyer, http: httpx.Client, guest: Guest) -> None:
    large = {"token": "t" * 17_000, "reference": "1"}
    answer = http.post("/.waiting-room/v1/confirmations", json=large, headers=SITE)
    assert (answer.status_code, problem_of(answer)) == (413, "too-large")
    for path in ("/visitors", "/access-tokens", "/visitors/me/away", "/sessions/me/renewals"):
        answer = http.post(guest.api + path, content=b" " * 17_000, headers=SCRIPT_HEADERS)
        assert (answer.status_code, problem_of(answer)) == (413, "too-large"), path
    huge = zone("huge", rules=[{"paths": [f"/{'x' * 500}/{number}" for number in range(40)]}])
    assert foyer.operate("PUT", "/zones/huge", huge).status_code == 413


def test_the_api_takes_nothing_that_did_not_come_through_the_edge(foyer: Foyer, guest: Guest) -> None:
    with httpx.Client(base_url=foyer.api_url, timeout=30) as straight:
        for operation in schemas.operations().values():
            if operation.function != "bouncer":
                continue
            path = operation.path.replace("{zone_id}", "strict").lstrip("/")
            for guess in ({}, {"x-foyer-origin-secret": ""}, {"x-foyer-origin-secret": "guess"}):
                headers = {"Authorization": f"Bearer {guest.token('access')}"} | guess
                answer = straight.request(operation.method, path, headers=headers)
                assert (answer.status_code, problem_of(answer)) == (403, "forbidden"), operation
    assert guest.is_in()


def test_no_operation_of_operators_exists_at_the_edge(http: httpx.Client) -> None:
    for operation in schemas.operations().values():
        if operation.function == "operator":
            path = operation.path.replace("{zone_id}", "strict").replace("{visitor_id}", "v" * 22)
            answer = http.request(operation.method, path, json={}, auth=SIGNED)
            assert answer.status_code == 404, operation
