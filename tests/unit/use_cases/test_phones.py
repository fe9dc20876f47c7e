"""One phone, one place: codes are asked for while waiting, sent within limits, and needed before the call."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from scripts.local.codes import Codes
from tests.support.api_world import BROWSER, ORIGIN_SECRET, ROOT, ZONE_ID, ApiWorld, Browser, HttpAnswer
from tests.support.memory_aws import MemoryKms
from tests.support.passcodes import FakePasscodes
from waiting_room.adapters.cipher import KmsCipher
from waiting_room.adapters.phones import Limit
from waiting_room.domain.errors import Overloaded, Unsure
from waiting_room.domain.phones import (
    ALERTS_PER_NUMBER,
    CHECKS_PER_PLACE,
    CODES_PER_NUMBER,
    CODES_PER_NUMBER_HOUR,
    CODES_PER_PLACE,
    number_tag,
)
from waiting_room.http.page.languages import languages, texts
from waiting_room.ports import Sending
from waiting_room.use_cases.verify_phone import NO_MORE

NUMBER, OTHER = "+447700900123", "+447700900456"
PHONE = {"channels": ["sms", "voice"], "prefixes": ["+44"]}
IDENTITY = {"mode": "require", "phone": PHONE}
FORM = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}


class Hall:
    """A zone of one place for each phone, one at a time, with a line."""

    def __init__(self, waiting: int = 3, **changes: Any) -> None:
        self.world = ApiWorld(KmsCipher(MemoryKms(), "key"), None)
        self.passcodes = FakePasscodes(Codes(lambda: self.world.clock.now_ms() / 1000))
        self.world = ApiWorld(KmsCipher(MemoryKms(), "key"), self.passcodes)
        answer = self.world.put_zone(**{"identity": IDENTITY, "max_active": 1, **changes})
        assert answer.status == 201, answer.body
        self.line = [self.join() for _ in range(waiting)]
        self.world.tick()

    def join(self) -> Browser:
        browser = Browser(self.world)
        assert browser.ask("POST", "/visitors").json["phone_needed"] is True
        return browser

    def send(self, who: Browser, number: str = NUMBER, **parts: Any) -> HttpAnswer:
        return who.ask("POST", "/visitors/me/codes", {"channel": "sms", "number": number}, **parts)

    def check(self, who: Browser, number: str = NUMBER, code: str = "") -> HttpAnswer:
        return who.ask("POST", "/visitors/me/phone", {"number": number, "code": code or self.last_code})

    def verify(self, who: Browser, number: str = NUMBER) -> HttpAnswer:
        assert self.send(who, number).status == 202
        return self.check(who, number)

    @property
    def last_code(self) -> str:
        return self.passcodes.sent[-1][2]

    def counters(self, kind: str) -> list[dict[str, Any]]:
        records = self.world.dynamo.tables["counters"].records.values()
        return [record.item for record in records if record.item["counter"]["S"].startswith(f"{kind}#")]


@pytest.fixture
def hall() -> Hall:
    return Hall()


def claim(who: Browser) -> HttpAnswer:
    return who.ask("POST", "/access-tokens")


def test_a_place_without_a_phone_is_not_admitted_and_one_with_it_is(hall: Hall) -> None:
    first, second, _ = hall.line
    hall.world.tick(30)
    assert (claim(first).status, claim(first).problem) == (428, "phone-needed")
    verified = hall.verify(first)
    assert (verified.status, verified.json["phone_needed"]) == (200, False)
    assert claim(first).status == 201
    assert second.ask("GET", "/visitors/me").json["phone_needed"] is True


def test_who_is_not_called_is_told_to_wait_and_not_of_a_phone(hall: Hall) -> None:
    assert claim(hall.line[2]).status == 202


def test_a_place_without_a_phone_lapses_like_any_other() -> None:
    hall = Hall(claim={"window_sec": 10, "grace_sec": 0})
    for _ in range(90):
        hall.world.tick()
        claim(hall.line[0])
    assert hall.line[0].ask("GET", "/visitors/me").json["status"] == "lapsed"
    assert hall.send(hall.line[0]).problem == "lapsed"


def test_a_wrong_code_is_wrong_and_so_is_another_places(hall: Hall) -> None:
    first, second, _ = hall.line
    hall.send(first)
    wrong = "000000" if hall.last_code != "000000" else "000001"
    refused = hall.check(first, code=wrong)
    assert (refused.status, refused.json["pointer"]) == (400, "/code")
    assert hall.check(second, code=hall.last_code).json["pointer"] == "/code"
    assert hall.check(first, OTHER).json["pointer"] == "/code"
    assert hall.check(first, code=f"{hall.last_code[:3]} {hall.last_code[3:]}").status == 200


def test_a_code_runs_out(hall: Hall) -> None:
    hall.send(hall.line[0])
    hall.world.clock.advance(600)
    assert hall.check(hall.line[0]).json["pointer"] == "/code"


def test_a_code_is_tried_a_few_times_and_codes_of_a_place_a_few_times_more(hall: Hall) -> None:
    first = hall.line[0]
    hall.send(first)
    right = hall.last_code
    wrong = "000000" if right != "000000" else "000001"
    tries = [hall.check(first, code=wrong).status for _ in range(5)]
    assert (tries, hall.check(first, code=right).status) == ([400] * 5, 400)
    statuses = [hall.check(first, code=wrong).status for _ in range(CHECKS_PER_PLACE)]
    assert statuses.count(400) == CHECKS_PER_PLACE - 6
    assert (statuses[-1], hall.check(first).json["limit"]) == (409, "visitor")


def test_one_number_has_one_place_which_can_be_taken_over(hall: Hall) -> None:
    first, second, _ = hall.line
    assert hall.verify(first).status == 200
    taken = hall.verify(second)
    assert (taken.status, taken.problem) == (409, "phone-taken")
    assert second.ask("GET", "/visitors/me").json["phone_needed"] is True
    before = first.ask("GET", "/visitors/me").json["visitor_id"]
    moved = second.ask("POST", f"{ROOT}/zones/{ZONE_ID}/moves", {"token": taken.json["move_token"]})
    assert (moved.status, moved.json["visitor_id"], moved.json["phone_needed"]) == (200, before, False)
    assert first.ask("GET", "/visitors/me").problem == "moved"
    hall.world.tick(30)
    assert claim(second).status == 201


def test_a_place_that_was_moved_by_link_keeps_its_phone(hall: Hall) -> None:
    first = hall.line[0]
    hall.verify(first)
    token = hall.world.tokens.sign(
        "link",
        {
            "zone": ZONE_ID,
            "run": 1,
            "lane": "general",
            "sub": first.ask("GET", "/visitors/me").json["visitor_id"],
            "gen": 0,
            "iat": hall.world.clock.now_ms() // 1000,
            "exp": hall.world.clock.now_ms() // 1000 + 600,
        },
    )
    phone = Browser(hall.world)
    assert phone.ask("POST", f"{ROOT}/zones/{ZONE_ID}/moves", {"token": token}).json["phone_needed"] is False
    hall.world.tick(30)
    assert claim(phone).status == 201


def test_a_number_whose_place_is_inside_or_has_bought_gives_no_second_one(hall: Hall) -> None:
    first, second, _ = hall.line
    hall.verify(first)
    hall.world.tick(30)
    assert claim(first).status == 201
    taken = hall.verify(second)
    assert (taken.problem, "move_token" in taken.json) == ("phone-taken", False)


def test_a_number_whose_place_was_left_is_free_and_the_earlier_one_gets_in_no_more(hall: Hall) -> None:
    first, second, _ = hall.line
    hall.verify(first)
    assert first.ask("DELETE", "/sessions/me").status == 204
    assert hall.verify(second).status == 200
    assert first.ask("POST", "/visitors").json["phone_needed"] is False, "the place taken anew still names the number"
    hall.world.tick(30)
    assert claim(second).status == 201
    assert second.ask("DELETE", "/sessions/me").status == 204
    for _ in range(200):
        hall.world.tick()
        if (answer := claim(first)).status != 202:
            break
    assert answer.problem == "phone-needed", "which is another place's by now"
    assert first.ask("GET", "/visitors/me").json["phone_needed"] is True


def test_of_two_who_show_one_number_at_once_one_has_it(hall: Hall) -> None:
    """Both codes are right; the number is the other's after this one read that it is nobody's."""
    first, second, _ = hall.line
    assert hall.send(second).status == 202
    code, check = hall.last_code, hall.passcodes.check

    def meanwhile(number: str, reference: str, shown: str) -> bool:
        hall.passcodes.check = check  # type: ignore[method-assign]
        assert hall.verify(first).status == 200
        return check(number, reference, shown)

    hall.passcodes.check = meanwhile  # type: ignore[method-assign]
    assert hall.check(second, code=code).problem == "phone-taken"
    assert [who.ask("GET", "/visitors/me").json["phone_needed"] for who in (first, second)] == [False, True]


def test_an_answer_that_was_lost_costs_no_second_code(hall: Hall) -> None:
    first = hall.line[0]
    hall.send(first)
    hall.passcodes.loses = 1
    assert hall.check(first).problem == "try-again"
    # The code is used up, and nobody knows that it was right: a new one settles it.
    assert hall.check(first).json["pointer"] == "/code"
    assert hall.verify(first).status == 200
    assert hall.check(first, code="111111").status == 200, "asked again it is the same"


def test_a_lost_answer_of_a_send_is_told_as_it_is(hall: Hall) -> None:
    hall.passcodes.answers = [Sending.PERHAPS]
    answer = hall.send(hall.line[0])
    assert (answer.status, answer.json["sent"]) == (202, "perhaps")
    assert hall.check(hall.line[0]).status == 200


@pytest.mark.parametrize(
    ("what", "status", "problem"),
    [
        (Sending.BUSY, 429, "overloaded"),
        (Sending.REFUSED, 400, "invalid-input"),
        (Sending.STOPPED, 409, "code-refused"),
    ],
)
def test_what_was_not_sent_is_told_with_its_reason(hall: Hall, what: Sending, status: int, problem: str) -> None:
    hall.passcodes.answers = [what]
    answer = hall.send(hall.line[0])
    assert (answer.status, answer.problem) == (status, problem)
    (count,) = hall.counters("codes")
    assert count["n"]["N"] == ("1" if what is Sending.REFUSED else "0"), "counted before, and given back"


def test_who_was_stopped_by_a_full_network_or_a_busy_service_has_spent_nothing() -> None:
    hall = Hall(3, identity={"mode": "require", "phone": {**PHONE, "per_network": 1}})
    first, second, _ = hall.line
    assert hall.send(first).status == 202
    for _ in range(2 * CODES_PER_PLACE):
        assert hall.send(second, OTHER).json["limit"] == "network"
    hall.world.clock.advance(3600)
    hall.passcodes.answers = [Sending.BUSY] * 2 * CODES_PER_PLACE
    for _ in range(2 * CODES_PER_PLACE):
        assert hall.send(second, OTHER).status == 429
    assert hall.verify(second, OTHER).status == 200


class TestAttack:
    """Somebody lets codes and alerts be sent, to annoy or to earn on them."""

    def test_one_number_from_59_places_gets_as_many_as_one_number_may(self) -> None:
        hall = Hall(59)
        statuses = [hall.send(who).status for who in hall.line]
        assert (statuses.count(202), len(hall.passcodes.sent)) == (CODES_PER_NUMBER_HOUR, CODES_PER_NUMBER_HOUR)
        hall.world.clock.advance(3600)
        for who in hall.line:
            hall.send(who)
        assert len(hall.passcodes.sent) == CODES_PER_NUMBER
        hall.world.clock.advance(7200)
        assert hall.send(hall.line[-1]).json["limit"] == "number"

    def test_alerts_to_one_number_from_59_places_stay_at_the_limit(self) -> None:
        hall = Hall(60, alerts={"channels": ["sms"], "prefixes": ["+44"], "lead_sec": 60})
        asked = {"channel": "sms", "number": NUMBER, "consent": True}
        own = {**asked, "number": OTHER}
        for who in hall.line[1:5]:
            assert who.ask("POST", "/visitors/me/alerts", own).status == 202
        # Asked for another number first, and changed to this one: that is one more to this one all the same.
        statuses = [who.ask("POST", "/visitors/me/alerts", asked).status for who in hall.line[1:]]
        assert (statuses.count(202), set(statuses[ALERTS_PER_NUMBER:])) == (ALERTS_PER_NUMBER, {409})

    def test_one_place_gets_a_few_and_no_more(self, hall: Hall) -> None:
        statuses = [hall.send(hall.line[0], f"+4477009001{number}").status for number in range(10, 40)]
        assert statuses == [202] * CODES_PER_PLACE + [409] * (30 - CODES_PER_PLACE)

    def test_one_network_gets_as_many_an_hour_as_the_zone_says(self) -> None:
        hall = Hall(9, identity={"mode": "require", "phone": {**PHONE, "per_network": 4}})
        answers = [hall.send(who, f"+44770090010{number}") for number, who in enumerate(hall.line)]
        assert [answer.status for answer in answers] == [202] * 4 + [409] * 5
        assert answers[-1].json["limit"] == "network"
        hall.world.clock.advance(3600)
        assert hall.send(hall.line[8], "+447700900199").status == 202

    def test_a_run_gets_as_many_as_the_organiser_pays_for(self, caplog: pytest.LogCaptureFixture) -> None:
        hall = Hall(9, identity={"mode": "require", "phone": {**PHONE, "most": 4}})
        answers = [hall.send(who, f"+44770090010{number}") for number, who in enumerate(hall.line)]
        assert [answer.status for answer in answers] == [202] * 4 + [409] * 5
        assert [(line.message, line.__dict__["why"]) for line in caplog.records] == [(NO_MORE, "used up")] * 5
        assert (answers[-1].json["limit"], hall.world.stores.phones.codes_sent(ZONE_ID, 1)) == ("run", 4)

    @pytest.mark.parametrize(
        "number", ["+2348012345678", "07700900123", "+449098790123", "+447012345678", "+97912345678"]
    )
    def test_far_and_dear_numbers_get_nothing_and_cost_nothing(self, number: str) -> None:
        hall = Hall(1, identity={"mode": "require", "phone": {**PHONE, "prefixes": ["+44", "+979"]}})
        assert hall.send(hall.line[0], number).json["pointer"] == "/number"
        assert (hall.passcodes.sent, hall.counters("codes")) == ([], [])

    def test_one_number_lets_one_place_in_however_many_ask(self) -> None:
        hall = Hall(6, max_active=6)
        hall.world.tick(30)
        assert hall.verify(hall.line[0]).status == 200
        for who in hall.line[1:3]:
            assert hall.verify(who).problem == "phone-taken"
        assert [claim(who).status for who in hall.line] == [201] + [428] * 5


def test_a_count_whose_answer_was_lost_sends_nothing(hall: Hall) -> None:
    def lost(*_: Any) -> bool:
        raise Unsure

    hall.world.stores.phones.take = lost  # type: ignore[method-assign]
    assert hall.send(hall.line[0]).problem == "try-again"
    assert hall.passcodes.sent == []


def test_what_the_alarm_waits_for_is_what_is_logged() -> None:
    monitoring = (Path(__file__).parents[3] / "terraform/modules/monitoring/main.tf").read_text(encoding="utf-8")
    assert f'{{ $.message = \\"{NO_MORE}\\" }}' in monitoring


def test_a_limit_is_a_limit(hall: Hall) -> None:
    limit = Limit("codes#x#1", 2)
    assert [hall.world.stores.phones.take(limit, 0) for _ in range(3)] == [True, True, False]


def test_erasing_a_visitor_frees_the_number(hall: Hall) -> None:
    first, second, _ = hall.line
    hall.verify(first)
    visitor_id = first.ask("GET", "/visitors/me").json["visitor_id"]
    assert hall.world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}").status == 204
    assert visitor_id not in str(hall.world.dynamo.tables["counters"].records)
    assert hall.verify(second).status == 200


def test_nothing_that_is_stored_logged_or_answered_holds_a_number_or_a_code() -> None:
    hall = Hall()
    first, second, _ = hall.line
    answers = [hall.send(first), hall.check(first), hall.verify(second)]
    stored = str([table.records for table in hall.world.dynamo.tables.values()])
    for secret in (NUMBER[1:], NUMBER[3:], *(code for _, _, code in hall.passcodes.sent)):
        assert secret not in stored
        assert secret not in str(hall.world.log.lines)
        assert not any(secret in answer.body for answer in answers)


def test_the_hash_of_a_number_is_of_one_run_of_one_zone_and_needs_the_key() -> None:
    tags = {
        number_tag(key, zone, run, number)
        for key in (ORIGIN_SECRET, "another")
        for zone in ("a", "b")
        for run in (1, 2)
        for number in (NUMBER, OTHER)
    }
    assert len(tags) == 16
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{22}", tag) for tag in tags)


def test_a_zone_or_a_deployment_without_codes_sends_none(hall: Hall) -> None:
    bare = ApiWorld()
    assert bare.put_zone(identity=IDENTITY).status == 201
    browser = Browser(bare)
    browser.ask("POST", "/visitors")
    assert browser.ask("POST", "/visitors/me/codes", {"channel": "sms", "number": NUMBER}).problem == "code-refused"
    plain = ApiWorld(passcodes=hall.passcodes)
    plain.put_zone()
    browser = Browser(plain)
    assert browser.ask("POST", "/visitors").json["phone_needed"] is False
    assert browser.ask("POST", "/visitors/me/codes", {"channel": "sms", "number": NUMBER}).problem == "code-refused"


def test_only_channels_of_the_zone(hall: Hall) -> None:
    asked = {"channel": "whatsapp", "number": NUMBER}
    assert hall.line[0].ask("POST", "/visitors/me/codes", asked).json["pointer"] == "/channel"


@pytest.mark.parametrize(
    ("identity", "pointer"),
    [
        ({"mode": "observe", "phone": PHONE}, "/identity/mode"),
        ({"mode": "require"}, "/identity"),
        ({"mode": "require", "issuer": "x", "shared_secret": True, "phone": PHONE}, "/identity"),
        ({"mode": "require", "shared_secret": True}, "/identity/issuer"),
        ({"mode": "require", "phone": {"channels": ["sms"]}}, "/identity/phone/prefixes"),
    ],
)
def test_what_contradicts_itself_is_refused(identity: dict[str, Any], pointer: str) -> None:
    refused = ApiWorld().put_zone(identity=identity)
    assert refused.status == 400
    assert pointer in {fault["pointer"] for fault in refused.json["errors"]}


class TestWithoutScripts:
    """The same by forms."""

    def place(self, hall: Hall, who: Browser, query: str = "") -> HttpAnswer:
        return who.ask("GET", "/visitors/me", headers=BROWSER, query=query)

    def test_from_the_number_to_the_site(self, hall: Hall) -> None:
        first = hall.line[2]
        page = self.place(hall, first)
        assert f"{ROOT}/zones/{ZONE_ID}/visitors/me?to=/events/midnight-sun&amp;phone=1" in page.body
        asking = self.place(hall, first, "phone=1")
        assert 'http-equiv="refresh"' not in asking.body, "what is filled in must not be emptied"
        assert f'action="{ROOT}/zones/{ZONE_ID}/visitors/me/phone" hidden' in asking.body, "there is no code yet"
        sent = first.ask("POST", "/visitors/me/codes", raw="channel=sms&number=%2B44+7700+900123", headers=FORM)
        assert sent.status == 200
        assert texts("en")["notices"]["phone_sent"] in sent.body
        assert 'autocomplete="one-time-code"' in sent.body
        assert 'inputmode="numeric"' in sent.body
        number = "number=%2B44+7700+900123"
        wrong = first.ask("POST", "/visitors/me/phone", raw=f"{number}&code=12", headers=FORM)
        assert texts("en")["notices"]["phone_wrong"] in wrong.body
        done = first.ask("POST", "/visitors/me/phone", raw=f"{number}&code={hall.last_code}", headers=FORM)
        assert (done.status, done.location) == (303, f"{ROOT}/zones/{ZONE_ID}/visitors/me")
        assert "phone-form" not in self.place(hall, first).body

    def test_who_is_called_is_asked_at_once_and_does_not_go_in_circles(self, hall: Hall) -> None:
        first = hall.line[0]
        hall.world.tick(30)
        page = self.place(hall, first)
        assert texts("en")["states"]["phone"]["headline"] in page.body
        assert 'id="phone-form"' in page.body
        assert 'http-equiv="refresh"' not in page.body
        assert first.enter().location.startswith(f"/.waiting-room/pages/{ZONE_ID}/")

    def test_a_number_that_has_a_place_leads_to_the_button_that_moves_it(self, hall: Hall) -> None:
        first, second, _ = hall.line
        hall.verify(first)
        hall.send(second)
        raw = f"number=%2B447700900123&code={hall.last_code}"
        page = second.ask("POST", "/visitors/me/phone", raw=raw, headers=FORM)
        token = re.search(r'name="token" value="([^"]+)"', page.body)
        assert token
        moved = second.ask("POST", f"{ROOT}/zones/{ZONE_ID}/moves", raw=f"token={token[1]}", headers=FORM)
        assert moved.status == 303
        assert second.ask("GET", "/visitors/me").json["phone_needed"] is False

    def test_what_is_wrong_is_said_in_the_visitors_language(self, hall: Hall) -> None:
        first, german = hall.line[0], {**FORM, "accept-language": "de"}
        refused = first.ask("POST", "/visitors/me/codes", raw="channel=sms&number=0770090012", headers=german)
        assert texts("de")["notices"]["alert_number_wrong"] in refused.body
        for _ in range(4):
            refused = first.ask("POST", "/visitors/me/codes", raw="channel=sms&number=%2B447700900123", headers=german)
        assert texts("de")["notices"]["phone_refused"] in refused.body
        foreign = {**FORM, "sec-fetch-site": "cross-site"}
        assert first.ask("POST", "/visitors/me/codes", raw="channel=sms&number=1", headers=foreign).status == 403

    @pytest.mark.parametrize("language", languages())
    def test_every_language_has_the_words(self, hall: Hall, language: str) -> None:
        page = hall.line[0].ask("GET", "/visitors/me", headers=BROWSER, query=f"phone=1&lang={language}")
        for name in ("phone", "phone_send"):
            assert texts(language)["labels"][name] in page.body
        assert texts(language)["notices"]["phone_lead"].replace("'", "&#x27;") in page.body


def test_whoever_counts_too_slowly_is_told_to_try_again(hall: Hall) -> None:
    def down(*_: Any) -> bool:
        raise Overloaded

    hall.world.stores.phones.take = down  # type: ignore[method-assign]
    assert hall.send(hall.line[0]).status == 429
