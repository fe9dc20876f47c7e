"""The whole of Foyer on this machine, once for all tests of this folder: engine, stack, edge and a site behind it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from scripts.edge import Edge
from scripts.local import LocalStack
from tests.integration.guests import connections
from tests.integration.running import Foyer
from tests.serving import EchoOrigin, served


@pytest.fixture(scope="session")
def foyer() -> Iterator[Foyer]:
    """Yield a running Foyer with no zones. Tests share it: each uses zone ids of its own."""
    site = EchoOrigin()
    with (
        served(site) as site_url,
        LocalStack.start() as stack,
        Edge(0, stack, site_url) as edge,
    ):
        yield Foyer(stack, edge, site, site_url)


@pytest.fixture(scope="session")
def http(foyer: Foyer) -> Iterator[httpx.Client]:
    """Yield connections to the edge that keep no cookies."""
    with connections(foyer.url) as http:
        yield http
