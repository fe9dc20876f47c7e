"""What the hall sells."""

from __future__ import annotations

from dataclasses import dataclass

MOST_TICKETS = 4
"""Tickets in one order."""


@dataclass(frozen=True)
class Ticket:
    """One kind of ticket; prices are whole euros."""

    ticket_id: str
    name: str
    detail: str
    price: int


@dataclass(frozen=True)
class Event:
    """One evening. Its id is also the id of the zone that guards its pages."""

    event_id: str
    title: str
    tagline: str
    date: str
    place: str
    about: str
    crowd: str
    tickets: tuple[Ticket, ...]

    @property
    def path(self) -> str:
        """Where its tickets are sold."""
        return f"/events/{self.event_id}"

    @property
    def picture(self) -> str:
        """Its poster."""
        return f"/static/art/{self.event_id}.svg"

    def ticket(self, ticket_id: str) -> Ticket | None:
        """A kind of ticket by its id."""
        return next((ticket for ticket in self.tickets if ticket.ticket_id == ticket_id), None)


EVENTS = {
    event.event_id: event
    for event in (
        Event(
            "midnight-sun",
            "Midnight Sun",
            "One night, no darkness: six bands on the pier",
            "Saturday 19 June, 20:00 to 04:00",
            "The pier",
            "The longest day of the year, played through from the first set to the last ferry. "
            "Six bands, two stages, and the sun on the water all night.",
            "The waiting room lets 5 people in at once.",
            (
                Ticket("pier", "Pier", "Standing, close to the stage", 48),
                Ticket("deck", "Upper deck", "Seats with a view of the fjord", 65),
                Ticket("boat", "From the boat", "Moored in front, supper included", 120),
            ),
        ),
        Event(
            "winter-gala",
            "Winter Gala",
            "Orchestra, candlelight, and a floor to dance on",
            "Saturday 12 December, 19:00",
            "The great hall",
            "A hundred musicians, then a small band until late. "
            "The hall is lit by candles only, so come early and let your eyes get used to it.",
            "The waiting room opens its doors a minute after the demo starts.",
            (
                Ticket("balcony", "Balcony", "Seats above the floor", 54),
                Ticket("floor", "Floor", "Seats, and dancing from ten", 70),
                Ticket("supper", "Supper table", "Three courses at the edge of the floor", 145),
            ),
        ),
    )
}
