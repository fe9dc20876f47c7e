"""Exempt requests: who passes without a token, by a secret or an address, and who only looks like it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.gate_support import (
    FETCH,
    ISSUER,
    decided,
    passed,
    request,
    snapshot,
    snapshot_document,
    with_header,
    zone,
)
from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.gate import exempt
from waiting_room.domain.gate.exempt import LONGEST_SECRET, MOST_VALUES, BadExemption, Exemption, secret_hash
from waiting_room.domain.gate.gate import Pass
from waiting_room.domain.gate.request import GateRequest
from waiting_room.domain.gate.snapshot import BadSnapshot, read_snapshot
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.zone.checked import checked

SECRET = "3f1c9a6e7b2d4850"
PART = {"name": "x-monitor", "sha256": secret_hash(SECRET)}


def state(*rules: dict[str, Any], **fields: Any) -> Any:
    return snapshot(zone(exempt=[{"name": "monitor", **rule} for rule in rules], **fields))


def from_ip(client_ip: str, **parts: Any) -> GateRequest:
    return replace(request(**parts), client_ip=client_ip)


@pytest.mark.parametrize("control", ["auto", "lock", "end"])
def test_a_header_with_the_secret_passes_and_the_site_is_told_why(control):
    asked = request(headers=with_header("x-monitor", SECRET, FETCH))
    decision = passed(decided(asked, state({"header": PART}, control=control)))
    assert decision.add == {"x-waiting-room-zone": "midnight-sun", "x-waiting-room-exempt": "monitor"}


def test_names_of_headers_have_no_case():
    asked = request(headers=with_header("x-monitor", SECRET))
    passed(decided(asked, state({"header": {**PART, "name": "X-Monitor"}})))


@pytest.mark.parametrize(
    ("part", "asked"),
    [
        ("cookie", request(headers=with_header("cookie", f"theme=dark; x-monitor={SECRET}; a=b"))),
        ("query", request(query=f"a=1&x-monitor={SECRET}&b")),
        ("query", request(query=f"x-monitor=%33{SECRET[1:]}")),
    ],
)
def test_a_cookie_or_a_query_key_will_do(part, asked):
    passed(decided(asked, state({part: PART})))


@pytest.mark.parametrize(
    "asked",
    [
        request(headers=with_header("x-monitor", SECRET[:-1])),
        request(headers=with_header("x-monitor", SECRET + " ")),
        request(headers=with_header("x-monitor", SECRET.upper())),
        request(headers=with_header("x-monitor", secret_hash(SECRET))),
        request(headers=with_header("x-monitor", "")),
        request(headers=with_header("x-monitor", "\udc80")),
        request(headers=with_header("cookie", f"x-monitor={SECRET}")),
        request(query=f"x-monitor={SECRET}"),
        request(headers=with_header("x-waiting-room-exempt", "monitor")),
        request(),
    ],
)
def test_anything_else_waits(asked):
    assert not isinstance(decided(asked, state({"header": PART})), Pass)


@pytest.mark.parametrize(
    ("client_ip", "passes"),
    [
        ("192.0.2.7", True),
        ("192.0.3.7", False),
        ("::ffff:192.0.2.7", True),
        ("2001:db8:1::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("192.0.2.7, 10.0.0.1", False),
        ("localhost", False),
    ],
)
def test_addresses_in_a_range_pass(client_ip, passes):
    known = state({"ip_ranges": ["192.0.2.0/24", "2001:db8::/32"]})
    assert isinstance(decided(from_ip(client_ip), known), Pass) is passes


def test_what_a_client_says_of_its_own_address_does_not_count():
    asked = from_ip("198.51.100.1", headers=with_header("x-forwarded-for", "192.0.2.7"))
    assert not isinstance(decided(asked, state({"ip_ranges": ["192.0.2.0/24"]})), Pass)


def test_all_parts_of_a_rule_must_fit_and_one_rule_of_several():
    both = state({"header": PART, "ip_ranges": ["192.0.2.0/24"]}, {"query": PART})
    secret = with_header("x-monitor", SECRET)
    assert isinstance(decided(from_ip("192.0.2.7", headers=secret), both), Pass)
    assert not isinstance(decided(from_ip("192.0.2.7"), both), Pass)
    assert not isinstance(decided(from_ip("198.51.100.1", headers=secret), both), Pass)
    assert isinstance(decided(request(query=f"x-monitor={SECRET}"), both), Pass)


def test_a_zone_is_exempt_from_its_own_rules_only():
    both = snapshot(zone("events", rules=[{"paths": ["/events"]}]), zone(exempt=[{"name": "m", "header": PART}]))
    asked = request("/events/midnight-sun;v=1", headers=with_header("x-monitor", SECRET))
    assert not isinstance(decided(asked, both), Pass), "another reading of the path lies in the other zone"


def test_secrets_are_compared_in_constant_time_and_all_of_them(monkeypatch):
    compared = []
    real = exempt.compare_digest
    monkeypatch.setattr(exempt, "compare_digest", lambda *pair: compared.append(pair) or real(*pair))
    values = [SECRET, *map(str, range(MOST_VALUES + 5))]
    asked = replace(request(), headers={**request().headers, "x-monitor": tuple(values)})
    passed(decided(asked, state({"header": PART})))
    assert len(compared) % MOST_VALUES == 0, "also after the right one"
    compared.clear()
    decided(request(headers=with_header("x-monitor", "x" * (LONGEST_SECRET + 1))), state({"header": PART}))
    assert compared == []


def test_nothing_published_holds_the_secret():
    assert SECRET not in str(zone(exempt=[{"name": "monitor", "header": PART}]).document)


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"name": "m"},
        {"name": "m", "ip_ranges": []},
        {"name": "m y", "ip_ranges": ["192.0.2.0/24"]},
        {"name": "m", "ip_ranges": ["192.0.2.1/24"]},
        {"name": "m", "ip_ranges": ["192.0.2.0/33"]},
        {"name": "m", "ip_ranges": "192.0.2.0/24"},
        {"name": "m", "header": {"name": "x"}},
        {"name": "m", "header": {"name": "x y", "sha256": "0" * 64}},
        {"name": "m", "header": {"name": "x", "sha256": "0" * 63 + "G"}},
        {"name": "m", "cookie": SECRET},
    ],
)
def test_a_rule_without_clear_meaning_is_refused_with_its_place(document):
    with pytest.raises(BadExemption):
        Exemption.parse(document)
    with pytest.raises(InvalidZone) as error:
        checked({**zone().document, "exempt": [{"name": "good", "ip_ranges": ["192.0.2.0/24"]}, document]}, rule_faults)
    assert error.value.pointer == "/exempt/1"


def test_a_snapshot_from_before_exempt_rules_is_believed_and_a_torn_one_is_not():
    """During an update the publisher may be the older of the two: that must not close the site."""
    document = snapshot_document(zone(exempt=[{"name": "monitor", "header": PART}]))
    (entry,) = document["zones"]
    older = {**document, "zones": [{k: v for k, v in entry.items() if k not in ("exempt", "network_binding")}]}
    assert read_snapshot(older, ISSUER).zones["midnight-sun"].exempt == ()
    for torn in ({"exempt": [{"name": "monitor"}]}, {"exempt": None}, {"network_binding": "maybe"}):
        with pytest.raises(BadSnapshot):
            read_snapshot({**document, "zones": [{**entry, **torn}]}, ISSUER)
