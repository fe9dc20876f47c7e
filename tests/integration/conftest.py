"""The whole of Foyer on this machine, once for all tests of this folder: engine, stack, edge and a site behind it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.integration.guests import connections
from tests.integration.running import Foyer, running_foyer


@pytest.fixture(scope="session")
def foyer() -> Iterator[Foyer]:
    """Yield a running Foyer with no zones. Tests share it: each uses zone ids of its own."""
    with running_foyer() as foyer:
        yield foyer


@pytest.fixture(scope="session")
def http(foyer: Foyer) -> Iterator[httpx.Client]:
    """Yield connections to the edge that keep no cookies."""
    with connections(foyer.url) as http:
        yield http
