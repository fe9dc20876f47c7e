"""The ticket on the page without scripts: the visitor's place and what is known of the wait."""

from __future__ import annotations

from collections.abc import Mapping

from waiting_room.domain.line.places import Place
from waiting_room.domain.locations import verify_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.markup import Markup, fill, hidden
from waiting_room.http.page.wording import Words, clock_time

IN_LINE = {"before", "starting", "placing", "waiting", "next", "paused", "locked", "shut"}
"""States in which the visitor holds a place and waits."""


def ticket_facts(said: Words, zone: Zone, place: Place, state: str, now_ms: int | None) -> dict[str, str]:
    """What the ticket says of a place; what is not known, or does not count yet, is left out."""
    facts: dict[str, str] = {}
    # Before the start everybody waits alike; who came early has a number, and is shown it once it counts.
    if place.position is not None and state not in ("before", "starting"):
        facts["place"] = said.number(place.position + 1)
        if place.arrival is not None:
            facts["drawn"] = said.say("labels", "drawn", number=said.number(place.arrival + 1))
            facts["drawn_href"] = verify_url(zone.zone_id, place.run, place.lane, place.arrival + 1)
    if state in ("called", "entering"):
        return {**facts, "figure": said.say("labels", "now"), "figure_label": said.say("labels", "your_turn")}
    if state == "before" and zone.starts_at_ms is not None:
        facts["starts"] = clock_time(zone.starts_at_ms)
        if now_ms is not None:
            facts["figure"] = said.time_left((zone.starts_at_ms - now_ms) // 1000)
            facts["figure_label"] = said.say("labels", "until_start")
        return facts
    ahead = 0 if state == "shut_called" else place.ahead
    if ahead is not None:
        facts["figure"] = said.number(ahead)
        facts["figure_label"] = said.say_count("labels", "ahead", ahead)
        on_hold = state in ("paused", "locked", "shut", "shut_called")
        facts["estimate"] = said.say("estimates", "withheld") if on_hold else said.expected_wait(place.estimate)
        if now_ms is not None:
            facts["measured"] = said.say("labels", "measured", time=clock_time(now_ms).partition(" ")[2])
    return facts


def opening_facts(said: Words, zone: Zone, now_ms: int) -> dict[str, str]:
    """What the ticket says before the line opens."""
    opens_at_ms = zone.line_opens_at_ms or 0
    return {
        "figure": said.time_left(-(-(opens_at_ms - now_ms) // 1000)),
        "figure_label": said.say("labels", "until_open"),
        "starts": clock_time(opens_at_ms),
        "starts_label": said.say("labels", "opens"),
    }


def ticket(said: Words, state: str, facts: Mapping[str, str]) -> Markup:
    """The ticket with the visitor's place; what is not known is left out, and so is a ticket that says nothing."""
    shown = state in IN_LINE | {"called", "entering", "shut_called", "unopened"} and bool(facts)
    empty = ("figure", "figure_label", "place", "estimate", "starts", "measured", "drawn", "drawn_href")
    values = {**dict.fromkeys(empty, ""), **facts}
    labelled = ("ticket", "place", "estimate", "starts", "progress", "drawn_check")
    labels = {f"{name}_label": said.say("labels", name) for name in labelled}
    may_miss = ("place", "estimate", "starts", "measured", "drawn")
    missing = {f"{name}_hidden": hidden(bool(values[name])) for name in may_miss}
    return fill(
        "ticket.html",
        {
            **labels,
            **values,
            **missing,
            "progress": "0",
            # How far somebody has come is only known where the page can remember where they began.
            "way_hidden": hidden(False),
            "stub_hidden": hidden(any(values[name] for name in ("place", "estimate", "starts"))),
            "ticket_hidden": hidden(shown),
        },
    )
