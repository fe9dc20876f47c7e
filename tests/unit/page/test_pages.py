"""The pages of a zone: what each state says, and that no text of an organiser becomes markup."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from waiting_room.domain.errors import InvalidInput, Overloaded, RunOver, UnknownZone
from waiting_room.domain.line.places import Estimate, Place
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.response import html as html_response
from waiting_room.http.page.languages import texts
from waiting_room.http.page.pages import cookies_needed_page, place_page, problem_page, waiting_page

HOSTILE = "</script><img src=x onerror=alert(1)><!-- \"quoted\" 'single' & ${title} $title {state}\u2028"
TO = "/events/midnight-sun?seat=1&row=2"
NOW_MS = 1_800_000_000_000


class Elements(HTMLParser):
    """Elements by id with their attributes and text, and the names of all elements."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: dict[str, dict[str, str | None]] = {}
        self.text: dict[str, str] = {}
        self.metas: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.names.append(tag)
        if values.get("http-equiv"):
            self.metas[str(values["http-equiv"])] = str(values["content"])
        if tag in ("meta", "link", "img"):
            return
        self._open.append(values.get("id") or "")
        if values.get("id"):
            self.attributes[str(values["id"])] = values
            self.text[str(values["id"])] = ""

    def handle_endtag(self, tag: str) -> None:
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            if element:
                self.text[element] += data

    def shows(self, element: str) -> bool:
        return element in self.attributes and "hidden" not in self.attributes[element]


def a_zone(**changes: Any) -> Zone:
    document = {
        "zone_id": "midnight-sun",
        "title": "Midnight Sun",
        "mode": "queueing",
        "max_active": 5,
        "rules": [{"paths": ["/events/midnight-sun"]}],
        "landing_path": "/events/midnight-sun",
        "message": "Doors at eight.",
        "claim": {"window_sec": 60, "grace_sec": 60},
    }
    return Zone.from_document(document | changes)


def a_place(**changes: Any) -> Place:
    values: dict[str, Any] = {
        "zone_id": "midnight-sun",
        "run": 1,
        "visitor_id": "v" * 22,
        "status": "waiting",
        "phase": "open",
        "lane": "general",
        "shard": 0,
        "seq": 241,
        "gen": 0,
        "position": 240,
        "ahead": 118,
        "estimate": Estimate(300, 420),
        "joined_at_ms": NOW_MS - 60_000,
        "rejoined": "",
    }
    return Place(**(values | changes))


def refresh_of(page: str) -> tuple[int, str] | None:
    """Seconds and address of the page's refresh."""
    found = re.fullmatch(r"(\d+)(?:; url=(.*))?", Elements(page).metas.get("refresh", ""))
    return (int(found[1]), found[2] or "") if found else None


def test_the_waiting_page_carries_what_its_scripts_need() -> None:
    page = Elements(waiting_page(a_zone()))
    facts = json.loads(page.text["zone"])
    assert facts["zone_id"] == "midnight-sun"
    assert facts["claim_sec"] == 120
    assert facts["poll"] == {"near_sec": 2, "far_sec": 45, "near_ahead": 200}
    assert json.loads(page.text["texts"]) == texts()
    assert page.text["message-text"] == "Doors at eight."
    assert page.text["headline"] == texts()["states"]["loading"]["headline"]


def test_a_browser_without_scripts_is_sent_on_from_the_static_page() -> None:
    page = waiting_page(a_zone())
    target = "/.waiting-room/v1/zones/midnight-sun/visitors/me"
    assert f'<noscript><meta http-equiv="refresh" content="0; url={target}"></noscript>' in page
    assert Elements(page).attributes["fallback"]["href"] == target


