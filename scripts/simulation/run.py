"""One run of one scenario, and the figures that come of it."""

from __future__ import annotations

import gc
from collections.abc import Callable

from scripts.simulation.figures import Figures, figures
from scripts.simulation.simulation import Scenario, Simulation


def run(
    scenario: Scenario, seed: int, progress: Callable[[float], None] = lambda _: None
) -> tuple[Figures, Simulation]:
    """Simulate a scenario; the same seed gives the same figures. `progress` is told the part done."""
    # Nothing here is ever garbage before the end, and looking for it would take half of the time.
    gc.disable()
    try:
        simulation = Simulation(scenario, seed)
        for second in simulation.seconds():
            progress(second / scenario.seconds)
        return figures(simulation), simulation
    finally:
        gc.enable()
