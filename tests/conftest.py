"""Fixtures every test may use: a DynamoDB with fresh tables, over each engine there is."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from moto import mock_aws

from scripts.local import engine as ministack
from tests.contract.engines import Dynamo, dynamodb_local, fresh_tables, product_tables
from tests.support.dynamo_calls import TABLE
from tests.support.spreading import ByFile, longest_first
from tests.support.tools import MissingTool

ENGINES = ("memory", "simulation", "moto", "ministack", "dynamodb_local")
EXACT_ENGINES = ("memory", "ministack", "dynamodb_local")
"""Those that keep a cap under threads: moto's UpdateItem has no lock."""
STRICT_ENGINES = ("memory", "dynamodb_local")
"""Those that refuse whatever AWS refuses."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--generated", type=int, default=3000, help="how many generated requests the gate is asked")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile | None:
    return ByFile(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    longest_first(items)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, Any, Any]:
    """Gives all tests that miss the same tool one place, for pytest sums skips up by place and reason."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, MissingTool):
        report.longrepr = ("tests/support/tools.py", 1, f"Skipped: {call.excinfo.value}")
    return report


@pytest.fixture(scope="session")
def ministack_endpoint() -> Iterator[str]:
    with ministack.running() as running:
        yield running.endpoint


@pytest.fixture(scope="session")
def dynamodb_local_endpoint() -> Iterator[str]:
    with dynamodb_local() as endpoint:
        yield endpoint


@contextlib.contextmanager
def _engine(request: pytest.FixtureRequest, declarations: list[dict[str, Any]]) -> Iterator[Dynamo]:
    name = request.param
    with contextlib.ExitStack() as stack:
        if name == "moto":
            stack.enter_context(mock_aws())
        endpoint = None if name in ("memory", "simulation", "moto") else request.getfixturevalue(f"{name}_endpoint")
        yield stack.enter_context(fresh_tables(name, endpoint, declarations))


@pytest.fixture(params=ENGINES)
def dynamo(request: pytest.FixtureRequest) -> Iterator[Dynamo]:
    """The product's tables on every engine."""
    with _engine(request, product_tables()) as engine:
        yield engine


@pytest.fixture(params=EXACT_ENGINES)
def exact_dynamo(request: pytest.FixtureRequest) -> Iterator[Dynamo]:
    """The product's tables on the engines that are exact under threads."""
    with _engine(request, product_tables()) as engine:
        yield engine


@pytest.fixture(params=STRICT_ENGINES, scope="module")
def strict_dynamo(request: pytest.FixtureRequest) -> Iterator[Dynamo]:
    """A table for any item (tests.support.dynamo_calls.TABLE) on the engines that are as strict as AWS."""
    with _engine(request, [TABLE]) as engine:
        yield engine
