"""What a change will do, said before it is made; what is out of all proportion is asked twice or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.operator_api.errors import BadInput

Json = dict[str, Any]

MOST_CLAIMS_PER_MIN = 30_000
"""One zone lets about 500 a second in; a higher rate promises what it does not keep (PROTOCOL, Limits)."""
LEAP = 10
"""A limit that grows to more than so many times what it was is asked twice: a digit too many is soon typed."""
MOST = {"rate_per_min": 600_000, "max_active": 1_000_000}
"""As in schemas/zone.json."""
NAMES = {"rate_per_min": "rate", "max_active": "cap"}


@dataclass(frozen=True)
class PlannedChange:
    """A change as the operator route takes it, what it will do, and what must be typed again before it is made."""

    says: str
    body: Json = field(default_factory=dict)
    type_again: str = ""
    danger: bool = False


def plan(zone: Mapping[str, Any], waiting: int, active: int, sold: int, action: str, value: Any) -> PlannedChange:
    """The plan for `control`, `rate_per_min`, `max_active`, `message`, `sold_out` or `release`; raises BadInput."""
    if action == "control":
        return _control(zone, waiting, active, value)
    if action in NAMES:
        return _limit(zone, waiting, active, action, value)
    if action == "message":
        return _message(zone, value)
    if action == "sold_out":
        return _sold_out(zone, waiting, active, sold)
    if action == "release":
        says = "The zone follows the site's health again: it may change rate and control by itself within a minute."
        return PlannedChange(says, {"changes": {"pinned": False}})
    raise BadInput(f"There is no action {action!r}.")


def _control(zone: Mapping[str, Any], waiting: int, active: int, value: Any) -> PlannedChange:
    says = {
        "auto": f"The line of {waiting:,} moves by the zone's limits: {_limits(zone)}.",
        "pause": f"Nobody new is let in. {waiting:,} go on waiting in their order, {active:,} inside go on.",
        "lock": f"Everybody waits: {waiting:,} in line, and the {active:,} inside are sent to the waiting page at "
        "their next request. Their sessions stay theirs.",
        "pass": f"The gate is OFF: everybody passes at once, the {waiting:,} in line too, and no limit holds.",
        "end": f"The run is over: {waiting:,} in line are told so and nobody is let in any more.",
    }
    if value not in says:
        raise BadInput(f"There is no control {value!r}; there are {', '.join(says)}.")
    again = zone["zone_id"] if value in ("pass", "end") else ""
    return PlannedChange(says[value], {"control": value}, again, danger=value in ("pass", "end", "lock"))


def _limit(zone: Mapping[str, Any], waiting: int, active: int, name: str, value: Any) -> PlannedChange:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value or value <= 0:
        raise BadInput(f"The {NAMES[name]} must be a number above 0; pause lets nobody in.")
    if value > MOST[name]:
        raise BadInput(
            f"A {NAMES[name]} of {value:,.0f} is refused: {_meaning(name, value)} The bound is {MOST[name]:,}."
        )
    if name == "max_active" and value != int(value):
        raise BadInput("The cap is a whole number.")
    value = int(value) if value == int(value) else float(value)
    before = zone.get(name)
    says = [f"The {NAMES[name]} goes from {_shown(before)} to {value:,}."]
    says.append(_meaning(name, value))
    if name == "rate_per_min" and waiting:
        says.append(f"At best the {waiting:,} in line are called within {_minutes(waiting / value)}.")
    if name == "max_active" and value < active:
        says.append(f"{active:,} are inside: nobody is sent away, nobody new is let in until they are fewer.")
    if name == "rate_per_min" and "protection" in zone:
        says.append("The rate is pinned by your hand: automatic protection leaves it alone until you release it.")
    wild = (name == "rate_per_min" and value > MOST_CLAIMS_PER_MIN) or (before is not None and value > before * LEAP)
    if name == "rate_per_min" and value > MOST_CLAIMS_PER_MIN:
        says.append(f"One zone lets about {MOST_CLAIMS_PER_MIN:,} a minute in: this is as good as no limit.")
    if wild:
        says.append("This is far more than before: type the number again to confirm.")
    return PlannedChange(" ".join(says), {"changes": {name: value}}, str(value) if wild else "", danger=wild)


def _meaning(name: str, value: float) -> str:
    if name == "max_active":
        return f"Up to {value:,.0f} may be inside at the same time."
    per_sec = value / 60
    return (
        f"{value:,.10g} a minute is {per_sec:,.0f} a second."
        if per_sec >= 2
        else f"One every {60 / value:,.1f} seconds."
    )


def _message(zone: Mapping[str, Any], value: Any) -> PlannedChange:
    if not isinstance(value, str) or len(value) > 1000:
        raise BadInput("A message is a text of at most 1,000 characters.")
    if not value.strip():
        return PlannedChange("The message is taken off the waiting page.", {"changes": {"message": ""}})
    extra = " Translations of it stay as they are." if zone.get("translations") else ""
    return PlannedChange(f"Everybody waiting reads: “{value}”.{extra}", {"changes": {"message": value}})


def _sold_out(zone: Mapping[str, Any], waiting: int, active: int, sold: int) -> PlannedChange:
    before = zone.get("inventory")
    says = (
        f"The stock is set to the {sold:,} sold (was {_shown(before)}): {waiting:,} in line read that it is sold out, "
        f"nobody new is let in. The {active:,} inside may still complete: lock the zone if there is nothing for them."
    )
    return PlannedChange(says, {"changes": {"inventory": sold}}, str(zone["zone_id"]), danger=True)


def _limits(zone: Mapping[str, Any]) -> str:
    shown = [f"{NAMES[name]} {zone[name]:,}" for name in NAMES if zone.get(name) is not None]
    return ", ".join(shown) or "none is set"


def _shown(value: Any) -> str:
    return "not set" if value is None else f"{value:,}"


def _minutes(minutes: float) -> str:
    return f"{max(1, round(minutes)):,} min" if minutes < 120 else f"{minutes / 60:,.1f} h"
