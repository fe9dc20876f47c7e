"""The forms that verify a phone, on the page with scripts and on the one without."""

from __future__ import annotations

import html
from dataclasses import dataclass

from waiting_room.domain.locations import codes_url, move_url, phone_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.markup import Markup, fill, hidden
from waiting_room.http.page.wording import Words

CHANNELS = ("sms", "voice", "whatsapp")


@dataclass(frozen=True)
class PhoneStep:
    """How far a visitor without scripts is: the number a passcode was sent to, and the notice to show."""

    number: str = ""
    said: str = ""


def phone_form(said: Words, zone: Zone, step: PhoneStep | None = None) -> Markup:
    """The forms; without a `step` they are there for scripts to show."""
    wanted = (zone.phone or {}).get("channels", ["sms"])
    names = ("phone", "phone_code", "phone_send", "phone_check", "alert_number", "alert_sms", "alert_voice")
    values: dict[str, str] = {name: said.say("labels", name) for name in names}
    for channel in CHANNELS:
        values[f"{channel}_hidden"] = hidden(channel in wanted)
        values[f"{channel}_checked"] = Markup(" checked" if channel == wanted[0] else "")
    number = step.number if step else ""
    return fill(
        "phone.html",
        {
            **values,
            "phone_lead": said.say("notices", "phone_lead"),
            "phone_hidden": hidden(step is not None),
            "said": said.say("notices", step.said) if step and step.said else "",
            "code_hidden": hidden(bool(number)),
            "number": number,
            "send_action": codes_url(zone.zone_id),
            "check_action": phone_url(zone.zone_id),
            "move_action": move_url(zone.zone_id),
            "move": said.state("moving")["action"],
            "channels_hidden": hidden(len(wanted) > 1),
        },
    )


def phone_link(said: Words, me: str) -> Markup:
    """The way to the forms from a page that refreshes itself, which would empty them every few seconds."""
    joint = "&amp;" if "?" in me else "?"
    address = f"{html.escape(me)}{joint}phone=1"
    return Markup(f'<p><a class="button" href="{address}">{html.escape(said.say("labels", "phone"))}</a></p>')
