"""The page behind a link that people send: nothing happens before its button is pressed."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from waiting_room.domain.locations import PREFIX, bypass_url, invitation_url, move_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.markup import Markup, fill, hidden
from waiting_room.http.page.pages import page
from waiting_room.http.page.wording import words


class LinkPage(NamedTuple):
    """A kind of link: the state that says what its button does, and where the form goes."""

    state: str
    address: Callable[[str], str]


MOVING = LinkPage("moving", move_url)
INVITING = LinkPage("inviting", invitation_url)
BYPASSING = LinkPage("bypassing", bypass_url)


def link_page(zone: Zone, kind: LinkPage, language: str, token: str = "") -> str:
    """A form with the token of the link, which a script takes from the address unless it is given here.

    Without scripts nobody can read the fragment of an address, so the link is to be pasted into the form.
    """
    said = words(language)
    form = fill(
        "link.html",
        {
            "address": kind.address(zone.zone_id),
            "token": token,
            "paste_hidden": hidden(not token),
            "link": said.say("labels", "link"),
            "paste": said.say("notices", "paste"),
            "press": said.state(kind.state)["action"],
        },
    )
    head = Markup(f'<script type="module" src="{PREFIX}/assets/link/link.js"></script>')
    notice = said.state("busy")["lead"] if token else ""
    return page(said, zone, kind.state, head=head, action="", foot=form, notice=notice)
