"""Alerts by telephone: asked for with consent, sealed, sent once when the turn is near, gone afterwards."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.exceptions import ReadTimeoutError
from botocore.stub import Stubber

from scripts.local.outbox import Outbox
from tests.support.api_world import ROOT, SCRIPT, ZONE_ID, ApiWorld, Browser
from tests.support.memory_aws import MemoryKms
from waiting_room.adapters.cipher import KmsCipher
from waiting_room.adapters.end_user_messaging import TRIES, EndUserMessaging
from waiting_room.composition import alerts_sender
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.alerts import Channel, near_end, telephone_number
from waiting_room.domain.errors import InvalidInput, Overloaded
from waiting_room.http.page.languages import languages
from waiting_room.ports import Delivery

NUMBER = "+447700900123"
ALERTS = {"channels": ["sms", "voice"], "prefixes": ["+44", "+49"], "lead_sec": 60}
IDENTITY = "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-1"
PATH = "/visitors/me/alerts"


@dataclass
class FakeCarrier:
    """Keeps what it was given; answers by number, SENT otherwise."""

    sent: list[tuple[str, str, str, str]] = field(default_factory=list)
    terms: list[dict[str, float]] = field(default_factory=list)
    answers: dict[str, Delivery] = field(default_factory=dict)

    def send(
        self, channel: Channel, number: str, text: str, language: str, *, life_sec: int, max_price_usd: float
    ) -> Delivery:
        self.sent.append((channel, number, text, language))
        self.terms.append({"life_sec": life_sec, "max_price_usd": max_price_usd})
        return self.answers.get(number, Delivery.SENT)


class Hall:
    """A zone with a line, whose visitors can ask to be told; `told` is what calls up to a position bring about."""

    def __init__(self, waiting: int = 60, **changes: Any) -> None:
        self.cipher, self.carrier = KmsCipher(MemoryKms(), "key"), FakeCarrier()
        self.world = ApiWorld(self.cipher)
        assert self.world.put_zone(**{"alerts": ALERTS, "max_active": 1, **changes}).status == 201
        self.send = alerts_sender(self.world.stores, self.cipher, self.carrier, self.world.clock)
        self.line = [Browser(self.world) for _ in range(waiting)]
        for browser in self.line:
            assert browser.ask("POST", "/visitors").status == 201
        # No grants in a new run's first seconds, and none but one after that.
        self.world.tick()

    def ask(self, who: int, number: str = NUMBER, **more: Any) -> Any:
        asked = {"channel": "sms", "number": number, "consent": True, **more}
        return self.line[who].ask("POST", PATH, {name: value for name, value in asked.items() if value is not None})

    def told(self, near: int, first: int = 0, **more: Any) -> Counter[Delivery]:
        return self.send(Calls(ZONE_ID, 1, "general", first, first + 1, 9, near, **more))

    @property
    def kept(self) -> list[dict[str, Any]]:
        """What the table of connections holds."""
        return list(self.world.dynamo.tables["user_connections"].records.values())


@pytest.fixture
def hall() -> Hall:
    return Hall()


@pytest.mark.parametrize("text", ["+44 7700 900123", "+44 (7700) 900-123", " +447700900123", "+44 7700/900.123"])
def test_a_number_may_be_written_as_people_write_it(text: str) -> None:
    assert telephone_number(text, ["+44"]) == NUMBER


@pytest.mark.parametrize(
    "text", ["07700900123", "+0447700900123", "+44", "+44770090012345678", "+44x7700900123", "", "+"]
)
def test_what_is_no_number_with_its_country_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        telephone_number(text, ["+44"])
    assert refused.value.pointer == "/number"


def test_only_countries_of_the_organisers_choice_are_sent_to() -> None:
    with pytest.raises(InvalidInput, match=r"begin with \+44, \+49"):
        telephone_number("+2348012345678", ["+49", "+44"])


@pytest.mark.parametrize(("speed", "lead", "end"), [(0, 900, 7), (2.5, 60, 157), (-1, 60, 7), (0.001, 60, 8)])
def test_near_is_what_comes_within_the_lead_at_this_speed(speed: float, lead: int, end: int) -> None:
    assert near_end(7, speed, lead) == end


def test_who_is_near_is_told_once_and_the_number_is_gone(hall: Hall) -> None:
    promised = hall.ask(50)
    assert (promised.status, promised.json) == (202, {"channel": "sms", "lead_sec": 60})
    assert hall.told(near=50) == Counter()
    assert hall.told(near=51) == Counter({Delivery.SENT: 1})
    ((channel, number, text, language),) = hall.carrier.sent
    assert (channel, number, language) == ("sms", NUMBER, "en")
    assert text.startswith("Midnight Sun: it is nearly your turn. Expected wait: ")
    assert hall.kept == []
    assert hall.told(near=51) == Counter()


def test_a_number_is_never_stored_as_it_is(hall: Hall) -> None:
    assert hall.ask(50).status == 202
    (item,) = hall.kept
    assert NUMBER[3:] not in str(item)
    assert NUMBER[3:] not in str(hall.world.log.lines)
    assert "expires_at_sec" in item.item


def test_no_consent_no_message(hall: Hall) -> None:
    for consent in (False, None, "yes", 1):
        refused = hall.ask(50, consent=consent)
        assert (refused.status, refused.json["pointer"]) == (400, "/consent"), consent
    assert hall.kept == []


@pytest.mark.parametrize("number", ["07700 111222", "+33 6 12 34 56 78"])
def test_a_wrong_number_is_refused_before_anything_is_stored(hall: Hall, number: str) -> None:
    refused = hall.ask(50, number)
    assert (refused.status, refused.json["pointer"]) == (400, "/number")
    assert hall.kept == []
    assert number.removeprefix("+")[2:] not in refused.body


def test_each_channel_of_the_zone_can_be_asked_for_and_no_other() -> None:
    hall = Hall(alerts={**ALERTS, "channels": ["voice"]})
    assert hall.ask(50, channel="sms").json["pointer"] == "/channel"
    assert hall.ask(50, channel="voice", language="de").status == 202
    assert hall.told(near=60)[Delivery.SENT] == 1
    ((channel, _, text, language),) = hall.carrier.sent
    assert (channel, language) == ("voice", "de")
    assert "Warteraum" in text


def test_asked_again_the_new_number_counts_and_nothing_is_counted_twice() -> None:
    hall = Hall(alerts={**ALERTS, "most": 1})
    assert hall.ask(50, "+447700900111").status == 202
    assert hall.ask(50, "+447700900222").status == 202
    assert hall.told(near=60)[Delivery.SENT] == 1
    assert hall.carrier.sent[0][1] == "+447700900222"


def test_no_more_are_promised_than_the_organiser_pays_for() -> None:
    hall = Hall(alerts={**ALERTS, "most": 2})
    assert [hall.ask(who).status for who in (40, 41, 42)] == [202, 202, 409]
    assert len(hall.kept) == 2


def test_a_zone_or_a_deployment_without_alerts_promises_none() -> None:
    hall = Hall()
    assert hall.world.operate("POST", f"/zones/{ZONE_ID}/control", {"changes": {"alerts": None}}).status == 200
    hall.world.clock.advance(2)
    assert (hall.ask(50).status, hall.ask(50).problem) == (409, "alert-refused")
    bare = ApiWorld()
    bare.put_zone(alerts=ALERTS)
    browser = Browser(bare)
    browser.ask("POST", "/visitors")
    assert browser.ask("POST", PATH, {"channel": "sms", "number": NUMBER, "consent": True}).problem == "alert-refused"


def test_whoever_thinks_better_of_it_is_not_told(hall: Hall) -> None:
    hall.ask(50)
    hall.ask(50, channel="voice")
    assert hall.line[50].ask("DELETE", PATH).status == 204
    assert hall.line[50].ask("DELETE", PATH).status == 204
    assert (hall.kept, hall.told(near=60)) == ([], Counter())


def test_who_left_or_went_in_is_not_told(hall: Hall) -> None:
    for who in (50, 51):
        hall.ask(who)
    visitor_id = hall.line[50].ask("GET", "/visitors/me").json["visitor_id"]
    assert hall.world.operate("POST", f"/zones/{ZONE_ID}/revocations", {"visitor_id": visitor_id}).status == 201
    assert hall.told(near=60) == Counter({Delivery.GONE: 1, Delivery.SENT: 1})
    assert hall.kept == []


def test_erasing_a_visitor_erases_the_number(hall: Hall) -> None:
    hall.ask(50)
    visitor_id = hall.line[50].ask("GET", "/visitors/me").json["visitor_id"]
    assert hall.world.operate("DELETE", f"/zones/{ZONE_ID}/visitors/{visitor_id}").status == 204
    assert hall.kept == []


def test_before_the_draw_one_can_ask_and_is_told_at_the_place_that_was_drawn() -> None:
    hall = Hall(0, order="lottery", mode="combined", rate_per_min=60, starts_at_ms=1_780_315_200_000 + 60_000)
    hall.line = [Browser(hall.world) for _ in range(40)]
    for browser in hall.line:
        assert browser.ask("POST", "/visitors").json["position"] is None
    assert hall.ask(3).status == 202
    assert hall.told(near=40) == Counter(), "the draw has not been held"
    hall.world.clock.advance(80)
    hall.world.tick()
    position = hall.line[3].ask("GET", "/visitors/me").json["position"]
    assert hall.told(near=position) == Counter()
    assert hall.told(near=position + 1) == Counter({Delivery.SENT: 1})
    assert hall.kept == []


def test_two_notifiers_at_once_tell_once(hall: Hall) -> None:
    for who in range(40, 60):
        hall.ask(who, f"+4477009001{who}")
    threads = [threading.Thread(target=lambda: hall.told(near=60)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(number for _, number, *_ in hall.carrier.sent) == {f"+4477009001{who}": 1 for who in range(40, 60)}


def test_calls_of_an_earlier_run_tell_nobody(hall: Hall) -> None:
    hall.ask(50)
    assert hall.world.operate("POST", f"/zones/{ZONE_ID}/control", {"reset": True}).status == 200
    assert hall.told(near=60) == Counter()


def test_what_could_not_be_read_waits_for_the_next_call(hall: Hall) -> None:
    hall.ask(50)

    class Down:
        def open(self, *_: Any) -> str:
            raise Overloaded

        seal = open

    broken = alerts_sender(hall.world.stores, Down(), hall.carrier, hall.world.clock)
    assert broken(Calls(ZONE_ID, 1, "general", 0, 1, 9, 60)) == Counter({Delivery.FAILED: 1})
    assert hall.told(near=60) == Counter({Delivery.SENT: 1})


def test_the_price_and_the_life_of_a_message_are_bounded() -> None:
    hall = Hall(alerts={**ALERTS, "max_price_usd": 0.05})
    hall.ask(50)
    hall.told(near=60)
    (terms,) = hall.carrier.terms
    assert terms["max_price_usd"] == 0.05
    assert 5 <= terms["life_sec"] <= 60


def test_the_address_in_a_message_is_the_zones_own(hall: Hall) -> None:
    own = Hall(rules=[{"hosts": ["*.example.com", "tickets.example.com"], "paths": ["/events"]}])
    headers = {**SCRIPT, "origin": "https://evil.example", "host": "evil.example", "x-forwarded-host": "evil.example"}
    for each in (hall, own):
        asked = {"channel": "sms", "number": NUMBER, "consent": True}
        assert each.line[50].ask("POST", PATH, asked, headers=headers).status == 202
        each.told(near=60)
    assert "http" not in hall.carrier.sent[0][2]
    assert own.carrier.sent[0][2].endswith(f" https://tickets.example.com/.waiting-room/pages/{ZONE_ID}/index.html")


def test_the_form_of_the_page_without_scripts_asks_the_same(hall: Hall) -> None:
    form = {"accept": "text/html", "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin"}
    body = "channel=sms&number=%2B44+7700+900123&consent=yes"
    answer = hall.line[50].ask("POST", PATH, raw=body, headers=form)
    assert (answer.status, answer.location) == (303, f"{ROOT}/zones/{ZONE_ID}/visitors/me")
    assert hall.told(near=60)[Delivery.SENT] == 1
    assert hall.line[51].ask("POST", PATH, raw="channel=sms&number=%2B447700900123", headers=form).status == 400
    foreign = {**form, "sec-fetch-site": "cross-site"}
    assert hall.line[52].ask("POST", PATH, raw=body, headers=foreign).status == 403


@pytest.mark.parametrize("language", languages())
def test_every_language_has_a_message_that_fits(language: str) -> None:
    hall = Hall()
    assert hall.ask(50, language=language).status == 202
    hall.told(near=60)
    text = hall.carrier.sent[0][2]
    assert "Midnight Sun" in text
    assert "{" not in text
    assert len(text) < 320


class TestEndUserMessaging:
    """The requests are held to the service's own model by botocore."""

    def carrier(self) -> tuple[EndUserMessaging, Stubber, list[float]]:
        client = boto3.client(
            "pinpoint-sms-voice-v2", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
        )
        pauses: list[float] = []
        return EndUserMessaging(client, IDENTITY, "foyer", pauses.append), Stubber(client), pauses

    def send(self, carrier: EndUserMessaging, channel: Channel = "sms", language: str = "en") -> Delivery:
        return carrier.send(channel, NUMBER, "It is nearly your turn.", language, life_sec=2, max_price_usd=0.2)

    def test_a_text_message(self) -> None:
        carrier, stub, _ = self.carrier()
        common = {"OriginationIdentity": IDENTITY, "ConfigurationSetName": "foyer", "DestinationPhoneNumber": NUMBER}
        wanted = {"MessageType": "TRANSACTIONAL", "MaxPrice": "0.20000", "TimeToLive": 5}
        stub.add_response("send_text_message", {}, {**common, **wanted, "MessageBody": "It is nearly your turn."})
        with stub:
            assert self.send(carrier) is Delivery.SENT

    @pytest.mark.parametrize("language", languages())
    def test_a_call_in_every_language(self, language: str) -> None:
        carrier, stub, _ = self.carrier()
        stub.add_response("send_voice_message", {})
        with stub:
            assert self.send(carrier, "voice", language) is Delivery.SENT

    def test_too_many_at_once_are_sent_a_little_later(self) -> None:
        carrier, stub, pauses = self.carrier()
        stub.add_client_error("send_text_message", "ThrottlingException")
        stub.add_response("send_text_message", {})
        with stub:
            assert self.send(carrier) is Delivery.SENT
        assert len(pauses) == 1

    @pytest.mark.parametrize(
        ("code", "delivery"),
        [
            ("ConflictException", Delivery.GONE),
            ("ValidationException", Delivery.GONE),
            ("ServiceQuotaExceededException", Delivery.FAILED),
            ("InternalServerException", Delivery.FAILED),
        ],
    )
    def test_anything_else_is_not_tried_again(self, code: str, delivery: Delivery) -> None:
        carrier, stub, _ = self.carrier()
        stub.add_client_error("send_text_message", code)
        with stub:
            assert self.send(carrier) is delivery

    def test_a_busy_service_is_given_up_in_the_end(self) -> None:
        carrier, stub, _ = self.carrier()
        for _ in range(TRIES):
            stub.add_client_error("send_text_message", "ThrottlingException")
        with stub:
            assert self.send(carrier) is Delivery.FAILED

    def test_a_lost_answer_is_not_sent_again(self) -> None:
        class Lost:
            calls = 0

            def send_text_message(self, **_: Any) -> None:
                self.calls += 1
                raise ReadTimeoutError(endpoint_url="x")

        client = Lost()
        assert self.send(EndUserMessaging(client, IDENTITY, "foyer", lambda _: None)) is Delivery.FAILED
        assert client.calls == 1


