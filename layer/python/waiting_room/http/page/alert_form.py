"""The form that asks for an alert, on the page with scripts and on the one without."""

from __future__ import annotations

import html

from waiting_room.domain.locations import alerts_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.markup import Markup, fill, hidden
from waiting_room.http.page.wording import Words


def alert_form(said: Words, zone: Zone, *, shown: bool) -> Markup:
    """The form that asks for an alert; nothing can be chosen where there is but one channel."""
    channels = (zone.alerts or {}).get("channels", ["sms"])
    first = "sms" if "sms" in channels else "voice"
    names = ("alert", "alert_number", "alert_consent", "alert_sms", "alert_voice", "alert_ask", "alert_cancel")
    labels = {name: said.say("labels", name) for name in names}
    return fill(
        "alert.html",
        {
            **labels,
            "alert_hidden": hidden(shown),
            "alert_open": Markup(" open" if shown else ""),
            "alert_action": alerts_url(zone.zone_id),
            "channels_hidden": hidden(len(channels) > 1),
            "sms_checked": Markup(" checked" if first == "sms" else ""),
            "voice_checked": Markup(" checked" if first == "voice" else ""),
        },
    )


def alert_link(said: Words, me: str) -> Markup:
    """The way to the form from a page that refreshes itself, which would empty it every few seconds."""
    joint = "&amp;" if "?" in me else "?"
    address = f"{html.escape(me)}{joint}alert=1"
    return Markup(f'<p class="fallback"><a href="{address}">{html.escape(said.say("labels", "alert"))}</a></p>')