def test_no_script_or_style_stands_in_a_page() -> None:
    for page in (waiting_page(a_zone()), place_page(a_zone(), a_place(), TO, NOW_MS)):
        assert "<style" not in page
        assert not re.search(r"\son\w+=|\sstyle=", page)
        for script in re.findall(r"<script[^>]*>", page):
            assert 'type="application/json"' in script or 'src="/.waiting-room/assets/' in script
    policy = Elements(waiting_page(a_zone())).metas["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("field", ["title", "message"])
def test_no_text_of_an_organiser_becomes_markup(field: str) -> None:
    hostile = a_zone(**{field: HOSTILE[:120]})
    for render in (
        waiting_page,
        lambda zone: place_page(zone, a_place(), TO, NOW_MS),
        lambda zone: cookies_needed_page(zone, TO),
        lambda zone: problem_page(Overloaded(), zone, TO),
    ):
        page, plain = render(hostile), render(a_zone())
        assert Elements(page).names == Elements(plain).names
        shown = Elements(page).text["event" if field == "title" else "message-text"]
        assert shown.strip() == HOSTILE[:120].strip()
    assert json.loads(Elements(waiting_page(hostile)).text["zone"])[field] == HOSTILE[:120]


def test_the_data_blocks_hold_nothing_that_ends_or_opens_anything() -> None:
    blocks = re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', waiting_page(a_zone(message=HOSTILE)))
    assert len(blocks) == 2
    assert not any(character in block for block in blocks for character in "<>&")


def test_an_error_about_hostile_input_is_shown_as_text() -> None:
    page = Elements(problem_page(InvalidInput(f"No good: {HOSTILE}", "/to"), a_zone(), "/"))
    assert page.text["notice"] == f"No good: {HOSTILE}"
    assert "img" in page.names
    assert page.names.count("img") == 2


def test_the_way_back_is_encoded_into_addresses() -> None:
    hostile_to = '/events/x?a="><script>&b=1#;url=//evil.example'
    page = place_page(a_zone(), a_place(), hostile_to, NOW_MS)
    assert Elements(page).names == Elements(place_page(a_zone(), a_place(), "/", NOW_MS)).names
    href = Elements(page).attributes["action"]["href"]
    assert href == (
        "/.waiting-room/v1/zones/midnight-sun/visitors/me"
        "?to=/events/x%3Fa%3D%22%3E%3Cscript%3E%26b%3D1%23%3Burl%3D//evil.example"
    )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/art/sun.svg", "/art/sun.svg"),
        ("https://cdn.example/sun.jpg", "https://cdn.example/sun.jpg"),
        ("", "/.waiting-room/assets/picture.svg"),
        ("//cdn.example/sun.jpg", "/.waiting-room/assets/picture.svg"),
        ("javascript:alert(1)", "/.waiting-room/assets/picture.svg"),
        ("data:image/svg+xml,x", "/.waiting-room/assets/picture.svg"),
    ],
)
def test_a_picture_comes_from_this_site_or_over_https(url: str, shown: str) -> None:
    assert f'src="{shown}"' in waiting_page(a_zone(picture_url=url))


def test_without_scripts_the_same_facts_are_shown() -> None:
    html = place_page(a_zone(), a_place(), TO, NOW_MS)
    page = Elements(html)
    assert page.text["figure"] == "118"
    assert page.text["place"] == "241"
    assert page.text["estimate"] == "5 to 7 minutes"
    assert "You can close this tab; your place is kept on this browser." in page.text["kept"]
    assert "2 minutes" in page.text["kept"]
    assert refresh_of(html) == (
        5,
        "/.waiting-room/v1/zones/midnight-sun/visitors/me?to=/events/midnight-sun%3Fseat%3D1%26row%3D2",
    )


@pytest.mark.parametrize(
    ("place", "state"),
    [
        ({}, "waiting"),
        ({"ahead": 0}, "next"),
        ({"position": None, "ahead": None}, "placing"),
        ({"phase": "paused"}, "paused"),
        ({"phase": "locked"}, "locked"),
        ({"phase": "locked", "status": "admitted", "ahead": None}, "locked_inside"),
        ({"status": "called", "ahead": None}, "called"),
        ({"status": "called", "ahead": None, "phase": "paused"}, "paused"),
        ({"shut": True}, "shut"),
        ({"shut": True, "position": None, "ahead": None}, "shut"),
        ({"shut": True, "status": "called", "ahead": None}, "shut_called"),
        ({"shut": True, "phase": "paused"}, "paused"),
        ({"shut": True, "status": "admitted", "ahead": None}, "entering"),
        ({"status": "admitted", "ahead": None}, "entering"),
        ({"status": "lapsed", "ahead": None}, "lapsed"),
        ({"status": "left", "ahead": None}, "left"),
        ({"status": "completed", "ahead": None}, "completed"),
        ({"status": "revoked", "ahead": None}, "revoked"),
        ({"phase": "sold_out"}, "sold_out"),
        ({"phase": "ended"}, "ended"),
        ({"phase": "ended", "status": "lapsed"}, "ended"),
        ({"phase": "passing"}, "passing"),
    ],
)
def test_each_state_has_its_words_and_its_way_out(place: dict[str, Any], state: str) -> None:
    page = Elements(place_page(a_zone(), a_place(**place), TO, NOW_MS))
    words = texts()["states"][state]
    assert page.text["headline"] == words["headline"]
    assert page.text["lead"] == words["lead"]
    assert page.shows("action")
    if state in ("lapsed", "left"):
        assert page.text["action"] == "Join again"
        assert str(page.attributes["action"]["href"]).startswith("/.waiting-room/v1/zones/midnight-sun/enter?to=")
    if state in ("sold_out", "ended", "completed", "revoked"):
        assert page.attributes["action"]["href"] == "/"


def test_a_standing_line_gives_no_estimate() -> None:
    page = Elements(place_page(a_zone(), a_place(phase="paused", estimate=None), TO, NOW_MS))
    assert page.text["estimate"] == texts()["estimates"]["withheld"]


def test_a_called_visitor_is_sent_in_after_a_moment() -> None:
    html = place_page(a_zone(), a_place(status="called", ahead=None), TO, NOW_MS)
    enter = "/.waiting-room/v1/zones/midnight-sun/enter?to=/events/midnight-sun%3Fseat%3D1%26row%3D2"
    assert refresh_of(html) == (3, enter)
    assert Elements(html).attributes["action"]["href"] == enter


