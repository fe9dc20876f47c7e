"""The pages visitors see: the static waiting page of a zone, and its sisters that need no scripts.

All of them share one skeleton, so that they look the same and show the same facts in the same places (element ids
`headline`, `figure`, `place`, `estimate`, `action` ...). Every value is escaped when it is filled in.
"""

from __future__ import annotations

import html
import zlib
from collections.abc import Mapping
from typing import Any

from waiting_room import schemas
from waiting_room.domain.errors import TooSoon, WaitingRoomError
from waiting_room.domain.line.places import MOVED, Place
from waiting_room.domain.locations import PREFIX, enter_url, place_url
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.page.alert_form import alert_form, alert_link
from waiting_room.http.page.languages import DEFAULT, languages, texts
from waiting_room.http.page.markup import Markup, cards, data, fill, hidden, language_switch, logo, own_address, rich
from waiting_room.http.page.phone_form import PhoneStep, phone_form, phone_link
from waiting_room.http.page.ticket import IN_LINE, opening_facts, ticket, ticket_facts
from waiting_room.http.page.wording import Words, words

DEFAULT_PICTURE = f"{PREFIX}/assets/picture.svg"
_POLICY = schemas.behaviours()["headers"]["file"]["content-security-policy"].rpartition("; frame-ancestors")[0]
"""Once more in the page, for whoever serves it without our headers. Who may frame it can only be said in a header."""

CALLED_REFRESH_SEC = 3
"""Long enough to be read, and slow enough for a server that answers "not yet" each time."""

_STANDSTILL_REFRESH_SEC = 15
_NEAR_REFRESH_SEC = 5
_FAR_REFRESH_SEC = (15, 60)
_SPREAD_SEC = 10

_MAY_BE_MISSING = ("action", "cards", "kept", "logo", "message", "notice")

_SCRIPTED_LABELS = ("move", "move_make", "move_link", "options", "sound", "vibration", "notification", "ask_first")
"""Of what only scripts can do."""

_STATE_OF_PROBLEM = {
    "lapsed": "lapsed",
    "run-over": "ended",
    "sold-out": "sold_out",
    "hard-end": "hard_end",
    "already-completed": "completed",
    "forbidden": "revoked",
    "machine": "machine",
    "scripts-needed": "scripts",
    "not-open": "unopened",
    "sign-in": "sign_in",
    "phone-needed": "phone",
    "moved": "moved",
    "link-used": "link_used",
    "link-expired": "link_expired",
    "link-void": "link_void",
    "invitation-used": "invitation_used",
    "not-sooner": "not_sooner",
    "unknown-zone": "unknown",
    "unknown-route": "unknown",
    "no-token": "cookies",
    "too-soon": "too_soon",
    "overloaded": "busy",
    "try-again": "busy",
    "not-ready": "busy",
    "no-prefetch": "busy",
}

_STATE_OF_PHASE = {"passing": "passing", "ended": "ended"}
_REJOINING = {"lapsed", "hard_end", "run_over", "left", "cookies", "machine", "scripts", "busy", "fault"}
_REJOINING |= {"link_expired", "link_void", "invitation_used", "not_sooner"}


def waiting_page(zone: Zone) -> str:
    """The static page of a zone: it finds its visitor's place by script, or sends on a browser without scripts."""
    facts = {
        "zone_id": zone.zone_id,
        "title": _title(zone),
        "page": dict(zone.page),
        "translations": {name: dict(text) for name, text in zone.translations.items()},
        "languages": list(languages()),
        "landing_path": zone.landing_path,
        "guards": [_guarded_paths(rule) for rule in zone.rules],
        "starts_at_ms": zone.starts_at_ms,
        "opens_at_ms": zone.line_opens_at_ms,
        "claim_sec": zone.claim.window_sec + zone.claim.grace_sec,
        "poll": vars(zone.poll),
        "alerts": zone.alerts is not None,
        "phone": zone.phone is not None,
        "login_url": own_address(zone.login_url),
        "message": zone.message,
        "picture_url": _picture(zone.picture_url),
        "default_picture": DEFAULT_PICTURE,
        "proves": zone.proof_of_work is not None,
    }
    me = place_url(zone.zone_id, None)
    head = (
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<script type="module" src="{PREFIX}/assets/waiting.js"></script>\n'
        f'<noscript><meta http-equiv="refresh" content="0; url={me}"></noscript>'
    )
    english = words()
    # Without scripts there is nobody to see whether the link was used: the page that refreshes itself has none.
    labels = {name: english.say("labels", name) for name in _SCRIPTED_LABELS}
    phone = "" if zone.phone is None else f"{phone_form(english, zone)}\n"
    foot = (
        f"{phone}{fill('options.html', labels)}\n{alert_form(english, zone, shown=False)}\n"
        f"{fill('move.html', labels)}\n"
        f'<p class="fallback"><a id="fallback" href="{me}">{english.say("labels", "without_scripts")}</a></p>\n'
        f'<p class="spoken" id="spoken" role="status"></p>\n'
        f'<script type="application/json" id="zone">{data(facts)}</script>\n'
        f'<script type="application/json" id="texts">{data(texts())}</script>'
    )
    stub = ticket(english, "loading", {})
    return page(english, zone, "loading", head=Markup(head), foot=Markup(foot), ticket=stub, place=me)


