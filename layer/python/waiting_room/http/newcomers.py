"""What is asked of those who have no place yet: who they are, whether a machine sends them, and work; of machines at
the claim too.

One who has had a place is asked nothing again: whatever it costs to get one was paid.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from waiting_room.domain.errors import ProofNeeded, ScriptsNeeded
from waiting_room.domain.line.places import Place
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.firewall import machine_class
from waiting_room.http.frame.request import Request
from waiting_room.ports import Clock
from waiting_room.use_cases.identify import Identify
from waiting_room.use_cases.limit_joins import LimitJoins
from waiting_room.use_cases.prove import Prove
from waiting_room.use_cases.screen import Screened, screen, screen_claim

Notes = dict[str, str]


@dataclass(frozen=True)
class Newcomers:
    """The checks before a place is taken, each optional in a zone. `labelled`: whether the firewall tells classes."""

    credentials: Credentials
    clock: Clock
    identify: Identify
    limit_joins: LimitJoins
    prove: Prove
    labelled: bool

    def arrive(self, request: Request, zone: Zone) -> tuple[Visitor, Notes]:
        """An id for somebody who brings no token; raises SignInNeeded without the join claim a zone requires."""
        visitor_id, seen = self.identify(zone, self.credentials.join_claim(request))
        account = zone.requires_identity and seen == "valid"
        return Visitor(visitor_id, account=account), {"join_claim": seen}

    def joining(self, request: Request, zone: Zone, body: Mapping[str, Any]) -> tuple[Visitor, Screened, Notes]:
        """Who joins by a request of the API; raises ProofNeeded, and MachineRefused for a class that stays out."""
        visitor, notes = self.credentials.find_visitor(request, zone), Notes()
        # An id that belongs to somebody must be the one the work was done for; a fresh one is the challenge's.
        known = visitor is not None or zone.requires_identity
        if visitor is None:
            visitor, notes = self.arrive(request, zone)
        if visitor.seq is not None:
            return visitor, Screened(), notes
        screened = screen(zone, self._class(request))
        notes["machine"] = screened.note
        if screened.exempt:
            return visitor, screened, notes
        asked = bool(body.get("prove"))
        with _noting(screened):
            proven = self.prove(
                zone, visitor.visitor_id, body.get("proof"), known=known, suspect=screened.suspect, asked=asked
            )
        notes["proof"] = proven.seen
        return replace(visitor, visitor_id=proven.visitor_id), screened, notes

    def held(self, request: Request, zone: Zone, visitor: Visitor) -> tuple[ProofRules | None, Screened, Notes]:
        """The proof somebody would have to give who comes without scripts or by `enter`; raises MachineRefused."""
        if visitor.seq is not None:
            return None, Screened(), {}
        screened = screen(zone, self._class(request))
        rules = None if screened.exempt else self.prove.rules(zone, suspect=screened.suspect)
        return rules, screened, {"proof": "deferred" if rules else "", "machine": screened.note}

    def claiming(self, request: Request, zone: Zone, visitor: Visitor, lane: str, proof: Any = None) -> Notes:
        """Look at who claims a place of this lane: a place that a person took may be a machine's by now.

        Raises MachineRefused, and ProofNeeded for a class that is challenged and brings no proof.
        """
        screened = screen_claim(zone, self._class(request), lane)
        if screened.suspect:
            with _noting(screened):
                self.prove(zone, visitor.visitor_id, proof, known=True, suspect=True)
        return {"machine": screened.note}

    def waits_sec(self, visitor: Visitor, rules: ProofRules) -> int:
        """Seconds until a browser without scripts may join; 0 for now. Raises ScriptsNeeded where there is no such way.

        Counted from the visitor's first token, which nobody can make older.
        """
        if rules.without_scripts == "refuse":
            raise ScriptsNeeded
        return max(0, visitor.issued_at_sec + rules.wait_sec - self.clock.now_ms() // 1000)

    def counted(self, request: Request, zone: Zone, visitor: Visitor, screened: Screened) -> str:
        """Count a place for the network; `over` for one too many in a zone that observes, raises Forbidden else."""
        if visitor.seq is not None or screened.exempt:
            return ""
        return self.limit_joins(zone, request.client_ip)

    def joined(self, zone: Zone, place: Place) -> None:
        """Learn from a new place how fast others join."""
        if place.new and zone.proof_of_work is not None:
            self.prove.pace.note(place, zone.shards)

    def _class(self, request: Request) -> str:
        return machine_class(request) if self.labelled else ""


@contextmanager
def _noting(screened: Screened) -> Iterator[None]:
    """Around a proof: one that is asked for is counted by the class it is asked of."""
    try:
        yield
    except ProofNeeded as error:
        error.noted = {"machine": screened.note} if screened.note else {}
        raise
