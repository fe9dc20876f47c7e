"""The controller's memory as bytes, for a gate item of one write unit (PROTOCOL, The controller's memory).

Numbers are variable-length integers with their sign folded in, samples are differences to the one before, and what is
kept by lane comes as one byte that says of which lanes, then their numbers in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from waiting_room.adapters import varints
from waiting_room.domain.gate_item import ControllerState, Sample

VERSION = 1
"""The layout of the bytes. What is only added behind needs no other; whoever changes the rest counts it up and goes on
reading the one before, for while a release rolls out functions of both are at work."""
_THOUSANDTHS, _MILLIONTHS = 1_000, 1_000_000
_PHASES = ("before", "open", "paused", "locked", "passing", "sold_out", "ended")
_ENTRIES = ("enter", "page")
_WHOLE = ("ticked_at_ms", "claimed", "clock_ms", "hold_until_ms", "shut_claims", "shut_ms", "active")
_PARTS = (
    "rate_tokens",
    "matured_called",
    "matured_claimed",
    "recent_called",
    "recent_claimed",
    "known_front",
    "leave_rate",
    "end_rate",
    "end_weight",
    "held",
    "held_then",
    "pace",
)
_BY_LANE = (("taken", _MILLIONTHS), ("deficits", _MILLIONTHS), ("epochs", 1), ("early", 1))


class UnreadableState(ValueError):
    """Raised for bytes of another layout, or of none at all."""


def pack(state: ControllerState, lanes: Sequence[str]) -> bytes:
    """The bytes of a state; `lanes` gives the order of what is kept by lane, and lanes not among them are left out."""
    out = _Writer(lanes)
    flags = state.resting * 8 + _ENTRIES.index(state.entry) * 4 + state.lapses_seen * 2 + state.locked
    out.numbers([VERSION, _PHASES.index(state.phase) * 16 + flags])
    out.numbers(getattr(state, name) for name in _WHOLE)
    out.numbers(round(getattr(state, name) * _THOUSANDTHS) for name in _PARTS)
    out.numbers([state.hurried, len(state.coming)])
    out.numbers(round(count * _THOUSANDTHS) for count in state.coming)
    for name, scale in _BY_LANE:
        out.by_lane({lane: round(value * scale) for lane, value in getattr(state, name).items()})
    out.numbers([len(state.samples)])
    last = Sample(0, 0, {})
    for sample in state.samples:
        out.numbers([sample.clock_ms - last.clock_ms, sample.claimed - last.claimed])
        out.by_lane({lane: value - last.serving.get(lane, 0) for lane, value in sample.serving.items()})
        last = sample
    return bytes(out.written)


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
    values |= {name: _number(read.number(), _THOUSANDTHS) for name in _PARTS}
    values["hurried"] = read.number()
    values["coming"] = tuple(_number(read.number(), _THOUSANDTHS) for _ in range(read.number()))
    for name, scale in _BY_LANE:
        values[name] = {lane: _number(value, scale) for lane, value in read.by_lane().items()}
    samples: list[Sample] = []
    for _ in range(read.number()):
        last = samples[-1] if samples else Sample(0, 0, {})
        clock_ms, claimed = last.clock_ms + read.number(), last.claimed + read.number()
        serving = {lane: last.serving.get(lane, 0) + value for lane, value in read.by_lane().items()}
        samples.append(Sample(clock_ms, claimed, serving))
    values |= {"phase": _PHASES[flags // 16], "entry": _ENTRIES[flags // 4 % 2]}
    values |= {"resting": bool(flags // 8 % 2), "lapses_seen": bool(flags // 2 % 2), "locked": bool(flags % 2)}
    return ControllerState(samples=tuple(samples), **values)


def _number(value: int, scale: int) -> int | float:
    return value // scale if value % scale == 0 else value / scale


class _Writer:
    def __init__(self, lanes: Sequence[str]) -> None:
        self.written = bytearray()
        self._lanes = lanes

    def numbers(self, values: Iterable[int]) -> None:
        for value in values:
            varints.write(self.written, value * 2 if value >= 0 else -value * 2 - 1)

    def by_lane(self, values: Mapping[str, int]) -> None:
        self.numbers([sum(1 << index for index, lane in enumerate(self._lanes) if lane in values)])
        self.numbers(values[lane] for lane in self._lanes if lane in values)


class _Reader:
    def __init__(self, packed: bytes, lanes: Sequence[str]) -> None:
        self._packed = packed
        self._lanes = lanes
        self._at = 0

    def number(self) -> int:
        value, self._at = varints.read(self._packed, self._at)
        return value // 2 if value % 2 == 0 else -(value + 1) // 2

    def by_lane(self) -> dict[str, int]:
        present = self.number()
        return {lane: self.number() for index, lane in enumerate(self._lanes) if present >> index & 1}
