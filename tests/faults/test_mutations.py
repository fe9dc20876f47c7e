"""A harness that notices nothing is worth nothing: each safeguard is taken away once, and a rule must break."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.mutations import MUTATIONS
from tests.faults.rules import RuleBroken
from tests.faults.runs import run, scenario_of

MOST_RUNS = 400
RARE = {"the better place": 34}
"""A seed that breaks a rule where few do. It is tried first, and if it breaks none any more, so are all others."""


@pytest.mark.parametrize("safeguard", MUTATIONS)
def test_a_missing_safeguard_breaks_a_rule(safeguard: str) -> None:
    for seed in (RARE.get(safeguard, 0), *range(MOST_RUNS)):
        mutation = MUTATIONS[safeguard]
        scenario = replace(scenario_of(seed), faults=mutation.faults, **mutation.changes)
        try:
            run(seed, scenario, mutation.parts)
        except RuleBroken as broken:
            if "rule 4" not in str(broken):
                return
    pytest.fail(f"without the safeguard '{safeguard}' no rule broke in {MOST_RUNS} runs")
