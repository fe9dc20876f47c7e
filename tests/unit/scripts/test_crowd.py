"""The crowd's own checker must see what it is there to see, and its browser must keep visitors apart."""

from __future__ import annotations

import asyncio
import base64
import json
import random

import httpx
import pytest

from scripts.visitors import visitor
from scripts.visitors.browser import Browser, Cookies, TooManyRedirects, token_claims
from scripts.visitors.check import check
from scripts.visitors.command import main, report_lines
from scripts.visitors.crowd import HASTY, Arrivals
from scripts.visitors.event_log import EventLog, parse_events
from scripts.visitors.guest import Errand
from scripts.visitors.habits import Habits, draw_plan


def token(name, sid, from_ms, exp_sec, answered_after_ms=10):
    return {
        "at_ms": from_ms,
        "visitor": name,
        "event": "token",
        "sid": sid,
        "run": 1,
        "exp_sec": exp_sec,
        "requested_at_ms": from_ms,
        "received_at_ms": from_ms + answered_after_ms,
    }


def ended(name, sid, at_ms, answered_after_ms=10):
    return {
        "at_ms": at_ms,
        "visitor": name,
        "event": "ended",
        "sid": sid,
        "how": "checkout",
        "requested_at_ms": at_ms,
        "received_at_ms": at_ms + answered_after_ms,
    }


def line(name, position, ahead, joined=1):
    return {
        "at_ms": 0,
        "visitor": name,
        "event": "line",
        "run": 1,
        "position": position,
        "ahead": ahead,
        "joined": joined,
    }


def test_an_overshoot_by_one_is_caught():
    events = [token(f"v{number}", f"s{number}", 1_000 * number, 60) for number in range(3)]
    assert check(events, max_active=3).faults == []
    report = check(events, max_active=2)
    assert report.certain_peak == 3
    assert report.faults == ["3 sessions were live at 2010 ms, 2 are allowed"]
    assert report_lines(report, 2)[-1] == "1 faults"


def test_an_ended_or_expired_session_leaves_its_slot():
    after_end = [token("a", "s1", 0, 60), ended("a", "s1", 5_000), token("b", "s2", 5_050, 60)]
    after_expiry = [token("a", "s1", 0, 5), token("b", "s2", 5_000, 60)]
    assert check(after_end, max_active=1).faults == []
    assert check(after_expiry, max_active=1).faults == []


def test_a_slot_passed_on_during_the_request_is_possible_but_proves_nothing():
    events = [
        token("a", "s1", 0, 60),
        ended("a", "s1", 5_000, answered_after_ms=100),
        token("b", "s2", 5_020, 60, answered_after_ms=40),
    ]
    report = check(events, max_active=1)
    assert (report.certain_peak, report.possible_peak, report.faults) == (1, 2, [])


def test_a_renewed_session_is_one_session_and_lives_on():
    events = [token("a", "s1", 0, 10), token("a", "s1", 8_000, 20), token("b", "s2", 15_000, 30)]
    assert check(events, max_active=5).certain_peak == 2
    assert check(events, max_active=5).sessions == 2


@pytest.mark.parametrize(
    ("events", "fault"),
    [
        ([line("a", 4, 2), line("b", 4, 2)], "position 4 of run 1 was given to a and to b"),
        ([line("a", 4, 2), line("a", 5, 2)], "a moved back from position 4 to 5"),
        ([line("a", 4, 2), line("a", 4, 3)], "a saw 2 ahead, then 3"),
    ],
)
def test_a_place_that_is_shared_or_gets_worse_is_caught(events, fault):
    assert fault in check(events, max_active=5).faults


def test_a_place_taken_anew_may_be_further_back():
    assert check([line("a", 4, 0), line("a", 90, 40, joined=2)], max_active=5).faults == []


def test_verify_ends_with_1_on_a_fault_and_2_on_a_broken_log(tmp_path, capsys):
    log = tmp_path / "crowd.jsonl"
    events = [token("a", "s1", 0, 60), token("b", "s2", 1_000, 60)]
    log.write_text("".join(json.dumps(event) + "\n" for event in events))
    assert main(["--verify", str(log), "--max-active", "2"]) == 0
    assert main(["--verify", str(log), "--max-active", "1"]) == 1
    assert "FAULT: 2 sessions were live" in capsys.readouterr().out
    log.write_text("{}\n")
    with pytest.raises(SystemExit) as ending:
        main(["--verify", str(log)])
    assert ending.value.code == 2
    assert "line 1 is not an event" in capsys.readouterr().err


