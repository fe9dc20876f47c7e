"""Thousands of simulated sales with faults: rules 1, 2 and 5 after every store call, everybody served in the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.faults.flaky import Faults
from tests.faults.rules import RuleBroken
from tests.faults.runs import run, scenario_of

RUNS = 2_000
CHUNK = 50
"""Runs a test: a few seconds, so that all cores have some until the end."""


@pytest.mark.parametrize("first", range(0, RUNS, CHUNK))
def test_the_rules_hold_in_every_run(first: int) -> None:
    broken = []
    for seed in range(first, first + CHUNK):
        try:
            run(seed)
        except RuleBroken as error:
            broken.append(f"{error} (python -m tests.faults.runs --seed {seed})")
    assert not broken, "\n".join(broken[:10])


@pytest.mark.parametrize("seed", range(20))
def test_a_definite_refusal_leaves_no_lease_counted(seed: int) -> None:
    run(seed, replace(scenario_of(seed), faults=Faults.refusing()))


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_repeats_its_run(seed: int) -> None:
    first, second = run(seed), run(seed)
    assert first.rules.expires_ms == second.rules.expires_ms
    assert first.scheduler.steps == second.scheduler.steps
    assert first.rules.owner, "somebody got in"
