"""Proof of work at joining: what a machine pays for a place, and a person's browser hardly notices.

A solution is found by trying: of 2^bits tries one fits on average (A. Back, "Hashcash", 2002). Checking is one hash.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from typing import Literal

__all__ = ["ProofMode", "ProofRules", "WithoutScripts", "bits_at", "is_solved"]

ProofMode = Literal["observe", "require"]
WithoutScripts = Literal["wait", "refuse"]

SOLUTION = re.compile(r"\A[0-9]{1,16}\Z")
_DIGEST_BITS = 256


@dataclass(frozen=True)
class ProofRules:
    """What a zone asks of newcomers. `bits` is the cost in quiet times, `most_bits` the most it is raised to."""

    mode: ProofMode = "observe"
    bits: int = 16
    most_bits: int = 20
    without_scripts: WithoutScripts = "wait"
    wait_sec: int = 60


def is_solved(nonce: str, solution: str, bits: int) -> bool:
    """Whether SHA-256 of `nonce.solution` begins with so many zero bits; a solution is a number of 16 digits at most.

    lambdas/publisher/site/assets/proof/worker.js looks for one.
    """
    if SOLUTION.match(solution) is None:
        return False
    digest = hashlib.sha256(f"{nonce}.{solution}".encode()).digest()
    return int.from_bytes(digest, "big") >> (_DIGEST_BITS - bits) == 0


def bits_at(rules: ProofRules, joins_per_sec: float, expected_joins_per_sec: int) -> int:
    """What a place costs now: twice as much for each doubling of the joins beyond what the zone expects."""
    beyond = math.ceil(math.log2(max(1.0, joins_per_sec / expected_joins_per_sec)))
    return min(rules.bits + beyond, max(rules.bits, rules.most_bits))
