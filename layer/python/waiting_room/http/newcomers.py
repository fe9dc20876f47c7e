"""What is asked of those who have no place yet: who they are, whether a machine sends them, and work.

One who has had a place is asked nothing again: whatever it costs to get one was paid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from waiting_room.domain.errors import ScriptsNeeded
from waiting_room.domain.line.places import Place
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.firewall import bot_label
from waiting_room.http.frame.request import Request
from waiting_room.ports import Clock
from waiting_room.use_cases.identify import Identify
from waiting_room.use_cases.limit_joins import LimitJoins
from waiting_room.use_cases.prove import Prove
from waiting_room.use_cases.screen import screen

Notes = dict[str, str]


@dataclass(frozen=True)
class Newcomers:
    """The checks before a place is taken, each optional in a zone."""

    credentials: Credentials
    clock: Clock
    identify: Identify
    limit_joins: LimitJoins
    prove: Prove

    def arrive(self, request: Request, zone: Zone) -> tuple[Visitor, Notes]:
        """An id for somebody who brings no token; raises SignInNeeded without the join claim a zone requires."""
        visitor_id, seen = self.identify(zone, self.credentials.join_claim(request))
        account = zone.requires_identity and seen == "valid"
        return Visitor(visitor_id, account=account), {"join_claim": seen}

    def joining(self, request: Request, zone: Zone, body: Mapping[str, Any]) -> tuple[Visitor, Notes]:
        """Who joins by a request of the API; raises ProofNeeded, and Forbidden for what is taken for a machine."""
        visitor, notes = self.credentials.find_visitor(request, zone), Notes()
        # An id that belongs to somebody must be the one the work was done for; a fresh one is the challenge's.
        known = visitor is not None or zone.requires_identity
        if visitor is None:
            visitor, notes = self.arrive(request, zone)
        if visitor.seq is not None:
            return visitor, notes
        suspect = screen(zone, label := bot_label(request))
        asked = bool(body.get("prove"))
        proven = self.prove(zone, visitor.visitor_id, body.get("proof"), known=known, suspect=suspect, asked=asked)
        notes |= {"proof": proven.seen, "bot": label if zone.bots else ""}
        return replace(visitor, visitor_id=proven.visitor_id), notes

    def held(self, request: Request, zone: Zone, visitor: Visitor) -> tuple[ProofRules | None, Notes]:
        """The proof somebody would have to give who comes without scripts or by `enter`; raises Forbidden."""
        if visitor.seq is not None:
            return None, {}
        suspect = screen(zone, label := bot_label(request))
        rules = self.prove.rules(zone, suspect=suspect)
        return rules, {"proof": "deferred" if rules else "", "bot": label if zone.bots else ""}

    def waits_sec(self, visitor: Visitor, rules: ProofRules) -> int:
        """Seconds until a browser without scripts may join; 0 for now. Raises ScriptsNeeded where there is no such way.

        Counted from the visitor's first token, which nobody can make older.
        """
        if rules.without_scripts == "refuse":
            raise ScriptsNeeded
        return max(0, visitor.issued_at_sec + rules.wait_sec - self.clock.now_ms() // 1000)

    def counted(self, request: Request, zone: Zone, visitor: Visitor) -> str:
        """Count a place for the network; `over` for one too many in a zone that observes, raises Forbidden else."""
        return self.limit_joins(zone, request.client_ip) if visitor.seq is None else ""

    def joined(self, zone: Zone, place: Place) -> None:
        """Learn from a new place how fast others join."""
        if place.new and zone.proof_of_work is not None:
            self.prove.pace.note(place, zone.shards)
