"""What happens to a sale: an operator's hand, a dead exchanger, a simpler policy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from scripts.simulation.simulation import ZONE_ID, Action, Simulation
from waiting_room.domain.admission import show_up
from waiting_room.use_cases.control import ZoneChange


def change(**changes: Any) -> Action:
    """An operator's change of the zone's settings."""
    return lambda simulation: simulation.deployment.control(ZONE_ID, ZoneChange(changes=changes))


def control(hand: str) -> Action:
    """An operator's hand on the zone."""
    return lambda simulation: simulation.deployment.control(ZONE_ID, ZoneChange(control=hand))


def reset(simulation: Simulation) -> None:
    """An operator begins a new run."""
    simulation.deployment.control(ZONE_ID, ZoneChange(reset=True))


def kill(simulation: Simulation) -> None:
    """Every exchanger dies."""
    simulation.deployment.kill_exchangers()


def refuse(share: float) -> Action:
    """The public API serves this share of all requests no longer; 0 opens it again."""

    def act(simulation: Simulation) -> None:
        simulation.deployment.door.refused_share = share
        simulation.watch.door(is_open=not share)

    return act


def refuse_looks(simulation: Simulation) -> None:
    """Something lets visitors pass and not the looks: a firewall's rule, a name that the exchanger cannot resolve."""
    simulation.deployment.door.refuses_looks = True
    simulation.watch.door(is_open=True)


@contextlib.contextmanager
def everybody_comes() -> Iterator[None]:
    """A simpler policy: each called visitor counts as coming until the window is over."""
    kept = show_up.SHARE_FLOOR, show_up.STEP_SEC
    show_up.SHARE_FLOOR, show_up.STEP_SEC = 1.0, 60.0
    try:
        yield
    finally:
        show_up.SHARE_FLOOR, show_up.STEP_SEC = kept
