"""One tick of admission: how far the limit, the watermarks and the closed buckets may move (PROTOCOL, Calling).

`decide` is a pure function of what one tick read. Its result is written only if nobody else ticked meanwhile.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace

from waiting_room.domain.admission.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.admission.last_tickets import soonest_sec
from waiting_room.domain.admission.show_up import NEAR_SEC, ShowUp
from waiting_room.domain.lanes import share_out, shares
from waiting_room.domain.leases import last_ended_bucket
from waiting_room.domain.zone.phases import Phase, phase
from waiting_room.domain.zone.zones import PollRules, Zone

BURST_SEC = 5
"""Seconds of the set rate that may be saved up: covers a called visitor's next poll, yet dumps nothing."""
LONGEST_TICK_MS = 2_000
"""A longer gap between ticks counts as this much: time nobody was watching is nobody's fault."""
CROWD_PER_SEC = 500
"""Zones that expect more joins a second than this send all newcomers to the static page: nobody may tell them when."""
LINE_FOR_PAGE = 25
"""Visitors waiting from which on newcomers are sent to the static page instead of the API."""
WARM_UP_MS = 150_000
"""How long before a start, or the opening of a line, the ticks begin."""
OPENING_MS = 60_000
"""How long after either newcomers go to the static page although nobody waits: the crowd is yet to come."""
LATE_STARTERS_MS = 10_000
"""After a start nobody who was called is given up for so long: clocks differ, and the document is some seconds old."""
RESUME_SEC = 60
"""After a lock or a shut door, how long at most sessions that ran out during it may still renew."""


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


@dataclass(frozen=True)
class _Line:
    """By lane: the positions taken, and the first that is not called; `walked` newcomers came without being called."""

    tails: Mapping[str, int]
    serving: Mapping[str, int]
    walked: int

    @property
    def waiting(self) -> dict[str, int]:
        return {lane: tail - self.serving[lane] for lane, tail in self.tails.items()}

    def called(self, given: Mapping[str, int]) -> _Line:
        return replace(self, serving={lane: serving + given[lane] for lane, serving in self.serving.items()})


def decide(
    zone: Zone, gate: GateItem, sold: int, tails: Mapping[str, int], now_ms: int, seen: bool | None = None
) -> Tick:
    """Decide one tick. `sold` must have been read after `gate`, else a sale could be missed in both.

    `seen` is what a look at the door told since the tick before, None for nothing.
    """
    now_phase = phase(zone, sold, now_ms)
    elapsed_ms = max(0, now_ms - gate.state.ticked_at_ms) if gate.state.ticked_at_ms else 0
    state = _look(zone, gate, now_ms, seen)
    state = _wind_clocks(zone, gate, state, now_phase, now_ms, elapsed_ms)
    closed_to = gate.closed_to if _keeps_leases(zone, state, now_ms) else _close(gate, now_ms)
    line = _line(zone, gate, tails)
    state = _learn(zone, gate, state, line, closed_to, elapsed_ms)
    free, spare = 0.0, dict.fromkeys(zone.lanes, 0)
    if now_phase == "open" and now_ms >= zone.granted_from_ms and not gate.awaits_draw:
        parts = shares(zone.lanes)
        free, soon = _free(zone, gate, sold, state, now_ms)
        line, state = _call(zone, state, line, soon, parts, elapsed_ms)
        spare = _spare(free - state.show_up.expected, line, parts)
    lanes = {**gate.lanes, **_watermarks(zone, gate, state, line, spare)}
    waiting = sum(line.waiting.values())
    poll = _looks(zone, gate, state, sold)
    state = replace(
        state,
        entry="page" if state.door.shut or _may_crowd(zone, now_ms) else _entry(state.entry, waiting),
        last_tickets=state.last_tickets.count(zone.poll, poll, waiting, elapsed_ms / 1000),
        clock=state.clock.remember(_called(lanes), gate.claimed, _memory_ms(zone)),
    )
    decided = replace(
        gate,
        limit=gate.claimed + max(0, math.floor(free)),
        closed_to=closed_to,
        tick=gate.tick + 1,
        lanes=lanes,
        buckets={bucket: count for bucket, count in gate.buckets.items() if bucket > closed_to},
        state=state,
    )
    resting = idle(zone, decided, tails, sold, now_ms)
    decided = replace(decided, state=replace(state, resting=resting))
    return Tick(decided, now_phase, state.show_up.share, resting, poll)


