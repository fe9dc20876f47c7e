"""Sessions that are bound to the network they were given to: at the API and at the gate."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.api_world import BROWSER, ROOT, SCRIPT, ZONE_ID, ApiWorld, Browser, HttpAnswer, event
from tests.support.gate_support import SID, access_token, decided, passed, redirected, refused, request, snapshot, zone
from waiting_room.domain.networks import network_of, network_tag
from waiting_room.http.frame.request import Request

HOME, NEIGHBOUR, AWAY = "192.0.2.10", "192.0.2.200", "198.51.100.99"


class Traveller(Browser):
    """A browser with an address."""

    ip = HOME

    def ask(self, method: str, path: str, body: Any = None, **parts: Any) -> HttpAnswer:
        headers = {**(parts.pop("headers", None) or SCRIPT), "x-forwarded-for": f"10.9.9.9, {self.ip}, 64.252.66.10"}
        return super().ask(method, path, body, headers=headers, **parts)


def world_with(binding: str) -> ApiWorld:
    world = ApiWorld()
    world.put_zone(network_binding=binding)
    return world


def admitted(world: ApiWorld) -> Traveller:
    browser = Traveller(world)
    browser.enter()
    world.tick(2)
    assert browser.enter().location == "/events/midnight-sun"
    return browser


def network_claim(world: ApiWorld, token: str) -> object:
    claims = world.tokens.verify(token, "access", now_sec=world.clock.now_sec)
    assert claims is not None
    return claims.get("net", "")


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("192.0.2.10", "192.0.2.0/24"),
        ("::ffff:192.0.2.10", "192.0.2.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("", ""),
        ("unknown", ""),
    ],
)
def test_networks(ip: str, network: str) -> None:
    assert network_of(ip) == network


def test_tags_tell_nothing_without_the_salt() -> None:
    assert network_tag("a", HOME) == network_tag("a", NEIGHBOUR) != network_tag("a", AWAY)
    assert network_tag("a", HOME) != network_tag("b", HOME)
    assert network_tag("a", "") == ""


@pytest.mark.parametrize(
    ("forwarded", "peer", "found"),
    [
        ("203.0.113.7, 64.252.66.10", "64.252.66.10", "203.0.113.7"),
        ("1.1.1.1, 203.0.113.7, 64.252.66.10", "64.252.66.10", "203.0.113.7"),
        ("1.1.1.1, 203.0.113.7", "64.252.66.10", "203.0.113.7"),
        ("203.0.113.7", "203.0.113.7", "203.0.113.7"),
        ("", "203.0.113.7", "203.0.113.7"),
        (" , ", "", ""),
    ],
)
def test_the_address_is_the_one_cloudfront_saw_whatever_the_client_says(forwarded: str, peer: str, found: str) -> None:
    assert Request("GET", "/", headers={"x-forwarded-for": forwarded}, peer_ip=peer).client_ip == found
    assert Request.from_event(event("enter")).client_ip == "203.0.113.7"


def test_without_the_option_no_token_says_anything_of_a_network() -> None:
    world = world_with("off")
    assert network_claim(world, admitted(world).access_token) == ""


@pytest.mark.parametrize("binding", ["observe", "refuse"])
def test_a_token_names_the_network_it_was_given_to(binding: str) -> None:
    world = world_with(binding)
    browser = admitted(world)
    claim = network_claim(world, browser.access_token)
    assert claim
    browser.ip = NEIGHBOUR
    world.clock.advance(100)
    assert browser.ask("POST", "/sessions/me/renewals").status == 200
    assert network_claim(world, browser.access_token) == claim


def test_a_visitor_who_changes_network_keeps_the_session_with_a_new_token() -> None:
    world = world_with("refuse")
    browser = admitted(world)
    first = network_claim(world, browser.access_token)
    browser.ip = AWAY
    assert browser.enter().location == "/events/midnight-sun"
    assert network_claim(world, browser.access_token) != first
    assert browser.ask("POST", "/sessions/me/renewals").status == 200


@pytest.mark.parametrize(("binding", "status"), [("refuse", 401), ("observe", 200)])
def test_a_copied_token_cannot_be_renewed_elsewhere(binding: str, status: int) -> None:
    world = world_with(binding)
    token = admitted(world).access_token
    thief = Traveller(world)
    thief.ip = AWAY
    thief.cookies = {f"__Host-wr-access-{ZONE_ID}": token}
    assert thief.ask("POST", "/sessions/me/renewals").status == status
    bearer = {"authorization": f"Bearer {token}", "x-forwarded-for": AWAY}
    assert world.visit("POST", "/sessions/me/renewals", headers=bearer).status == status
    by_redirect = thief.ask("GET", "/sessions/me/renew", headers=BROWSER, query="to=/events/midnight-sun")
    if binding == "refuse":
        assert thief.access_token == token, "nothing new"
        assert by_redirect.location == "/events/midnight-sun", "where the gate refuses it"


def test_another_visitors_token_does_not_help_a_thief() -> None:
    world = world_with("refuse")
    token = admitted(world).access_token
    thief = Traveller(world)
    thief.ip = AWAY
    thief.enter()
    thief.cookies[f"__Host-wr-access-{ZONE_ID}"] = token
    assert thief.ask("POST", "/sessions/me/renewals").status == 401
    assert ROOT


class TestAtTheGate:
    token = access_token(net=network_tag(SID, HOME))

    def ask(self, binding: str, ip: str, token: str = "", **parts: Any) -> Any:
        asked = request(access=token or self.token)
        asked.client_ip = ip
        return decided(asked, snapshot(zone(network_binding=binding, **parts)))

    @pytest.mark.parametrize("binding", ["off", "observe", "refuse"])
    @pytest.mark.parametrize("ip", [HOME, NEIGHBOUR])
    def test_at_home_it_passes_unnoticed(self, binding: str, ip: str) -> None:
        assert not passed(self.ask(binding, ip)).noticed

    def test_elsewhere_it_is_counted_or_sent_to_the_entrance(self) -> None:
        assert not passed(self.ask("off", AWAY)).noticed
        assert passed(self.ask("observe", AWAY)).noticed == "other network"
        sent = redirected(self.ask("refuse", AWAY))
        assert (sent.noticed, "/enter?" in sent.location) == ("other network", True)

    @pytest.mark.parametrize("ip", ["", "unknown"])
    def test_an_address_that_cannot_be_read_is_another_one(self, ip: str) -> None:
        redirected(self.ask("refuse", ip))

    def test_its_own_browser_is_not_sent_to_the_back_of_the_line(self) -> None:
        asked = request(access=self.token)
        asked.client_ip = AWAY
        crowded = snapshot(zone(network_binding="refuse"), entries={"midnight-sun": "page"})
        assert "/enter?" in redirected(decided(asked, crowded)).location

    def test_a_token_from_before_the_option_was_set_goes_on(self) -> None:
        passed(self.ask("refuse", AWAY, access_token()))

    def test_programs_are_told_the_same(self) -> None:
        asked = request(headers={"authorization": f"Bearer {self.token}"})
        asked.client_ip = AWAY
        assert refused(decided(asked, snapshot(zone(network_binding="refuse")))).noticed == "other network"
