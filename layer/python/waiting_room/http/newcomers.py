"""What is asked of those who are about to get a position: who they are, whether a machine sends them, and work; of
machines at the claim too.

It is asked of each new position, by the zone as it is now: also of one who had a place, and whatever was asked then.
One whose place stands is asked nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from waiting_room.domain.errors import Overloaded, ProofNeeded, ScriptsNeeded, TooManyPlaces, Unsure
from waiting_room.domain.line.places import Origin, Place
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.firewall import machine_class
from waiting_room.http.frame.request import Request
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.identify import Identified, Identify
from waiting_room.use_cases.join import FoundPlace, Join
from waiting_room.use_cases.limit_joins import LimitJoins
from waiting_room.use_cases.note_limits import NoteLimits
from waiting_room.use_cases.prove import Prove
from waiting_room.use_cases.screen import Screened, screen, screen_claim

Notes = dict[str, str]


@dataclass(frozen=True)
class Joining:
    """Who joins, what there is of a place, and what came of the checks; `rules` is a proof not asked for yet."""

    visitor: Visitor
    found: FoundPlace
    screened: Screened = field(default_factory=Screened)
    notes: Notes = field(default_factory=dict)
    account: str = ""
    rules: ProofRules | None = None

    def noting(self, **notes: str) -> Joining:
        """The same with more to be noted."""
        return replace(self, notes={**self.notes, **notes})


@dataclass(frozen=True)
class Newcomers:
    """The checks before a position is taken, each optional in a zone.

    `labelled` says whether the firewall tells classes of machines.
    """

    credentials: Credentials
    clock: Clock
    ids: Ids
    join: Join
    identify: Identify
    limit_joins: LimitJoins
    prove: Prove
    limits: NoteLimits
    labelled: bool

    def arrive(self, request: Request, zone: Zone) -> tuple[Visitor, Notes]:
        """An id for somebody who brings no token; raises SignInNeeded without the join claim a zone requires."""
        visitor, known = self._identified(request, zone, None)
        return visitor, {"join_claim": known.seen}

    def joining(self, request: Request, zone: Zone, body: Mapping[str, Any]) -> Joining:
        """Who joins by a request of the API; raises ProofNeeded, and what `find` of Join raises and `screen`."""
        brought = self.credentials.find_visitor(request, zone)
        found = None if brought is None else self._found(zone, brought)
        if brought is not None and found is not None and not found.is_new:
            return Joining(brought, found)
        visitor, known = self._identified(request, zone, brought)
        # Nobody knows a fresh id: whose proof is shown has the id that the work was done for.
        fresh = brought is None and not zone.requires_identity
        if not fresh and (brought is None or visitor.visitor_id != brought.visitor_id):
            found = self._found(zone, visitor)
        if found is not None and not found.is_new:
            return Joining(visitor, found)
        screened = screen(zone, self._class(request))
        notes = {"join_claim": known.seen, "machine": screened.note}
        if screened.exempt:
            return Joining(visitor, found or self._found(zone, visitor), screened, notes, known.account)
        asks = {"suspect": screened.suspect, "asked": bool(body.get("prove"))}
        times = 1 if found is None else found.times
        with _noting(screened):
            proven = self.prove(zone, visitor.visitor_id, body.get("proof"), known=not fresh, times=times, **asks)
            if found is None:
                found = self.join.find(zone, proven.visitor_id)
                if found.is_new and found.times > 1:
                    proof, times = body.get("proof"), found.times
                    proven = self.prove(zone, proven.visitor_id, proof, known=True, times=times, **asks)
        visitor = replace(visitor, visitor_id=proven.visitor_id)
        return Joining(visitor, found, screened, notes | {"proof": proven.seen}, known.account)

    def entering(self, request: Request, zone: Zone, brought: Visitor) -> Joining:
        """The same of somebody with a token who comes by `enter` or without scripts, where no proof can be given."""
        found = self._found(zone, brought)
        if not found.is_new:
            return Joining(brought, found)
        visitor, known = self._identified(request, zone, brought)
        if visitor.visitor_id != brought.visitor_id:
            found = self._found(zone, visitor)
            if not found.is_new:
                return Joining(visitor, found)
        screened = screen(zone, self._class(request))
        rules = None if screened.exempt else self.prove.rules(zone, suspect=screened.suspect)
        notes = {"join_claim": known.seen, "proof": "deferred" if rules else "", "machine": screened.note}
        return Joining(visitor, found, screened, notes, known.account, rules)

    def invited(self, zone: Zone, joining: Joining, visitor: Visitor) -> Joining:
        """The same after an invitation, which may have made this device another visitor's, in a lane of its own."""
        return replace(joining, visitor=visitor, found=self._found(zone, visitor))

    def claiming(self, request: Request, zone: Zone, visitor: Visitor, lane: str, proof: Any = None) -> Notes:
        """Look at who claims a place of this lane: a place that a person took may be a machine's by now.

        Raises MachineRefused, and ProofNeeded for a class that is challenged and brings no proof.
        """
        with self.limits.around(zone):
            screened = screen_claim(zone, self._class(request), lane)
            if screened.suspect:
                with _noting(screened):
                    self.prove(zone, visitor.visitor_id, proof, known=True, suspect=True)
        return {"machine": screened.note}

    def claimed(self, zone: Zone, notes: Notes) -> None:
        """Count a machine that came in as people do: the place may have been a person's."""
        kind, _, treatment = notes["machine"].partition(":")
        if treatment == "as_people":
            self.limits.observed(zone, [f"machine_claim:{kind}"])

    def waits_sec(self, joining: Joining, rules: ProofRules) -> int:
        """Seconds until a browser without scripts may join; 0 for now. Raises ScriptsNeeded where there is no such way.

        Counted from the visitor's first token, which nobody can make older, or from the position before.
        """
        if rules.without_scripts == "refuse":
            raise ScriptsNeeded
        held = joining.found.held
        since_sec = joining.visitor.issued_at_sec if held is None else held.joined_at_ms // 1000
        return max(0, since_sec + rules.wait_sec - self.clock.now_ms() // 1000)

    def has_waited(self, joining: Joining, rules: ProofRules) -> bool:
        """Whether somebody who had a place has waited for another one as long as a browser without scripts would."""
        waits = rules.without_scripts == "wait" and joining.found.held is not None
        return waits and self.waits_sec(joining, rules) == 0

    def seated(self, request: Request, zone: Zone, joining: Joining) -> tuple[Place, Notes]:
        """The place, new or known, and what there is to note.

        A class of machines with a lane of its own stands there, whatever it was invited to; one that is exempt is not
        counted.

        A new one is counted for its network before it is stored, so that the limit holds; where surely nothing was
        stored the count is taken back. Raises TooManyPlaces, Unsure, Overloaded.
        """
        visitor, found = joining.visitor, joining.found
        lane = joining.screened.lane or visitor.invited
        if found.place is not None:
            return found.place, joining.notes
        if not found.is_new or found.has_lot or joining.screened.exempt:
            return self.join.take(zone, found, lane), joining.notes
        try:
            counted = self.limit_joins.count(zone, request.client_ip, visitor.visitor_id, found.times)
        except TooManyPlaces:
            # Another tab may have been faster: its place is this one's.
            again = self.join.find(zone, visitor.visitor_id)
            if again.place is None:
                raise
            return again.place, joining.notes
        try:
            place = self.join.take(zone, found, lane, Origin(joining.account, counted.tag, visitor.device))
        except Unsure:
            # It may yet arrive, and whoever asks again about it is not counted again.
            raise
        except Overloaded:
            self.limit_joins.give_back(zone, counted)
            raise
        if not place.new:
            # Another tab was faster: one place, counted once by whichever of them came first.
            return place, joining.notes
        if zone.proof_of_work is not None:
            self.prove.pace.note(place, zone.shards)
        notes = {**joining.notes, "network_limit": "over" if counted.over else ""}
        self.limits.observed(zone, _only_observed(notes, joining.screened))
        return place, notes

    def _found(self, zone: Zone, visitor: Visitor) -> FoundPlace:
        return self.join.find(zone, visitor.visitor_id, visitor.known, visitor.invited)

    def _class(self, request: Request) -> str:
        return machine_class(request) if self.labelled else ""

    def _identified(self, request: Request, zone: Zone, brought: Visitor | None) -> tuple[Visitor, Identified]:
        """Who it is now: by the claim where the zone requires one, else as the token says."""
        known = self.identify(zone, self.credentials.join_claim(request))
        if not zone.requires_identity:
            return brought or Visitor(known.visitor_id), known
        device = (brought.device if brought else "") or self.ids.visitor_id()
        if brought is not None and brought.visitor_id == known.visitor_id:
            return replace(brought, account=True, device=device), known
        # A token that names somebody else is of another account, or of a time when nobody was asked.
        return Visitor(known.visitor_id, account=True, device=device), known


def _only_observed(notes: Notes, screened: Screened) -> Iterator[str]:
    """What a place would not have been given for, if the zone did more than look."""
    if notes.get("join_claim") in ("missing", "bad", "unread"):
        yield "identity"
    if notes.get("proof") in ("missing", "bad"):
        yield "proof"
    if screened.kind and screened.treatment == "as_people":
        yield f"machine:{screened.kind}"
    if notes.get("network_limit") == "over":
        yield "network"


@contextmanager
def _noting(screened: Screened) -> Iterator[None]:
    """Around a proof: one that is asked for is counted by the class it is asked of."""
    try:
        yield
    except ProofNeeded as error:
        error.noted = {"machine": screened.note} if screened.note else {}
        raise
