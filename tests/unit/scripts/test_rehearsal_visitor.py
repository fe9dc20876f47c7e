"""A rehearsal's visitor keeps the waiting page's protocol: against a line that moves on a clock of its own."""

from __future__ import annotations

import base64
import io
import itertools
import json
from contextlib import nullcontext
from typing import Any

import pytest

from scripts.rehearsal import visitor
from scripts.rehearsal.browser import Browser, LostAnswer
from scripts.rehearsal.log import RehearsalLog
from scripts.rehearsal.script import Script
from scripts.visitors import browser as shared
from scripts.visitors import event_log, guest, visit
from scripts.visitors.habits import Habits
from scripts.visitors.steps import Answer

SITE = "https://tickets.example.com"
ROOT = "/.waiting-room"
API = f"{ROOT}/v1/zones/z"
PAGE = f"{ROOT}/pages/z/index.html"
PRESENT = Habits(0.0, 0.0, 0.0, 1.0, 0.0, stay_sec=(10.0, 10.0))
Json = dict[str, Any]


class Line:
    """A waiting room with one visitor at `position`, whose line moves `speed` a second from `opens_at` on."""

    def __init__(self, position: int = 40, speed: float = 2.0, **more: Any) -> None:
        self.now, self.position, self.speed = 1_000.0, position, speed
        self.status_more: Json = more.pop("status", {})
        self.lane: Json = more.pop("lane", {})
        self.answers: dict[tuple[str, str], list[Answer | Exception]] = {}
        self.asked: list[tuple[float, str, str]] = []
        self.wanted: list[tuple[int, bool]] = []
        self.heard: Json | None = None
        self.open = False
        self.place_status = "waiting"

    def clock(self) -> int:
        return int(self.now * 1000)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def serving(self) -> int:
        return int((self.now - 1_000.0) * self.speed)

    def status(self) -> Json:
        lane = {"serving": self.serving, "floor": 0, "ahead": 0, "tail": 99, "speed_per_sec": self.speed} | self.lane
        document = {"run": 1, "tick": int(self.now), "phase": "open", "lanes": {"general": lane}, "push_window": 5}
        poll = {"near_sec": 2, "far_sec": 30, "near_ahead": 10}
        return document | {"poll": poll, "starts_at_ms": None, "updated_at_ms": self.clock()} | self.status_more

    def place(self) -> Json:
        return {"run": 1, "lane": "general", "position": self.position, "status": self.place_status}

    def __call__(self, method: str, url: str, headers: Any, body: str | None, name: str) -> Answer:
        path = url.removeprefix(SITE)
        self.asked.append((self.now, method, path))
        if queued := self.answers.get((method, path)):
            answer = queued.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer
        inside = "__Host-wr-access-z" in headers.get("Cookie", "")
        if path == "/sale":
            return self.answer(200, url) if inside else self.answer(303, url, headers={"location": PAGE})
        if (method, path) == ("POST", f"{API}/access-tokens"):
            return self.answer(201, url, {}, cookies=(self.cookie("access", sid="s1"),))
        if (method, path) == ("POST", f"{API}/visitors"):
            return self.answer(201, url, self.place(), cookies=(self.cookie("visitor"),))
        known = {f"{API}/visitors/me": self.place(), f"{ROOT}/status/z.json": self.status()}
        return self.answer(204 if method in ("DELETE",) or path.endswith("away") else 200, url, known.get(path, {}))

    def answer(self, status: int, url: str, body: Any = None, *, headers: Any = None, cookies: Any = ()) -> Answer:
        return Answer(status, url, headers or {}, tuple(cookies), json.dumps(body), self.clock(), self.clock())

    def cookie(self, kind: str, **claims: Any) -> str:
        payload = json.dumps({"run": 1, "exp": int(self.now) + 60, **claims}).encode()
        token = f"a.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}.c"
        return f"__Host-wr-{kind}-z={token}; Path=/; Secure; HttpOnly"

    def calls(self, method: str, path: str) -> list[float]:
        """When something was asked for."""
        return [at for at, *asked in self.asked if asked == [method, path]]

    # The ear.
    @property
    def is_open(self) -> bool:
        return self.open

    @property
    def is_wanted(self) -> bool:
        return bool(self.wanted) and self.wanted[-1][1]

    def want(self, wanted: bool, cookies: dict[str, str]) -> None:
        self.wanted.append((self.position - self.serving, wanted))

    def wait(self, seconds: float) -> Json | None:
        self.now += seconds
        return self.heard


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let one visitor visit a line; return its events by kind, in order, and the visitor."""

    def played(line: Line, habits: Habits = PRESENT, **script: Any) -> tuple[list[Json], visitor.Visitor]:
        for module in (guest, visit, shared, event_log):
            monkeypatch.setattr(module, "now_ms", line.clock)
        written = io.StringIO()
        told = Script(hosts=(SITE,), zone_id="z", path="/sale", visitors=1, habits=habits, **script)
        coming = visitor.Visitor(
            "v0",
            told,
            lambda cookies: Browser(told.hosts, line, lambda costly: nullcontext(), cookies),
            line,
            RehearsalLog(written),
            line.sleep,
        )
        coming.visit()
        line.events = written  # type: ignore[attr-defined]
        return [json.loads(text) for text in written.getvalue().splitlines()], coming

    return played


def kinds(events: list[Json]) -> list[str]:
    return [each["event"] for each in events if each["event"] not in ("status", "line")]


def test_a_visit_asks_functions_for_nothing_but_the_place_the_session_and_the_end(play: Any) -> None:
    line = Line()
    events, _ = play(line)
    assert kinds(events) == ["arrived", "joined", "called", "token", "claimed", "inside", "ended"]
    functions = [(method, path) for _, method, path in line.asked if path.startswith(API)]
    assert functions == [
        ("POST", f"{API}/visitors"),
        ("POST", f"{API}/access-tokens"),
        ("DELETE", f"{API}/sessions/me"),
    ]
    looks = line.calls("GET", f"{ROOT}/status/z.json")
    gaps = [after - before for before, after in itertools.pairwise(looks)]
    assert gaps[0] > gaps[-1] >= 1.5, "further back it looks less often"
    (ended,) = [each for each in events if each["event"] == "ended"]
    assert (ended["how"], ended["sid"]) == ("button", "s1")


def test_a_connection_is_wanted_inside_the_push_window_only(play: Any) -> None:
    line = Line(position=10, speed=0.2)
    play(line)
    assert any(wanted for _, wanted in line.wanted)
    assert all(0 <= ahead <= 5 for ahead, wanted in line.wanted if wanted)
    assert line.wanted[-1][1] is False
    closed, fast = Line(position=10, speed=0.2, status={"push_window": 0}), Line(speed=2.0)
    for without in (closed, fast):
        play(without)
        assert not any(wanted for _, wanted in without.wanted)


def test_the_message_is_enough_to_claim(play: Any) -> None:
    line = Line(position=3, speed=0.001)
    line.heard = {"type": "your_turn", "run": 1, "tick": 1_000, "position": 3}
    events, _ = play(line)
    assert kinds(events)[2:5] == ["pushed", "called", "token"]
    stranger = Line(position=3, speed=1.0)
    stranger.heard = {"type": "your_turn", "run": 1, "tick": 1_000, "position": 4}
    assert "pushed" not in kinds(play(stranger)[0])


def test_an_absentee_never_claims_and_leaves_the_line_in_the_end(play: Any) -> None:
    line = Line()
    events, coming = play(line, Habits(1.0, 0.0, 0.0, 1.0, 0.0))
    assert kinds(events)[-2:] == ["called", "absent"]
    assert line.calls("POST", f"{API}/access-tokens") == []
    coming.go_home()
    coming.go_home()
    assert len(line.calls("DELETE", f"{API}/sessions/me")) == 1


def test_who_leaves_without_a_word_is_sent_home_only_at_the_end(play: Any) -> None:
    line = Line()
    events, coming = play(line, Habits(0.0, 0.0, 1.0, 0.0, 0.0, stay_sec=(1.0, 1.0)))
    assert kinds(events)[-1] == "silent"
    assert line.calls("DELETE", f"{API}/sessions/me") == []
    coming.go_home()
    assert len(line.calls("DELETE", f"{API}/sessions/me")) == 1
    assert '"how": "home"' in line.events.getvalue()  # type: ignore[attr-defined]


def test_patience_ends_with_the_pages_beacon(play: Any) -> None:
    line = Line(position=1_000)
    events, _ = play(line, Habits(0.0, 1.0, 0.0, 1.0, 0.0, patience_sec=(30.0, 30.0)))
    assert kinds(events)[-1] == "gave_up"
    assert line.calls("POST", f"{API}/visitors/me/away") == [pytest.approx(1_030.0)]


@pytest.mark.parametrize("phase", ["sold_out", "ended"])
def test_the_last_word_ends_the_visit(play: Any, phase: str) -> None:
    line = Line(status={"phase": phase})
    assert kinds(play(line)[0])[-1] == "over"
    assert line.calls("POST", f"{API}/access-tokens") == []


def test_a_busy_answer_is_obeyed_and_a_lost_one_asked_again(play: Any) -> None:
    line = Line(position=0)
    url = f"{SITE}{API}/visitors"
    line.answers["POST", f"{API}/visitors"] = [
        line.answer(429, url, headers={"retry-after": "7"}),
        LostAnswer("no answer"),
    ]
    events, _ = play(line)
    first, second, third = line.calls("POST", f"{API}/visitors")
    assert second - first >= 7
    assert third - second >= 2
    assert kinds(events)[1:4] == ["busy", "lost_answer", "joined"]
    (joined,) = [each for each in events if each["event"] == "joined"]
    assert joined["requested_at_ms"] == first * 1000, "it may have gone through the first time"


def test_not_yet_waits_as_long_as_it_is_told(play: Any) -> None:
    line = Line(position=0)
    told = {"status": "called", "retry_after_sec": 6}
    line.answers["POST", f"{API}/access-tokens"] = [line.answer(202, f"{SITE}{API}/access-tokens", told)]
    play(line)
    first, second = line.calls("POST", f"{API}/access-tokens")
    assert 6 <= second - first <= 7.5


def test_a_place_passed_over_is_asked_about_before_a_new_one_is_taken(play: Any) -> None:
    line = Line(position=3)
    line.place_status = "lapsed"
    url = f"{SITE}{API}/visitors"
    fresh = {"run": 1, "lane": "general", "position": 9, "status": "waiting"}
    line.answers["POST", f"{API}/visitors"] = [
        line.answer(201, url, {**line.place(), "status": "waiting"}),
        line.answer(201, url, fresh),
    ]
    line.lane = {"floor": 5, "serving": 5, "ahead": 20}
    events, _ = play(line)
    assert kinds(events)[:4] == ["arrived", "joined", "lapsed", "joined"]
    assert kinds(events)[-1] == "ended"


def test_a_reload_loads_the_page_and_keeps_the_place(play: Any) -> None:
    line = Line()
    events, _ = play(line, Habits(0.0, 0.0, 0.0, 1.0, 0.3, stay_sec=(1.0, 1.0)))
    reloads = kinds(events).count("reloaded")
    assert reloads > 0
    assert len(line.calls("GET", f"{API}/visitors/me")) == reloads
    assert {each["position"] for each in events if each["event"] == "line"} == {40}


def test_sessions_are_renewed_by_heartbeats_where_the_site_has_the_script(play: Any) -> None:
    line = Line(position=0)
    play(line, heartbeat_sec=3)
    assert len(line.calls("POST", f"{API}/sessions/me/renewals")) == 3
    lost = Line(position=0)
    lost.answers["POST", f"{API}/sessions/me/renewals"] = [lost.answer(410, f"{SITE}{API}/sessions/me/renewals")]
    assert kinds(play(lost, heartbeat_sec=3)[0])[-2:] == ["session_lost", "fault"]


def test_buyers_post_their_order_where_there_is_a_checkout(play: Any) -> None:
    line = Line(position=0)
    events, _ = play(line, Habits(0.0, 0.0, 0.0, 0.0, 0.0, stay_sec=(1.0, 1.0)), checkout_path="/sale/checkout")
    assert len(line.calls("POST", "/sale/checkout")) == 1
    assert [each["how"] for each in events if each["event"] == "ended"] == ["checkout"]


def test_what_nobody_understands_is_a_fault_not_a_crash(play: Any) -> None:
    line = Line()
    line.answers["POST", f"{API}/visitors"] = [line.answer(500, f"{SITE}{API}/visitors", {"oh": "no"})]
    events, _ = play(line)
    assert kinds(events) == ["arrived", "fault"]
    assert "was answered 500" in events[-1]["what"]
