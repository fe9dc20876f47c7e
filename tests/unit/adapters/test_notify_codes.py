"""The sender of passcodes, against the service's own shapes and over HTTP against the local stand-in."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError, UnknownServiceError
from botocore.stub import Stubber

from scripts.local.codes import PATH, Codes
from scripts.local.outbox import CODES_ENDPOINT_VARIABLE, Outbox
from waiting_room.adapters.notify_codes import MODELS, SERVICE, NotifyCodes, connect
from waiting_room.bootstrap import SENDING, _codes_client
from waiting_room.domain.errors import Overloaded, Unsure
from waiting_room.ports import Sending

NUMBER = "+447700900123"
IDENTITY = "arn:aws:sms-voice:eu-west-1:123456789012:phone-number/phone-1"
REFERENCE = "Aaaaaaaaaaaaaaaaaaaa-_"
SENT = {"verificationId": "v-1", "messageId": "m-1"}
POLICY = {"codeType": "NUMERIC", "codeLength": 6, "validityPeriodMinutes": 10, "maxAttempts": 5}


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "b")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")


def stubbed() -> tuple[NotifyCodes, Stubber]:
    client = connect(SENDING)
    return NotifyCodes(lambda: client, IDENTITY, "ncc-1", "foyer"), Stubber(client)


def test_where_the_service_is_and_that_it_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    client = _codes_client()
    assert client.meta.endpoint_url == "https://end-user-messaging.eu-west-1.amazonaws.com"
    assert client.meta.service_model.signing_name == "end-user-messaging"
    assert client.meta.config.retries["total_max_attempts"] == 1


@pytest.mark.parametrize(("channel", "named"), [("sms", "TEXT"), ("voice", "VOICE"), ("whatsapp", "WHATSAPP")])
def test_a_passcode_over_each_channel(channel: Any, named: str) -> None:
    codes, stub = stubbed()
    told = {"originationIdentity": IDENTITY, "notifyCodeConfiguration": "ncc-1", "configurationSetName": "foyer"}
    to = {"channel": named, "destinationIdentity": NUMBER, "referenceId": REFERENCE}
    stub.add_response(
        "send_notify_code_verification", SENT, {**told, **to, "overrideCodeConfigurationParameters": POLICY}
    )
    with stub:
        assert codes.send(channel, NUMBER, REFERENCE) is Sending.SENT


@pytest.mark.parametrize(
    ("code", "status", "what"),
    [
        ("ThrottlingException", 429, Sending.BUSY),
        ("ConflictException", 409, Sending.REFUSED),
        ("ValidationException", 400, Sending.REFUSED),
        ("ServiceQuotaExceededException", 400, Sending.STOPPED),
        ("AccessDeniedException", 403, Sending.STOPPED),
        ("ResourceNotFoundException", 404, Sending.STOPPED),
        ("InternalServerException", 500, Sending.PERHAPS),
    ],
)
def test_what_each_error_of_a_send_means(
    code: str, status: int, what: Sending, caplog: pytest.LogCaptureFixture
) -> None:
    codes, stub = stubbed()
    stub.add_client_error("send_notify_code_verification", code, NUMBER, status)
    with stub:
        assert codes.send("sms", NUMBER, REFERENCE) is what
        stub.assert_no_pending_responses()
    # The message of the error, which here is the number, is not told on.
    assert NUMBER not in str([line.__dict__ for line in caplog.records])


@pytest.mark.parametrize(("status", "valid"), [("VALID", True), ("INVALID", False)])
def test_a_check_names_number_reference_and_code(status: str, valid: bool) -> None:
    codes, stub = stubbed()
    wanted = {"destinationIdentity": NUMBER, "referenceId": REFERENCE, "code": "123456"}
    stub.add_response("validate_notify_code_verification", {"status": status}, wanted)
    with stub:
        assert codes.check(NUMBER, REFERENCE, "123456") is valid


@pytest.mark.parametrize(
    ("code", "status", "raised"),
    [
        ("ThrottlingException", 429, Overloaded),
        ("AccessDeniedException", 403, Overloaded),
        ("InternalServerException", 500, Unsure),
    ],
)
def test_what_each_error_of_a_check_means(
    code: str, status: int, raised: type[Exception], caplog: pytest.LogCaptureFixture
) -> None:
    codes, stub = stubbed()
    stub.add_client_error("validate_notify_code_verification", code, NUMBER, status)
    with stub, pytest.raises(raised) as caught:
        codes.check(NUMBER, REFERENCE, "123456")
    assert (type(caught.value), NUMBER in str(caught.value)) == (raised, False)
    assert NUMBER not in str([line.__dict__ for line in caplog.records])


def test_what_is_no_code_for_the_service_is_a_wrong_one() -> None:
    codes, stub = stubbed()
    stub.add_client_error("validate_notify_code_verification", "ValidationException")
    with stub:
        assert codes.check(NUMBER, REFERENCE, "123456") is False


@pytest.mark.parametrize(
    ("error", "what"),
    [(ReadTimeoutError(endpoint_url="x"), Sending.PERHAPS), (ConnectTimeoutError(endpoint_url="x"), Sending.BUSY)],
)
def test_a_lost_answer_may_have_been_sent_and_no_connection_was_not(error: Exception, what: Sending) -> None:
    class Lost:
        def send_notify_code_verification(self, **_: Any) -> None:
            raise error

    assert NotifyCodes(Lost, IDENTITY, "ncc-1", "").send("sms", NUMBER, REFERENCE) is what


def test_the_client_is_made_when_it_is_first_needed() -> None:
    made: list[Any] = []

    def make() -> Any:
        made.append(connect(SENDING))
        return made[-1]

    codes = NotifyCodes(make, IDENTITY, "ncc-1", "")
    assert made == []
    for _ in range(2):
        with Stubber(codes._service) as stub:
            stub.add_response("send_notify_code_verification", SENT)
            codes.send("sms", NUMBER, REFERENCE)
    assert len(made) == 1


def test_the_model_in_the_layer_says_what_the_sdks_own_says_where_it_has_one() -> None:
    """Once the SDK of these tests knows the service: operations, fields, bounds and errors are those of AWS."""
    loader = botocore.session.get_session().get_component("data_loader")
    try:
        theirs = loader.load_service_model(SERVICE, "service-2")
    except UnknownServiceError:
        pytest.skip("this SDK is older than the service")
    ours = json.loads((MODELS / SERVICE / "2026-09-21" / "service-2.json").read_text(encoding="utf-8"))
    assert ours["metadata"] == theirs["metadata"]
    for name, operation in ours["operations"].items():
        of_aws = theirs["operations"][name]
        assert (operation["http"], operation["errors"]) == (of_aws["http"], of_aws["errors"])
        for part in ("input", "output"):
            same(ours["shapes"], operation[part]["shape"], theirs["shapes"], of_aws[part]["shape"])
    for error in ours["operations"]["SendNotifyCodeVerification"]["errors"]:
        assert ours["shapes"][error["shape"]].get("error") == theirs["shapes"][error["shape"]].get("error")


def same(ours: dict[str, Any], mine: str, theirs: dict[str, Any], of_aws: str) -> None:
    """What is said of a shape is what AWS says; fields that are not used are left out."""
    own, their = ours[mine], theirs[of_aws]
    assert {key: value for key, value in own.items() if key not in ("members", "sensitive")} == {
        key: value for key, value in their.items() if key in own and key not in ("members", "sensitive")
    }
    assert own.get("required") == their.get("required")
    for name, member in own.get("members", {}).items():
        same(ours, member["shape"], theirs, their["members"][name]["shape"])


class TestStandIn:
    """Over HTTP, as functions on the local stack ask."""

    @pytest.fixture
    def outbox(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[Outbox]:
        with Outbox() as outbox:
            monkeypatch.setenv(CODES_ENDPOINT_VARIABLE, outbox.url)
            yield outbox

    def test_a_code_goes_out_and_is_right_once(self, outbox: Outbox) -> None:
        codes = NotifyCodes(lambda: connect(SENDING), IDENTITY, "ncc-1", "")
        assert codes.send("sms", NUMBER, REFERENCE) is Sending.SENT
        code = outbox.messages[0]["MessageBody"].split()[0]
        assert [codes.check(NUMBER, reference, code) for reference in ("another", REFERENCE, REFERENCE)] == [
            False,
            True,
            False,
        ]
        assert code in outbox.page()

    def test_what_breaks_a_rule_is_refused_by_its_name(self, outbox: Outbox) -> None:
        assert NotifyCodes(lambda: connect(SENDING), IDENTITY, "ncc-1", "").send("sms", "+44", "x") is Sending.REFUSED
        client = connect(SENDING)
        for field, value in (("codeLength", 9), ("validityPeriodMinutes", 61), ("maxAttempts", 6)):
            with pytest.raises(client.exceptions.ValidationException, match=field):
                client.send_notify_code_verification(
                    channel="TEXT",
                    destinationIdentity=NUMBER,
                    originationIdentity="x",
                    notifyCodeConfiguration="ncc-1",
                    overrideCodeConfigurationParameters={field: value},
                )
        with pytest.raises(client.exceptions.ValidationException, match="notifyCodeConfiguration"):
            client.send_notify_code_verification(channel="TEXT", destinationIdentity=NUMBER, originationIdentity="x")

    def test_the_service_writes_numbers_and_codes_at_level_debug_and_we_do_not(self, outbox: Outbox) -> None:
        """What a function that set botocore to DEBUG would write; ours leave it at what it is."""
        written = io.StringIO()
        handler = logging.StreamHandler(written)
        root, sdk = logging.getLogger(), logging.getLogger("botocore")
        root.addHandler(handler)
        before = sdk.level
        try:
            codes = NotifyCodes(lambda: connect(SENDING), IDENTITY, "ncc-1", "")
            codes.send("sms", NUMBER, REFERENCE)
            codes.check(NUMBER, REFERENCE, "987654")
            assert (NUMBER in written.getvalue(), "987654" in written.getvalue()) == (False, False)
            sdk.setLevel(logging.DEBUG)
            codes.check(NUMBER, REFERENCE, "987654")
            assert "987654" in written.getvalue(), "this is what the test would see"
        finally:
            sdk.setLevel(before)
            root.removeHandler(handler)


class TestRules:
    """The stand-in's own rules."""

    def answer(self, codes: Codes, what: str, **asked: Any) -> tuple[int, dict[str, Any], str]:
        return codes.answer(f"{PATH}{what}", {"destinationIdentity": NUMBER, **asked})

    def send(self, codes: Codes, **more: Any) -> str:
        told = {"channel": "TEXT", "originationIdentity": "x", "notifyCodeConfiguration": "ncc-1", **more}
        status, _, message = self.answer(codes, "send", **told)
        assert status == 200
        return message.split()[0]

    def test_a_code_runs_out(self) -> None:
        clock = [0.0]
        codes = Codes(lambda: clock[0])
        code = self.send(codes)
        clock[0] = 600.0
        assert self.answer(codes, "validate", code=code)[1] == {"status": "INVALID"}

    def test_a_code_is_locked_after_its_tries(self) -> None:
        codes = Codes()
        code = self.send(codes)
        for _ in range(3):
            assert self.answer(codes, "validate", code="abcd")[1] == {"status": "INVALID"}
        assert self.answer(codes, "validate", code=code)[1] == {"status": "INVALID"}

    def test_what_is_asked_for_is_there_and_nothing_else(self) -> None:
        assert self.answer(Codes(), "other")[0] == 404
        assert self.answer(Codes(), "send", channel="FAX")[0] == 400
        assert self.answer(Codes(), "validate", code="12", referenceId="x")[0] == 400
        assert self.answer(Codes(), "validate", code="1234", referenceId="")[0] == 400


def test_a_client_that_would_try_again_is_not_ours() -> None:
    assert isinstance(SENDING, Config)
    assert SENDING.retries == {"mode": "standard", "total_max_attempts": 1}
