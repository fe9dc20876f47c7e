"""Proof of work as the waiting page does it: in a worker, or without one, and the page goes on answering."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.canned_zone import JOIN_PATH, Answer, CannedZone
from tests.browser.watching import eventually, state_is
from waiting_room.domain.zone.proofs import is_solved

NONCE = "abcdefghijklmnopqrst-_"
BITS = 12
WITHOUT_WORKERS = {"none": "delete window.Worker", "refused": "window.Worker = class { constructor() { throw 1; } }"}


def took_in(zone: CannedZone) -> Answer:
    zone.joined = True
    return 201, zone.place | {"phase": "open"}


def watched(zone: CannedZone, page: Page) -> list[dict[str, Any]]:
    """What the page brings when it joins; the zone takes it in only with a proof."""
    bodies: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith(JOIN_PATH):
            bodies.append(json.loads(request.post_data or "{}"))

    def join() -> Answer:
        # The browser tells of a request before it is answered.
        if zone.count("POST", JOIN_PATH) > 1:
            return took_in(zone)
        challenge = {"challenge": "c.d.e", "nonce": NONCE, "bits": BITS, "expires_at_ms": 0}
        return 428, {"type": "urn:foyer:problem:proof-needed", "challenge": challenge}

    page.on("request", note)
    zone.joined = False
    zone.answers[f"POST {JOIN_PATH}"] = join
    return bodies


def proves(zone: CannedZone, page: Page) -> None:
    bodies = watched(zone, page)
    page.goto(zone.page_url)
    state_is(page, "waiting")
    assert len(bodies) == 2
    proof = bodies[1]["proof"]
    assert proof["challenge"] == "c.d.e"
    assert is_solved(NONCE, proof["solution"], BITS)


def test_the_page_solves_a_challenge_in_a_worker(zone: CannedZone, page: Page) -> None:
    workers: list[str] = []
    page.on("worker", lambda worker: workers.append(worker.url))
    proves(zone, page)
    assert workers == [f"{zone.url}/.waiting-room/assets/proof/worker.js"]


@pytest.mark.parametrize("how", WITHOUT_WORKERS)
def test_the_page_solves_a_challenge_without_a_worker(zone: CannedZone, page: Page, how: str) -> None:
    page.add_init_script(WITHOUT_WORKERS[how])
    proves(zone, page)


SILENT = """(() => {
    const Own = window.Worker;
    window.started = 0;
    window.Worker = class {
        constructor(url) {
            window.started += 1;
            if (window.started > SILENT_ONES) return new Own(url);
        }
        postMessage() {}
        terminate() {}
    };
})()"""


def test_a_worker_that_never_answers_is_replaced(zone: CannedZone, page: Page) -> None:
    page.clock.install()
    page.add_init_script(SILENT.replace("SILENT_ONES", "1"))
    bodies = watched(zone, page)
    page.goto(zone.page_url)
    eventually(lambda: page.evaluate("window.started") == 1)
    page.clock.fast_forward(11_000)
    state_is(page, "waiting")
    assert page.evaluate("window.started") == 2
    assert is_solved(NONCE, bodies[1]["proof"]["solution"], BITS)
    expect(page.locator("#notice")).to_be_hidden()


def test_work_that_takes_long_is_said_so_and_done_again_in_the_end(zone: CannedZone, page: Page) -> None:
    """No worker answers, and the page's own digest hangs: until the browser is itself again."""
    page.clock.install()
    page.add_init_script(SILENT.replace("SILENT_ONES", "99"))
    page.add_init_script("crypto.subtle.digest = () => new Promise(() => {})")
    watched(zone, page)
    page.goto(zone.page_url)
    eventually(lambda: page.evaluate("window.started") == 1)
    page.clock.fast_forward(11_000)
    expect(page.locator("#notice")).to_contain_text("short calculation")
    expect(page.locator("html")).to_have_attribute("data-state", "loading")
    page.evaluate("delete crypto.subtle.digest")
    zone.answers[f"POST {JOIN_PATH}"] = lambda: took_in(zone)
    page.clock.fast_forward(240_000)
    page.clock.fast_forward(5_000)
    state_is(page, "waiting")
    expect(page.locator("#notice")).to_be_hidden()


def test_the_worker_counts_as_the_server_does(zone: CannedZone, page: Page) -> None:
    page.goto(f"{zone.url}/.waiting-room/assets/favicon.svg")
    solve = """([url, nonce, bits]) => new Promise((resolve) => {
        const worker = new Worker(url);
        worker.onmessage = ({ data }) => resolve(data);
        worker.postMessage({ nonce, bits });
    })"""
    for bits in (1, 5, 9, 14):
        solution = page.evaluate(solve, ["/.waiting-room/assets/proof/worker.js", NONCE, bits])
        assert is_solved(NONCE, solution, bits)
        assert not any(is_solved(NONCE, str(number), bits) for number in range(int(solution))), "the first there is"


def test_the_worker_tells_how_far_it_has_come_and_goes_on_from_there(zone: CannedZone, page: Page) -> None:
    page.goto(f"{zone.url}/.waiting-room/assets/favicon.svg")
    solve = """([url, work]) => new Promise((resolve) => {
        const told = [];
        const worker = new Worker(url);
        worker.onmessage = ({ data }) => {
            told.push(data);
            if (typeof data === "string") resolve(told);
        };
        worker.postMessage(work);
    })"""
    worker, work = "/.waiting-room/assets/proof/worker.js", {"nonce": NONCE, "bits": 16}
    *reached, solution = page.evaluate(solve, [worker, {**work, "from": 0}])
    assert reached, "so much work is not done in silence"
    assert reached == sorted(reached)
    assert is_solved(NONCE, solution, 16)
    assert page.evaluate(solve, [worker, {**work, "from": reached[-1]}]) == [solution]
    assert page.evaluate(solve, [worker, work]) == [solution], "a page from before hears of the solution alone"


def test_the_page_answers_while_it_works(zone: CannedZone, page: Page) -> None:
    zone.answers.pop(f"POST {JOIN_PATH}")
    page.add_init_script(WITHOUT_WORKERS["none"])
    page.goto(f"{zone.url}/.waiting-room/assets/favicon.svg")
    turns = """async ([url, challenge]) => {
        const { prove } = await import(url);
        let turns = 0;
        const clock = setInterval(() => { turns += 1; });
        await prove(challenge);
        clearInterval(clock);
        return turns;
    }"""
    told = {"challenge": "c", "nonce": NONCE, "bits": BITS}
    assert page.evaluate(turns, ["/.waiting-room/assets/proof.js", told]) > 1
