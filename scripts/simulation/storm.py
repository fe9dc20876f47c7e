"""A crowd that has joined and asks for its places all at once, as pages do after a draw or where lines were sealed.

That so many can join is shown elsewhere. Here counters are moved on in steps, the product's exchanger seals them, and a
place is stored no longer than its visitor asks for it, so that a million of them fit in little memory.
"""

from __future__ import annotations

from scripts.simulation.browser import Browser
from scripts.simulation.kernel import START_MS
from scripts.simulation.simulation import Action, Simulation
from scripts.visitors.habits import Habits
from waiting_room.domain.lanes import GENERAL
from waiting_room.domain.line.places import QueueItem

STEPS_PER_SEC = 4
WITHIN_SEC = 8.0
"""Pages that were not placed ask within so long (WITHIN_SEC of lambdas/publisher/site/assets/doubt.js)."""
STRIDE = 7_919
"""A prime that divides no count of visitors: whoever asks next is from somewhere else in the line."""
PATIENT = Habits()


class Storm:
    """`count` visitors who join on all counters in the next `over_sec` seconds; they ask from `asks_sec` on."""

    def __init__(self, simulation: Simulation, count: int, over_sec: int, asks_sec: float) -> None:
        self.simulation = simulation
        self.asks_sec = asks_sec
        self.told = bytearray(count)
        self.known = 0
        self.known_at_ms = 0
        self.asked = 0
        self.read_before = 0.0
        self._epochs: list[int] = []
        self._shards = simulation.venue.zone.shards
        self._each = count // (over_sec * STEPS_PER_SEC * self._shards)
        self._calm = simulation.deployment.calm_stores()
        for step in range(over_sec * STEPS_PER_SEC):
            simulation.kernel.after(step / STEPS_PER_SEC, self._join)
        simulation.kernel.at(START_MS + round(asks_sec * 1000), self._begin)

    def _join(self) -> None:
        """So many numbers of each counter are taken; whoever took them knew the epochs sealed by then."""
        deployment, zone = self.simulation.deployment, self.simulation.venue.zone
        gate = self._calm.gates.read(zone.zone_id, zone.run)
        self._epochs.append(gate.state.epochs.get(GENERAL, 0) if gate else 0)
        for shard in range(self._shards):
            deployment.store.update_item(
                TableName="joins",
                Key={"counter": {"S": f"join#{zone.zone_id}#{zone.run}#{GENERAL}#{shard}"}, "slot": {"N": "0"}},
                UpdateExpression="ADD #seq :many",
                ExpressionAttributeNames={"#seq": "seq"},
                ExpressionAttributeValues={":many": {"N": str(self._each)}},
            )

    def _begin(self) -> None:
        self.read_before = sum(self.simulation.deployment.store.read_units.values())
        self._next(0)

    def _next(self, number: int) -> None:
        """Everybody in turn, evenly over the time, and from all over the line."""
        if number == len(self.told):
            return
        kernel = self.simulation.kernel
        kernel.start(lambda: self._ask(number * STRIDE % len(self.told)))
        at_sec = self.asks_sec + (number + 1) * WITHIN_SEC / len(self.told)
        kernel.at(START_MS + round(at_sec * 1000), lambda: self._next(number + 1))

    def _ask(self, number: int) -> None:
        """Ask until the position is known, each time within twice as long."""
        venue, zone, kernel = self.simulation.venue, self.simulation.venue.zone, self.simulation.kernel
        step, rest = divmod(number, self._each * self._shards)
        shard, index = divmod(rest, self._each)
        name = f"v{number:021d}"
        seq = step * self._each + index + 1
        place = QueueItem(
            zone_id=zone.zone_id,
            run=zone.run,
            visitor_id=name,
            lane=GENERAL,
            shard=shard,
            seq=seq,
            joined_at_ms=kernel.now_ms,
            attempt=name,
            epoch=self._epochs[step],
        )
        self._calm.queue.add(place, starts_at_ms=zone.starts_at_ms)
        browser, wait_sec = Browser(venue, name, PATIENT), WITHIN_SEC
        while True:
            self.asked += 1
            position = browser.ask(lambda bouncer, zone: bouncer.locate(zone, name)).position
            if position is not None:
                break
            wait_sec *= 2
            kernel.sleep(venue.rng.random() * wait_sec)
        if self.told[position]:
            self.simulation.watch.breaks(f"rule 2: {name} was told somebody else's position")
        self.told[position] = 1
        self.known += 1
        self.known_at_ms = kernel.now_ms
        table = self.simulation.deployment.store.tables["queue"]
        table.remove((f"{zone.zone_id}#{zone.run}#{name}", None))

    @property
    def broken(self) -> tuple[str, ...]:
        """What there is to say against it when the run is over."""
        left = len(self.told) - self.known
        return (f"{left} visitors do not know their place",) if left else ()

    def figures(self) -> dict[str, float]:
        """What it took until all of them knew."""
        deployment, count = self.simulation.deployment, len(self.told)
        read = sum(deployment.store.read_units.values()) - self.read_before
        return {
            "visitors": count,
            "located": self.known,
            "located_sec": round((self.known_at_ms - START_MS) / 1000 - self.asks_sec, 1),
            "locate_read_units": round(read / count, 3),
            "locates_per_visitor": round(self.asked / count, 3),
            "throttled": deployment.partitions.throttled,
            "busiest_reads": deployment.partitions.busiest_reads,
        }


def everybody_locates(count: int, over_sec: int, asks_sec: float) -> Action:
    """An action, at whose time the first of `count` visitors join."""

    def begin(simulation: Simulation) -> None:
        simulation.also_measured.append(Storm(simulation, count, over_sec, asks_sec))

    return begin
