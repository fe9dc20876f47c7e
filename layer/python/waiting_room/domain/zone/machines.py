"""What a zone does with visitors whom the firewall takes for machines, by the class it tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

MachineClass = Literal["verified", "crawler", "automated", "data_center"]
Treatment = Literal["as_people", "lane", "challenge", "refuse", "exempt"]

CLASSES: tuple[str, ...] = get_args(MachineClass)
AUTOMATED = "automated"


@dataclass(frozen=True)
class MachineRules:
    """The treatment of each class; `lane` is where those stand who have a line of their own.

    Verified agents act for the person who sent them and a data centre is also where companies and VPNs come from: both
    are people until the operator says otherwise. A crawler buys nothing, so a place it takes is one nobody uses.
    """

    verified: Treatment = "as_people"
    crawler: Treatment = "refuse"
    automated: Treatment = "challenge"
    data_center: Treatment = "as_people"
    lane: str = ""

    def treatment(self, kind: str) -> Treatment:
        """What becomes of a class; of one that is not known, what becomes of automated browsers."""
        told: Treatment = getattr(self, kind if kind in CLASSES else AUTOMATED)
        return told

    @property
    def with_a_lane(self) -> tuple[str, ...]:
        """The classes that stand in the lane."""
        return tuple(kind for kind in CLASSES if self.treatment(kind) == "lane")


def from_bots(bots: Mapping[str, Any]) -> dict[str, str]:
    """What the setting `bots` of earlier releases, one word for all that was labelled then, comes to as `machines`."""
    treatment = "as_people" if bots["mode"] == "observe" else str(bots["mode"])
    return {"verified": "as_people", "crawler": "as_people", "automated": treatment, "data_center": treatment}