def test_while_the_door_is_shut_nothing_is_promised_and_the_page_goes_on_trying() -> None:
    waits = place_page(a_zone(), a_place(shut=True), TO, NOW_MS)
    assert Elements(waits).text["estimate"] == texts()["estimates"]["withheld"]
    me, enter = (f"/.waiting-room/v1/zones/midnight-sun/{path}" for path in ("visitors/me?to=", "enter?to="))
    asked = refresh_of(waits)
    assert asked is not None
    assert asked[0] >= 15
    assert asked[1].startswith(me)
    called = place_page(a_zone(), a_place(shut=True, status="called", ahead=None), TO, NOW_MS)
    tried = refresh_of(called)
    assert tried is not None
    assert tried[0] >= 15
    assert tried[1].startswith(enter)
    shown = Elements(called)
    assert (shown.text["figure"], shown.text["estimate"]) == ("0", texts()["estimates"]["withheld"])
    assert str(shown.attributes["action"]["href"]).startswith(enter)


def test_with_the_gate_off_the_page_leads_to_the_site() -> None:
    assert refresh_of(place_page(a_zone(), a_place(phase="passing"), TO, NOW_MS)) == (3, TO)


def test_after_a_draw_it_says_how_the_place_was_drawn_and_where_to_check_it() -> None:
    page = place_page(a_zone(), a_place(arrival=11), TO, NOW_MS)
    assert "Your number in the draw: 12." in Elements(page).text["drawn"]
    link = "/.waiting-room/assets/verify/index.html?zone=midnight-sun&amp;run=1&amp;lane=general&amp;arrival=12"
    assert f'href="{link}"' in page
    assert 'id="drawn" hidden' in place_page(a_zone(), a_place(), TO, NOW_MS), "by arrival there was no draw"
    early = a_zone(mode="combined", starts_at_ms=NOW_MS + 247_000)
    assert 'id="drawn" hidden' in place_page(early, a_place(phase="before", arrival=11), TO, NOW_MS)


def test_before_the_start_it_counts_down_and_returns_in_time_but_not_all_at_once() -> None:
    zone = a_zone(mode="combined", starts_at_ms=NOW_MS + 247_000)
    page = Elements(place_page(zone, a_place(phase="before"), TO, NOW_MS))
    assert page.text["figure"] == "4:07"
    assert page.text["place"] == "", "no place is shown before the start"
    assert Elements(place_page(zone, a_place(), TO, NOW_MS)).text["place"] == "241"
    assert page.text["starts"] == "2027-01-15 08:04 UTC"
    soon = a_zone(mode="combined", starts_at_ms=NOW_MS + 20_000)
    waits = set()
    for visitor in range(50):
        refresh = refresh_of(place_page(soon, a_place(phase="before", visitor_id=f"{visitor:022}"), TO, NOW_MS))
        assert refresh is not None
        waits.add(refresh[0])
    assert min(waits) >= 20
    assert max(waits) < 30
    assert len(waits) > 5


@pytest.mark.parametrize("status", ["lapsed", "left", "completed", "revoked"])
def test_a_page_with_nothing_to_wait_for_does_not_refresh(status: str) -> None:
    assert refresh_of(place_page(a_zone(), a_place(status=status, ahead=None), TO, NOW_MS)) is None


def test_far_back_it_refreshes_rarely() -> None:
    refresh = refresh_of(place_page(a_zone(), a_place(ahead=5_000), TO, NOW_MS))
    assert refresh is not None
    assert 45 <= refresh[0] < 55


def test_a_new_place_after_a_lapse_is_told() -> None:
    page = Elements(place_page(a_zone(), a_place(rejoined="lapsed"), TO, NOW_MS))
    assert page.text["notice"] == texts()["notices"]["rejoined"]


def test_problem_pages() -> None:
    assert Elements(problem_page(UnknownZone())).text["headline"] == texts()["states"]["unknown"]["headline"]
    assert Elements(problem_page(RunOver(), a_zone())).text["headline"] == texts()["states"]["ended"]["headline"]
    busy = problem_page(Overloaded(), a_zone(), TO)
    assert refresh_of(busy) == (15, "")
    cookies = Elements(cookies_needed_page(a_zone(), TO))
    assert str(cookies.attributes["action"]["href"]).endswith("/enter?to=/events/midnight-sun%3Fseat%3D1%26row%3D2")


def test_a_page_of_the_api_runs_no_script_and_may_not_be_framed() -> None:
    response = html_response(200, place_page(a_zone(), a_place(), TO, NOW_MS))
    policy = response.headers["content-security-policy"]
    assert "script-src" not in policy
    assert "frame-ancestors 'none'" in policy


def test_the_organisers_words_are_marked_up_on_every_page() -> None:
    zone = a_zone(message="**Doors** at <i>eight</i>", page={"cards": [{"title": "Food", "text": "*Soup*"}]})
    for page in (waiting_page(zone), place_page(zone, a_place(), "/")):
        assert "<p><strong>Doors</strong> at &lt;i&gt;eight&lt;/i&gt;</p>" in page
        assert "<p><em>Soup</em></p>" in page
