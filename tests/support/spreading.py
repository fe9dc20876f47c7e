"""How `make test` spreads the tests over worker processes: a file at a time, those that take longest first."""

from __future__ import annotations

import os

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST = (
    "tests/integration/test_on_sale.py",
    "tests/integration/test_visit.py",
    "tests/integration/test_rehearsal.py",
    "tests/integration/test_openapi.py",
    "tests/integration/",
    "tests/browser/",
    "tests/contract/",
    "tests/terraform/",
    "tests/faults/",
    "tests/simulator/",
)
"""Files and folders in the order in which they are begun; the rest follows. A long one at the end would run alone."""

APART = (
    "tests/faults/test_mutations.py",
    "tests/faults/test_rules.py",
    "tests/simulator/test_scenarios.py",
    "tests/terraform/test_commands.py",
)
"""Files whose tests share nothing and take seconds each: any worker may have any of them."""

TOGETHER = {
    "tests/terraform/test_aws_models.py": "plans",
    "tests/terraform/test_plans.py": "plans",
    "tests/terraform/test_request_path.py": "plans",
}
"""Files for one worker, because they share what takes long to make."""


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Gives a worker the next file when it has nearly done its last: what a file's tests share is made once."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file in APART else TOGETHER.get(file, file)


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests into the order in which workers are to take them; without workers they stay as they are."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    return next((rank for rank, start in enumerate(LONGEST) if item.nodeid.startswith(start)), len(LONGEST))
