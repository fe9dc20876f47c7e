"""Draws: the order of the early joiners by lot, such that anybody can check it afterwards (PROTOCOL, Draw).

Commit and reveal: the hash of a secret is published when the run is created, the secret at the start. A place follows
from the secret, the beacon's value if one was agreed on, the number of early joiners of the lane and the number of
the visitor among them: a Feistel network over as many bits as that takes, keyed by all of these, walked until the
result is a place (Black and Rogaway 2002, "Ciphers with Arbitrary Finite Domains"). It writes nothing and needs the
same few steps for every number. `draw.js` of the publisher's site does the same in a browser.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ROUNDS = 12
METHOD = "foyer-draw-1"
"""Names the steps in this file; it changes if they ever do."""


@dataclass(frozen=True)
class Draw:
    """One run's draw. `early` are the numbers of early joiners by lane, None until they are counted and all is told."""

    zone_id: str
    run: int
    secret: str
    commitment: str
    beacon_round: int | None = None
    beacon_value: str | None = None
    early: Mapping[str, int] | None = None
    opened_at_ms: int | None = None
    _keys: dict[str, _Key] = field(init=False, default_factory=dict, compare=False, repr=False)

    def place(self, lane: str, arrival: int) -> int:
        """The position of the visitor who joined a lane as number `arrival`, from 0; late comers keep theirs.

        Raises ValueError before the draw was opened.
        """
        if self.early is None:
            raise ValueError("This draw has not been opened.")
        early = self.early.get(lane, 0)
        if arrival >= early:
            return arrival
        if lane not in self._keys:
            self._keys[lane] = _Key(f"{METHOD}|{self.zone_id}|{self.run}|{lane}|{self.seed}|{early}", early)
        return self._keys[lane].place(arrival)

    @property
    def seed(self) -> str:
        """What nobody could know before the start."""
        return f"{self.secret}|{self.beacon_value or ''}"

    @property
    def announced(self) -> dict[str, Any]:
        """What every waiting page reads: what was committed to, and how many were drawn once it was held."""
        return {"commitment": self.commitment, "early": dict(self.early) if self.early is not None else None}

    @property
    def document(self) -> dict[str, Any]:
        """What is published: before the opening the commitment alone, then all it takes to recompute any place."""
        opened = self.early is not None
        return {
            "method": METHOD,
            "zone_id": self.zone_id,
            "run": self.run,
            "commitment": self.commitment,
            "secret": self.secret if opened else None,
            "early": dict(self.early) if self.early is not None else None,
            "beacon": {"round": self.beacon_round, "value": self.beacon_value}
            if opened and self.beacon_round is not None
            else None,
            "opened_at_ms": self.opened_at_ms if opened else None,
        }


class _Key:
    """The network for one lane; the part of the hash all rounds have in common is made once.

    A half of it is at most the 32 bits that are taken of one hash: enough for 2 ** 64 early joiners.
    """

    def __init__(self, key: str, early: int) -> None:
        self._hash = hashlib.sha256(f"{key}|".encode())
        self._early = early
        self._bits = half_bits(early)
        self._mask = (1 << self._bits) - 1

    def place(self, arrival: int) -> int:
        value = arrival
        while True:
            left, right = value >> self._bits, value & self._mask
            for number in range(ROUNDS):
                mixed = self._hash.copy()
                mixed.update(b"%d|%d" % (number, right))
                left, right = right, left ^ (int.from_bytes(mixed.digest()[:4], "big") & self._mask)
            value = left << self._bits | right
            if value < self._early:
                return value


def half_bits(early: int) -> int:
    """Bits of half the network: the least that has room for everybody, and at least two."""
    return max(2, -(-(early - 1).bit_length() // 2))


def commitment_to(secret: str) -> str:
    """What is published of a secret (hexadecimal) before the start."""
    return hashlib.sha256(bytes.fromhex(secret)).hexdigest()


def draw_of(zone_id: str, run: int, record: Mapping[str, Any]) -> Draw:
    """A draw from its record in the table."""
    return Draw(
        zone_id,
        run,
        record["secret"],
        record["commitment"],
        record.get("beacon_round"),
        record.get("beacon_value"),
        record.get("early"),
        record.get("opened_at_ms"),
    )


def published_draw(document: Mapping[str, Any]) -> Draw:
    """A draw from what was published of it; raises ValueError when that is not open yet or contradicts itself."""
    if document.get("method") != METHOD:
        raise ValueError(f"This is not a draw that is checked by {METHOD}.")
    secret, early = document["secret"], document["early"]
    if secret is None or early is None:
        raise ValueError("The draw has not been held yet: only the commitment is published.")
    if commitment_to(secret) != document["commitment"]:
        raise ValueError("The secret is not the one that was committed to.")
    beacon = document["beacon"] or {}
    return Draw(
        document["zone_id"],
        document["run"],
        secret,
        document["commitment"],
        beacon.get("round"),
        beacon.get("value"),
        early,
        document["opened_at_ms"],
    )
