"""One tick of admission: how far the limit, the watermarks and the closed buckets may move (PROTOCOL, Calling).

`decide` is a pure function of what one tick read. Its result is written only if nobody else ticked meanwhile.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from waiting_room.domain.admission import claim_clock, last_tickets, show_up, speeds, turnover
from waiting_room.domain.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.lanes import share_out, shares
from waiting_room.domain.leases import last_ended_bucket
from waiting_room.domain.zone.phases import Phase, phase
from waiting_room.domain.zone.zones import PollRules, Zone

BURST_SEC = 5
"""Seconds of the set rate that may be saved up: covers a called visitor's next poll, yet dumps nothing."""
LONGEST_TICK_MS = 2_000
"""A longer gap between ticks counts as this much: time nobody was watching is nobody's fault."""
LINE_FOR_PAGE = 25
"""Visitors waiting from which on newcomers are sent to the static page instead of the API."""
WARM_UP_MS = 150_000
"""How long before a start the ticks begin."""
RESUME_SEC = 60
"""After a lock, how long sessions that ran out during it may still renew."""


@dataclass(frozen=True)
class Tick:
    """A decision: the gate item to write, what the status document needs, and whether nothing is left to do.

    `poll` is how often pages look: None as the zone says.
    """

    gate: GateItem
    phase: Phase
    share: float
    idle: bool
    poll: PollRules | None = None


def decide(zone: Zone, gate: GateItem, sold: int, tails: Mapping[str, int], now_ms: int) -> Tick:
    """Decide one tick. `sold` must have been read after `gate`, else a sale could be missed in both."""
    now_phase = phase(zone, sold, now_ms)
    state = _advance_clocks(zone, gate, now_phase, now_ms)
    grants_open = now_phase == "open" and now_ms >= zone.granted_from_ms and not gate.awaits_draw
    closed_to = gate.closed_to if _held(zone, state, now_ms) else _close(gate, now_ms)
    state = _measure(zone, gate, state, tails, closed_to)
    free, soon = _free(zone, gate, sold, state, now_ms) if grants_open else (0.0, 0.0)
    lanes, state = _move_watermarks(zone, gate, state, tails, free, soon, grants_open)
    state = replace(state, entry=_entry(state.entry, lanes, tails))
    poll = _looks(zone, gate, state, sold, now_phase)
    waiting = sum(max(0, tails.get(name, 0) - lane.serving) for name, lane in lanes.items())
    state = last_tickets.count(state, zone.poll, poll, waiting, _elapsed_ms(gate, state) / 1000)
    decided = replace(
        gate,
        limit=gate.claimed + max(0, math.floor(free)),
        closed_to=closed_to,
        tick=gate.tick + 1,
        lanes=lanes,
        buckets={bucket: count for bucket, count in gate.buckets.items() if bucket > closed_to},
        state=claim_clock.remember(state, lanes, gate.claimed, _memory_ms(zone)),
    )
    resting = idle(zone, decided, tails, sold, now_ms)
    return Tick(decided.replace_state(resting=resting), now_phase, show_up.share(state), resting, poll)


def _advance_clocks(zone: Zone, gate: GateItem, now_phase: Phase, now_ms: int) -> ControllerState:
    state = gate.state
    elapsed_ms = max(0, now_ms - state.ticked_at_ms) if state.ticked_at_ms else 0
    unused_grants = gate.limit > gate.claimed
    counted_ms = min(elapsed_ms, LONGEST_TICK_MS) if now_phase == "open" and unused_grants else 0
    hold_until_ms = state.hold_until_ms
    if state.locked and zone.control != "lock":
        hold_until_ms = now_ms + RESUME_SEC * 1000
    return replace(
        state,
        ticked_at_ms=max(now_ms, state.ticked_at_ms),
        claimed=gate.claimed,
        rate_tokens=_refill(zone, gate, now_phase, elapsed_ms),
        clock_ms=state.clock_ms + counted_ms,
        locked=zone.control == "lock",
        hold_until_ms=hold_until_ms,
        phase=now_phase,
    )


