"""Screen: what becomes of a visitor whom the firewall takes for a machine, at joining and at claiming."""

from __future__ import annotations

from dataclasses import dataclass

from waiting_room.domain.errors import MachineRefused
from waiting_room.domain.zone.machines import MachineRules, Treatment
from waiting_room.domain.zone.zones import Zone

_EVERYBODY = MachineRules(crawler="as_people", automated="as_people")
"""Where the zone says nothing nobody is kept out: the labels are counted."""


@dataclass(frozen=True)
class Screened:
    """What is asked of a visitor of a class (empty: a person). `lane` is where a new place must be, if anywhere."""

    kind: str = ""
    treatment: Treatment = "as_people"
    lane: str = ""

    @property
    def suspect(self) -> bool:
        """Whether work has to be proved, whatever the others have to."""
        return self.treatment == "challenge"

    @property
    def exempt(self) -> bool:
        """Whether neither work nor the network's limit is asked of it."""
        return self.treatment == "exempt"

    @property
    def note(self) -> str:
        """The class and what became of it, as logs and counts name it; empty for a person."""
        return f"{self.kind}:{self.treatment}" if self.kind else ""


def screen(zone: Zone, kind: str) -> Screened:
    """What is asked of a newcomer of this class of the firewall (empty: none); raises MachineRefused."""
    if not kind:
        return Screened()
    rules = zone.machines or _EVERYBODY
    screened = Screened(kind, rules.treatment(kind))
    if screened.treatment == "refuse":
        raise MachineRefused(kind)
    return Screened(kind, "lane", rules.lane) if screened.treatment == "lane" else screened


def screen_claim(zone: Zone, kind: str, lane: str) -> Screened:
    """The same for one who was called in this lane; raises MachineRefused also where its class has another lane.

    The place is not lost: whoever took it claims it with the browser it was taken with.
    """
    screened = screen(zone, kind)
    if screened.lane and lane != screened.lane:
        advice = "This place was taken by a person: claim it with an ordinary browser."
        raise MachineRefused(kind, advice)
    return screened
