"""A browser that asks until it is answered, and that is brought from the site's address to the waiting page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from scripts.simulation.deployment import Bouncer
from scripts.simulation.functions import Refused
from scripts.simulation.kernel import Crash
from scripts.simulation.venue import Venue
from scripts.visitors.habits import Habits
from waiting_room.domain.errors import NotOpen, NotReady, Overloaded, TooSoon, Unsure, WaitingRoomError
from waiting_room.domain.zone.zones import PollRules, Zone

T = TypeVar("T")
LONGEST_BACKOFF_SEC = 30.0
RETRY_AFTER_SEC = (2.0, 4.0)
"""What the product's own 429 and 503 say (PROTOCOL, API errors)."""
RELOAD_SEC = (3.0, 10.0)
"""How long people look at a bare error before they load the page again."""
_BUSY = (Overloaded, Unsure, NotReady)


class Browser:
    """Requests of one visitor; each meets any instance of the token service."""

    __slots__ = ("errors_seen", "habits", "name", "refused", "venue")

    def __init__(self, venue: Venue, name: str, habits: Habits) -> None:
        self.venue = venue
        self.name = name
        self.habits = habits
        self.errors_seen = 0
        """Bare errors of AWS, which no page of ours explains and nothing but the visitor asks again after."""
        self.refused = 0
        """Requests of the page that were not answered; it asks again."""

    def ask(self, verb: Callable[[Bouncer, Zone], T], pause: Callable[[float], None] | None = None) -> T:
        """Send a request until it is answered, as the page does (backoffSec of assets/pace.js).

        A repeat may follow one that went through. `pause` waits about as many seconds as it is told before it.
        """
        venue, failures = self.venue, 0
        while True:
            retry_after_sec = 0.0
            try:
                answer = venue.deployment.request(lambda bouncer: verb(bouncer, bouncer.zones.get(venue.zone_id)))
            except _BUSY:
                retry_after_sec = venue.rng.uniform(*RETRY_AFTER_SEC)
            except NotOpen as early:
                # Who waits for the opening asks then, all of them within as long as the page takes between two looks.
                venue.kernel.sleep(early.retry_after_sec + venue.rng.random() * PollRules.near_sec)
                continue
            except TooSoon as error:
                retry_after_sec, failures = float(error.retry_after_sec), 0
            except (Refused, Crash):
                pass
            else:
                if not self.habits.lost_answer_share or venue.rng.random() >= self.habits.lost_answer_share:
                    return answer
            failures += 1
            self.refused += 1
            pause_sec = max(retry_after_sec, min(LONGEST_BACKOFF_SEC, 2.0 ** (failures - 1)))
            (pause or venue.kernel.sleep)(pause_sec * (1 + venue.rng.random() / 2))

    def come(self) -> None:
        """Get from the site's address to the waiting page. Whoever is shown a bare error loads the page again."""
        while not self._led_to_page():
            self.errors_seen += 1
            self.venue.kernel.sleep(self.venue.rng.uniform(*RELOAD_SEC))

    def _led_to_page(self) -> bool:
        """By the gate; unless it sends newcomers to the static page, through `enter`, once for a cookie and again."""
        venue = self.venue
        try:
            venue.deployment.gatekeepers.run(lambda _: None)
            if venue.watch.entry == "page":
                return True
            venue.deployment.request(lambda bouncer: bouncer.zones.get(venue.zone_id))
            venue.deployment.request(self._join_at_entry)
        except (Refused, Crash):
            return False
        except WaitingRoomError:
            # `enter` leads to the page whatever stands in the way.
            return True
        return True

    def _join_at_entry(self, bouncer: Bouncer) -> None:
        bouncer.join(bouncer.zones.get(self.venue.zone_id), self.name, invited=self.habits.lane)
