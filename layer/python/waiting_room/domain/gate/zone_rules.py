"""What of a zone the gate could not follow: rules and exemptions without sense, a probe that it would stop."""

from __future__ import annotations

from waiting_room.domain.errors import Fault
from waiting_room.domain.gate.exempt import BadExemption, Exemption
from waiting_room.domain.gate.rules import BadRule, Rule, guards
from waiting_room.domain.zone.zones import Zone


def rule_faults(zone: Zone) -> list[Fault]:
    """Faults of a zone's rules, its exemptions and its probe; a further judge for `checked`."""
    found, rules = [], []
    for index, rule in enumerate(zone.rules):
        try:
            rules.append(Rule.parse(zone.zone_id, rule))
        except BadRule as error:
            found.append(Fault(f"/rules/{index}", str(error)))
    for index, exemption in enumerate(zone.exempt):
        try:
            Exemption.parse(exemption)
        except BadExemption as error:
            found.append(Fault(f"/exempt/{index}", str(error)))
    probe = (zone.health or {}).get("probe")
    if probe and guards(rules, {probe["host"]}, [probe["path"]], {"GET"}):
        advice = "The zone guards this path, so the probe would see the waiting room: exclude the path in the rules."
        found.append(Fault("/health/probe/path", advice))
    return found
