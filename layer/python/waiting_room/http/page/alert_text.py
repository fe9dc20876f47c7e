"""What an alert says, in the language it was asked for in."""

from __future__ import annotations

from waiting_room.domain.alerts import Alert, lead_sec
from waiting_room.domain.line.places import Place
from waiting_room.domain.locations import page_path
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.wording import words

LONGEST_TITLE = 60


def alert_text(zone: Zone, alert: Alert, place: Place) -> str:
    """A short sentence: for which event, how long it takes, where to be then. A call reads it out, so without address.

    The address is the zone's own, as the operator wrote it: one taken from the request could lead anywhere.
    """
    said = words(alert.language)
    event = zone.title_in(alert.language)[:LONGEST_TITLE] or zone.zone_id
    if place.status == "called":
        wait = said.say("labels", "now")
    elif place.estimate is None:
        wait = said.say("estimates", "up_to_minutes", high=said.number(-(-lead_sec(zone.alerts) // 60)))
    else:
        wait = said.expected_wait(place.estimate)
    text = said.say("alerts", alert.channel, event=event, wait=wait)
    host = next((host for rule in zone.rules for host in rule.get("hosts", ()) if "*" not in host), "")
    if alert.channel == "voice" or not host:
        return text
    return f"{text} https://{host}{page_path(zone.zone_id)}"
