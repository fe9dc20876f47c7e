"""Time-outs and tries of every client: what may fail fits into its function, whatever the defaults of botocore are."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError

from waiting_room import bootstrap, schemas
from waiting_room.use_cases.seal import COLD_START_MS

CONFIGS = ("REPEATING", "OBJECTS", "STATUS", "QUICK", "WAKING", "ONCE", "SENDING", "HOLDING")
ANSWERING_SEC = 1
"""What is left for an answer that says so."""
INIT_PHASE_SEC = 10
"""What Lambda gives an instance to start ("Understanding the Lambda execution environment lifecycle", Lambda guide)."""
IMPORTS_SEC = 2.5
"""What a start takes beside its reads; here, on a busy machine, two."""
FUNCTIONS = [name for name in schemas.functions() if name != "gatekeeper"]
"""The gatekeeper has a budget of its own, at the edge."""


def longest_sec(config: Config) -> float:
    """Seconds a call may take that gets no answer: each try, and between two the longest pause of `standard` mode.

    The pause before try n+1 is at most 2 ** (n - 1) s, and at most 20 ("Retry behavior", AWS SDKs and Tools guide).
    """
    tries: int = config.retries["total_max_attempts"]  # type: ignore[attr-defined]
    one_try: float = config.connect_timeout + config.read_timeout  # type: ignore[attr-defined]
    return tries * one_try + sum(min(20, 2**number) for number in range(tries - 1))


@pytest.mark.parametrize("name", CONFIGS)
def test_mode_and_tries_are_said_so_that_a_new_default_changes_nothing(name: str) -> None:
    retries = getattr(bootstrap, name).retries
    assert retries["mode"] == "standard"
    assert set(retries) == {"mode", "total_max_attempts"}


def test_every_config_is_looked_at() -> None:
    assert {name for name, value in vars(bootstrap).items() if isinstance(value, Config)} == set(CONFIGS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_longest_chain_of_failures_fits_into_every_function(function: str) -> None:
    settles = longest_sec(bootstrap.WAKING) + longest_sec(bootstrap.ONCE) + longest_sec(bootstrap.REPEATING)
    timeout_sec = schemas.functions()[function]["timeout_sec"]
    assert settles + ANSWERING_SEC <= timeout_sec


def test_reads_of_the_init_phase_that_get_no_answer_end_before_it_does() -> None:
    """They are made side by side; a start that takes longer is begun anew."""
    assert longest_sec(bootstrap.REPEATING) + IMPORTS_SEC <= INIT_PHASE_SEC


def test_a_join_that_seals_until_the_exchanger_is_up_fits_too() -> None:
    settles = longest_sec(bootstrap.WAKING) + COLD_START_MS / 1000 + longest_sec(bootstrap.REPEATING)
    assert settles + ANSWERING_SEC <= schemas.functions()["bouncer"]["timeout_sec"]


@pytest.mark.parametrize("function", ["operator", "dispatcher", "exchanger", "publisher"])
def test_a_store_of_objects_that_never_answers_is_noticed_in_time(function: str) -> None:
    timeout_sec = schemas.functions()[function]["timeout_sec"]
    assert longest_sec(bootstrap.OBJECTS) + ANSWERING_SEC <= timeout_sec


class Silent:
    """A socket that accepts and never answers."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.listener.setblocking(False)

    def accepted(self) -> int:
        """How many connections were made so far."""
        count = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.listener.close()


@pytest.mark.parametrize("name", ["REPEATING", "ONCE"])
def test_a_socket_that_never_answers_is_tried_as_often_as_is_said(
    name: str, silent: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "7")
    config: Any = getattr(bootstrap, name)
    port = silent.listener.getsockname()[1]
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "eu-west-1"}
    # Only the wait is shortened: how often is what is looked at.
    quick = config.merge(Config(read_timeout=0.05))
    client = boto3.client("dynamodb", config=quick, endpoint_url=f"http://127.0.0.1:{port}", **keys)
    with pytest.raises(ReadTimeoutError):
        client.get_item(TableName="t", Key={"k": {"S": "x"}})
    assert silent.accepted() == config.retries["total_max_attempts"]