def place_page(
    zone: Zone,
    place: Place,
    to: str,
    now_ms: int | None = None,
    language: str = DEFAULT,
    *,
    asks: bool = False,
    phone: PhoneStep | None = None,
) -> str:
    """The page without scripts: what is true of `place` now, refreshed gently; a called visitor is sent in.

    `to` is the path the visitor wants, already checked. Without `now_ms` no countdown is shown. Whoever `asks` for an
    alert, is at a step of verifying a phone, or is called and has to, gets the form, and a page that stands still while
    it is filled in.
    """
    said = words(language)
    state = _state_of(zone, place, now_ms)
    enter, me = enter_url(zone.zone_id, to), place_url(zone.zone_id, to)
    goes_in = state in ("called", "entering", "passing")
    alerted = zone.alerts is not None and state in IN_LINE
    phoned = place.phone_needed and (state in IN_LINE or state == "phone")
    if phoned and state == "phone":
        phone = phone or PhoneStep()
    stands_still = (asks and alerted) or (phoned and phone is not None)
    seconds = None if stands_still else _refresh_sec(zone, place, state, now_ms)
    # Where the door is shut, whoever is called goes on trying, though less often.
    onward = to if state == "passing" else enter if goes_in or state == "shut_called" else me
    foot = ""
    if not goes_in and seconds is not None:
        foot = f'<p class="refreshes">{said.say_count("notices", "refreshes", seconds)}</p>'
    if phoned:
        foot += phone_link(said, me) if phone is None else phone_form(said, zone, phone)
    if alerted:
        foot += alert_form(said, zone, shown=True) if asks else alert_link(said, me)
    actions = {}
    if state in IN_LINE or state in ("locked_inside", "shut_called"):
        actions = {"action": said.say("labels", "reload"), "action_href": onward}
    if goes_in:
        actions = {"action": said.state("entering")["action"], "action_href": onward}
    return page(
        said,
        zone,
        state,
        to=to,
        head=Markup("" if seconds is None else _refresh(seconds, onward)),
        foot=Markup(foot),
        ticket=ticket(said, state, ticket_facts(said, zone, place, state, now_ms)),
        notice=said.say("notices", "rejoined") if place.rejoined not in ("", MOVED) and state in IN_LINE else "",
        kept=_kept(said, zone) if state in IN_LINE else "",
        place=me,
        lane=place.lane,
        **actions,
    )


