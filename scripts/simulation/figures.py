"""What a run amounts to, in figures, with the rules of PROTOCOL.md checked in full."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from scripts.simulation.doors import door_figures
from scripts.simulation.openings import opening_figures
from scripts.simulation.order import line, overtaken_max, worst_inversion_ms
from scripts.simulation.simulation import Simulation
from scripts.simulation.watch import Moment
from waiting_room.domain.lanes import shares
from waiting_room.domain.line.epochs import EPOCH_MS
from waiting_room.domain.line.places import Estimate

SHORTEST_WAIT_SEC = 60
"""Below a minute the page shows "a moment" and no number."""


@dataclass(frozen=True)
class Figures:
    """One row of the table. `broken` are the rules that did not hold; figures that do not apply are left out."""

    scenario: str
    seed: int
    values: dict[str, float]
    broken: tuple[str, ...]

    @property
    def row(self) -> dict[str, Any]:
        """As written to build/simulation.json."""
        return {"scenario": self.scenario, "seed": self.seed, "figures": self.values, "broken": list(self.broken)}


@dataclass(frozen=True)
class Promises:
    """What visitors were promised and did not get, by name, and how many who are there were never served."""

    missing: tuple[str, ...]
    shared: tuple[str, ...]
    unserved: int

    @property
    def lost(self) -> int:
        """Places that are not stored, and visitors nobody served."""
        return len(self.missing) + self.unserved

    @property
    def broken(self) -> list[str]:
        """The rules this breaks."""
        never = [f"rule 4: {self.unserved} visitors were never served"] if self.unserved else []
        return [
            *(f"rule 2: {name} was told somebody else's position" for name in self.shared),
            *(f"the place of {name} is not stored" for name in self.missing),
            *never,
        ]


def figures(simulation: Simulation) -> Figures:
    """The figures at the end of a run, with the rules checked in full. Measuring changes nothing."""
    scenario, watch = simulation.scenario, simulation.watch
    orders = [line(simulation, number, lane) for number, run in watch.runs.items() for lane in run.lines]
    kept = promises(simulation)
    broken = [fault for order in orders for fault in order.broken] + kept.broken
    inversion_ms = max((worst_inversion_ms(order.taken_ms) for order in orders), default=0)
    if inversion_ms > (most_ms := most_inversion_ms(simulation)):
        broken.append(
            f"rule 3: somebody stands before one who came {inversion_ms} ms earlier; {most_ms} ms is the most"
        )
    values: dict[str, float] = {
        "visitors": len(simulation.crowd.visitors),
        "admitted": watch.admitted,
        "lost": kept.lost,
        "duplicates": watch.duplicates + len(kept.shared),
        "worst_inversion_ms": inversion_ms,
        "overtaken_max": max((overtaken_max(order.taken_ms) for order in orders), default=0),
        "write_units_per_join": write_units_per_join(simulation),
        "overshoot_max": watch.overshoot,
        "lapsed_present": watch.lapsed_present,
        "sessions_lost": watch.sessions_lost,
        "wait_max_sec": round(watch.longest_wait_ms / 1000, 1),
    }
    if "occupancy" in scenario.measures:
        values["occupancy_mean"] = occupancy_mean(simulation)
    if "eta" in scenario.measures:
        values |= estimate_figures(simulation)
    if "shares" in scenario.measures:
        values["share_off_pct"] = share_off_pct(simulation)
    if "first" in scenario.measures:
        values["first_in_sec"] = round(watch.first_in_ms / 1000, 1)
    if "door" in scenario.measures:
        values |= door_figures(simulation)
    if "recovery" in scenario.measures:
        values["recovery_sec"] = round(watch.longest_silence_ms / 1000, 1)
    if "opening" in scenario.measures:
        values |= opening_figures(simulation)
        if values["unplaced"]:
            broken.append(f"{values['unplaced']:.0f} visitors never got a place")
    if "sold_out" in scenario.measures and watch.sold_out_at_ms is not None:
        told_ms = max(simulation.venue.told_end_ms, default=watch.sold_out_at_ms)
        values["sold_out_published_sec"] = round((watch.sold_out_shown_ms - watch.sold_out_at_ms) / 1000, 2)
        values["sold_out_told_sec"] = round((told_ms - watch.sold_out_at_ms) / 1000, 1)
        values["sold_out_heard_sec"] = round((told_ms - watch.sold_out_shown_ms) / 1000, 1)
        values["hurried_looks_per_visitor"] = hurried_looks(simulation)
    if "partitions" in scenario.measures:
        values["join_writes_refused_pct"] = join_writes_refused_pct(simulation)
    for measured in simulation.also_measured:
        values |= measured.figures()
        broken += measured.broken
    return Figures(scenario.name, simulation.seed, values, watch.broken_with(broken))


def promises(simulation: Simulation) -> Promises:
    """Places that were told and are not stored, or told to two, and visitors who are there and were never served."""
    queue = simulation.deployment.calm_stores().queue
    missing, shared, holders = list[str](), list[str](), dict[tuple[int, str, int], str]()
    for visitor in simulation.crowd.visitors:
        place = visitor.place
        if place is None:
            continue
        told = (place.run, place.lane, place.position or 0)
        if place.position is not None and holders.setdefault(told, visitor.name) != visitor.name:
            shared.append(visitor.name)
        stored = queue.get(place.zone_id, place.run, visitor.name)
        if stored is None or (stored.seq != place.seq and not stored.rejoined):
            missing.append(visitor.name)
    unserved = len(simulation.crowd.unserved()) if simulation.scenario.drains else 0
    return Promises(tuple(missing), tuple(shared), unserved)


def most_inversion_ms(simulation: Simulation) -> int:
    """How far the order of a line may be off: not at all with one counter, by one epoch with several."""
    return EPOCH_MS if any(run.shards > 1 for run in simulation.watch.runs.values()) else 0


def write_units_per_join(simulation: Simulation) -> float:
    """Units of the join counters and of the places written, by each place there is."""
    numbers = sum(line.tail for run in simulation.watch.runs.values() for line in run.lines.values())
    places = simulation.deployment.store.write_units.get(("PutItem", "queue"), 0)
    return round((numbers + places) / max(1, simulation.watch.places), 4)


def join_writes_refused_pct(simulation: Simulation) -> float:
    """Of all tries to take a number from a join counter, those that its partition was too busy for, in percent."""
    partitions = simulation.deployment.partitions
    return round(100 * partitions.refused.get("join", 0) / max(1, partitions.asked.get("join", 0)), 4)


def hurried_looks(simulation: Simulation) -> float:
    """Looks at the status document that the last of the stock cost, by each visitor there was."""
    watch = simulation.watch
    gate = simulation.deployment.calm_stores().gates.read(watch.zone_id, watch.run)
    return round((gate.state.last_tickets.extra_looks if gate else 0) / max(1, len(simulation.crowd.visitors)), 1)


def occupancy_mean(simulation: Simulation) -> float:
    """People really there by the cap, over all seconds from `steady_from_sec` on in which there was a line."""
    moments = [
        moment
        for moment in simulation.watch.moments
        if moment.sec >= simulation.scenario.steady_from_sec and moment.line > 0 and moment.cap
    ]
    return round(sum(moment.inside / moment.cap for moment in moments) / max(1, len(moments)), 4)


def share_off_pct(simulation: Simulation) -> float:
    """By how much of all their calls a lane got more or less than its share, at most, in percent.

    Counted are seconds in which two lanes or more had a line at both ends; those divide what they are called.
    """
    parts, called, due = shares(simulation.venue.zone.lanes), Counter[str](), Counter[str]()
    for before, after in pairwise(simulation.watch.moments):
        hungry = [lane for lane in parts if _in_line(before, lane) and _in_line(after, lane)]
        if len(hungry) < 2:
            continue
        calls = {lane: after.serving[lane] - before.serving[lane] for lane in hungry}
        called.update(calls)
        total = sum(parts[lane] for lane in hungry)
        due.update({lane: sum(calls.values()) * parts[lane] / total for lane in hungry})
    off = max((abs(called[lane] - due[lane]) for lane in called), default=0.0)
    return round(100 * off / max(1, sum(called.values())), 2)


def _in_line(moment: Moment, lane: str) -> bool:
    return moment.tail.get(lane, 0) > moment.serving.get(lane, 0)


def estimate_figures(simulation: Simulation) -> dict[str, float]:
    """Estimates as shown against the waits as they turned out; of waits below a minute no number is shown."""
    errors, inside, total_error, total = [], 0, 0.0, 0.0
    for run, lane, position, shown_ms, low_sec, high_sec in simulation.watch.estimates:
        called_ms = simulation.watch.runs[run].line(lane).called_ms
        shown = Estimate(low_sec, high_sec)
        if position >= len(called_ms) or shown.high_sec <= SHORTEST_WAIT_SEC:
            continue
        true_sec = (called_ms[position] - shown_ms) / 1000
        middle_sec = (shown.low_sec + shown.high_sec) / 2
        errors.append(abs(middle_sec - true_sec) / max(true_sec, 1.0))
        total_error, total = total_error + abs(middle_sec - true_sec), total + true_sec
        inside += shown.low_sec <= true_sec <= shown.high_sec
    count = max(1, len(errors))
    return {
        "eta_mean_abs_error_pct": round(100 * sum(errors) / count, 1),
        "eta_weighted_error_pct": round(100 * total_error / max(1.0, total), 1),
        "eta_in_range_pct": round(100 * inside / count, 1),
        "eta_shown": len(errors),
    }
