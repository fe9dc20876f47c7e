"""Purchases confirmed by the site's own servers: what each answer means, and what happens when there is none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from foyer_origin import BadReference, Settings, Verdict, Visit, WaitingRoom
from foyer_origin import end_visit_cookies as ended
from tests.support.origin_rooms import SITE_KEY, Answer, MakeRoom, RoomFailed, RoomServer, usual_settings
from waiting_room.domain.cookies import clear_cookie, cookie_name

TOKEN, ORDER = "the.access.token", "order 1"
CONFIRMED = {
    "zone_id": "midnight-sun",
    "visitor_id": "visitor",
    "session_id": "session",
    "reference": ORDER,
    "status": "completed",
}
END = clear_cookie(cookie_name("access", "midnight-sun"))
QUICK = {"timeout_sec": 0.5}


def problem(status: int, name: str, **headers: str) -> Answer:
    document = {"type": f"urn:foyer:problem:{name}", "title": name, "status": status, "detail": f"It is {name}."}
    return Answer(status, document, headers)


@pytest.fixture
def server(running: tuple[RoomServer, str]) -> RoomServer:
    server, _ = running
    server.asked.clear()
    server.answers = [Answer(200, CONFIRMED)]
    return server


def test_a_purchase_is_confirmed_and_ends_the_visit(make_room: MakeRoom, server: RoomServer) -> None:
    told = make_room().confirm(TOKEN, ORDER)
    assert told == {
        "verdict": "confirmed",
        "reference": ORDER,
        "status": "completed",
        "detail": "",
        "retry_after_sec": 0,
        "cookies": [END],
        "slept": [],
    }
    (asked,) = server.asked
    assert (asked["method"], asked["path"]) == ("POST", "/.waiting-room/v1/confirmations")
    assert asked["bearer"] == f"Bearer {SITE_KEY}"
    assert asked["body"] == {"token": TOKEN, "reference": ORDER, "checkout": True}


def test_asked_again_it_asks_the_same_and_gets_the_same(make_room: MakeRoom, server: RoomServer) -> None:
    room = make_room()
    assert room.confirm(TOKEN, ORDER) == room.confirm(TOKEN, ORDER)
    assert server.asked[0] == server.asked[1]


def test_a_visit_tied_to_a_purchase_goes_on(make_room: MakeRoom, server: RoomServer) -> None:
    server.answers = [Answer(200, {**CONFIRMED, "status": "admitted"})]
    told = make_room().confirm(TOKEN, ORDER, checkout=False)
    assert (told["verdict"], told["status"], told["cookies"]) == ("confirmed", "admitted", [])
    assert server.asked[0]["body"]["checkout"] is False


@pytest.mark.parametrize(
    ("answer", "verdict", "cookies"),
    [
        (problem(409, "reference-used"), "used", []),
        (problem(410, "lapsed"), "over", [END]),
        (problem(401, "no-token"), "unknown", []),
        (problem(403, "forbidden"), "refused", []),
        (problem(404, "unknown-zone"), "refused", []),
        (problem(400, "invalid-input"), "refused", []),
    ],
    ids=lambda value: str(value.status) if isinstance(value, Answer) else None,
)
def test_a_no_is_a_no(
    make_room: MakeRoom, server: RoomServer, answer: Answer, verdict: str, cookies: list[str]
) -> None:
    server.answers = [answer]
    told = make_room().confirm(TOKEN, ORDER)
    assert (told["verdict"], told["cookies"], told["retry_after_sec"]) == (verdict, cookies, 0)
    assert told["detail"].startswith("It is ")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200),
        Answer(200, "<html>"),
        Answer(200, [1]),
        Answer(200, {**CONFIRMED, "reference": "order 2"}),
        Answer(200, {**CONFIRMED, "zone_id": "winter-gala"}),
        Answer(200, {**CONFIRMED, "status": "admitted"}),
        Answer(204),
        Answer(301, headers={"location": "/elsewhere"}),
        Answer(410, "gone"),
        Answer(409, {"error": "conflict"}),
    ],
    ids=str,
)
def test_what_the_waiting_room_would_not_say_settles_nothing(
    make_room: MakeRoom, server: RoomServer, answer: Answer
) -> None:
    """A proxy's page or another service's answer neither sells nor gives an order up."""
    server.answers = [answer]
    told = make_room().confirm(TOKEN, ORDER)
    assert (told["verdict"], told["cookies"]) == ("unsure", [])
    assert told["retry_after_sec"] > 0


def test_an_answer_in_chunks_is_an_answer(make_room: MakeRoom, server: RoomServer) -> None:
    server.answers = [Answer(200, CONFIRMED, chunked=True)]
    assert make_room().confirm(TOKEN, ORDER)["verdict"] == "confirmed"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_overload_and_trouble_are_asked_again_after_a_pause(
    make_room: MakeRoom, server: RoomServer, status: int
) -> None:
    server.answers = [problem(status, "overloaded"), problem(status, "overloaded"), Answer(200, CONFIRMED)]
    told = make_room().confirm(TOKEN, ORDER)
    assert (told["verdict"], len(server.asked)) == ("confirmed", 3)
    assert server.asked[0] == server.asked[2]
    first, second = told["slept"]
    assert 0.25 <= first <= 0.375
    assert 0.5 <= second <= 0.75


@pytest.mark.parametrize("status", [429, 503])
def test_a_short_retry_after_is_kept_to(make_room: MakeRoom, server: RoomServer, status: int) -> None:
    server.answers = [problem(status, "overloaded", **{"retry-after": "3"}), Answer(200, CONFIRMED)]
    told = make_room().confirm(TOKEN, ORDER)
    assert told["verdict"] == "confirmed"
    assert 3 <= told["slept"][0] <= 4.5


@pytest.mark.parametrize(("header", "told_sec"), [("60", 60), ("soon", 2), ("-1", 2), ("", 2), ("9" * 30, 2)])
def test_what_takes_longer_is_handed_on_as_unsure(
    make_room: MakeRoom, server: RoomServer, header: str, told_sec: int
) -> None:
    server.answers = [problem(503, "not-ready", **{"retry-after": header})]
    told = make_room().confirm(TOKEN, ORDER)
    assert (told["verdict"], told["retry_after_sec"], told["cookies"]) == ("unsure", told_sec, [])
    assert len(server.asked) == (1 if told_sec == 60 else 3)


def test_no_answer_in_time_is_unsure_after_three_tries(make_room: MakeRoom, server: RoomServer) -> None:
    server.answers = [Answer(0)]
    told = make_room(**QUICK).confirm(TOKEN, ORDER)
    assert (told["verdict"], told["detail"], told["cookies"]) == ("unsure", "no answer", [])
    assert len(server.asked) == 3
    assert told["retry_after_sec"] > 0


def test_an_answer_after_one_that_was_lost_counts(make_room: MakeRoom, server: RoomServer) -> None:
    server.answers = [Answer(0), Answer(200, CONFIRMED)]
    assert make_room(**QUICK).confirm(TOKEN, ORDER)["verdict"] == "confirmed"
    assert server.asked[0] == server.asked[1]


def test_nobody_there_is_unsure(make_room: MakeRoom) -> None:
    assert make_room(site_url="http://127.0.0.1:9", **QUICK).confirm(TOKEN, ORDER)["verdict"] == "unsure"


@pytest.mark.parametrize("reference", ["", "x" * 101])
def test_a_reference_that_would_be_refused_is_not_sent(make_room: MakeRoom, server: RoomServer, reference: str) -> None:
    with pytest.raises(RoomFailed, match="BadReference"):
        make_room().confirm(TOKEN, reference)
    assert make_room().confirm(TOKEN, "\U0001f3ab" * 100)["verdict"] == "unsure"
    assert len(server.asked) == 1


def test_without_a_site_key_nothing_can_be_confirmed(make_room: MakeRoom, server: RoomServer) -> None:
    with pytest.raises(RoomFailed, match="FOYER_SITE_KEY"):
        make_room(site_key=None).confirm(TOKEN, ORDER)
    assert server.asked == []


@pytest.mark.parametrize("answers", [[Answer(204)], [Answer(503), Answer(204)]])
def test_leaving_makes_room(make_room: MakeRoom, server: RoomServer, answers: list[Answer]) -> None:
    server.answers = answers
    assert make_room().leave(TOKEN)
    asked = server.asked[-1]
    assert (asked["method"], asked["path"]) == ("DELETE", "/.waiting-room/v1/zones/midnight-sun/sessions/me")
    assert asked["bearer"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("answer", [Answer(503), Answer(401), Answer(200)])
def test_leaving_that_is_not_sure_says_so(make_room: MakeRoom, server: RoomServer, answer: Answer) -> None:
    server.answers = [answer]
    assert not make_room().leave(TOKEN)


def test_the_cookies_end_a_visit_as_the_waiting_room_ends_one() -> None:
    assert ended("midnight-sun") == (END,)


def test_asyncio_and_visits_without_a_session(running: tuple[RoomServer, str], server: RoomServer) -> None:
    room = WaitingRoom(Settings(**usual_settings(running[1])))

    async def buy() -> tuple[Any, Any, bool]:
        with pytest.raises(BadReference):
            await room.confirm_async(TOKEN, "")
        staff = Visit("midnight-sun", exempt="box office")
        visit = Visit("midnight-sun", session_id="session", token=TOKEN)
        return await room.confirm_async(staff, ORDER), await room.confirm_async(visit, ORDER), room.leave(staff)

    staff, visitor, left = asyncio.run(buy())
    room.close()
    assert (staff.verdict, staff.status, staff.cookies) == (Verdict.CONFIRMED, "", ())
    assert (visitor.verdict, visitor.status) == (Verdict.CONFIRMED, "completed")
    assert left
    assert len(server.asked) == 1


def test_what_is_logged_has_no_token(
    running: tuple[RoomServer, str], server: RoomServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers = [problem(403, "forbidden")]
    room = WaitingRoom(Settings(**usual_settings(running[1])))
    room.confirm(TOKEN, "order\n1")
    room.close()
    assert [record.getMessage() for record in caplog.records if record.name == "foyer_origin"] == [
        "purchase 'order\\n1' is refused: It is forbidden."
    ]
    assert SITE_KEY not in repr(room.settings)
