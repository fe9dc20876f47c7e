"""The drand adapter against a server of our own: rounds by time, and anything odd counts as no answer."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from waiting_room.adapters import beacon
from waiting_room.adapters.beacon import CHAIN, GENESIS_SEC, PERIOD_SEC, DrandBeacon

VALUE = "1f" * 32


class Drand(BaseHTTPRequestHandler):
    """Answers with what the test set, in round 7 alone."""

    body, status = "", 200

    def do_GET(self) -> None:
        known = self.path == f"/{CHAIN}/public/7"
        self.send_response(self.status if known else 404)
        self.end_headers()
        self.wfile.write(self.body.encode() if known else b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Drand)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_round_is_read(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drand, "body", f'{{"round": 7, "randomness": "{VALUE}", "signature": "00"}}')
    assert DrandBeacon(address).value(7) == VALUE
    assert DrandBeacon(address).value(8) is None, "not out yet"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "[]",
        "null",
        '"text"',
        '{"round": 7}',
        f'{{"round": 6, "randomness": "{VALUE}"}}',
        '{"round": 7, "randomness": "short"}',
        f'{{"round": 7, "randomness": "{VALUE.upper()}"}}',
        '{"round": 7, "randomness": 5}',
        '{"round": 7, "randomness": "' + "1" * 5_000 + '"}',
        "\xff",
    ],
)
def test_anything_odd_is_no_answer(address: str, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    monkeypatch.setattr(Drand, "body", body)
    assert DrandBeacon(address).value(7) is None


def test_a_refusal_and_silence_are_no_answers(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Drand, "status", 500)
    assert DrandBeacon(address).value(7) is None
    monkeypatch.setattr(beacon, "TIMEOUT_SEC", 0.2)
    assert DrandBeacon("http://127.0.0.1:9").value(7) is None


def test_the_round_of_a_start_is_the_first_that_was_not_known_then() -> None:
    drand = DrandBeacon()
    genesis_ms = GENESIS_SEC * 1000
    # Round 1 comes with the genesis, each other one a period after the one before.
    assert [drand.round_at(genesis_ms + offset) for offset in (0, 1, PERIOD_SEC * 1000 - 1, PERIOD_SEC * 1000)] == [
        2,
        2,
        2,
        3,
    ]
    assert drand.round_at(0) == 1
