"""Functions are as Lambda has them: an instance has one request at a time, a new one takes a while, and many none."""

from __future__ import annotations

from collections.abc import Callable

from scripts.simulation.functions import (
    COLD_START_SEC,
    IDLE_SEC,
    NEW_INSTANCES,
    NEW_INSTANCES_PER_SEC,
    REQUESTS_PER_INSTANCE,
    Function,
    Quotas,
    Refused,
    Tokens,
)
from scripts.simulation.kernel import Crash, Kernel

HANDLING_SEC = 0.05


class World:
    """A function whose requests tell when they were done, and by which instance."""

    def __init__(self, ceiling: int = 10_000, warm: int = 0) -> None:
        self.kernel = Kernel(seed=1)
        self.function = Function(self.kernel, object, ceiling, HANDLING_SEC, warm=warm)
        self.done: list[tuple[float, object]] = []
        self.refused = 0

    def ask(self, count: int, work: Callable[[object], object] = lambda instance: instance) -> None:
        """So many requests at once."""

        def request() -> None:
            try:
                instance = self.function.run(work)
            except Refused:
                self.refused += 1
            else:
                self.done.append((self.kernel.now_sec, instance))

        for _ in range(count):
            self.kernel.start(request)

    def run(self, seconds: float) -> None:
        self.kernel.run(self.kernel.now_ms + round(seconds * 1000))


def test_each_request_at_once_has_an_instance_of_its_own_and_a_new_one_takes_its_time() -> None:
    world = World(warm=3)
    world.ask(5)
    world.run(2)
    assert len({id(instance) for _, instance in world.done}) == 5
    at_sec = [at_sec for at_sec, _ in world.done]
    assert at_sec[:3] == [HANDLING_SEC] * 3
    assert all(COLD_START_SEC[0] <= each - HANDLING_SEC <= COLD_START_SEC[1] + 0.001 for each in at_sec[3:])
    world.ask(5)
    world.run(2)
    assert (world.function.cold_starts, world.function.most_at_once) == (2, 5)


def test_above_the_ceiling_requests_are_refused_at_once() -> None:
    world = World(ceiling=20, warm=20)
    world.ask(25)
    world.run(0)
    assert world.refused == 5
    world.run(1)
    assert len(world.done) == 20


def test_an_instance_takes_ten_requests_a_second_however_short() -> None:
    world = World(ceiling=1, warm=1)
    for _ in range(3 * REQUESTS_PER_INSTANCE):
        world.ask(1)
        world.run(HANDLING_SEC)
    assert REQUESTS_PER_INSTANCE <= len(world.done) <= 2.5 * REQUESTS_PER_INSTANCE + 1
    assert world.refused > 0


def test_a_function_grows_by_a_thousand_and_then_by_a_hundred_a_second() -> None:
    world = World()
    world.ask(3 * NEW_INSTANCES, lambda _: world.kernel.sleep(60))
    world.run(0)
    assert world.refused == 2 * NEW_INSTANCES
    world.run(2)
    world.ask(NEW_INSTANCES, lambda _: world.kernel.sleep(60))
    world.run(0)
    assert world.function.most_at_once == NEW_INSTANCES + 2 * NEW_INSTANCES_PER_SEC


def test_an_instance_that_died_or_lay_idle_is_gone() -> None:
    def die(_: object) -> None:
        raise Crash

    world = World(warm=1)
    world.ask(1, die)
    world.run(1)
    world.ask(1)
    world.run(2)
    assert world.function.cold_starts == 1
    world.run(IDLE_SEC)
    world.ask(1)
    world.run(2)
    assert world.function.cold_starts == 2


def test_a_bucket_of_tokens_refills_and_saves_no_more_than_it_holds() -> None:
    kernel = Kernel(seed=1)
    tokens = Tokens(kernel, per_sec=10, most=5)
    assert [tokens.take() for _ in range(6)] == [True] * 5 + [False]
    kernel.run(kernel.now_ms + 100)
    assert [tokens.take() for _ in range(2)] == [True, False]
    kernel.run(kernel.now_ms + 60_000)
    assert [tokens.take() for _ in range(6)] == [True] * 5 + [False]


def test_a_deployment_has_what_aws_gives_unless_its_size_needs_more() -> None:
    assert Quotas.sized(2_000) == Quotas(620, 496, 1_000, 9_100, 5_000)
    assert Quotas.sized(20_000) == Quotas(6_020, 4_816, 3_075, 90_100, 5_000)
    assert Quotas.sized(100).api_burst == 550
