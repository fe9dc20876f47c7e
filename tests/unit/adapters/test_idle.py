"""SDK clients after a freeze: a connection that takes requests and never answers is not asked."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

import waiting_room
from waiting_room import bootstrap
from waiting_room.adapters.idle import IDLE_SEC, drop_idle


class Wall:
    """A wall clock that is set by hand."""

    def __init__(self) -> None:
        self.sec = 1_800_000_000.0

    def __call__(self) -> float:
        return self.sec


class OnceEach(http.server.ThreadingHTTPServer):
    """Answers the first request of each connection and swallows the others while `frozen`."""

    daemon_threads = True
    frozen = False
    connections = 0


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: OnceEach
    asked = False

    def setup(self) -> None:
        super().setup()
        self.server.connections += 1

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.asked and self.server.frozen:
            return
        self.asked = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[OnceEach]:
    with OnceEach(("127.0.0.1", 0), Handler) as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join(10)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def client(server: OnceEach, wall: Wall, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client as bootstrap makes them, for writes that are sent once."""
    monkeypatch.setattr(bootstrap, "drop_idle", partial(drop_idle, wall=wall))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    # A session of its own: the default one is kept, with the environment it was made in.
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    made = bootstrap._client("dynamodb", bootstrap.ONCE, f"http://127.0.0.1:{server.server_port}")
    yield made
    made.close()


def ask(client: Any) -> None:
    client.get_item(TableName="t", Key={"k": {"S": "x"}})


@pytest.mark.parametrize("asleep_sec", [IDLE_SEC + 0.001, 900, -1], ids=["idle", "frozen", "clock set back"])
def test_after_a_freeze_nothing_is_lost(client, server, wall, asleep_sec):
    ask(client)
    server.frozen = True
    wall.sec += asleep_sec
    ask(client)
    assert server.connections == 2


def test_the_same_without_it_is_a_lost_answer(server):
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    config = bootstrap.ONCE.merge(Config(read_timeout=0.1))
    plain = boto3.client("dynamodb", config=config, endpoint_url=f"http://127.0.0.1:{server.server_port}", **keys)
    ask(plain)
    server.frozen = True
    with pytest.raises(ReadTimeoutError):
        ask(plain)
    plain.close()


def test_a_client_in_use_keeps_its_connection(client, server, wall):
    for _ in range(5):
        ask(client)
        wall.sec += IDLE_SEC
    assert server.connections == 1


def test_nobody_takes_a_connection_while_another_closes_them(wall):
    closing, passed = threading.Event(), threading.Event()
    overtaken: list[bool] = []

    def close() -> None:
        closing.set()
        overtaken.append(passed.wait(0.2))

    hooks: list[Any] = []
    events = SimpleNamespace(register=lambda _, hook: hooks.append(hook))
    drop_idle(SimpleNamespace(close=close, meta=SimpleNamespace(events=events)), wall)
    wall.sec += 900

    def second() -> None:
        closing.wait()
        hooks[0]()
        passed.set()

    threads = [threading.Thread(target=hooks[0]), threading.Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overtaken == [False]


def test_every_client_is_made_in_the_one_place_that_guards_it():
    sources = Path(waiting_room.__file__).parent.rglob("*.py")
    makers = [(path.name, path.read_text().count("boto3.client(")) for path in sources]
    assert [maker for maker in makers if maker[1]] == [("bootstrap.py", 1)]
