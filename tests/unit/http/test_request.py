"""Events of API Gateway and of the local engine, read; bodies that are too large, broken or no JSON, refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.api_world import event
from waiting_room.domain.errors import InvalidInput, TooLarge
from waiting_room.http.frame.request import BODY_LIMIT_BYTES, Request


def request_of(**parts: Any) -> Request:
    return Request.from_event({**event("enter"), **parts})


def with_headers(**headers: str) -> Request:
    return Request(method="GET", path="/", headers={name.replace("_", "-"): value for name, value in headers.items()})


def test_an_event_of_api_gateway_is_read() -> None:
    request = request_of()

    assert (request.method, request.path) == ("GET", "/.waiting-room/v1/zones/midnight-sun/enter")
    assert request.query("to") == "/events/midnight-sun?seat=4&row=2"
    assert request.cookies["site_session"] == "3f2a"
    assert request.cookies["__Host-wr-visitor-winter-gala"].endswith(".")
    assert request.wants_html
    assert request.from_browser
    assert request.identity == ""


def test_an_event_of_the_local_engine_has_its_cookies_in_the_header() -> None:
    request = Request.from_event(event("local_engine"))

    assert request.cookies == {"consent": "all", "__Host-wr-visitor-midnight-sun": "a.b.c"}
    assert not request.wants_html


def test_the_operator_is_who_signed() -> None:
    assert Request.from_event(event("control_iam")).identity.endswith("foyer-operators/ines")


def test_a_body_in_base64_is_decoded() -> None:
    request = Request.from_event(event("confirm_base64"))

    assert request.json() == {"token": "a.b.c", "reference": "order-1001", "checkout": True}
    assert request.bearer == "a-site-key"


@pytest.mark.parametrize("size", [BODY_LIMIT_BYTES + 1, 5 * BODY_LIMIT_BYTES])
@pytest.mark.parametrize("encoded", [False, True])
def test_a_body_over_the_limit_is_refused(size: int, encoded: bool) -> None:
    body = "x" * size
    with pytest.raises(TooLarge):
        request_of(
            body=base64.b64encode(body.encode()).decode() if encoded else body,
            isBase64Encoded=encoded,
        )


def test_a_body_at_the_limit_is_taken() -> None:
    assert len(request_of(body="x" * BODY_LIMIT_BYTES).body) == BODY_LIMIT_BYTES


def test_broken_base64_is_refused() -> None:
    with pytest.raises(InvalidInput):
        request_of(body="%%%", isBase64Encoded=True)


@pytest.mark.parametrize(
    "body",
    [
        '{"a": ',
        "{'a': 1}",
        '{"a": NaN}',
        '{"a": -Infinity}',
        '{"a": 1e999}',
        '{"a": "\\ud800"}',
        "[" * 8000,
        '{"a": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_not_json_is_refused_with_a_pointer_at_the_whole(body: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        request_of(body=body).json()
    assert caught.value.pointer == ""


def test_bytes_that_are_not_utf_8_are_refused() -> None:
    body = base64.b64encode(b'{"a": "\xff"}').decode()
    with pytest.raises(InvalidInput):
        request_of(body=body, isBase64Encoded=True).json()


def test_an_empty_body_is_an_empty_object() -> None:
    assert request_of(body=None).json() == {}


def test_whole_numbers_are_integers_however_they_are_written() -> None:
    value = request_of(body='{"a": 5.0, "b": 0.5, "c": 5}').json()

    assert [(type(number), number) for number in value.values()] == [(int, 5), (float, 0.5), (int, 5)]


@pytest.mark.parametrize("raw", ["to=%FF", "&".join(f"a{index}=1" for index in range(60))])
def test_a_query_that_cannot_be_read_is_refused(raw: str) -> None:
    with pytest.raises(InvalidInput):
        request_of(rawQueryString=raw).query("to")


def test_a_parameter_given_twice_is_refused_where_it_is_asked_for() -> None:
    request = request_of(rawQueryString="to=/a&to=//evil.example&x=1&x=2")

    with pytest.raises(InvalidInput) as caught:
        request.query("to")
    assert caught.value.pointer == "/to"
    assert request.query("again") is None


@pytest.mark.parametrize(
    ("value", "token"),
    [("Bearer abc", "abc"), ("bearer  abc ", "abc"), ("Basic abc", None), ("Bearer", None), ("Bearer ", None)],
)
def test_the_bearer_token_is_found(value: str, token: str | None) -> None:
    assert with_headers(authorization=value).bearer == token


def test_the_page_that_led_here_may_say_where_to_go() -> None:
    request = with_headers(referer="https://tickets.example/.waiting-room/pages/z/index.html?to=%2Fevents%2Fx")

    assert request.referring_query("to") == "/events/x"
    assert with_headers(referer="https://[broken/?to=/x").referring_query("to") is None
    assert with_headers().referring_query("to") is None


def test_an_app_with_a_bearer_token_is_no_browser() -> None:
    assert not with_headers(authorization="Bearer abc", sec_fetch_mode="cors").from_browser
    assert with_headers(sec_fetch_mode="cors").from_browser
    assert not with_headers(accept="*/*").from_browser
