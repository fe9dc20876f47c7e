"""Clock, ids and the starting of functions: small, and relied on by everything."""

from __future__ import annotations

import io
import json
import re
import time

import boto3
from botocore.stub import Stubber

from tests.support.fakes import FakeIds
from waiting_room.adapters.clock import RandomIds, SystemClock
from waiting_room.adapters.functions import LambdaFunctions
from waiting_room.domain.zone.zones import VISITOR_ID


def test_the_clock_counts_milliseconds_since_the_epoch():
    before = time.time() * 1000
    assert before - 1 <= SystemClock().now_ms() <= time.time() * 1000 + 1


def test_ids_are_128_random_bits_in_22_characters():
    ids = RandomIds()
    made = [make() for _ in range(300) for make in (ids.visitor_id, ids.session_id, ids.attempt_id)]
    assert len(set(made)) == 900
    assert all(VISITOR_ID.match(each) for each in made)
    assert {len(each) for each in made} == {22}


def test_jitter_is_below_one_and_differs():
    drawn = {RandomIds().jitter() for _ in range(200)}
    assert len(drawn) > 190
    assert all(0 <= each < 1 for each in drawn)


def test_fake_ids_look_like_real_ones_and_come_in_the_same_order():
    assert [FakeIds().visitor_id() for _ in range(2)] == [FakeIds().visitor_id()] * 2
    assert re.fullmatch(r"[A-Za-z0-9_-]{22}", FakeIds("other").session_id())
    assert 0 <= FakeIds().jitter() < 1


def test_a_function_is_started_and_not_waited_for():
    client = boto3.client("lambda", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    payload = json.dumps({"zones": ["midnight-sun"]}, separators=(",", ":")).encode()
    expected = {"FunctionName": "foyer-exchanger", "InvocationType": "Event", "Payload": payload}
    with Stubber(client) as stubber:
        stubber.add_response("invoke", {"StatusCode": 202, "Payload": io.BytesIO(b"")}, expected)
        LambdaFunctions(client).start("foyer-exchanger", {"zones": ["midnight-sun"]})
        stubber.assert_no_pending_responses()
