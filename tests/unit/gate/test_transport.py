"""Fetching the snapshot over HTTP: one kept connection, half a second, and nothing half-read."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.support.gate_support import ISSUER, snapshot_document
from waiting_room.domain.gate.snapshot import SNAPSHOT_LIMIT_BYTES
from waiting_room.edge import snapshots
from waiting_room.edge.settings import EdgeSettings
from waiting_room.edge.snapshots import IDLE_SEC, KEEP_SEC, FetchFailed, Snapshots, Transport

PATH = "/.waiting-room/gate-0123456789abcdef.json"


class Answers:
    """What the server sends next: status and body, whole or in pieces with pauses between them."""

    def __init__(self) -> None:
        self.status = 200
        self.pieces: list[bytes | float] = [b"{}"]
        self.length: int | None = None
        self.close = False
        self.chunked = False
        self.once = False
        self.connections: list[tuple[str, int]] = []
        self.swallowed: list[tuple[str, int]] = []
        self.paths: list[str] = []
        self.etag = ""


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def host(answers: Answers) -> Iterator[str]:
    """A server that does as `answers` say; yields its host and port."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if answers.once and self.client_address in answers.connections:
                # A black hole, as a kept connection is after a freeze: it takes the request and never answers.
                answers.swallowed.append(self.client_address)
                over.wait()
                return
            answers.connections.append(self.client_address)
            answers.paths.append(self.path)
            held = answers.etag and self.headers["If-None-Match"] == answers.etag
            self.send_response(304 if held else answers.status)
            if answers.etag:
                self.send_header("ETag", answers.etag)
            if held:
                self.end_headers()
                return
            size = sum(len(piece) for piece in answers.pieces if isinstance(piece, bytes))
            if answers.chunked:
                self.send_header("Transfer-Encoding", "chunked")
            else:
                self.send_header("Content-Length", str(answers.length if answers.length is not None else size))
            self.end_headers()
            with contextlib.suppress(OSError):
                for piece in answers.pieces:
                    self._send(piece)
                if answers.chunked:
                    self.wfile.write(b"0\r\n\r\n")
            self.close_connection = answers.close

        def _send(self, piece: bytes | float) -> None:
            if not isinstance(piece, bytes):
                time.sleep(piece)
            elif answers.chunked:
                self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            else:
                self.wfile.write(piece)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            """Say nothing: clients that go away are what is tested here."""

    over = threading.Event()
    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    over.set()
    server.shutdown()
    thread.join(10)
    server.server_close()


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.sec = 1_800_000_000.0

    def __call__(self) -> float:
        return self.sec


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def transport(wall: Wall) -> Iterator[Transport]:
    made = Transport(EdgeSettings(snapshot_path=PATH, issuer=ISSUER, snapshot_scheme="http"), wall=wall)
    yield made
    for connection, _ in made._connections.values():
        connection.close()


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kept connection is given time: a busy machine is no black hole."""
    monkeypatch.setattr(snapshots, "KEPT_TIMEOUT_SEC", 30)
    monkeypatch.setattr(snapshots, "TIMEOUT_SEC", 30)


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.usefixtures("unhurried")
def test_one_connection_serves_all_fetches(transport, host, answers, chunked):
    answers.chunked = chunked
    for body in (b'{"a": 1}', b"x" * 200_000, b""):
        answers.pieces = [body] if body else []
        assert transport(host) == body
    assert len(set(answers.connections)) == 1
    assert set(answers.paths) == {PATH}


def test_a_connection_that_was_closed_meanwhile_is_replaced(transport, host, answers):
    answers.close = True
    assert transport(host) == b"{}"
    assert transport(host) == b"{}"
    assert len(set(answers.connections)) == 2


def test_a_kept_connection_that_died_is_replaced_within_the_same_fetch(transport, host, answers):
    assert transport(host) == b"{}"
    ((connection, _),) = transport._connections.values()
    connection.sock.close()
    assert transport(host) == b"{}"
    assert len(set(answers.connections)) == 2


def test_a_kept_connection_that_swallows_requests_costs_one_try_on_a_new_one(transport, host, answers):
    answers.once = True
    for fetched in range(1, 4):
        assert transport(host) == b"{}"
        assert len(set(answers.connections)) == fetched
    assert answers.swallowed == answers.connections[:-1]


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize("asleep_sec", [IDLE_SEC + 0.001, 900, -0.001], ids=["idle", "frozen", "clock set back"])
def test_what_lay_idle_is_not_asked(transport, host, answers, wall, asleep_sec):
    answers.once = True
    assert transport(host) == b"{}"
    wall.sec += asleep_sec
    assert transport(host) == b"{}"
    assert answers.swallowed == []


def published(at_sec: float) -> bytes:
    return json.dumps(snapshot_document(published_at_ms=int(at_sec * 1000))).encode()


def test_a_gate_wakes_from_a_freeze_and_decides(transport, host, answers, wall):
    answers.once = True
    answers.pieces = [published(wall.sec)]
    kept = Snapshots(ISSUER, transport)
    assert kept.current(host, int(wall.sec * 1000)) is not None
    wall.sec += 900
    answers.pieces = [published(wall.sec)]
    assert kept.current(host, int(wall.sec * 1000)) is not None


@pytest.mark.usefixtures("unhurried")
def test_idle_is_less_than_the_time_between_two_fetches_of_a_busy_gate(transport, host, answers, wall):
    for _ in range(5):
        assert transport(host) == b"{}"
        wall.sec += KEEP_SEC
    assert len(set(answers.connections)) == 1


@pytest.mark.parametrize("status", [204, 301, 403, 404, 500, 503])
def test_only_200_is_an_answer(transport, host, answers, status):
    answers.status = status
    with pytest.raises(FetchFailed, match=str(status)):
        transport(host)
    answers.status = 200
    assert transport(host) == b"{}"


@pytest.mark.usefixtures("unhurried")
def test_a_list_is_asked_for_over_the_same_connection_by_its_etag(transport, host, answers):
    answers.etag = '"one"'
    assert transport(host) == b"{}"
    assert transport.get(host, "/list.json", 100) == (200, b"{}", '"one"')
    assert transport.get(host, "/list.json", 100, '"one"') == (304, b"", '"one"')
    answers.etag = '"two"'
    assert transport.get(host, "/list.json", 100, '"one"') == (200, b"{}", '"two"')
    answers.status, answers.etag = 404, ""
    assert transport.get(host, "/list.json", 100, '"two"') == (404, b"", "")
    assert transport.get(host, "/list.json", 100) == (404, b"", "")
    assert len(set(answers.connections)) == 1
    assert answers.paths == [PATH, *["/list.json"] * 5]


@pytest.mark.parametrize("status", [204, 301, 403, 500, 503])
def test_of_a_list_that_cannot_be_read_nothing_is_concluded(transport, host, answers, status):
    answers.status = status
    with pytest.raises(FetchFailed, match=str(status)):
        transport.get(host, "/list.json", 100)


def test_a_list_beyond_its_limit_is_not_read(transport, host, answers):
    answers.pieces = [b"x" * 101]
    with pytest.raises(FetchFailed, match="more than 100"):
        transport.get(host, "/list.json", 100)


@pytest.mark.usefixtures("unhurried")
def test_threads_that_fetch_at_once_leave_one_connection(transport, host, answers):
    answers.pieces = [b"{", 0.2, b"}"]
    threads = [threading.Thread(target=transport, args=(host,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(transport._connections) == 1
    assert transport(host) == b"{}"
    assert len(set(answers.connections)) == 4


def test_a_body_that_ends_early_is_torn(transport, host, answers):
    answers.length, answers.close = 100, True
    with pytest.raises(FetchFailed):
        transport(host)


def test_a_body_beyond_the_limit_is_not_read(transport, host, answers):
    answers.pieces = [b"x" * SNAPSHOT_LIMIT_BYTES]
    assert len(transport(host)) == SNAPSHOT_LIMIT_BYTES
    answers.pieces = [b"x" * (SNAPSHOT_LIMIT_BYTES + 1)]
    with pytest.raises(FetchFailed, match="more than"):
        transport(host)


@pytest.mark.parametrize(
    "pieces",
    [[2.0, b"{}"], [b"{", 2.0, b"}"], [part for _ in range(40) for part in (b"x", 0.05)]],
    ids=["silence", "stall", "trickle"],
)
def test_half_a_second_is_all_it_gets(transport, host, answers, pieces):
    answers.pieces = pieces
    started = time.monotonic()
    with pytest.raises(FetchFailed):
        transport(host)
    assert time.monotonic() - started < 1.5


@pytest.mark.parametrize("bad", ["", "a b", "evil.example/x", "user@host", "a:1:2", "a:b", "[::1]", "a\r\nb"])
def test_only_host_names_are_fetched_from(transport, bad):
    with pytest.raises(FetchFailed):
        transport(bad)


def test_a_port_belongs_to_the_dev_edge_only():
    with pytest.raises(FetchFailed, match="no host name"):
        Transport(EdgeSettings(snapshot_path=PATH, issuer=ISSUER))("localhost:8080")


def test_nobody_there(transport):
    with pytest.raises(FetchFailed):
        transport("127.0.0.1:1")
