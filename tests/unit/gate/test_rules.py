"""Which zone guards what: hosts, paths, methods, exclusions, and the most specific rule of all."""

from __future__ import annotations

from typing import Any

import pytest

from waiting_room.domain.gate import rules as rules_module
from waiting_room.domain.gate.paths import readings
from waiting_room.domain.gate.rules import BadRule, Rule, guards, host_name

ANY_HOST = ("tickets.example.com",)


def rule(zone_id: str = "a", **document: Any) -> Rule:
    return Rule.parse(zone_id, document)


def guarded(
    path: str, *rules: Rule, hosts: tuple[str, ...] | None = ANY_HOST, method: str | None = "GET"
) -> tuple[str, ...]:
    return guards(rules, hosts, readings(path), None if method is None else (method,))


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("/events/x", "/events/x", True),
        ("/events/x", "/events/x/", True),
        ("/events/x", "/events/x/seats/12", True),
        ("/events/x", "/events/xy", False),
        ("/events/x", "/events", False),
        ("/events/x/", "/events/x", True),
        ("/", "/anything", True),
        ("/", "/", True),
        ("=/events/x", "/events/x", True),
        ("=/events/x", "/events/x/", True),
        ("=/events/x", "/events/x/y", False),
        ("=/", "/", True),
        ("=/", "/x", False),
        ("/a/*", "/a/b", True),
        ("/a/*", "/a/b/c", True),
        ("/a/*", "/a/", True),
        ("/a/*", "/a", True),
        ("/a/*", "/ab", False),
        ("/a/*/pay", "/a/1/pay", True),
        ("/a/*/pay", "/a/1/2/pay", True),
        ("/a/*/pay", "/a/1/payment", False),
        ("/*.json", "/deep/seats.json", True),
        ("/*.json", "/deep/seats.jsonp", False),
        ("/*.json", "/deep/seats.json/", True),
        ("/a/*/pay", "/a/1/pay//", True),
        ("/a*b*c", "/aXbXc", True),
        ("/a*b*c", "/acb", False),
        ("/ab*ba", "/aba", False),
        ("/Events/X", "/events/x", True),
        ("/events/x", "/EVENTS/X", True),
        ("/caf%C3%A9", "/caf%c3%a9", True),
        ("/café", "/caf%65%CC%81", True),
        ("/straße", "/STRASSE", True),
        ("/100%25", "/100%25", True),
        ("/café", "/cafe", True),
        ("/events/x", "/events/x.json", True),
        ("/events/x", "/events/x.json/seats", True),
        ("/events/x", "/_next/data/b/events/x.json", True),
        ("/events/x", "/page-data/events/x/page-data.json", True),
        ("/events/x", "/events/x%C2%AD", True),
        ("/events/x.html", "/events/x", True),
        ("/events/x.html", "/events/xy", False),
        ("=/events/x", "/events/x.json", True),
        ("=/events/x", "/events/x/index.php", True),
        ("=/events/x", "/events/x/INDEX.HTML/", True),
        ("=/events/x", "/events/x/__data.json", True),
        ("=/events/x", "/events/x/_payload.json", True),
        ("=/events/x", "/page-data/events/x/page-data.json", True),
        ("/*/pay", "/page-data/a/pay/page-data.json", True),
        ("=/events/x", "/events/x/seats.json", False),
        ("=/events/x", "/events/x/indexes", False),
        ("=/events/x/index.html", "/events/x/", True),
        ("=/", "/index.html", True),
        ("=/", "/.well-known", False),
        ("=/index.php", "/", True),
        ("/*/pay", "/a/pay.json", True),
        ("/*/pay", "/a/pay/index.html", True),
        ("/events/12", "/events/12-foo", True),
        ("/events/12", "/events/012", True),
        ("/events/12", "/events/+12", True),
        ("/events/12", "/events/1_2", True),
        ("/events/12", "/events/12-foo/seats", True),
        ("/events/12", "/events/12.0", True),
        ("/events/12", "/events/%D9%A1%D9%A2", True),
        ("/events/12", "/events/123", False),
        ("/events/12", "/events/1-2", False),
        ("/events/012/pay", "/events/12-foo/pay", True),
        ("/events/*/12", "/events/a/12-foo", True),
        ("/events/12-foo", "/events/12-bar", False),
    ],
)
def test_patterns(pattern, path, fits):
    assert bool(guarded(path, rule(paths=[pattern]))) is fits


