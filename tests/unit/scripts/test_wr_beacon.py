"""`wr verify-draw --beacon`: a value counts only when drand signed it."""

from __future__ import annotations

import sys

import httpx
import pytest

from scripts.operator_api.errors import Refused, Unreachable
from scripts.operator_cli.checks import beacon

SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
"""Of quicknet's round 1000, as drand publishes it."""
VALUE = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"


def check(number: int, value: str, signature: str = SIGNATURE, status: int = 200) -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        assert request.url.path.endswith(f"/public/{number}")
        return httpx.Response(status, json={"round": number, "signature": signature})

    with httpx.Client(transport=httpx.MockTransport(answer)) as http:
        beacon.check_beacon(number, value, http)


def test_a_value_that_drand_signed_is_taken() -> None:
    pytest.importorskip("py_ecc")
    check(1000, VALUE)


@pytest.mark.parametrize("number", [999, 1001])
def test_the_signature_of_another_round_is_refused(number: int) -> None:
    pytest.importorskip("py_ecc")
    with pytest.raises(Refused, match="not drand's"):
        check(number, VALUE)


def test_another_value_is_refused_and_silence_is_said() -> None:
    with pytest.raises(Refused, match="another value"):
        check(1000, "0" * 64)
    with pytest.raises(Unreachable, match="try again"):
        check(1000, VALUE, status=500)


def test_without_the_library_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py_ecc", None)
    with pytest.raises(Unreachable, match="pip install"):
        check(1000, VALUE)