def test_a_sealed_number_opens_for_its_own_visitor_only() -> None:
    cipher = KmsCipher(MemoryKms(), "key")
    sealed = cipher.seal(NUMBER, {"visitor": "a"})
    assert cipher.open(sealed, {"visitor": "a"}) == NUMBER
    with pytest.raises(Overloaded) as failed:
        cipher.open(sealed, {"visitor": "b"})
    assert NUMBER not in str(failed.value)


def test_the_outbox_takes_what_the_sdk_sends_and_nothing_else() -> None:
    with Outbox() as outbox:
        settings = {"region_name": "us-east-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
        client = boto3.client("pinpoint-sms-voice-v2", endpoint_url=outbox.url, **settings)
        carrier = EndUserMessaging(client, IDENTITY, "foyer", lambda _: None)
        assert carrier.send("sms", NUMBER, "<b>Soon</b>", "en", life_sec=60, max_price_usd=0.1) is Delivery.SENT
        client.close()
        assert "&lt;b&gt;Soon&lt;/b&gt;" in outbox.page()
        assert NUMBER in outbox.page()
        assert outbox.take("PinpointSMSVoiceV2.SendTextMessage", b"{}")[0] == 400
        assert outbox.take("PinpointSMSVoiceV2.DescribePools", b"{}")[0] == 400
