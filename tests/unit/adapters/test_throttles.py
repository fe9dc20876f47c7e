"""Which of DynamoDB's limits refused a call is read from the answer as botocore parses it, and logged apart."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import create_parser

from waiting_room.adapters.dynamodb import reading, writing
from waiting_room.adapters.throttles import QUIET_SEC, ThrottleLog, is_throttle, reasons
from waiting_room.domain.errors import Throttled

TABLE = "arn:aws:dynamodb:eu-west-1:123456789012:table/foyer-joins"
CODES = ("ProvisionedThroughputExceededException", "RequestLimitExceeded", "ThrottlingException")


def refusal(code: str, *named: str) -> ClientError:
    """The error botocore makes of what comes over the wire; it knows how each exception spells its members."""
    operation = botocore.session.get_session().get_service_model("dynamodb").operation_model("UpdateItem")
    member = "throttlingReasons" if code == "ThrottlingException" else "ThrottlingReasons"
    body: dict[str, Any] = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
    if named:
        body[member] = [{"reason": reason, "resource": TABLE} for reason in named]
    sent = {"headers": {}, "body": json.dumps(body).encode(), "status_code": 400}
    parser = create_parser("json")
    parsed = parser.parse(sent, operation.output_shape)
    shape = operation.service_model.shape_for_error_code(code)
    return ClientError({**parsed, **parser.parse(sent, shape)}, "UpdateItem")


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize(
    ("reason", "limit"),
    [
        ("TableWriteKeyRangeThroughputExceeded", "hot key"),
        ("TableReadKeyRangeThroughputExceeded", "hot key"),
        ("TableWriteMaxOnDemandThroughputExceeded", "table"),
        ("TableWriteProvisionedThroughputExceeded", "table"),
        ("TableWriteAccountLimitExceeded", "account"),
    ],
)
def test_each_limit_is_known_from_each_exception(code: str, reason: str, limit: str) -> None:
    error = refusal(code, reason)
    assert is_throttle(error)
    assert reasons(error) == [(limit, reason, TABLE)]


@pytest.mark.parametrize("code", CODES)
def test_without_a_reason_the_code_is_told(code: str) -> None:
    assert reasons(refusal(code)) == [("unnamed", code, "")]
    assert reasons(refusal(code, "SomethingNew")) == [("unnamed", code, "")]


def test_a_cancelled_transaction_says_it_in_its_own_words() -> None:
    error = ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": ""},
            "CancellationReasons": [{"Code": "None"}, {"Code": "ThrottlingError"}],
        },
        "TransactWriteItems",
    )
    assert is_throttle(error)
    assert reasons(error) == [("unnamed", "TransactionCanceledException", "")]


def test_limits_are_logged_apart_and_not_a_thousand_times(caplog: pytest.LogCaptureFixture) -> None:
    now_sec = [0.0]
    log = ThrottleLog(lambda: now_sec[0])
    hot, account = (
        refusal(CODES[0], reason)
        for reason in ("TableWriteKeyRangeThroughputExceeded", "TableWriteAccountLimitExceeded")
    )
    for _ in range(5):
        log(hot)
    log(account)
    now_sec[0] = QUIET_SEC
    log(hot)
    told = [vars(record) for record in caplog.records]
    assert [(line["limit"], line["resource"], line["before"]) for line in told] == [
        ("hot key", TABLE, 0),
        ("account", TABLE, 0),
        ("hot key", TABLE, 4),
    ]


@pytest.mark.parametrize("call", [reading, writing])
def test_reads_and_writes_tell_it(call: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("waiting_room.adapters.dynamodb.log_throttle", ThrottleLog())

    def refused(**_: Any) -> None:
        raise refusal(CODES[2], "TableWriteKeyRangeThroughputExceeded")

    with pytest.raises(Throttled):
        call(refused)
    assert [vars(record)["limit"] for record in caplog.records] == ["hot key"]