def unopened_page(zone: Zone, to: str, now_ms: int, language: str = DEFAULT) -> str:
    """The page for a browser without scripts before the line opens: it joins by itself when that is past."""
    said, me = words(language), place_url(zone.zone_id, to)
    until_sec = max(1, -(-((zone.line_opens_at_ms or 0) - now_ms) // 1000))
    seconds = min(until_sec, _FAR_REFRESH_SEC[1])
    return page(
        said,
        zone,
        "unopened",
        to=to,
        head=Markup(_refresh(seconds, me)),
        foot=Markup(f'<p class="refreshes">{said.say_count("notices", "refreshes", seconds)}</p>'),
        ticket=ticket(said, "unopened", opening_facts(said, zone, now_ms)),
        place=me,
    )


def moment_page(zone: Zone, to: str, seconds: int, language: str = DEFAULT) -> str:
    """The page for a browser without scripts that may join in a moment, without proving work; it goes on by itself."""
    said, me = words(language), place_url(zone.zone_id, to)
    foot = f'<p class="refreshes">{said.say_count("notices", "refreshes", seconds)}</p>'
    return page(said, zone, "moment", to=to, head=Markup(_refresh(seconds, me)), foot=Markup(foot), place=me)


def cookies_needed_page(zone: Zone, to: str, language: str = DEFAULT) -> str:
    """The page for a browser that did not send back the cookie it was given; offers to try again."""
    return page(words(language), zone, "cookies", to=to)


def problem_page(error: WaitingRoomError, zone: Zone | None = None, to: str = "/", language: str = DEFAULT) -> str:
    """The page for an error a visitor meets outside the waiting page; one that will pass tries again by itself."""
    state = _STATE_OF_PROBLEM.get(error.problem, "fault")
    # Without an address the browser asks again for what it asked for, whatever that was.
    seconds = error.retry_after_sec if isinstance(error, TooSoon) else _STANDSTILL_REFRESH_SEC
    head = f'<meta http-equiv="refresh" content="{seconds}">' if state in ("busy", "too_soon") else ""
    notice = error.detail if state == "fault" else ""
    return page(words(language), zone, state, to=to, head=Markup(head), notice=notice)


def _state_of(zone: Zone, place: Place, now_ms: int | None) -> str:
    """The state to show, in the order of what matters most; `stateOf` in line.js decides the same in the browser."""
    if place.phase in _STATE_OF_PHASE:
        return _STATE_OF_PHASE[place.phase]
    if place.status in ("revoked", "completed", "left", "lapsed"):
        return place.status
    if place.phase == "locked":
        return "locked_inside" if place.status == "admitted" else "locked"
    if place.status == "admitted":
        return "entering"
    if place.phase in ("sold_out", "paused"):
        return place.phase
    if place.phase == "before":
        started = now_ms is not None and zone.started(now_ms)
        return "starting" if started else "before"
    if place.shut:
        return "shut_called" if place.status == "called" else "shut"
    if place.status == "called":
        return "phone" if place.phone_needed else "called"
    if place.ahead is None:
        return "placing"
    return "next" if place.ahead == 0 else "waiting"


def _refresh_sec(zone: Zone, place: Place, state: str, now_ms: int | None) -> int | None:
    """Seconds until the page asks again; None when there is nothing to wait for. Each visitor's own, so that those
    who arrived together do not return together."""
    if state in ("called", "entering", "passing"):
        return CALLED_REFRESH_SEC
    spread = zlib.crc32(place.visitor_id.encode()) % _SPREAD_SEC
    if state == "before" and now_ms is not None and zone.starts_at_ms is not None:
        until_start = max(1, (zone.starts_at_ms - now_ms) // 1000)
        return min(until_start, _FAR_REFRESH_SEC[1]) + spread
    if state == "waiting" and place.ahead is not None and place.ahead > zone.poll.near_ahead:
        return min(max(zone.poll.far_sec, _FAR_REFRESH_SEC[0]), _FAR_REFRESH_SEC[1]) + spread
    if state in ("waiting", "next", "starting", "placing"):
        return max(_NEAR_REFRESH_SEC, zone.poll.near_sec)
    return _STANDSTILL_REFRESH_SEC + spread if state in IN_LINE or state in ("locked_inside", "shut_called") else None


def page(
    said: Words, zone: Zone | None, state: str, *, to: str = "/", place: str = "", lane: str = "", **parts: str
) -> str:
    """The skeleton filled in for a state; `parts` replace what the state itself would say.

    `place` is the address that answers in another language; without one there is nothing to choose.
    """
    state_words = said.state(state)
    title = _title(zone, said.language) if zone else ""
    again = state in _REJOINING
    values = {
        "language": said.language,
        "direction": said.texts["direction"],
        "state": state,
        "document_title": said.say("titles", "state", headline=state_words["headline"], event=title)
        if title
        else state_words["headline"],
        "title": title,
        "headline": state_words["headline"],
        "lead": state_words["lead"],
        "picture": _picture(zone.picture_url if zone else ""),
        "action": state_words.get("action", ""),
        "action_href": (enter_url(zone.zone_id, to) if zone else "") if again else _onward(zone, state),
        "message": rich(zone.message_in(said.language, lane)) if zone else "",
        "message_label": said.say("labels", "message"),
        "cards_label": said.say("labels", "cards"),
        "cards": cards(zone.cards_in(said.language, lane) if zone else []),
        "logo": logo(zone.page_of(lane).get("logo_url", "")) if zone else "",
        "languages": language_switch(said, place),
        "notice": "",
        "kept": "",
        "ticket": Markup(),
        "head": Markup(),
        "foot": Markup(),
        **parts,
    }
    shown = {f"{name}_hidden": hidden(bool(values[name])) for name in _MAY_BE_MISSING}
    return fill("page.html", {**values, **shown})


def _onward(zone: Zone | None, state: str) -> str:
    """Where a page leads that leads out of the line: home, or to the site's login."""
    return own_address(zone.login_url) or "/" if zone and state == "sign_in" else "/"


def _kept(said: Words, zone: Zone) -> str:
    held = said.held_for(zone.claim.window_sec + zone.claim.grace_sec)
    return f"{said.say('notices', 'kept')} {said.say('notices', 'come_back', time=held)}"


def _refresh(seconds: int, url: str) -> str:
    return f'<meta http-equiv="refresh" content="{seconds}; url={html.escape(url)}">'


def _guarded_paths(rule: Mapping[str, Any]) -> dict[str, Any]:
    """What of a rule the page's script asks before it leads anywhere."""
    excludes, ignore_case = rule.get("excludes", []), rule.get("ignore_case", True)
    return {"paths": rule["paths"], "excludes": excludes, "ignore_case": ignore_case}


def _title(zone: Zone, language: str = DEFAULT) -> str:
    return zone.title_in(language) or zone.zone_id


def _picture(url: str) -> str:
    """The organiser's picture if it is a path of this site or an https address, else our own."""
    return own_address(url) or DEFAULT_PICTURE
