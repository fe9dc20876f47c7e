"""One run from a seed, and the command line that repeats it: `python -m tests.faults.runs --seed 7`."""

from __future__ import annotations

import argparse
import random
from dataclasses import replace
from unittest import mock

from tests.faults.actors import Visitor, operator, sealing, ticking
from tests.faults.flaky import Faults
from tests.faults.rules import RuleBroken
from tests.faults.world import Bouncer, Parts, Scenario, World, patched

DRAIN_SEC = 2_400


def scenario_of(seed: int) -> Scenario:
    """The kind of sale a seed stands for: every third has an inventory, caps and leases vary."""
    rng = random.Random(f"scenario {seed}")
    return Scenario(
        visitors=rng.randrange(2, 7),
        cap=rng.randrange(1, 4),
        inventory=rng.randrange(1, 6) if seed % 3 == 0 else None,
        idle_sec=30,
        max_sec=rng.choice([60, 150, 400]),
        seconds=rng.choice([40, 80]),
        faults=Faults.harsh() if seed % 4 == 0 else Faults(),
        shards=rng.choice([1, 1, 3]),
        lanes=rng.random() < 0.4,
        lottery=rng.random() < 0.3,
    )


def run(seed: int, scenario: Scenario | None = None, parts: Parts | None = None) -> World:
    """Simulate a sale with faults, then a calm end in which everybody is served. Raises RuleBroken."""
    parts = parts or Parts()
    world = World(seed, scenario or scenario_of(seed), parts)
    restore = patched(parts)
    try:
        # A conflict with a transaction is waited out in real time; a virtual clock does not wait.
        with mock.patch("waiting_room.adapters.dynamodb.time.sleep"):
            _simulate(world)
    finally:
        restore()
    return world


def _simulate(world: World) -> None:
    scheduler, rng = world.scheduler, world.rng
    bouncers = [Bouncer(world) for _ in range(3)]
    for _ in range(2):
        scheduler.spawn(ticking(world))
    if world.scenario.shards > 1:
        scheduler.spawn(sealing(world))
    if world.seed % 2:
        scheduler.spawn(operator(world))
    visitors = []
    for number in range(world.scenario.visitors):
        visitor = Visitor(world, f"visitor-{number:02d}", bouncers)
        visitors.append(visitor)
        for tab in range(2 if rng.random() < 0.3 else 1):
            arrives_ms = scheduler.now_ms + rng.randrange(0, world.scenario.seconds * 300)
            scheduler.spawn(lambda visitor=visitor, tab=tab: visitor.tab(tab), arrives_ms)  # type: ignore[misc]
    scheduler.run(scheduler.now_ms + world.scenario.seconds * 1_000)
    world.faults = Faults.none()
    for _ in range(DRAIN_SEC // 5):
        scheduler.run(scheduler.now_ms + 5_000)
        if all(_served(world, visitor) for visitor in visitors):
            return
    missing = [visitor.name for visitor in visitors if not _served(world, visitor)]
    raise RuleBroken(f"rule 4: still waiting after {DRAIN_SEC} s of calm: {missing}")


def _served(world: World, visitor: Visitor) -> bool:
    return visitor.done or world.rules.sold == world.scenario.inventory


def main() -> None:
    """Repeat runs by their seeds and say what breaks."""
    parser = argparse.ArgumentParser(description="Repeat simulated sales with faults.")
    parser.add_argument("--seed", type=int, default=0, help="first seed")
    parser.add_argument("--count", type=int, default=1, help="how many seeds from there")
    parser.add_argument("--calm", action="store_true", help="without faults")
    options = parser.parse_args()
    for seed in range(options.seed, options.seed + options.count):
        scenario = scenario_of(seed)
        if options.calm:
            scenario = replace(scenario, faults=Faults.none())
        try:
            world = run(seed, scenario)
        except RuleBroken as broken:
            print(f"seed {seed}: {broken}")
        else:
            rules = world.rules
            print(f"seed {seed}: kept; peak {rules.peak} of {scenario.cap}, {len(rules.owner)} sessions")


if __name__ == "__main__":
    main()