def test_the_event_log_counts_and_writes_what_check_reads(tmp_path):
    with (tmp_path / "log").open("w+") as file:
        log = EventLog(file)
        log.write("v1", "arrived")
        log.write("v1", "line", run=1, position=3, ahead=3, joined=1)
        file.seek(0)
        events = list(parse_events(file))
    assert log.counts == {"arrived": 1, "line": 1}
    assert check(events, max_active=1).counts == {"arrived": 1, "line": 1}


def test_plans_and_arrivals_come_from_the_seed_alone():
    def drawn(seed):
        dice = random.Random(seed)
        return Arrivals(flash=20, trickle=2).moments(dice), [draw_plan(HASTY, dice) for _ in range(200)]

    assert drawn(5) == drawn(5)
    assert drawn(5) != drawn(6)
    moments, plans = drawn(5)
    assert moments == sorted(moments)
    assert moments[-2:] == [10.0, 15.0]
    assert 20 <= sum(not plan.comes for plan in plans) <= 60


def browser_on(handler):
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler), base_url="http://localhost:1")
    seen = []
    return Browser(client, asyncio.Semaphore(1), Cookies(seen.append)), seen


def test_secure_cookies_go_back_to_localhost_until_they_are_cleared():
    def site(request):
        if request.url.path == "/set":
            headers = [("set-cookie", "__Host-a=1; Max-Age=60; Path=/; Secure; HttpOnly"), ("location", "/page")]
            return httpx.Response(303, headers=headers)
        if request.url.path == "/clear":
            return httpx.Response(200, headers={"set-cookie": "__Host-a=; Max-Age=0; Path=/; Secure"})
        return httpx.Response(200, text=request.headers.get("cookie", "none"))

    async def visit():
        browser, seen = browser_on(site)
        first = await browser.open("/set")
        await browser.open("/clear")
        second = await browser.open("/page")
        return first.text, second.text, seen

    first, second, seen = asyncio.run(visit())
    assert (first, second) == ("__Host-a=1", "none")
    assert [cookie.name for cookie in seen] == ["__Host-a"]


def visited(monkeypatch, site, log):
    """Let one visitor of the crowd visit a site; time stands still."""

    async def no_time(_):
        pass

    monkeypatch.setattr(visitor.asyncio, "sleep", no_time)

    async def visit():
        async with httpx.AsyncClient(transport=httpx.MockTransport(site), base_url="http://localhost:1") as client:
            habits = Habits(button_share=1.0, stay_sec=(0.0, 0.0))
            coming = visitor.Visitor("v", Errand("z", "/sale"), habits, client, asyncio.Semaphore(1), log, dice())
            await coming.visit()

    asyncio.run(visit())


def dice():
    return random.Random(1)


def test_a_visit_is_driven_to_its_end_though_an_answer_is_lost(monkeypatch):
    claims = base64.urlsafe_b64encode(json.dumps({"sid": "s", "run": 1, "exp": 9}).encode()).decode().rstrip("=")
    asked = []

    def site(request):
        asked.append((request.method, request.url.path))
        if len(asked) == 1:
            raise httpx.ConnectError("gone")
        if request.method == "DELETE":
            return httpx.Response(204)
        return httpx.Response(200, headers={"set-cookie": f"__Host-wr-access-z=a.{claims}.c; Path=/"})

    log = EventLog()
    visited(monkeypatch, site, log)
    assert asked == [("GET", "/sale")] * 2 + [("DELETE", "/.waiting-room/v1/zones/z/sessions/me")]
    assert log.counts == {"arrived": 1, "lost_answer": 1, "token": 1, "inside": 1, "ended": 1}


def test_a_loop_of_redirects_ends_the_visit_with_a_fault(monkeypatch):
    log = EventLog()
    visited(monkeypatch, lambda _: httpx.Response(303, headers={"location": "/again"}), log)
    assert log.counts == {"arrived": 1, "fault": 1}


def test_pages_and_calls_are_told_apart_and_a_loop_of_redirects_ends():
    destinations = []

    def site(request):
        destinations.append(request.headers["sec-fetch-dest"])
        return httpx.Response(303, headers={"location": "/again"})

    async def visit():
        browser, _ = browser_on(site)
        assert (await browser.call("GET", "/status")).status_code == 303
        with pytest.raises(TooManyRedirects):
            await browser.open("/page")

    asyncio.run(visit())
    assert destinations[:2] == ["empty", "document"]


def test_claims_are_read_without_the_key():
    payload = base64.urlsafe_b64encode(json.dumps({"sid": "abc"}).encode()).rstrip(b"=").decode()
    assert token_claims(f"head.{payload}.signature") == {"sid": "abc"}
