"""Pass the door: do all that a claim needs, and change nothing (PROTOCOL, The door)."""

from __future__ import annotations

from waiting_room.adapters.gates import Gates
from waiting_room.adapters.queue import Queue
from waiting_room.domain.answers import Answer
from waiting_room.domain.errors import NotReady, Unsure
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Tokens

PASSED_MS = 5_000
"""For so long an instance that got through does not do it again, whoever asks: the gate item is not everybody's to
write to. Claims that are refused meanwhile are noted (`use_cases/note_refusals.py`)."""
AUDIENCE, NOBODY = "challenge", "0" * 22
"""Of a token that is signed and read again, and given to nobody."""


class PassDoor:
    """Signing keys, the gate item and the place of nobody: read and written as a claim would, by conditions that never
    hold."""

    def __init__(self, gates: Gates, queue: Queue, tokens: Tokens, clock: Clock) -> None:
        self._gates = gates
        self._queue = queue
        self._tokens = tokens
        self._clock = clock
        self._passed_at_ms: dict[tuple[str, int], int] = {}

    def __call__(self, zone: Zone) -> None:
        """Get through; 2 write units. Raises NotReady, Overloaded, Unsure, and whatever keeps keys from being read."""
        key, now_ms = (zone.zone_id, zone.run), self._clock.now_ms()
        if 0 <= now_ms - self._passed_at_ms.get(key, -PASSED_MS) < PASSED_MS:
            return
        now_sec = now_ms // 1000
        claims = {"zone": zone.zone_id, "run": zone.run, "sub": NOBODY, "iat": now_sec, "exp": now_sec + 1}
        claims |= {"bits": 1, "times": 1}
        token = self._tokens.sign(AUDIENCE, claims)
        if self._tokens.verify(token, AUDIENCE, now_sec=now_sec) is None:
            raise NotReady
        if self._gates.read(*key) is None:
            raise NotReady
        if Answer.UNSURE in (self._gates.touch(*key), self._queue.touch(*key)):
            raise Unsure
        self._passed_at_ms[key] = now_ms
