"""Those who do not pass at once: to the line, by a bypass link, or on a detour that renews the session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.gate_support import (
    FETCH,
    HOST,
    NOW_SEC,
    PAGE,
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
    with_header,
    zone,
)
from waiting_room.domain.gate.gate import BadRequest, NewCookie, Redirect, Refuse

ENTER = "/.waiting-room/v1/zones/midnight-sun/enter"
PAGE_URL = "/.waiting-room/pages/midnight-sun/index.html"
RENEW = "/.waiting-room/v1/zones/midnight-sun/sessions/me/renew"
CONTROLS = ("auto", "pause", "pass", "lock", "end")


def test_a_navigation_goes_to_enter_and_remembers_where_it_was_going():
    decision = redirected(decided(asked(event("navigation"))))
    assert decision.location == f"{ENTER}?to=/events/midnight-sun%3Futm_source%3Dfan-club"
    assert not decision.cookies


def test_a_browser_without_fetch_metadata_is_known_by_what_it_accepts():
    assert redirected(decided(asked(event("no_script_browser")))).location == f"{ENTER}?to=/events/midnight-sun"


def test_a_script_that_accepts_html_is_still_a_script():
    assert refused(decided(request(headers=with_header("accept", "text/html", FETCH)))).status == 429


@pytest.mark.parametrize("name", ["fetch", "app"])
def test_anything_else_gets_429_and_the_way_in(name):
    decision = refused(decided(asked(event(name))))
    assert (decision.status, decision.problem, decision.zone_id) == (429, "waiting", "midnight-sun")
    assert decision.enter_url.startswith(f"{ENTER}?to=/events/midnight-sun/seats.json")


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_methods_no_person_navigates_with_get_429(method):
    assert refused(decided(request(method=method))).status == 429


@pytest.mark.parametrize(("entry", "start"), [("enter", ENTER), ("page", PAGE_URL)])
def test_a_crowd_is_sent_straight_to_the_page(entry, start):
    state = snapshot(entries={"midnight-sun": entry})
    assert redirected(decided(request(), state)).location == f"{start}?to=/events/midnight-sun"


@pytest.mark.parametrize("control", ["lock", "end"])
def test_where_nobody_is_let_in_the_api_is_spared_and_cannot_send_anybody_back(control):
    state = snapshot(zone(control=control))
    assert redirected(decided(request(), state)).location.startswith(PAGE_URL)


def test_a_form_goes_back_to_the_page_that_held_it():
    decision = redirected(decided(asked(event("form_post"))))
    assert decision.location == f"{ENTER}?to=/events/midnight-sun/seats%3Frow%3D12"


@pytest.mark.parametrize(
    "referer",
    [
        None,
        "https://evil.example/events/midnight-sun",
        f"https://{HOST}.evil.example/",
        f"https://{HOST}@evil.example/",
        f"https://{HOST}//evil.example/",
        f"https://{HOST}/.waiting-room/pages/midnight-sun/index.html",
        f"javascript://{HOST}/x",
        "https://[::1",
        "/events/midnight-sun",
    ],
)
def test_a_form_from_elsewhere_names_no_page(referer):
    headers = PAGE if referer is None else with_header("referer", referer)
    assert redirected(decided(request(method="POST", headers=headers))).location == ENTER


def test_a_path_that_cannot_be_said_safely_is_left_out():
    assert redirected(decided(request("//events/midnight-sun"))).location == ENTER
    assert redirected(decided(request("/events/midnight-sun\\..\\..\\x"))).location == ENTER


def test_a_query_too_long_to_travel_is_left_out():
    decision = redirected(decided(request(query="a=" + "b" * 3000)))
    assert decision.location == f"{ENTER}?to=/events/midnight-sun"


@pytest.mark.parametrize(
    ("name", "value"),
    [("sec-purpose", "prefetch;prerender"), ("purpose", "prefetch"), ("x-moz", "prefetch"), ("x-purpose", "preview")],
)
def test_a_prefetch_never_enters(name, value):
    decision = refused(decided(request(headers=with_header(name, value))))
    assert (decision.status, decision.enter_url) == (503, "")
    passed(decided(request(headers=with_header(name, value), access=access_token())))


def test_a_prefetched_bypass_link_gives_no_cookie():
    headers = with_header("sec-purpose", "prefetch")
    assert refused(decided(request(query=f"wr_bypass={bypass_token()}", headers=headers))).problem == "no-prefetch"


def test_options_passes_only_as_a_preflight():
    assert passed(decided(asked(event("preflight")))).add["x-waiting-room-open"] == "preflight"
    for missing in ("origin", "access-control-request-method"):
        preflight = asked(event("preflight"))
        headers = {name: values for name, values in preflight.headers.items() if name != missing}
        refused(decided(replace(preflight, headers=headers)))
    assert isinstance(decided(replace(asked(event("preflight")), method="POST")), Refuse)


def test_a_bypass_link_becomes_a_cookie_and_leaves_the_url():
    token = bypass_token()
    decision = redirected(decided(request(query=f"a=1&wr_bypass={token}&b=%20")))
    assert decision.location == "/events/midnight-sun?a=1&b=%20"
    assert decision.cookies == (NewCookie("bypass", "midnight-sun", token, 3600),)


@pytest.mark.parametrize("control", CONTROLS)
def test_a_bypass_link_works_whatever_the_control(control):
    query = f"wr_bypass={bypass_token()}"
    assert redirected(decided(request(query=query), snapshot(zone(control=control)))).cookies


@pytest.mark.parametrize("value", ["", "nonsense", "a.b.c", "%ff"])
def test_a_bad_bypass_link_only_leaves_the_url(value):
    assert decided(request(query=f"wr_bypass={value}")) == Redirect("/events/midnight-sun")


def test_a_bad_bypass_link_cannot_send_anybody_to_another_host():
    decision = decided(request("//evil.example/..//events/midnight-sun", f"wr_bypass={bypass_token()}"))
    assert isinstance(decision, BadRequest)


def test_a_bypass_token_in_a_url_never_reaches_the_site():
    query = f"wr_bypass={bypass_token()}&a=1&%77r_bypass=x"
    assert passed(decided(request(query=query, method="POST", access=access_token()))).query == "a=1"
    assert passed(decided(request("/", query))).query == "a=1"


def near_end(**changes: int) -> str:
    return access_token(**{"exp": NOW_SEC + 100, **changes})


def test_a_page_in_the_last_third_of_a_lease_renews_on_the_way():
    decision = redirected(decided(request(query="row=12", access=near_end())))
    assert decision.location == f"{RENEW}?to=/events/midnight-sun%3Frow%3D12"
    assert decision.cookies == (NewCookie("try", "", "1", 10),)


@pytest.mark.parametrize("control", ["auto", "pause", "end"])
def test_whoever_is_in_may_go_on_as_long_as_sessions_count(control):
    assert isinstance(decided(request(access=near_end()), snapshot(zone(control=control))), Redirect)


def test_a_lease_in_its_first_two_thirds_is_left_alone():
    passed(decided(request(access=near_end(exp=NOW_SEC + 101))))


def test_the_hard_end_cannot_be_put_off():
    passed(decided(request(access=near_end(hard_end=NOW_SEC + 100))))


def test_no_renewal_right_after_another():
    page = request(access=near_end())
    passed(decided(replace(page, tokens={**page.tokens, ("try", ""): ("1",)})))


@pytest.mark.parametrize(
    "headers",
    [
        FETCH,
        with_header("sec-fetch-dest", "iframe"),
        with_header("sec-fetch-dest", "image"),
        with_header("sec-purpose", "prefetch"),
    ],
)
def test_only_whole_pages_renew(headers):
    passed(decided(request(headers=headers, access=near_end())))


@pytest.mark.parametrize("method", ["POST", "HEAD", "PUT"])
def test_only_get_renews(method):
    passed(decided(request(method=method, access=near_end())))


def test_apps_and_scripted_zones_renew_by_the_api():
    passed(decided(request(headers=with_header("authorization", f"Bearer {near_end()}"))))
    passed(decided(request(access=near_end()), snapshot(zone(session={"kind": "script"}))))


@pytest.mark.parametrize("fields", [{"control": "pass"}, {"observe": True}])
def test_where_the_gate_is_off_nobody_makes_a_detour(fields):
    passed(decided(request(access=near_end()), snapshot(zone(**fields))))


def test_staff_never_renew():
    passed(decided(request(bypass=bypass_token(exp=NOW_SEC + 1), access=near_end())))