def _refill(zone: Zone, gate: GateItem, now_phase: Phase, elapsed_ms: int) -> float:
    if zone.rate_per_min is None:
        return 0.0
    per_sec = zone.rate_per_min / 60
    spent = gate.claimed - gate.state.claimed
    earned = per_sec * elapsed_ms / 1000 if now_phase == "open" else 0.0
    return min(_most_tokens(per_sec), gate.state.rate_tokens + earned) - spent


def _most_tokens(per_sec: float) -> float:
    return max(1.0, per_sec * BURST_SEC)


def _measure(
    zone: Zone, gate: GateItem, state: ControllerState, tails: Mapping[str, int], closed_to: int
) -> ControllerState:
    """Bring what is known of arrivals and ends up to this tick."""
    walked = sum(max(0, min(tails.get(name, 0), lane.ahead) - lane.serving) for name, lane in gate.lanes.items())
    open_ms = state.clock_ms - gate.state.clock_ms
    claims = gate.claimed - gate.state.claimed
    ended, elapsed_ms = turnover.ends(gate, closed_to), _elapsed_ms(gate, state)
    # Pages far back look at least once in half of the window.
    state = show_up.advance(state, claims, walked, elapsed_ms, open_ms / 1000, far_sec=zone.claim.window_sec / 4)
    state = show_up.notice(state, sum(lane.serving for lane in gate.lanes.values()), elapsed_ms / 1000)
    if state.phase == "open":
        lease_sec = zone.lease_sec(zone.session.kind, first=True)
        state = turnover.measure(state, ended, elapsed_ms / 1000, lease_sec)
    room = math.inf if zone.max_active is None else zone.max_active - gate.active
    return replace(
        state,
        active=gate.active - ended.lapsed,
        pace=turnover.pace(zone, state, room, show_up.share(state)),
    )


def _looks(zone: Zone, gate: GateItem, state: ControllerState, sold: int, now_phase: Phase) -> PollRules:
    if zone.inventory is None or now_phase not in ("open", "paused"):
        return zone.poll
    left = zone.inventory - sold
    return last_tickets.looks(zone.poll, state, last_tickets.soonest_sec(state, left, gate.active))


def _elapsed_ms(gate: GateItem, state: ControllerState) -> int:
    return state.ticked_at_ms - gate.state.ticked_at_ms if gate.state.ticked_at_ms else 0


def _free(zone: Zone, gate: GateItem, sold: int, state: ControllerState, now_ms: int) -> tuple[float, float]:
    """Sessions that may begin now, and by the time somebody called now is here: the least of room, rate and stock.

    May be negative after a cap was lowered. Only grants count for the cap; who is called too early waits at the door.
    """
    now, soon = [math.inf], [math.inf]
    if zone.max_active is not None:
        room = zone.max_active - gate.active
        now.append(room)
        soon.append(room + turnover.ending_soon(state, gate.buckets, gate.width_sec, now_ms))
    if zone.rate_per_min is not None:
        now.append(state.rate_tokens)
        soon.append(state.rate_tokens + zone.rate_per_min / 60 * show_up.NEAR_SEC)
    if zone.inventory is not None:
        stock = zone.inventory - sold - gate.active
        now.append(stock)
        soon.append(stock)
    return min(now), min(soon)


