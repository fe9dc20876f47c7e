"""The hall's pages. Everything filled in is escaped."""

from __future__ import annotations

import html
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from string import Template

from foyer_origin import Verdict, Visit
from scripts.demo_site.events import EVENTS, MOST_TICKETS, Event
from scripts.demo_site.orders import Order

_TEMPLATES = Path(__file__).parent / "templates"

_NOT_SEEN = (
    "We could not see that it was your turn",
    "Nothing was bought and nothing was paid. Please go back and come in through the line.",
)
_REFUSED = {
    Verdict.OVER: (
        "Your time at the counter was over",
        "Nothing was bought and nothing was paid. Your visit had ended before the order arrived; you can join the "
        "line again.",
    ),
    Verdict.USED: (
        "This visit was already used",
        "You have bought with this visit before, and one visit is good for one order. Nothing was bought twice.",
    ),
    Verdict.UNKNOWN: _NOT_SEEN,
    Verdict.REFUSED: _NOT_SEEN,
    Verdict.UNSURE: (
        "That did not go through",
        "We could not reach the box office just now. Nothing was paid. Try again: the same order is never sold twice.",
    ),
}


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def home_page(left: Event | None) -> str:
    """Both evenings; `left` is the one somebody has just walked away from."""
    cards = Markup("".join(_fill("card.html", _event_values(event)) for event in EVENTS.values()))
    notice = f"You have left {left.title}. Your place goes to the next person in line." if left else ""
    return _page("Havn", "home", _fill("home.html", {"cards": cards, "notice": notice, "hidden": _hidden(bool(left))}))


def event_page(event: Event, visit: Visit, order_number: str) -> str:
    """Tickets of one evening, for somebody who was let in."""
    tickets = "".join(
        _fill(
            "ticket.html",
            {**vars(ticket), "price": str(ticket.price), "checked": Markup(" checked" if number == 0 else "")},
        )
        for number, ticket in enumerate(event.tickets)
    )
    quantities = "".join(f"<option>{count}</option>" for count in range(1, MOST_TICKETS + 1))
    values = {
        "tickets": Markup(tickets),
        "quantities": Markup(quantities),
        "order": order_number,
        "welcome": _welcome(visit),
        "visitor": visit.visitor_id or "not told",
        "session": visit.session_id or "none",
        "lane": visit.lane or "none",
        "visit": event.event_id if visit.session_id else "",
        "leave_hidden": _hidden(bool(visit.session_id)),
    }
    return _page(event.title, "event", _fill("event.html", {**_event_values(event), **values}))


def order_page(order: Order) -> str:
    """Thanks, and what was bought."""
    values = {
        **_event_values(order.event),
        "number": order.number,
        "ticket": order.ticket.name,
        "quantity": str(order.quantity),
        "total": str(order.total),
    }
    return _page("Thank you", "order", _fill("order.html", values))


def refused_page(verdict: Verdict, order: Order) -> str:
    """The order was not taken: why, and what to do. Where it may have been lost on the way, it can be sent again."""
    headline, text = _REFUSED[verdict]
    values = {
        **_event_values(order.event),
        "headline": headline,
        "text": text,
        "order": order.number,
        "ticket": order.ticket.ticket_id,
        "quantity": str(order.quantity),
        "again_hidden": _hidden(verdict is Verdict.UNSURE),
    }
    return _page(headline, "refused", _fill("refused.html", values))


def notice_page(headline: str, text: str) -> str:
    """A plain page for everything else."""
    return _page(headline, "notice", _fill("notice.html", {"headline": headline, "text": text}))


def _welcome(visit: Visit) -> str:
    """One line that says how this person came in."""
    if visit.exempt:
        return "You came in with a staff pass."
    return "It is your turn: you came in through the line." if visit.session_id else "You came straight in."


def _page(title: str, name: str, content: Markup) -> str:
    return _fill("base.html", {"title": title, "name": name, "content": content})


def _event_values(event: Event) -> dict[str, str]:
    texts = {name: value for name, value in vars(event).items() if isinstance(value, str)}
    return {**texts, "event_title": event.title, "path": event.path, "picture": event.picture}


def _hidden(shown: bool) -> Markup:
    return Markup("" if shown else " hidden")


def _fill(template: str, values: Mapping[str, str]) -> Markup:
    escaped = {name: value if isinstance(value, Markup) else html.escape(value) for name, value in values.items()}
    return Markup(_template(template).substitute(escaped))


@cache
def _template(name: str) -> Template:
    return Template((_TEMPLATES / name).read_text(encoding="utf-8"))