def test_case_counts_where_a_rule_says_so():
    strict = rule(paths=["/Events/X"], ignore_case=False)
    assert guarded("/Events/X/seats", strict)
    assert not guarded("/events/x/seats", strict)


def test_a_glob_with_many_stars_takes_no_time_on_a_long_path():
    assert not guarded("/" + "ab" * 4000, rule(paths=["/*a*b*a*b*a*b*a*b*a*b*a*b*a*b*a*b*x"]))


def test_any_reading_in_a_zone_is_enough():
    assert guarded("/open/..%2fevents/x", rule(paths=["/events/x"])) == ("a",)
    assert guarded("/events/x/..%2f..%2fopen", rule(paths=["/events/x"])) == ("a",)


def test_an_exclusion_opens_a_path_only_if_no_reading_lies_elsewhere_in_the_zone():
    excluding = rule(paths=["/events/x"], excludes=["/events/x/static", "=/events/x/about"])
    assert not guarded("/events/x/static/site.css", excluding)
    assert not guarded("/events/x/about", excluding)
    assert guarded("/events/x/about/us", excluding)
    assert guarded("/events/x/static/..%2fpay", excluding)
    assert guarded("/events/x/static/%2e%2e/pay", excluding)
    assert guarded("/events/x/static;/../pay", excluding)


def test_an_exclusion_opens_what_it_names_and_no_other_name_of_it():
    excluding = rule(paths=["/events"], excludes=["/events/x", "/events/12", "/*.css"])
    assert not guarded("/events/x/a", excluding)
    assert not guarded("/events/12/a.css", excluding)
    assert guarded("/events/x.json", excluding)
    assert guarded("/events/12-foo", excluding)
    assert not guarded("/events/site.css", excluding)


def test_many_readings_before_many_rules_are_guarded_rather_than_compared():
    odd = "/a+b;c//d%2fe&f"
    assert len(readings(odd)) > rules_module.HONEST_READINGS
    many = [rule(f"zone-{number}", paths=["/a*x"]) for number in range(rules_module.MOST_COMPARISONS)]
    assert len(guarded(odd, *many)) == len(many)
    assert not guarded(odd, *many[:3])
    assert not guarded("/a/b", *many)


def test_hosts_are_compared_without_case_port_and_dot():
    named = rule(paths=["/"], hosts=["Tickets.Example.com"])
    for host in ("tickets.example.com", "TICKETS.example.com.", "tickets.example.com:443"):
        assert guarded("/", named, hosts=(host_name(host),)) == ("a",)
    assert not guarded("/", named, hosts=("www.example.com",))


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("tickets.example.org", True),
        ("a.b.example.org", True),
        ("example.org", False),
        ("badexample.org", False),
        ("example.org.evil.test", False),
    ],
)
def test_a_wildcard_takes_every_name_below_a_domain(host, fits):
    below = rule(paths=["/"], hosts=["*.Example.org"])
    assert bool(guarded("/", below, hosts=(host_name(host),))) is fits


@pytest.mark.parametrize(
    ("broad", "narrow"),
    [
        ([], ["*.example.com"]),
        (["*.com"], ["*.example.com"]),
        (["*.example.com"], ["tickets.example.com"]),
        (["*.example.com"], ["*.org", "tickets.example.com"]),
    ],
)
def test_the_more_exact_host_wins_whatever_the_path(broad, narrow):
    rules = [rule("broad", paths=["=/events/x"], hosts=broad), rule("narrow", paths=["/"], hosts=narrow)]
    assert guarded("/events/x", *rules) == guarded("/events/x", *reversed(rules)) == ("narrow",)


def test_an_unknown_host_may_mean_any():
    assert guarded("/", rule(paths=["/"], hosts=["tickets.example.com"]), hosts=None) == ("a",)


def test_what_two_hosts_guard_apart_is_guarded_by_both_where_either_may_be_meant():
    rules = (rule("a", paths=["/x"], hosts=["a.example"]), rule("b", paths=["=/x"], hosts=["*.b.example"]))
    outer = rule("outer", paths=["/x"])
    assert guarded("/x", *rules, hosts=("a.example", "www.b.example")) == ("a", "b")
    assert guarded("/x", *rules, outer, hosts=None) == ("a", "b", "outer")
    assert guarded("/x", outer, rule("inner", paths=["=/x"]), hosts=None) == ("inner",)


