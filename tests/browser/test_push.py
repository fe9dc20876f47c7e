""" "Your turn" by WebSocket, and the tabs of one browser: in Chromium, over a zone whose answers the test sets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.canned_zone import CLAIM_PATH, STATUS_PATH, TO, CannedZone
from tests.browser.watching import pumped, state_is

TURN = {"type": "your_turn", "zone_id": "midnight-sun", "run": 1, "tick": 9, "position": 240}


@pytest.fixture
def zone() -> Iterator[CannedZone]:
    """A zone that is asked rarely, so that what is pushed comes first."""
    with CannedZone(poll={"near_sec": 20, "far_sec": 30, "near_ahead": 200}) as zone:
        zone.say(push_window=200)
        yield zone


class Sockets:
    """The server's side of every WebSocket a browser opens."""

    def __init__(self, context: BrowserContext) -> None:
        self.opened: list[WebSocketRoute] = []
        self.open = 0
        self.refuses = False
        context.add_init_script("Math.random = () => 0.01")
        context.route_web_socket("**/.waiting-room/ws?zone=midnight-sun", self._take)

    def _take(self, socket: WebSocketRoute) -> None:
        self.opened.append(socket)
        if self.refuses:
            socket.close(code=1008)
            return
        self.open += 1
        socket.on_close(lambda *_: self._closed())

    def _closed(self) -> None:
        self.open -= 1


@pytest.fixture
def sockets(context: BrowserContext) -> Sockets:
    return Sockets(context)


def test_the_called_hear_of_it_without_asking(zone: CannedZone, sockets: Sockets, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    expect(page.locator("#figure")).to_have_text("118")
    pumped(page, lambda: len(sockets.opened) == 1)
    sockets.opened[0].send(json.dumps(TURN | {"position": 239}))
    sockets.opened[0].send("not for machines")
    zone.claim = (201, {"status": "admitted"})
    page.wait_for_timeout(300)
    assert zone.count("POST", CLAIM_PATH) == 0, "somebody else's turn"
    sockets.opened[0].send(json.dumps(TURN))
    page.wait_for_url(zone.url + TO)
    assert zone.count("POST", CLAIM_PATH) == 1


def test_far_back_there_is_no_connection(zone: CannedZone, sockets: Sockets, page: Page) -> None:
    zone.say(push_window=100)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.wait_for_timeout(1_000)
    assert sockets.opened == []
    zone.say(serving=200, ahead=200)
    page.evaluate("dispatchEvent(new Event('online'))")
    pumped(page, lambda: len(sockets.opened) == 1)


def test_refused_it_asks_on_as_if_nothing_were(zone: CannedZone, sockets: Sockets, page: Page) -> None:
    sockets.refuses = True
    page.goto(zone.page_url)
    state_is(page, "waiting")
    pumped(page, lambda: len(sockets.opened) == 1)
    pumped(page, lambda: zone.count("GET", STATUS_PATH) >= 2)
    expect(page.locator("#notice")).to_be_hidden()
    zone.say(serving=241, ahead=241)
    zone.claim = (201, {"status": "admitted"})
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_url(zone.url + TO)


def test_many_tabs_have_one_connection_and_all_go_in(
    zone: CannedZone, sockets: Sockets, context: BrowserContext
) -> None:
    pages = [context.new_page() for _ in range(3)]
    for each in pages:
        each.goto(zone.page_url)
        state_is(each, "waiting")
    pumped(pages[0], lambda: len(sockets.opened) == 1)
    pages[0].wait_for_timeout(800)
    assert len(sockets.opened) == 1
    zone.claim = (201, {"status": "admitted"})
    sockets.opened[0].send(json.dumps(TURN))
    for each in pages:
        each.wait_for_url(zone.url + TO)


def test_what_one_tab_reads_all_show(zone: CannedZone, sockets: Sockets, context: BrowserContext) -> None:
    first, second = context.new_page(), context.new_page()
    for each in (first, second):
        each.goto(zone.page_url)
        state_is(each, "waiting")
    asked = zone.count("GET", STATUS_PATH)
    zone.say(serving=180, ahead=180)
    first.evaluate("dispatchEvent(new Event('online'))")
    expect(second.locator("#figure")).to_have_text("60")
    assert zone.count("GET", STATUS_PATH) <= asked + 2


def test_when_the_leading_tab_closes_another_one_connects(
    zone: CannedZone, sockets: Sockets, context: BrowserContext
) -> None:
    first, second = context.new_page(), context.new_page()
    for each in (first, second):
        each.goto(zone.page_url)
        state_is(each, "waiting")
    pumped(first, lambda: len(sockets.opened) == 1)
    first.close()
    pumped(second, lambda: len(sockets.opened) == 2)
    expect(second.locator("#figure")).to_have_text("118")


def test_a_connection_ends_when_its_page_is_left(zone: CannedZone, sockets: Sockets, page: Page) -> None:
    page.goto(zone.page_url)
    state_is(page, "waiting")
    pumped(page, lambda: sockets.open == 1)
    page.goto("about:blank")
    pumped(page, lambda: sockets.open == 0)


def test_heartbeats_and_the_next_connection_come_in_time(zone: CannedZone, sockets: Sockets, page: Page) -> None:
    page.clock.install()
    page.goto(zone.page_url)
    state_is(page, "waiting")
    page.clock.run_for(8_000)
    pumped(page, lambda: len(sockets.opened) == 1)
    beats: list[str] = []
    sockets.opened[0].on_message(lambda message: beats.append(str(message)))
    page.clock.run_for(590_000)
    pumped(page, lambda: len(beats) >= 1)
    page.clock.run_for(6_600_000 - 590_000)
    pumped(page, lambda: len(sockets.opened) == 2)
    pumped(page, lambda: sockets.open == 1)
    assert set(beats) == {"{}"}
    assert len(beats) >= 6_600 // 300 - 1
