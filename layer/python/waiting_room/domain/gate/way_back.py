"""Where a visitor goes after waiting: to the guarded page that was asked for, and to no other path of the site.

The last step is taken by a page of the site itself, so that the browser sends every cookie with it, `SameSite=Strict`
ones too. A link that names any path as `to` would otherwise make visitors do there whatever a GET does.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from waiting_room.domain.gate.paths import readings
from waiting_room.domain.gate.redirects import safe_path
from waiting_room.domain.gate.rules import Rule, Rules
from waiting_room.domain.zone.zones import Zone

__all__ = ["way_back"]

_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")


def way_back(zone: Zone, to: str | None) -> str:
    """`to` for a Location header, if the zone's own rules guard every reading of its path; else the landing path.

    Of a rule only its paths count: which host or method is meant is not known. Raises InvalidInput (pointer `/to`) for
    a path that `safe_path` does not take.
    """
    if not to:
        return safe_path(zone.landing_path)
    path = safe_path(to)
    rules = Rules(Rule.parse(zone.zone_id, rule) for rule in zone.rules)
    # What is encoded is also there decoded, which is what leads anywhere.
    ways = [way for way in readings(urlsplit(path).path) if not _ESCAPE.search(way)]
    return path if all(rules.guards(None, [way], None) for way in ways) else safe_path(zone.landing_path)
