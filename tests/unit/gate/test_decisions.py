"""Who passes: control, tokens, hosts, several zones, and what the site gets to see."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.gate_support import (
    BYPASS_ID,
    CLOCK,
    FETCH,
    HOST,
    NOW_SEC,
    PAGE,
    SID,
    SIGNER,
    VISITOR,
    access_token,
    asked,
    bypass_token,
    decided,
    event,
    passed,
    redirected,
    refused,
    request,
    snapshot,
    visitor_claims,
    with_header,
    zone,
)
from waiting_room import schemas
from waiting_room.domain.gate.gate import BadRequest, NotFound, Pass
from waiting_room.domain.locations import enter_url, page_path, renew_url

ENTER = "/.waiting-room/v1/zones/midnight-sun/enter"
PAGE_URL = "/.waiting-room/pages/midnight-sun/index.html"
RENEW = "/.waiting-room/v1/zones/midnight-sun/sessions/me/renew"
CONTROLS = ("auto", "pause", "pass", "lock", "end")


def test_an_open_path_passes_without_any_header_of_ours():
    decision = passed(decided(request("/", "a=1", headers={**PAGE, "x-waiting-room-zone": "midnight-sun"})))
    assert decision == Pass(query="a=1", strip=frozenset({"x-waiting-room-zone"}))


@pytest.mark.parametrize("path", ["/%ff", "/a%00", "/%2525252f"])
def test_a_path_without_meaning_is_a_bad_request(path):
    assert isinstance(decided(request(path, access=access_token())), BadRequest)


@pytest.mark.parametrize(
    "path",
    [
        "/.waiting-room",
        "/.waiting-room/v1/zones/midnight-sun/enter",
        "/.Waiting-Room/status/midnight-sun.json",
        "/%2ewaiting-room/v1/x",
        "/x/..%2f.waiting-room/v1/x",
        "/.waiting-room%2fv1",
        "/.waiting-room/../events/midnight-sun",
        "/.waiting-room/%2e%2e/events/midnight-sun",
        "/.waiting-room/..%2fevents/midnight-sun",
    ],
)
def test_nothing_under_the_prefix_reaches_the_site_through_the_gate(path):
    assert decided(request(path, access=access_token())) == NotFound()


def test_a_name_that_only_begins_like_the_prefix_is_the_sites():
    passed(decided(request("/.waiting-rooms/open")))


def test_an_access_token_in_the_cookie_passes_and_the_site_learns_who_it_is():
    decision = passed(decided(request(access=access_token())))
    assert decision.add == {
        "x-waiting-room-zone": "midnight-sun",
        "x-waiting-room-visitor": VISITOR,
        "x-waiting-room-lane": "general",
        "x-waiting-room-session": SID,
    }
    assert not decision.noticed


def test_a_bearer_token_passes_and_does_not_travel_on():
    headers = with_header("authorization", f"bearer  {access_token()}", FETCH)
    assert "authorization" in passed(decided(request(headers=headers))).strip


def test_an_authorization_of_the_sites_own_travels_on():
    headers = with_header("authorization", "Basic dXNlcjpwYXNz", FETCH)
    assert "authorization" not in passed(decided(request(headers=headers, access=access_token()))).strip


def test_the_token_is_forwarded_only_where_the_zone_says_so():
    token = access_token()
    state = snapshot(zone(forward_token=True))
    assert passed(decided(request(access=token), state)).add["x-waiting-room-token"] == token
    assert "x-waiting-room-token" not in passed(decided(request(access=token))).add
    headers = with_header("authorization", f"Bearer {token}", FETCH)
    assert "authorization" not in passed(decided(request(headers=headers), state)).strip
    assert "x-waiting-room-token" not in passed(decided(request(bypass=bypass_token()), state)).add


def test_one_good_token_among_several_cookies_is_enough():
    good = request()
    cookies = {("access", "midnight-sun"): ("stale", access_token())}
    passed(decided(replace(good, tokens=cookies)))


def test_only_the_first_few_cookies_of_a_name_are_looked_at():
    cookies = {("access", "midnight-sun"): ("a", "b", "c", access_token())}
    redirected(decided(replace(request(), tokens=cookies)))


@pytest.mark.parametrize(
    "changes",
    [
        {"zone": "winter-gala"},
        {"run": 2},
        {"exp": NOW_SEC},
        {"exp": NOW_SEC - 1},
    ],
)
def test_a_token_for_something_else_counts_as_none(changes):
    redirected(decided(request(access=access_token(**changes))))


@pytest.mark.parametrize("audience_cookie", ["access", "bypass"])
def test_a_visitor_token_opens_nothing(audience_cookie):
    token = SIGNER.sign("visitor", visitor_claims())
    redirected(decided(replace(request(), tokens={(audience_cookie, "midnight-sun"): (token,)})))
    headers = with_header("authorization", f"Bearer {token}", FETCH)
    assert refused(decided(request(headers=headers))).status == 429


def test_access_and_bypass_tokens_are_not_taken_for_each_other():
    redirected(decided(request(access=bypass_token())))
    redirected(decided(request(bypass=access_token())))


def test_a_token_is_valid_to_the_last_millisecond_and_no_longer():
    token = access_token(exp=NOW_SEC + 1)
    soon = with_header("sec-fetch-dest", "image", PAGE)
    passed(decided(request(access=token, headers=soon), now_ms=CLOCK.ms + 999))
    refused(decided(request(access=token, headers=soon), now_ms=CLOCK.ms + 1000))


@pytest.mark.parametrize("kind", ["sids", "visitors"])
def test_a_revoked_session_or_visitor_counts_as_none(kind):
    state = snapshot(revoked={kind: [SID if kind == "sids" else VISITOR]})
    redirected(decided(request(access=access_token()), state))


def test_a_bypass_token_passes_and_is_marked_as_such():
    decision = passed(decided(request(bypass=bypass_token())))
    assert decision.add == {
        "x-waiting-room-zone": "midnight-sun",
        "x-waiting-room-exempt": BYPASS_ID,
        "x-waiting-room-lane": "general",
    }


def test_a_revoked_bypass_token_counts_as_none():
    redirected(decided(request(bypass=bypass_token()), snapshot(revoked={"bypass": [BYPASS_ID]})))


@pytest.mark.parametrize(
    ("control", "nobody", "session", "staff"),
    [
        ("auto", False, True, True),
        ("pause", False, True, True),
        ("pass", True, True, True),
        ("lock", False, False, True),
        ("end", False, True, True),
    ],
)
@pytest.mark.parametrize("headers", [PAGE, FETCH])
def test_control(control, nobody, session, staff, headers):
    state = snapshot(zone(control=control))
    assert isinstance(decided(request(headers=headers), state), Pass) is nobody
    assert isinstance(decided(request(headers=headers, access=access_token()), state), Pass) is session
    assert isinstance(decided(request(headers=headers, bypass=bypass_token()), state), Pass) is staff


@pytest.mark.parametrize("control", CONTROLS)
def test_a_zone_that_only_observes_lets_everybody_pass_and_says_who_would_have_waited(control):
    state = snapshot(zone(control=control, observe=True))
    assert passed(decided(request(), state)).noticed == ("" if control == "pass" else "would wait")
    assert passed(decided(request(access=access_token()), state)).noticed == ("would wait" if control == "lock" else "")
    assert not passed(decided(asked(event("preflight")), state)).noticed


def test_in_pass_mode_the_site_still_learns_who_has_a_session():
    state = snapshot(zone(control="pass"))
    assert passed(decided(request(access=access_token()), state)).add["x-waiting-room-session"] == SID
    assert "x-waiting-room-open" not in passed(decided(request(access=access_token()), state)).add


@pytest.mark.parametrize(
    ("fields", "name", "why"),
    [
        ({"control": "pass"}, "navigation", "pass"),
        ({"observe": True}, "navigation", "observe"),
        ({"observe": True, "control": "pass"}, "navigation", "observe"),
        ({}, "preflight", "preflight"),
    ],
)
def test_the_site_is_told_why_somebody_comes_whom_the_gate_does_not_know(fields, name, why):
    decision = passed(decided(asked(event(name)), snapshot(zone(**fields))))
    assert decision.add == {"x-waiting-room-zone": "midnight-sun", "x-waiting-room-open": why}


@pytest.mark.parametrize("name", ["x-waiting-room-open", "x_waiting_room_open", "X-Waiting.Room_Open".lower()])
@pytest.mark.parametrize("path", ["/events/midnight-sun", "/"])
def test_nobody_else_can_say_that_the_gate_is_open(name, path):
    decision = passed(decided(request(path, headers=with_header(name, "pass"), access=access_token())))
    assert name in decision.strip
    assert "x-waiting-room-open" not in decision.add


def test_a_preflight_says_nothing_of_who_asks_and_carries_no_query():
    preflight = asked(event("preflight"))
    assert passed(decided(replace(preflight, query="order=1"))).query == ""
    for name in ("cookie", "authorization", "transfer-encoding", "content-type"):
        refused(decided(replace(preflight, headers={**preflight.headers, name: ("x",)})))
    refused(decided(replace(preflight, headers={**preflight.headers, "content-length": ("5",)})))
    passed(decided(replace(preflight, headers={**preflight.headers, "content-length": ("0",)})))
    admitted = replace(preflight, query="order=1", tokens={("access", "midnight-sun"): (access_token(),)})
    assert passed(decided(admitted)).query == "order=1"


def test_forged_headers_are_taken_away_in_every_spelling():
    forged = {
        "x-waiting-room-exempt": "1",
        "x_waiting_room_session": "1",
        "x-waiting_room-zone": "1",
        "x.waiting.room.visitor": "1",
        "x-waiting-room": "1",
        "x-original-url": "/events/midnight-sun",
        "x_rewrite_url": "/events/midnight-sun",
    }
    kept = {"x-waiting-list": "1", "x-original-host": "a.example"}
    for asked_for in (request(headers={**PAGE, **forged, **kept}, access=access_token()), request("/", headers=forged)):
        assert passed(decided(asked_for)).strip == set(forged)


def test_a_zone_of_one_host_leaves_others_alone_but_not_the_distributions_own_name():
    state = snapshot(zone(rules=[{"hosts": [HOST], "paths": ["/events"]}]))
    redirected(decided(request(), state))
    redirected(decided(request(host=HOST.upper() + "."), state))
    passed(decided(request(host="www.example.com"), state))
    redirected(decided(request(host="d111111abcdef8.cloudfront.net"), state))
    redirected(decided(request(host=None), state))


@pytest.mark.parametrize(
    "spelling", [f"{HOST}:", f"{HOST}:x", f"{HOST}..:80", f"me@{HOST}", f"{HOST}/x", "", ":", "[::1"]
)
def test_a_host_that_some_server_takes_for_the_guarded_one_is_guarded(spelling):
    state = snapshot(zone(rules=[{"hosts": [HOST], "paths": ["/events"]}]))
    redirected(decided(request(host=spelling), state))


def test_of_several_hosts_any_may_be_meant():
    state = snapshot(zone(rules=[{"hosts": [HOST], "paths": ["/events"]}]))
    once = request()
    redirected(decided(replace(once, headers={**once.headers, "host": ("www.example.com", HOST)}), state))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-forwarded-host", f"www.example.com, {HOST}:443"),
        ("x-host", HOST),
        ("x_forwarded_host", HOST),
        ("x.original-host", f"{HOST}:"),
        ("x-forwarded-host", "somebody@somewhere"),
        ("x-forwarded-host", ", ".join(f"{number}.example" for number in range(30))),
        ("x-forwarded-host", "a" * 2000),
        ("forwarded", f'for=192.0.2.1;proto=https;Host="{HOST}"'),
    ],
)
def test_a_guarded_host_that_the_site_may_be_told_of_is_guarded(name, value):
    state = snapshot(zone(rules=[{"hosts": [HOST], "paths": ["/events"]}]))
    redirected(decided(request(host="www.example.com", headers=with_header(name, value)), state))


@pytest.mark.parametrize(
    "name", ["x-http-method-override", "x-http-method", "x-method-override", "x_http_method_override", "x-http.method"]
)
def test_a_method_that_may_be_overridden_may_be_any(name):
    posts = snapshot(zone(rules=[{"paths": ["/events"], "methods": ["POST"]}]))
    passed(decided(request(), posts))
    redirected(decided(request(headers=with_header(name, "POST")), posts))
    preflight = asked(event("preflight"))
    refused(decided(replace(preflight, headers={**preflight.headers, name: ("GET",)})))


def test_a_path_read_into_two_zones_needs_the_tokens_of_both():
    outer = zone("events", rules=[{"paths": ["/events"]}])
    state = snapshot(zone(), outer)
    path = "/events/midnight-sun;v=1"
    inside = request(path, access=access_token())
    assert redirected(decided(inside, state)).location.startswith("/.waiting-room/v1/zones/events/enter")
    both = replace(inside, tokens={**inside.tokens, ("access", "events"): (access_token(zone="events"),)})
    assert passed(decided(both, state)).zone_id == "midnight-sun"


def test_a_zone_within_a_zone_has_its_own_tokens_only():
    state = snapshot(zone(), zone("events", rules=[{"paths": ["/events"]}]))
    passed(decided(request(access=access_token()), state))
    outer_only = replace(request(), tokens={("access", "events"): (access_token(zone="events"),)})
    redirected(decided(outer_only, state))


def test_locations_are_those_of_the_open_api_document_and_the_behaviours():
    paths = {operation_id: operation.path for operation_id, operation in schemas.operations().items()}
    assert enter_url("{zone_id}", None) == paths["enter_zone"]
    renewal = {path for path in paths.values() if path.endswith("/sessions/me/renew")}
    assert {renew_url("{zone_id}", None)} == renewal
    pages = next(entry for entry in schemas.behaviours()["behaviours"] if entry["name"] == "pages")
    assert page_path("x").startswith(pages["path_pattern"].rstrip("*"))
