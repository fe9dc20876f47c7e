"""What a zone does by itself when the site behind it suffers: hold the rate down, or switch the line on and off.

The rate falls by a factor on a breach and rises by a small step while all is well: additive increase, multiplicative
decrease, which settles near what a system can bear without knowing it (Chiu and Jain, 1989).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.domain.errors import Fault
from waiting_room.domain.zone.zones import Zone

MINUTE_MS = 60_000
FACTOR = 0.7
STEP_SHARE = 0.05
"""A step up, where none is set: this share of the operator's own rate."""
SETTLE_MIN = 2
"""Minutes between two decreases, and of good health before the first increase: a site takes a while to show it."""
BREACH_MIN, QUIET_MIN = 1, 10


@dataclass(frozen=True)
class Health:
    """How the site is, and since when (epoch milliseconds) it has been so without a break."""

    good: bool
    since_ms: int


@dataclass(frozen=True)
class Step:
    """A change of the zone and its reason, as the audit tells it."""

    changes: Mapping[str, Any]
    why: str


def health_after(known: Health | None, reading: bool | None, now_ms: int) -> Health | None:
    """What is known after a reading; None, nobody could tell, leaves what was known."""
    if reading is None or (known is not None and known.good == reading):
        return known
    return Health(reading, now_ms)


def step(zone: Zone, health: Health, waiting: int, now_ms: int) -> Step | None:
    """What the zone does about the site's health now; None for nothing. Called about once a minute.

    A zone that is pinned is in the operator's hand: nothing is done until it is released.
    """
    if zone.pinned:
        return None
    minutes = round((now_ms - health.since_ms) / MINUTE_MS)
    if zone.activation is not None:
        found = _activation(zone, zone.activation, health, minutes, waiting)
        if found is not None:
            return found
    return _protection(zone, zone.protection, health, minutes) if zone.protection is not None else None


def _activation(zone: Zone, settings: Mapping[str, Any], health: Health, minutes: int, waiting: int) -> Step | None:
    if zone.control == "pass" and not health.good and minutes >= settings.get("breach_min", BREACH_MIN):
        return Step({"control": "auto"}, f"the site has been unwell for {minutes} min: the line is switched on")
    quiet = settings.get("quiet_min", QUIET_MIN)
    # A line that is let go all at once would be the next breach: it is served to its end first.
    if zone.control == "auto" and health.good and minutes >= quiet and waiting == 0:
        return Step({"control": "pass"}, f"the site has been well for {minutes} min and nobody waits: all may pass")
    return None


def _protection(zone: Zone, settings: Mapping[str, Any], health: Health, minutes: int) -> Step | None:
    most = zone.rate_per_min
    if most is None or zone.control != "auto":
        return None
    now = most if zone.safe_rate_per_min is None else min(most, zone.safe_rate_per_min)
    if not health.good:
        wanted = max(settings.get("least_per_min", 1), round(now * settings.get("factor", FACTOR), 2))
        if minutes % SETTLE_MIN or wanted >= now:
            return None
        return Step({"safe_rate_per_min": wanted}, f"the site is unwell: rate {now:g} -> {wanted:g}")
    if zone.safe_rate_per_min is None or minutes < SETTLE_MIN:
        return None
    wanted = round(now + settings.get("step_per_min", max(1, most * STEP_SHARE)), 2)
    if wanted >= most:
        return Step({"safe_rate_per_min": None}, f"the site is well: rate {now:g} -> {most:g}, as it was set")
    return Step({"safe_rate_per_min": wanted}, f"the site is well: rate {now:g} -> {wanted:g}")


def faults(zone: Zone) -> list[Fault]:
    """Settings of health, activation and protection that contradict each other: pointer and what to do."""
    found = []
    for name in ("activation", "protection"):
        if getattr(zone, name) is not None and not zone.health:
            found.append(Fault(f"/{name}", "It follows the site's health: set health to an alarm or a probe."))
    if zone.activation is not None and zone.schedule:
        found.append(Fault("/activation", "Both a schedule and the load would switch the line: choose one."))
    if zone.activation is not None and zone.mode != "queueing":
        found.append(
            Fault("/activation", "A line that comes and goes with the load has no start: set mode to 'queueing'.")
        )
    if zone.protection is not None:
        found += _protection_faults(zone, zone.protection)
    if zone.health and len({"alarm", "probe"} & zone.health.keys()) != 1:
        found.append(Fault("/health", "Give either an alarm or a probe."))
    probe = (zone.health or {}).get("probe")
    if probe and not _own_host(zone, probe["host"]):
        found.append(Fault("/health/probe/host", "A probe goes to the zone's own hosts only: name the host in a rule."))
    return found


def _protection_faults(zone: Zone, settings: Mapping[str, Any]) -> list[Fault]:
    if zone.rate_per_min is None:
        return [Fault("/protection", "It holds the rate down: set rate_per_min, which it never exceeds.")]
    if settings.get("least_per_min", 1) > zone.rate_per_min:
        return [Fault("/protection/least_per_min", "The least rate is above rate_per_min: lower it.")]
    return []


def _own_host(zone: Zone, host: str) -> bool:
    """Whether a host is one that the zone's rules name; an address or a local name never is."""
    if "." not in host or host.replace(".", "").isdecimal() or host == "localhost":
        return False
    named = [name for rule in zone.rules for name in rule.get("hosts", ())]
    return any(host == name or (name.startswith("*.") and host.endswith(name[1:])) for name in named)
