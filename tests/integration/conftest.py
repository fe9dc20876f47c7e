"""The whole of Foyer on this machine, once for all tests of this folder: engine, stack, edge and a site behind it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from scripts.edge import Edge
from scripts.local import LocalStack
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
