"""Whether whoever is called can get in: what looks at the door tell, and who comes through it (PROTOCOL, The door).

A look asks, through the public address, for all that a claim needs. While the door is shut nobody more is called and
no time counts against anybody; so it must not count as shut for ever because looks alone fail, or because a whole batch
that was called has walked away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from waiting_room.domain.admission.show_up import ShowUp

ENOUGH_LOOKS = 2
"""Looks in a row that agree before the door counts as shut, or as open again: one fails or gets through by chance."""
ENOUGH_CLAIMS = 10
"""As many come in between two looks that fail, and half of all who were expected: it is the looks that fail. Through a
door that lets one in ten pass, a tenth of those who stand there come in that time."""
BELIED = 3
"""As often in a row people came in like that, and looks tell nothing any more until one gets through."""
MANY_MISSES = 60
"""So many looks fail in a row, two minutes, and at least one claim for each comes in: it is the looks that fail. Of a
door that lets one in ten pass, so many fail by chance once in 500 times."""
CHANCE = 1e-6
"""So improbable it must be that all who were called stayed away by themselves before nobody more is called."""


@dataclass(frozen=True)
class Door:
    """What is known of the door of a run.

    `proven` says that a look got through before: one that never did tells nothing when it fails. `misses` are the looks
    that failed since one got through, up to MANY_MISSES, `passes` those in a row that got through a door that was
    shut. Since the first miss `came` have come in, and `asked` were called and have not; `doubted_in` more claims
    before the next look tell that it is the looks that fail, as they have `belied` times since one got through.
    `unproven` are called positions that were given up as absent since a look got through last.
    """

    shut: bool = False
    proven: bool = False
    passes: int = 0
    misses: int = 0
    came: int = 0
    asked: int = 0
    doubted_in: int = 0
    belied: int = 0
    unproven: float = 0.0

    @property
    def stands(self) -> bool:
        """Whether time stands still for those who are called: the door is shut, or the last look failed."""
        return self.shut or self.misses > 0

    def look(self, seen: bool | None, claims: int, show_up: ShowUp) -> Door:
        """What is known after a look that got through or failed (None: no news) and so many claims since the last tick.

        `show_up` is what was known of the called before those claims.
        """
        if not self.stands:
            return self._looked(seen, show_up.expected)
        came, asked = min(MANY_MISSES, self.came + claims), max(0, self.asked - round(claims / show_up.share))
        known = replace(self, came=came, asked=asked, doubted_in=self.doubted_in - claims)
        if not seen and known._is_belied():
            belied = self.belied + 1
            return Door(proven=True, belied=belied) if belied < BELIED and not self.shut else Door()
        return known._looked(seen, show_up.expected)

    def _is_belied(self) -> bool:
        """Whether so many come in that it is the looks that fail."""
        return self.doubted_in <= 0 or self.misses == self.came == MANY_MISSES

    def _looked(self, seen: bool | None, expected: float) -> Door:
        if seen is None or (not seen and not self.proven):
            return self
        if not seen:
            # Counted anew after every many: it is how fast people come in that tells.
            before = replace(self, misses=ENOUGH_LOOKS, came=0) if self.misses == MANY_MISSES else self
            known = replace(before, misses=before.misses + 1, passes=0, doubted_in=_half(expected))
            return replace(known, shut=self.shut or known.misses >= ENOUGH_LOOKS)
        if self.shut and self.passes + 1 < ENOUGH_LOOKS:
            return replace(self, misses=0, passes=self.passes + 1, came=0, doubted_in=_half(expected))
        return Door(proven=True)

    def give_up(self, absent: float) -> Door:
        """Remember positions given up as absent, until a look shows that they could have come."""
        return replace(self, unproven=round(max(0.0, self.unproven + absent), 1)) if self.proven else self

    def taken_back(self) -> Door:
        """What is known once those given up are on the way again."""
        return replace(self, unproven=0.0)

    def may_ask(self, share: float) -> int:
        """How many may still be called before it is beyond CHANCE that of all who were called since none comes.

        Of n called with the show-up share s nobody comes with the probability (1 - s)^n.
        """
        enough = 1 if share >= 1 else math.ceil(math.log(CHANCE) / math.log(1 - share))
        return max(0, enough - self.asked)

    def ask(self, calls: int) -> Door:
        """Remember how many were called at a door that may be shut."""
        return replace(self, asked=self.asked + calls) if self.stands else self


def _half(expected: float) -> int:
    return max(ENOUGH_CLAIMS, round(expected / 2))
