"""A waiting room's server, and a site's own server in front of it, in Python and in Node."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.origin_rooms import MakeRoom, RoomServer, maker
from tests.support.serving import served


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[RoomServer, str]]:
    server = RoomServer()
    with served(server) as url:
        yield server, url


@pytest.fixture(scope="module", params=["python", "node"])
def make_room(
    request: pytest.FixtureRequest, running: tuple[RoomServer, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeRoom]:
    with maker(request.param, running[1], tmp_path_factory.mktemp(request.param)) as make:
        yield make
