"""The orders of this run of the demo, kept in memory."""

from __future__ import annotations

import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.demo_site.events import MOST_TICKETS, Event, Ticket

_NUMBER = re.compile(r"\A[0-9a-f]{12}\Z")
_KEPT = 10_000


class BadOrder(Exception):
    """Raised when a form does not hold an order; the text is for the person who sent it."""


@dataclass(frozen=True)
class Order:
    """What somebody wants to buy. The number is made with the form, so that sending it twice is the same order."""

    number: str
    event: Event
    ticket: Ticket
    quantity: int

    @property
    def total(self) -> int:
        """Euros."""
        return self.ticket.price * self.quantity


def new_number() -> str:
    """A number nobody can guess: it is all one needs to see the order."""
    return secrets.token_hex(6)


def read_order(event: Event, form: Mapping[str, str]) -> Order:
    """The order in a form; what is left out is one ticket of the first kind. Raises BadOrder."""
    number = form.get("order") or new_number()
    ticket = event.ticket(form.get("ticket", event.tickets[0].ticket_id))
    quantity = form.get("quantity", "1")
    if not _NUMBER.match(number):
        raise BadOrder("This order form is damaged.")
    if ticket is None:
        raise BadOrder("There is no such ticket.")
    if quantity not in {str(count) for count in range(1, MOST_TICKETS + 1)}:
        raise BadOrder(f"An order has 1 to {MOST_TICKETS} tickets.")
    return Order(number, event, ticket, int(quantity))


class Orders:
    """Orders by number; the oldest make room."""

    def __init__(self) -> None:
        self._orders: OrderedDict[str, Order] = OrderedDict()

    def add(self, order: Order) -> None:
        """Keep an order; one sent again stays as it was."""
        self._orders.setdefault(order.number, order)
        if len(self._orders) > _KEPT:
            self._orders.popitem(last=False)

    def get(self, number: str) -> Order | None:
        """An order, or None."""
        return self._orders.get(number)