def _move_watermarks(
    zone: Zone,
    gate: GateItem,
    state: ControllerState,
    tails: Mapping[str, int],
    free: float,
    soon: float,
    grants_open: bool,
) -> tuple[dict[str, Watermarks], ControllerState]:
    """Call as many as are expected to fill the free places; let newcomers walk in where nobody waits."""
    tails = {lane: max(tails.get(lane, 0), gate.lane(lane).serving) for lane in zone.lanes}
    # Whoever could walk in since the last tick keeps that right: those positions are called from now on.
    serving = {lane: max(gate.lane(lane).serving, min(tails[lane], gate.lane(lane).ahead)) for lane in zone.lanes}
    waiting = {lane: tails[lane] - serving[lane] for lane in zone.lanes}
    parts, spare = shares(zone.lanes), dict.fromkeys(zone.lanes, 0)
    if grants_open:
        calls = min(_calls(soon, state), sum(waiting.values()))
        given, deficits = share_out(calls, waiting, parts, state.deficits)
        state = replace(state, deficits=deficits)
        state = show_up.call(state, calls, sum(serving.values()), zone.poll.near_ahead)
        serving = {lane: serving[lane] + given[lane] for lane in serving}
        state = speeds.measure(zone, state, given, waiting, _elapsed_ms(gate, state) / 1000)
        spare = _spare(free - show_up.expected(state), serving, tails, parts)
    lanes = {lane: _marks(zone, gate, state, lane, serving[lane], spare[lane]) for lane in zone.lanes}
    return {**gate.lanes, **lanes}, state


def _spare(
    room: float, serving: Mapping[str, int], tails: Mapping[str, int], parts: Mapping[str, float]
) -> dict[str, int]:
    """How many newcomers each lane lets straight in: by share, of the room that nobody waits for."""
    none = dict.fromkeys(serving, 0)
    if room < 1 or any(tails[lane] > serving[lane] for lane in serving):
        return none
    whole = math.floor(room)
    return share_out(whole, dict.fromkeys(serving, whole), parts, {})[0]


def _marks(zone: Zone, gate: GateItem, state: ControllerState, lane: str, serving: int, spare: int) -> Watermarks:
    lapsed = claim_clock.called_by(state, state.clock_ms - _memory_ms(zone), lane)
    return Watermarks(serving=serving, floor=max(gate.lane(lane).floor, lapsed), ahead=serving + spare)


def _calls(soon: float, state: ControllerState) -> int:
    """How many to call so that as many come as there will be places."""
    if soon < 1 or math.isinf(soon):
        return 0 if soon < 1 else sys.maxsize
    return math.floor(show_up.wanted(state, soon) + 1e-9)


def _memory_ms(zone: Zone) -> int:
    return (zone.claim.window_sec + zone.claim.grace_sec) * 1000


def _held(zone: Zone, state: ControllerState, now_ms: int) -> bool:
    return zone.control == "lock" or now_ms < state.hold_until_ms


def _close(gate: GateItem, now_ms: int) -> int:
    return max(gate.closed_to, last_ended_bucket(now_ms, gate.width_sec))


def _entry(entry: str, lanes: Mapping[str, Watermarks], tails: Mapping[str, int]) -> str:
    """Where the gate sends newcomers: straight to the static page while there is a line, so that no crowd hits the API.

    It switches on at a line of LINE_FOR_PAGE and off only when the line is gone.
    """
    waiting = sum(max(0, tails.get(name, 0) - lane.serving) for name, lane in lanes.items())
    if waiting >= LINE_FOR_PAGE:
        return "page"
    return entry if waiting else "enter"


def idle(zone: Zone, gate: GateItem, tails: Mapping[str, int], sold: int, now_ms: int) -> bool:
    """Whether another tick would change nothing: nobody waits, nobody is in, nothing is about to happen."""
    now_phase = phase(zone, sold, now_ms)
    if now_phase != gate.state.phase or not gate.state.ticked_at_ms or gate.active:
        return False
    if now_phase == "before":
        return (zone.starts_at_ms or 0) - now_ms > WARM_UP_MS
    if now_phase != "open":
        return True
    lines = [(tails.get(name, 0), gate.lane(name)) for name in zone.lanes]
    if any(tail > lane.serving or lane.serving > lane.floor for tail, lane in lines):
        return False
    return zone.rate_per_min is None or gate.state.rate_tokens >= _most_tokens(zone.rate_per_min / 60)