def test_one_of_several_hosts_is_enough():
    assert guarded("/", rule(paths=["/"], hosts=["b.example"]), hosts=("a.example", "b.example")) == ("a",)


def test_methods():
    posts = rule(paths=["/pay"], methods=["POST", "get"])
    assert guarded("/pay", posts, method="POST")
    assert guarded("/pay", posts, method="GET")
    assert guarded("/pay", posts, method="HEAD"), "HEAD does the work of GET"
    assert not guarded("/pay", posts, method="PUT")
    assert guarded("/pay", posts, method=None), "not known"


@pytest.mark.parametrize(
    ("broad", "narrow"),
    [
        ({"paths": ["/"]}, {"paths": ["/events"]}),
        ({"paths": ["/events"]}, {"paths": ["/events/x"]}),
        ({"paths": ["/events/x"]}, {"paths": ["=/events/x/pay"]}),
        ({"paths": ["/events/x/pay"]}, {"paths": ["=/events/x/pay"]}),
        ({"paths": ["/*"]}, {"paths": ["/events/*"]}),
        ({"paths": ["=/events/x/pay"]}, {"paths": ["/"], "hosts": ["tickets.example.com"]}),
        ({"paths": ["/events/x"]}, {"paths": ["/events/x"], "methods": ["GET"]}),
    ],
)
def test_the_most_specific_rule_wins_whatever_the_order(broad, narrow):
    rules = [rule("broad", **broad), rule("narrow", **narrow)]
    assert guarded("/events/x/pay", *rules) == ("narrow",)
    assert guarded("/events/x/pay", *reversed(rules)) == ("narrow",)


def test_what_one_zone_excludes_another_may_guard():
    inner = rule("inner", paths=["/events/x"], excludes=["/events/x/shop"])
    outer = rule("outer", paths=["/events"])
    assert guarded("/events/x/shop", inner, outer) == ("outer",)


def test_readings_in_several_zones_are_guarded_by_all_of_them_the_most_specific_first():
    rules = (rule("outer", paths=["/events"]), rule("inner", paths=["/events/x"]))
    assert guarded("/events/x;v=1", *rules) == ("inner", "outer")


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"paths": []},
        {"paths": "/events"},
        {"paths": ["events"]},
        {"paths": ["=events"]},
        {"paths": [7]},
        {"paths": ["/a//b"]},
        {"paths": ["/a/../b"]},
        {"paths": ["/a/%2e%2e/b"]},
        {"paths": ["/a/."]},
        {"paths": ["/a;v"]},
        {"paths": ["/a?b"]},
        {"paths": ["/a%23b"]},
        {"paths": ["/a\\b"]},
        {"paths": ["/a%00"]},
        {"paths": ["/%ff"]},
        {"paths": ["/a"], "excludes": ["b"]},
        {"paths": ["/a"], "hosts": "b"},
        {"paths": ["/a"], "hosts": ["*"]},
        {"paths": ["/a"], "hosts": ["*."]},
        {"paths": ["/a"], "hosts": ["a.*.example"]},
        {"paths": ["/a"], "hosts": ["*a.example"]},
        {"paths": ["/a"], "methods": [None]},
        {"paths": ["/a"], "ignore_case": "yes"},
    ],
)
def test_a_rule_without_clear_meaning_is_refused(document):
    with pytest.raises(BadRule):
        rule(**document)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("A.example:8080", "a.example"),
        ("a.example.", "a.example"),
        ("a.example..:", "a.example"),
        ("a.example:", "a.example"),
        ("a.example:x", "a.example"),
        ("a.example:80:90", "a.example"),
        ("[::1]:80", "[::1]"),
        ("[::1]:", "[::1]"),
        ("[::1]", "[::1]"),
        *(
            (odd, "")
            for odd in ("", ":", ".", "[::1", "me@a.example", "a.example/x", "a example", "é.example", "a" * 400)
        ),
    ],
)
def test_host_names(header, name):
    assert host_name(header) == name
