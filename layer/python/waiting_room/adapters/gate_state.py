"""The controller's memory as bytes, for a gate item of one write unit (PROTOCOL, The controller's memory).

Numbers are variable-length integers with their sign folded in, samples are differences to the one before, and what is
kept by lane comes as one byte that says of which lanes, then their numbers in order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from waiting_room.adapters import varints
from waiting_room.domain.admission.claim_clock import ClaimClock, Sample
from waiting_room.domain.admission.door import Door
from waiting_room.domain.admission.gate_item import ControllerState
from waiting_room.domain.admission.last_tickets import LastTickets
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.admission.turnover import Turnover

VERSION = 1
"""The layout of the bytes. What is only added behind needs no other; whoever changes the rest counts it up and goes on
reading the one before, for while a release rolls out functions of both are at work."""
_HALVES, _TENTHS, _THOUSANDTHS, _MILLIONTHS = 2, 10, 1_000, 1_000_000
_PHASES = ("before", "open", "paused", "locked", "passing", "sold_out", "ended")
_ENTRIES = ("enter", "page")
_WHOLE = (
    "ticked_at_ms",
    "claimed",
    "clock.ms",
    "hold_until_ms",
    "show_up.shut_claims",
    "show_up.shut_ms",
    "turnover.active",
)
_DECIMAL = (
    "rate_tokens",
    "show_up.resolved_called",
    "show_up.resolved_came",
    "show_up.recent_called",
    "show_up.recent_came",
    "show_up.noticed_front",
    "turnover.leave_rate",
    "turnover.end_rate",
    "turnover.end_weight",
    "turnover.mean_active",
    "turnover.mean_active_at_leaving",
    "turnover.pace",
)
_BY_LANE = (("shared.quiet", _MILLIONTHS), ("shared.deficits", _MILLIONTHS), ("epochs", 1), ("early", 1))


class UnreadableState(ValueError):
    """Raised for bytes of another layout, or of none at all."""


def pack(state: ControllerState, lanes: Sequence[str]) -> bytes:
    """The bytes of a state; `lanes` gives the order of what is kept by lane, and lanes not among them are left out."""
    out = _Writer(lanes)
    flags = state.resting * 8 + _ENTRIES.index(state.entry) * 4 + state.turnover.lapses_seen * 2 + state.locked
    out.numbers([VERSION, _PHASES.index(state.phase) * 16 + flags])
    out.numbers(attrgetter(*_WHOLE)(state))
    out.numbers(round(value * _THOUSANDTHS) for value in attrgetter(*_DECIMAL)(state))
    out.numbers([state.last_tickets.extra_looks, len(state.show_up.on_the_way)])
    out.numbers(round(count * _THOUSANDTHS) for count in state.show_up.on_the_way)
    for name, scale in _BY_LANE:
        out.by_lane({lane: round(value * scale) for lane, value in attrgetter(name)(state).items()})
    out.numbers([len(state.clock.samples)])
    last = Sample(0, 0, {})
    for sample in state.clock.samples:
        out.numbers([sample.clock_ms - last.clock_ms, sample.claimed - last.claimed])
        out.by_lane({lane: value - last.serving.get(lane, 0) for lane, value in sample.serving.items()})
        last = sample
    door = state.door
    flags = door.belied * 8 + door.passes * 4 + door.proven * 2 + door.shut
    out.numbers([flags, door.misses, door.came, door.asked, door.doubted_in, round(door.unproven * _TENTHS)])
    out.numbers([round(state.show_up.silent * _HALVES)])
    return varints.pack([value * 2 if value >= 0 else -value * 2 - 1 for value in out.written])


def unpack(packed: bytes, lanes: Sequence[str]) -> ControllerState:
    """The state of bytes; what was added behind is not looked at. Raises UnreadableState."""
    try:
        return _unpacked(_Reader(packed, lanes))
    except IndexError:
        raise UnreadableState("the bytes make no sense") from None


def _unpacked(read: _Reader) -> ControllerState:
    version = read.number()
    if version != VERSION:
        raise UnreadableState(f"version {version}, and {VERSION} is known here")
    flags = read.number()
    values: dict[str, Any] = {name: read.number() for name in _WHOLE}
    values |= {name: _number(read.number(), _THOUSANDTHS) for name in _DECIMAL}
    values["last_tickets.extra_looks"] = read.number()
    values["show_up.on_the_way"] = tuple(_number(read.number(), _THOUSANDTHS) for _ in range(read.number()))
    for name, scale in _BY_LANE:
        values[name] = {lane: _number(value, scale) for lane, value in read.by_lane().items()}
    samples: list[Sample] = []
    for _ in range(read.number()):
        last = samples[-1] if samples else Sample(0, 0, {})
        clock_ms, claimed = last.clock_ms + read.number(), last.claimed + read.number()
        serving = {lane: last.serving.get(lane, 0) + value for lane, value in read.by_lane().items()}
        samples.append(Sample(clock_ms, claimed, serving))
    values["door"] = _door(read)
    # Nothing in bytes of a release that did not count them.
    values["show_up.silent"] = 0 if read.is_over else _number(read.number(), _HALVES)
    values |= {"phase": _PHASES[flags // 16], "entry": _ENTRIES[flags // 4 % 2]}
    values |= {"resting": bool(flags // 8 % 2), "turnover.lapses_seen": bool(flags // 2 % 2), "locked": bool(flags % 2)}
    return _state({**values, "clock.samples": tuple(samples)})


def _door(read: _Reader) -> Door:
    """What is known of the door; nothing in bytes of a release that did not look at it."""
    if read.is_over:
        return Door()
    flags = read.number()
    return Door(
        shut=bool(flags % 2),
        proven=bool(flags // 2 % 2),
        passes=flags // 4 % 2,
        belied=flags // 8,
        misses=read.number(),
        came=read.number(),
        asked=read.number(),
        doubted_in=read.number(),
        unproven=_number(read.number(), _TENTHS),
    )


def _state(values: Mapping[str, Any]) -> ControllerState:
    """A state of values by their names, those of a part behind the part's name."""
    by_part: defaultdict[str, dict[str, Any]] = defaultdict(dict)
    for name, value in values.items():
        part, _, field = name.rpartition(".")
        by_part[part][field] = value
    return ControllerState(
        clock=ClaimClock(**by_part["clock"]),
        show_up=ShowUp(**by_part["show_up"]),
        turnover=Turnover(**by_part["turnover"]),
        shared=SharedCalls(**by_part["shared"]),
        last_tickets=LastTickets(**by_part["last_tickets"]),
        **by_part[""],
    )


def _number(value: int, scale: int) -> int | float:
    return value // scale if value % scale == 0 else value / scale


class _Writer:
    def __init__(self, lanes: Sequence[str]) -> None:
        self.written: list[int] = []
        self._lanes = lanes

    def numbers(self, values: Iterable[int]) -> None:
        self.written += values

    def by_lane(self, values: Mapping[str, int]) -> None:
        self.numbers([sum(1 << index for index, lane in enumerate(self._lanes) if lane in values)])
        self.numbers(values[lane] for lane in self._lanes if lane in values)


class _Reader:
    def __init__(self, packed: bytes, lanes: Sequence[str]) -> None:
        self._numbers = [value // 2 if value % 2 == 0 else -(value + 1) // 2 for value in varints.unpack(packed)]
        self._lanes = lanes
        self._at = 0

    @property
    def is_over(self) -> bool:
        return self._at == len(self._numbers)

    def number(self) -> int:
        self._at += 1
        return self._numbers[self._at - 1]

    def by_lane(self) -> dict[str, int]:
        present = self.number()
        return {lane: self.number() for index, lane in enumerate(self._lanes) if present >> index & 1}
