"""What is asked of those who are about to get a position: who they are, whether a machine sends them, and work.

It is asked of each new position, by the zone as it is now: also of one who had a place, and whatever was asked then.
One whose place stands is asked nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from waiting_room.domain.errors import Overloaded, ScriptsNeeded, TooManyPlaces, Unsure
from waiting_room.domain.line.places import Origin, Place
from waiting_room.domain.locations import page_url
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.credentials import Credentials, Visitor
from waiting_room.http.frame.firewall import bot_label
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, redirect
from waiting_room.ports import Clock, Ids
from waiting_room.use_cases.identify import Identified, Identify
from waiting_room.use_cases.join import FoundPlace, Join
from waiting_room.use_cases.limit_joins import LimitJoins
from waiting_room.use_cases.note_limits import NoteLimits
from waiting_room.use_cases.prove import Prove
from waiting_room.use_cases.screen import screen

Notes = dict[str, str]


@dataclass(frozen=True)
class Joining:
    """Who joins, what there is of a place, and what came of the checks; `rules` is a proof not asked for yet."""

    visitor: Visitor
    found: FoundPlace
    notes: Notes = field(default_factory=dict)
    account: str = ""
    rules: ProofRules | None = None

    def noting(self, **notes: str) -> Joining:
        """The same with more to be noted."""
        return replace(self, notes={**self.notes, **notes})


@dataclass(frozen=True)
class Newcomers:
    """The checks before a position is taken, each optional in a zone."""

    credentials: Credentials
    clock: Clock
    ids: Ids
    join: Join
    identify: Identify
    limit_joins: LimitJoins
    prove: Prove
    limits: NoteLimits

    def arrive(self, request: Request, zone: Zone) -> tuple[Visitor, Notes]:
        """An id for somebody who brings no token; raises SignInNeeded without the join claim a zone requires."""
        visitor, known = self._identified(request, zone, None)
        return visitor, {"join_claim": known.seen}

    def joining(self, request: Request, zone: Zone, body: Mapping[str, Any]) -> Joining:
        """Who joins by a request of the API; raises ProofNeeded, and what `find` of Join raises and `screen`."""
        brought = self.credentials.find_visitor(request, zone)
        found = None if brought is None else self.join.find(zone, brought.visitor_id, brought.known)
        if brought is not None and found is not None and not found.is_new:
            return Joining(brought, found)
        visitor, known = self._identified(request, zone, brought)
        # Nobody knows a fresh id: whose proof is shown has the id that the work was done for.
        fresh = brought is None and not zone.requires_identity
        if not fresh and (brought is None or visitor.visitor_id != brought.visitor_id):
            found = self.join.find(zone, visitor.visitor_id)
        if found is not None and not found.is_new:
            return Joining(visitor, found)
        suspect = screen(zone, label := bot_label(request))
        asks = {"suspect": suspect, "asked": bool(body.get("prove"))}
        times = 1 if found is None else found.times
        proven = self.prove(zone, visitor.visitor_id, body.get("proof"), known=not fresh, times=times, **asks)
        if found is None:
            found = self.join.find(zone, proven.visitor_id)
            if found.is_new and found.times > 1:
                proven = self.prove(zone, proven.visitor_id, body.get("proof"), known=True, times=found.times, **asks)
        visitor = replace(visitor, visitor_id=proven.visitor_id)
        notes = {"join_claim": known.seen, "proof": proven.seen, "bot": label if zone.bots else ""}
        return Joining(visitor, found, notes, known.account)

    def entering(self, request: Request, zone: Zone, brought: Visitor) -> Joining:
        """The same of somebody with a token who comes by `enter` or without scripts, where no proof can be given."""
        found = self.join.find(zone, brought.visitor_id, brought.known)
        if not found.is_new:
            return Joining(brought, found)
        visitor, known = self._identified(request, zone, brought)
        if visitor.visitor_id != brought.visitor_id:
            found = self.join.find(zone, visitor.visitor_id)
            if not found.is_new:
                return Joining(visitor, found)
        suspect = screen(zone, label := bot_label(request))
        rules = self.prove.rules(zone, suspect=suspect)
        notes = {"join_claim": known.seen, "proof": "deferred" if rules else "", "bot": label if zone.bots else ""}
        return Joining(visitor, found, notes, known.account, rules)

    def to_page(self, request: Request, zone: Zone, visitor: Visitor, invited: str, to: str) -> Response:
        """To the waiting page, which proves work before it joins; an invitation just accepted is not forgotten."""
        cookies = []
        if invited and invited != visitor.lane:
            token = self.credentials.visitor_token(zone, replace(visitor, lane=invited))
            cookies = self.credentials.visitor_cookies(request, zone, token)
        return redirect(page_url(zone.zone_id, to), cookies)

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

    def seated(self, request: Request, zone: Zone, joining: Joining, invited: str = "") -> tuple[Place, Notes]:
        """The place, new or known, and what there is to note.

        A new one is counted for its network before it is stored, so that the limit holds; where surely nothing was
        stored the count is taken back. Raises TooManyPlaces, Unsure, Overloaded.
        """
        visitor, found = joining.visitor, joining.found
        if invited and not found.is_new:
            found = self.join.find(zone, visitor.visitor_id, visitor.known, invited)
        lane = invited or visitor.invited
        if found.place is not None:
            return found.place, joining.notes
        if not found.is_new or found.has_lot:
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
        self.limits.observed(zone, _only_observed(zone, notes))
        return place, notes

    def _identified(self, request: Request, zone: Zone, brought: Visitor | None) -> tuple[Visitor, Identified]:
        """Who it is now: by the claim where the zone requires one, else as the token says."""
        known = self.identify(zone, self.credentials.join_claim(request))
        if not zone.requires_identity:
            return brought or Visitor(known.visitor_id), known
        device = (brought.device if brought else "") or self.ids.visitor_id()
        if brought is not None and brought.visitor_id == known.visitor_id:
            return replace(brought, device=device), known
        # A token that names somebody else is of another account, or of a time when nobody was asked.
        return Visitor(known.visitor_id, device=device), known


def _only_observed(zone: Zone, notes: Notes) -> Iterator[str]:
    """What a place would not have been given for, if the zone did more than look."""
    if notes.get("join_claim") in ("missing", "bad", "unread"):
        yield "identity"
    if notes.get("proof") in ("missing", "bad"):
        yield "proof"
    if notes.get("bot") and zone.bots is not None and zone.bots["mode"] == "observe":
        yield "machine"
    if notes.get("network_limit") == "over":
        yield "network"
