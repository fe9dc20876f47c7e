"""Prove: a newcomer's work before joining, asked for and checked without storing anything.

A challenge is a signed token about one position of one visitor id. Its solution gives that one and no other, so
showing it again, anywhere and however often, leads to the same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room.domain.errors import ProofNeeded
from waiting_room.domain.line.places import Place
from waiting_room.domain.zone.proofs import ProofRules, bits_at, is_solved
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Clock, Tokens

CHALLENGE_SEC = 300
"""A slow telephone needs half a minute at the highest cost. Nobody can lay in solutions for longer."""
SUSPECT = ProofRules(mode="require", without_scripts="refuse")
"""What is asked of those the firewall takes for machines, where the zone asks nothing of the others."""


@dataclass(frozen=True)
class Proven:
    """Who may join, and what is to be noted: `valid`, `missing` or `bad`; empty where nobody asks for a proof."""

    visitor_id: str
    seen: str = ""


class JoinPace:
    """Joins a second as one container sees them: the counter is everybody's, two of its own numbers tell the rest."""

    SETTLE_MS, STALE_MS = 1_000, 30_000

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._first: dict[tuple[str, int, str, int], tuple[int, int]] = {}
        self._pace: dict[tuple[str, int], tuple[int, float]] = {}

    def note(self, place: Place, shards: int) -> None:
        """Learn from a number that was just taken."""
        now_ms = self._clock.now_ms()
        counter, line = (place.zone_id, place.run, place.lane, place.shard), (place.zone_id, place.run)
        seen_ms, seq = self._first.get(counter, (0, 0))
        if now_ms - seen_ms < self.SETTLE_MS:
            return
        if now_ms - seen_ms < self.STALE_MS:
            self._pace[line] = now_ms, (place.seq - seq) * shards * 1000 / (now_ms - seen_ms)
        if len(self._first) > 1000:
            self._first.clear()
        self._first[counter] = now_ms, place.seq

    def per_sec(self, zone: Zone) -> float:
        """Joins a second in all of the zone's run; 0 while nothing is known, or not any more."""
        measured_ms, pace = self._pace.get((zone.zone_id, zone.run), (0, 0.0))
        return pace if self._clock.now_ms() - measured_ms < self.STALE_MS else 0.0


class Prove:
    """Asks newcomers for work, and tells whether it was done."""

    def __init__(self, tokens: Tokens, pace: JoinPace, clock: Clock) -> None:
        self._tokens = tokens
        self._clock = clock
        self.pace = pace

    def __call__(
        self,
        zone: Zone,
        visitor_id: str,
        proof: Mapping[str, str] | None,
        *,
        known: bool,
        times: int = 1,
        suspect: bool = False,
        asked: bool = False,
    ) -> Proven:
        """Who may join: the visitor, or with a fresh id (not `known`) the one the solved challenge was made for.

        The work is for the position that is the visitor's `times`-th: another one takes other work.
        `asked` is for a page that proves its work although the zone only observes. Raises ProofNeeded with a new
        challenge.
        """
        rules = self.rules(zone, suspect=suspect)
        if rules is None:
            return Proven(visitor_id)
        solver = self._solver(zone, rules, proof, times) if proof else None
        if solver is not None and solver == (visitor_id if known else solver):
            return Proven(solver, "valid")
        if rules.mode == "require" or (asked and proof is None):
            raise ProofNeeded(self._challenge(zone, rules, visitor_id, times), refused=bool(proof))
        return Proven(visitor_id, "bad" if proof else "missing")

    def rules(self, zone: Zone, *, suspect: bool = False) -> ProofRules | None:
        """What the zone asks of a newcomer, and in any case of one who is suspect; None for nothing."""
        if suspect and (zone.proof_of_work is None or zone.proof_of_work.mode != "require"):
            return SUSPECT
        return zone.proof_of_work

    def _challenge(self, zone: Zone, rules: ProofRules, visitor_id: str, times: int) -> dict[str, Any]:
        now_sec = self._clock.now_ms() // 1000
        claims = {
            "zone": zone.zone_id,
            "run": zone.run,
            "sub": visitor_id,
            "times": times,
            "bits": bits_at(rules, self.pace.per_sec(zone), zone.expected_joins_per_sec),
            "iat": now_sec,
            "exp": now_sec + CHALLENGE_SEC,
        }
        token = self._tokens.sign("challenge", claims)
        return {
            "challenge": token,
            "nonce": visitor_id,
            "bits": claims["bits"],
            "expires_at_ms": (now_sec + CHALLENGE_SEC) * 1000,
        }

    def _solver(self, zone: Zone, rules: ProofRules, proof: Mapping[str, str], times: int) -> str | None:
        """The visitor id a proof is about, or None for anything but a good one of this zone, run and position."""
        claims = self._tokens.verify(proof["challenge"], "challenge", now_sec=self._clock.now_ms() // 1000)
        if claims is None or claims["zone"] != zone.zone_id or claims["run"] != zone.run:
            return None
        if claims["times"] != times:
            return None
        # What the operator raised by hand since counts at once.
        if claims["bits"] < rules.bits or not is_solved(claims["sub"], proof["solution"], claims["bits"]):
            return None
        return str(claims["sub"])
