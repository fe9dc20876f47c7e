"""Thousands of simulated sales with faults: rules 1, 2 and 5 after every store call, everybody served in the end."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import pytest

from tests.faults.rules import RuleBroken
from tests.faults.runs import run

RUNS = 2_000
CHUNK = 50


def broken_in(first: int) -> list[str]:
    """What breaks in a chunk of seeds."""
    broken = []
    for seed in range(first, first + CHUNK):
        try:
            run(seed)
        except RuleBroken as error:
            broken.append(f"{error} (python -m tests.faults.runs --seed {seed})")
    return broken


def test_the_rules_hold_in_every_run() -> None:
    with ProcessPoolExecutor() as pool:
        broken = [line for lines in pool.map(broken_in, range(0, RUNS, CHUNK)) for line in lines]
    assert not broken, "\n".join(broken[:10])


@pytest.mark.parametrize("seed", [3, 4])
def test_a_seed_repeats_its_run(seed: int) -> None:
    first, second = run(seed), run(seed)
    assert first.rules.expires_ms == second.rules.expires_ms
    assert first.scheduler.steps == second.scheduler.steps
    assert first.rules.owner, "somebody got in"