def _look(zone: Zone, gate: GateItem, now_ms: int, seen: bool | None) -> ControllerState:
    """The state of the tick before, with what is known of the door now.

    Found shut: those given up since it was last seen open could not have come. Open again: everybody called has a whole
    window from here on, and sessions that ran out meanwhile may be renewed for a while.
    """
    state, before = gate.state, gate.state.door
    door = before.look(seen, gate.claimed - state.claimed, state.show_up)
    state = replace(state, door=door)
    if door.shut and not before.shut:
        return replace(state, show_up=state.show_up.take_back(door.unproven), door=door.taken_back())
    if before.shut and not door.shut:
        hold_sec = min(RESUME_SEC, zone.lease_sec(zone.session.kind, first=False))
        until_ms = max(state.hold_until_ms, now_ms + hold_sec * 1000)
        return replace(state, clock=state.clock.restart(), hold_until_ms=until_ms)
    return state


def _wind_clocks(
    zone: Zone, gate: GateItem, state: ControllerState, now_phase: Phase, now_ms: int, elapsed_ms: int
) -> ControllerState:
    """The state at this moment. The claim clock runs while whoever comes gets in."""
    comes_in = now_phase == "open" and gate.limit > gate.claimed and not state.door.stands
    counted_ms = min(elapsed_ms, LONGEST_TICK_MS) if comes_in else 0
    unlocked = state.locked and zone.control != "lock"
    return replace(
        state,
        ticked_at_ms=max(now_ms, state.ticked_at_ms),
        claimed=gate.claimed,
        rate_tokens=_refill(zone, gate, now_phase, elapsed_ms),
        clock=state.clock.run(counted_ms),
        locked=zone.control == "lock",
        hold_until_ms=now_ms + RESUME_SEC * 1000 if unlocked else state.hold_until_ms,
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


def _keeps_leases(zone: Zone, state: ControllerState, now_ms: int) -> bool:
    """Whether no bucket is closed, for nobody can renew, or could until a moment ago."""
    return zone.control == "lock" or state.door.stands or now_ms < state.hold_until_ms


def _close(gate: GateItem, now_ms: int) -> int:
    return max(gate.closed_to, last_ended_bucket(now_ms, gate.width_sec))


def _line(zone: Zone, gate: GateItem, tails: Mapping[str, int]) -> _Line:
    """The line as it was left. Whoever could walk in since keeps that right: those positions are called from now on."""
    marks = {lane: gate.lane(lane) for lane in zone.lanes}
    tails = {lane: max(tails.get(lane, 0), mark.serving) for lane, mark in marks.items()}
    serving = {lane: max(mark.serving, min(tails[lane], mark.ahead)) for lane, mark in marks.items()}
    walked = sum(serving[lane] - mark.serving for lane, mark in marks.items())
    return _Line(tails, serving, walked)


def _learn(
    zone: Zone, gate: GateItem, state: ControllerState, line: _Line, closed_to: int, elapsed_ms: int
) -> ControllerState:
    """Bring what is known of arrivals and ends up to this tick."""
    sec, claims = elapsed_ms / 1000, gate.claimed - gate.state.claimed
    open_ms = state.clock.ms - gate.state.clock.ms
    # Pages far back look at least once in half of the window.
    far_sec = zone.claim.window_sec / 4
    show_up, door = state.show_up, state.door
    if door.stands or _has_just_begun(zone, state.ticked_at_ms):
        show_up = show_up.stand(claims, line.walked)
    else:
        given_up = show_up.resolved_called + claims / show_up.share
        show_up = show_up.advance(claims, line.walked, elapsed_ms, open_ms / 1000, far_sec)
        door = door.give_up(show_up.resolved_called - given_up)
    show_up = show_up.notice(sum(_called(gate.lanes).values()), sec)
    turnover, active, lapsed = state.turnover, gate.active, gate.lapsing(closed_to)
    if state.phase == "open" and not door.stands:
        lease_sec = zone.lease_sec(zone.session.kind, first=True)
        turnover = turnover.measure(turnover.left(claims, active), lapsed, sec, lease_sec)
    room = math.inf if zone.max_active is None else zone.max_active - active
    turnover = turnover.foresee(zone, active - lapsed, room, show_up.share)
    return replace(state, show_up=show_up, door=door, turnover=turnover)


def _free(zone: Zone, gate: GateItem, sold: int, state: ControllerState, now_ms: int) -> tuple[float, float]:
    """Sessions that may begin now, and by the time somebody called now is here: the least of room, rate and stock.

    May be negative after a cap was lowered. Only grants count for the cap; who is called too early waits at the door.
    """
    now, soon = [math.inf], [math.inf]
    if zone.max_active is not None:
        room = zone.max_active - gate.active
        now.append(room)
        # Leases that are kept beyond their end do not end by themselves.
        kept = _keeps_leases(zone, state, now_ms)
        soon.append(room + state.turnover.ending_soon({} if kept else gate.buckets, gate.width_sec, now_ms))
    if zone.rate_per_min is not None:
        now.append(state.rate_tokens)
        soon.append(state.rate_tokens + zone.rate_per_min / 60 * NEAR_SEC)
    if zone.inventory is not None:
        stock = zone.inventory - sold - gate.active
        now.append(stock)
        soon.append(stock)
    return min(now), min(soon)


def _call(
    zone: Zone, state: ControllerState, line: _Line, soon: float, parts: Mapping[str, float], elapsed_ms: int
) -> tuple[_Line, ControllerState]:
    """Call as many as are expected to fill the places free soon; at a shut door no more than tell that it is."""
    waiting = line.waiting
    calls = min(_calls(soon, state.show_up), sum(waiting.values()))
    if state.door.stands:
        calls = min(calls, state.door.may_ask(state.show_up.share))
    pace = state.turnover.pace
    given, shared = state.shared.share_out(calls, waiting, parts, pace, elapsed_ms / 1000)
    show_up = state.show_up.call(calls, sum(line.serving.values()), zone.poll.near_ahead, pace)
    return line.called(given), replace(state, shared=shared, show_up=show_up, door=state.door.ask(calls))


def _calls(soon: float, show_up: ShowUp) -> int:
    """How many to call so that as many come as there will be places."""
    if soon < 1 or math.isinf(soon):
        return 0 if soon < 1 else sys.maxsize
    return math.floor(show_up.wanted(soon) + 1e-9)


def _spare(room: float, line: _Line, parts: Mapping[str, float]) -> dict[str, int]:
    """How many newcomers each lane lets straight in: by share, of the room that nobody waits for."""
    if room < 1 or any(line.waiting.values()):
        return dict.fromkeys(line.serving, 0)
    whole = math.floor(room)
    return share_out(whole, dict.fromkeys(line.serving, whole), parts, {})[0]


def _watermarks(
    zone: Zone, gate: GateItem, state: ControllerState, line: _Line, spare: Mapping[str, int]
) -> dict[str, Watermarks]:
    """Whoever was called, and did not come in all the time there was for it, has lapsed."""
    lapsed = {lane: state.clock.called_before(_memory_ms(zone), lane) for lane in line.serving}
    return {
        lane: Watermarks(serving, floor=max(gate.lane(lane).floor, lapsed[lane]), ahead=serving + spare[lane])
        for lane, serving in line.serving.items()
    }


def _memory_ms(zone: Zone) -> int:
    return (zone.claim.window_sec + zone.claim.grace_sec) * 1000


def _called(lanes: Mapping[str, Watermarks]) -> dict[str, int]:
    return {name: lane.serving for name, lane in lanes.items()}


def _looks(zone: Zone, gate: GateItem, state: ControllerState, sold: int) -> PollRules:
    if zone.inventory is None or state.phase not in ("open", "paused"):
        return zone.poll
    soonest = soonest_sec(state.turnover.leave_rate, zone.inventory - sold, gate.active)
    return state.last_tickets.looks(zone.poll, soonest)


def _entry(entry: str, waiting: int) -> str:
    """Where the gate sends newcomers: straight to the static page while there is a line, so that no crowd hits the API.

    It switches on at a line of LINE_FOR_PAGE and off only when the line is gone.
    """
    if waiting >= LINE_FOR_PAGE:
        return "page"
    return entry if waiting else "enter"


def _may_crowd(zone: Zone, now_ms: int) -> bool:
    """Where the API refuses a crowd, AWS shows it a bare error; the static page asks again."""
    return zone.expected_joins_per_sec > CROWD_PER_SEC or _is_opening(zone, now_ms)


def _has_just_begun(zone: Zone, now_ms: int) -> bool:
    """Whether whoever was called may not have heard of it yet, for pages wait for the start by themselves."""
    return zone.starts_at_ms is not None and 0 <= now_ms - zone.starts_at_ms < LATE_STARTERS_MS


def _is_opening(zone: Zone, now_ms: int) -> bool:
    """Around a start, and around the opening of the line, a crowd is expected, though nobody waits yet."""
    moments = (zone.line_opens_at_ms, zone.starts_at_ms)
    return any(at_ms is not None and -WARM_UP_MS <= now_ms - at_ms < OPENING_MS for at_ms in moments)


def idle(zone: Zone, gate: GateItem, tails: Mapping[str, int], sold: int, now_ms: int) -> bool:
    """Whether another tick would change nothing: nobody waits, nobody is in, nothing is about to happen."""
    now_phase = phase(zone, sold, now_ms)
    if now_phase != gate.state.phase or not gate.state.ticked_at_ms or gate.active:
        return False
    if now_phase == "before":
        return not _is_opening(zone, now_ms)
    if now_phase != "open":
        return True
    if _is_opening(zone, now_ms):
        return False
    lines = [(tails.get(name, 0), gate.lane(name)) for name in zone.lanes]
    if any(tail > lane.serving or lane.serving > lane.floor for tail, lane in lines):
        return False
    return zone.rate_per_min is None or gate.state.rate_tokens >= _most_tokens(zone.rate_per_min / 60)
