"""The judge of a zone: every setting that contradicts another, which no schema can see, told at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from waiting_room.domain.errors import Fault, InvalidZone
from waiting_room.domain.lanes import GENERAL, MOST_LANES, shares
from waiting_room.domain.zone import protection, schedule
from waiting_room.domain.zone.sizing import JOINS_PER_SHARD_PER_SEC, MOST_SHARDS
from waiting_room.domain.zone.zones import ZONE_ID, Zone

__all__ = ["Judge", "checked", "faults"]

Judge = Callable[[Zone], list[Fault]]

_KEY_FIELDS = {("ES256", "EC"): ("crv", "x", "y"), ("RS256", "RSA"): ("n", "e")}
_ROUNDING = 1e-9


def checked(document: Mapping[str, Any], *judges: Judge) -> Zone:
    """The zone of a document that fits schemas/zone.json. Further `judges` know what the zone alone does not say.

    Raises InvalidZone with every fault that any of them finds.
    """
    zone = Zone.from_document(document)
    found = [fault for judge in (faults, *judges) for fault in judge(zone)]
    if found:
        raise InvalidZone.of(found)
    return zone


def faults(zone: Zone) -> list[Fault]:
    """Where a zone contradicts itself, and what to do about each."""
    return [
        *_what_it_guards(zone),
        *_limits(zone),
        *_identity(zone),
        *_times(zone),
        *_opening(zone),
        *_lanes(zone),
        *_machines(zone),
        *(schedule.faults(zone.schedule) if zone.schedule else []),
        *protection.faults(zone),
        *_order(zone),
    ]


def _what_it_guards(zone: Zone) -> list[Fault]:
    found = []
    if not ZONE_ID.match(zone.zone_id):
        found.append(Fault("/zone_id", "Use lower-case letters, digits and '-', at most 40, not beginning with '-'."))
    if not zone.rules:
        found.append(Fault("/rules", "Give at least one rule with the paths to guard."))
    return found


def _limits(zone: Zone) -> list[Fault]:
    """What each mode needs, and bounds of what lets visitors in."""
    found = []
    mode = zone.mode
    if mode in ("waiting_room", "combined") and not _has_start(zone):
        found.append(Fault("/starts_at_ms", f"Mode {mode} holds visitors until a start: set starts_at_ms."))
    if mode == "waiting_room" and zone.rate_per_min is None:
        found.append(Fault("/rate_per_min", "Mode waiting_room lets visitors in at a set rate: set rate_per_min."))
    if mode in ("queueing", "combined") and zone.max_active is None:
        found.append(Fault("/max_active", f"Mode {mode} lets a set number in at once: set max_active."))
    if zone.max_active is not None and zone.max_active < 1:
        found.append(Fault("/max_active", "The smallest limit is 1; use control 'pause' or 'lock' to let nobody in."))
    if zone.rate_per_min is not None and not (0 < zone.rate_per_min < math.inf):
        found.append(Fault("/rate_per_min", "The rate must be above 0; use control 'pause' to let nobody in."))
    most = MOST_SHARDS * JOINS_PER_SHARD_PER_SEC
    if not 1 <= zone.expected_joins_per_sec <= most:
        found.append(Fault("/expected_joins_per_sec", f"Give 1 to {most} joins a second; beyond, use several zones."))
    return found


def _identity(zone: Zone) -> list[Fault]:
    if zone.identity is None:
        return []
    found = []
    if sum(bool(zone.identity.get(name)) for name in ("keys", "jwks_url", "shared_secret", "phone")) != 1:
        advice = (
            "Say where the login's keys are, or that phones count: give one of keys, jwks_url, shared_secret, phone."
        )
        found.append(Fault("/identity", advice))
    if zone.phone is None and "issuer" not in zone.identity:
        found.append(Fault("/identity/issuer", "'issuer' is missing: add it."))
    if zone.phone is not None and zone.identity["mode"] != "require":
        found.append(Fault("/identity/mode", "A code that nobody needs is money spent on nothing: use 'require'."))
    for index, key in enumerate(zone.identity.get("keys", ())):
        needed = _KEY_FIELDS.get((key["alg"], key["kty"]))
        if needed is None or not all(map(key.get, needed)):
            advice = "An ES256 key needs kty EC, crv, x, y; RS256 kty RSA, n, e."
            found.append(Fault(f"/identity/keys/{index}", advice))
    return found


def _times(zone: Zone) -> list[Fault]:
    found = []
    if zone.proof_of_work is not None and zone.proof_of_work.most_bits < zone.proof_of_work.bits:
        found.append(Fault("/proof_of_work/most_bits", "The cost is raised, never lowered: give bits or more."))
    if zone.session.max_sec < zone.session.idle_sec:
        found.append(Fault("/session/max_sec", "A session cannot be shorter than one idle time: raise max_sec."))
    return found


def _opening(zone: Zone) -> list[Fault]:
    if zone.opens_at_ms is None:
        return []
    if zone.schedule:
        return [Fault("/opens_at_ms", "The windows of the schedule say when the line opens: set it there.")]
    if zone.starts_at_ms is None:
        return [Fault("/opens_at_ms", "A line opens ahead of a start: set starts_at_ms, or leave opens_at_ms out.")]
    if zone.opens_at_ms > zone.starts_at_ms:
        return [Fault("/opens_at_ms", "The line opens before the start or at it: set an earlier moment.")]
    return []


def _lanes(zone: Zone) -> list[Fault]:
    lanes, found = zone.lanes, []
    if GENERAL not in lanes:
        found.append(Fault("/lanes", f"Keep the lane '{GENERAL}': everybody without an invitation waits in it."))
    if len(lanes) > MOST_LANES:
        found.append(Fault("/lanes", f"A zone has at most {MOST_LANES} lanes."))
    reserved = sum(lane.get("reserved_share", 0) for lane in lanes.values())
    if reserved > 1 + _ROUNDING:
        advice = f"The reserved shares sum to {reserved:g}: reserve 1 at the most, all of the calls."
        return [*found, Fault("/lanes", advice)]
    if not any(lane["weight"] for lane in lanes.values()) and reserved < 1 - _ROUNDING:
        advice = "The weights sum to nothing: give at least one lane a weight of 1 or more."
        return [*found, Fault("/lanes", advice)]
    uncalled = "Nobody in this lane would ever be called: give it a weight or a reserved_share."
    return found + [Fault(f"/lanes/{name}", uncalled) for name, share in shares(lanes).items() if share <= 0]


def _machines(zone: Zone) -> list[Fault]:
    """A class with a lane of its own needs one that is not everybody's."""
    if zone.machines is None:
        return []
    lane, found = zone.machines.lane, []
    if zone.machines.with_a_lane and not lane:
        found.append(Fault("/machines/lane", "Name the lane that machines stand in, one of the zone's lanes."))
    elif lane == GENERAL:
        found.append(Fault("/machines/lane", f"'{GENERAL}' is everybody's lane: say as_people, or give a lane apart."))
    elif lane and lane not in zone.lanes:
        found.append(Fault("/machines/lane", f"There is no lane '{lane}': add it to lanes, with a small weight."))
    return found


def _order(zone: Zone) -> list[Fault]:
    found = []
    if zone.order == "lottery" and not _has_start(zone):
        advice = "A draw is held among those who come before the start: set starts_at_ms."
        found.append(Fault("/starts_at_ms", advice))
    if zone.beacon != "none" and zone.order != "lottery":
        found.append(Fault("/beacon", "A beacon is for a draw: set order to 'lottery', or leave the beacon out."))
    return found


def _has_start(zone: Zone) -> bool:
    return zone.starts_at_ms is not None or bool(zone.schedule)
