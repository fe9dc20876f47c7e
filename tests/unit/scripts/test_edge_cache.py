"""The dev edge's cache: Cache-Control honoured, and one origin read however many read at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.edge import behaviours, cache
from scripts.edge.behaviours import CachePolicy
from scripts.edge.cache import ERROR_TTL_SEC, Cache, error_freshness_sec, freshness_sec
from scripts.edge.messages import EdgeRequest, EdgeResponse

ROOT = Path(__file__).resolve().parents[3]
NEVER = CachePolicy(min_ttl_sec=0, default_ttl_sec=0, max_ttl_sec=0)
OPEN = CachePolicy(min_ttl_sec=0, default_ttl_sec=0, max_ttl_sec=31_536_000)
SHIELDED = CachePolicy(min_ttl_sec=1, default_ttl_sec=1, max_ttl_sec=1, layers=3)
DECLARED = behaviours.load(ROOT / "schemas" / "behaviours.json").error_ttl_sec
KEY = ("status", "GET", "/.waiting-room/status/a.json")


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now_sec = 1_000.0

    def __call__(self) -> float:
        return self.now_sec


class Origin:
    """Counts its reads; each takes a few turns of the event loop, so that readers pile up."""

    def __init__(self, *headers: tuple[str, str], status: int = 200) -> None:
        self.headers = headers
        self.status = status
        self.reads = 0
        self.fail_with: Exception | None = None

    async def __call__(self) -> EdgeResponse:
        self.reads += 1
        number = self.reads
        for _ in range(5):
            await asyncio.sleep(0)
        if self.fail_with is not None:
            raise self.fail_with
        return EdgeResponse(self.status, self.headers, _stream(f"answer {number}".encode()))


async def _stream(body: bytes) -> AsyncIterator[bytes]:
    for byte in body:
        yield bytes([byte])


def request(**headers: str) -> EdgeRequest:
    listed = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return EdgeRequest("GET", KEY[-1], "", listed, "127.0.0.1")


async def body(response: EdgeResponse) -> bytes:
    if isinstance(response.body, bytes):
        return response.body
    return b"".join([chunk async for chunk in response.body])


async def crowd(edge: Cache, origin: Origin, readers: int, policy: CachePolicy = OPEN) -> list[EdgeResponse]:
    return await asyncio.gather(*(edge.fetch(KEY, policy, request(), origin) for _ in range(readers)))


def test_two_thousand_readers_cost_one_origin_read_a_second() -> None:
    async def run() -> None:
        clock = Clock()
        edge, origin = Cache(clock, {}), Origin(("cache-control", "public, max-age=1"))
        for second in range(10):
            answers = await crowd(edge, origin, 2_000)
            assert origin.reads == second + 1
            assert {await body(answer) for answer in answers} == {f"answer {second + 1}".encode()}
            clock.now_sec += 0.999
            assert (await edge.fetch(KEY, OPEN, request(), origin)).header("x-cache") == "Hit from cloudfront"
            clock.now_sec += 0.001

    asyncio.run(run())


def test_readers_who_wake_up_late_take_the_answer_they_waited_for() -> None:
    class SlowMachine(Clock):
        """One on which a hundred steps take longer than the answer is fresh."""

        def __call__(self) -> float:
            self.now_sec += 0.01
            return self.now_sec

    async def run() -> None:
        origin = Origin(("cache-control", "public, max-age=1"))
        answers = await crowd(Cache(SlowMachine(), {}), origin, 2_000)
        assert (origin.reads, {await body(answer) for answer in answers}) == (1, {b"answer 1"})

    asyncio.run(run())


@pytest.mark.parametrize(("status", "control"), [(200, "public, max-age=1"), (404, "max-age=1")])
def test_lifetimes_of_caches_in_a_row_add_up(status: int, control: str) -> None:
    async def run() -> None:
        clock = Clock()
        edge, origin = Cache(clock, {404: 1}), Origin(("cache-control", control), status=status)
        for after_sec, reads in ((0, 1), (2.999, 1), (0.001, 2)):
            clock.now_sec += after_sec
            await crowd(edge, origin, 2, SHIELDED)
            assert origin.reads == reads

    asyncio.run(run())


def test_an_error_of_what_is_never_kept_passes_through_one_cache() -> None:
    async def run() -> None:
        clock = Clock()
        edge, origin = Cache(clock, {500: 1}), Origin(status=500)
        for after_sec, reads in ((0, 1), (0.999, 1), (0.001, 2)):
            clock.now_sec += after_sec
            await edge.fetch(KEY, replace(NEVER, layers=2), request(), origin)
            assert origin.reads == reads

    asyncio.run(run())


def test_origin_shield_is_one_cache_more() -> None:
    listed = {each.name: each for each in behaviours.load(ROOT / "schemas" / "behaviours.json").listed}
    assert {listed[name].cache.layers for name in ("status", "snapshot", "keys", "pages", "draws", "assets")} == {3}
    assert listed["site"].cache.layers == 2


@pytest.mark.parametrize("control", ["no-store", "private", "no-cache", "private, max-age=60", "max-age=0", ""])
def test_what_must_not_be_shared_reaches_the_origin_every_time(control: str) -> None:
    async def run() -> None:
        edge, origin = Cache(Clock(), {}), Origin(("cache-control", control))
        answers = await crowd(edge, origin, 20)
        answers += await crowd(edge, origin, 20)
        assert origin.reads == 40
        assert len({await body(answer) for answer in answers}) == 40

    asyncio.run(run())


def test_an_answer_that_sets_a_cookie_is_never_shared() -> None:
    async def run() -> None:
        edge, origin = Cache(Clock(), {}), Origin(("cache-control", "max-age=60"), ("set-cookie", "who=me"))
        await crowd(edge, origin, 10)
        assert origin.reads == 10

    asyncio.run(run())


def test_vary_keeps_variants_apart_even_among_readers_who_wait_together() -> None:
    async def run() -> None:
        edge = Cache(Clock(), {})
        reads: list[str] = []

        async def read(language: str) -> EdgeResponse:
            async def load() -> EdgeResponse:
                await asyncio.sleep(0)
                reads.append(language)
                headers = (("cache-control", "max-age=60"), ("vary", "Accept-Language"))
                return EdgeResponse(200, headers, language.encode())

            return await edge.fetch(KEY, OPEN, request(accept_language=language), load)

        wanted = ["en", "de", "fr"] * 30
        answers = await asyncio.gather(*map(read, wanted))
        assert [answer.body for answer in answers] == [language.encode() for language in wanted]
        assert sorted(reads) == ["de", "en", "fr"]
        assert freshness_sec(EdgeResponse(200, (("cache-control", "max-age=60"), ("vary", "*"))), OPEN) == 0

    asyncio.run(run())


def test_a_reader_whose_origin_fails_fails_alone() -> None:
    async def run() -> None:
        edge, origin = Cache(Clock(), {}), Origin(("cache-control", "max-age=60"))
        origin.fail_with = ConnectionError()
        outcomes = await asyncio.gather(
            *(edge.fetch(KEY, OPEN, request(), origin) for _ in range(5)), return_exceptions=True
        )
        assert all(isinstance(outcome, ConnectionError) for outcome in outcomes)
        origin.fail_with = None
        await crowd(edge, origin, 5)
        assert origin.reads == 6

    asyncio.run(run())


def test_a_missing_document_is_read_once_a_second_too() -> None:
    async def run() -> None:
        clock = Clock()
        edge, origin = Cache(clock, DECLARED), Origin(status=404)
        await crowd(edge, origin, 500)
        assert origin.reads == 1
        clock.now_sec += 1
        await crowd(edge, origin, 500)
        assert origin.reads == 2

    asyncio.run(run())


def test_a_reader_that_has_the_current_version_is_told_so() -> None:
    async def run() -> None:
        clock = Clock()
        edge = Cache(clock, {})
        origin = Origin(("cache-control", "max-age=60"), ("etag", '"v1"'), ("age", "7"))
        await edge.fetch(KEY, OPEN, request(), origin)
        clock.now_sec += 3
        answer = await edge.fetch(KEY, OPEN, request(if_none_match='W/"v0", "v1"'), origin)
        assert (answer.status, answer.body, answer.header("age")) == (304, b"", "10")
        answer = await edge.fetch(KEY, OPEN, request(if_none_match='"v0"'), origin)
        assert (answer.status, origin.reads) == (200, 1)

    asyncio.run(run())


def test_a_body_over_the_limit_passes_through_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(cache, "MAX_OBJECT_BYTES", 4)
        edge, origin = Cache(Clock(), {}), Origin(("cache-control", "max-age=60"))
        answers = await crowd(edge, origin, 3)
        assert [await body(answer) for answer in answers] == [b"answer 1", b"answer 2", b"answer 3"]

    asyncio.run(run())


def test_the_least_recently_stored_answer_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    async def run() -> None:
        monkeypatch.setattr(cache, "MAX_ENTRIES", 2)
        edge, origin = Cache(Clock(), {}), Origin(("cache-control", "max-age=60"))
        for name in ("a", "b", "c", "a"):
            await edge.fetch((name,), OPEN, request(), origin)
        assert origin.reads == 4

    asyncio.run(run())


@pytest.mark.parametrize(
    ("status", "headers", "policy", "expected_sec"),
    [
        (200, {"cache-control": "max-age=10, s-maxage=3"}, OPEN, 3),
        (200, {"cache-control": 'MAX-AGE="10"'}, OPEN, 10),
        (200, {"cache-control": "max-age=10", "age": "4"}, OPEN, 6),
        (200, {"cache-control": "max-age=10", "age": "40"}, OPEN, 0),
        (200, {"cache-control": "max-age=60"}, CachePolicy(1, 1, 1), 1),
        (200, {}, CachePolicy(0, 60, 300), 60),
        (200, {"cache-control": "no-store"}, CachePolicy(1, 1, 1), 1),
        (206, {"cache-control": "max-age=60"}, OPEN, 0),
        (302, {"cache-control": "max-age=60"}, OPEN, 0),
    ],
)
def test_freshness(status: int, headers: dict[str, str], policy: CachePolicy, expected_sec: float) -> None:
    assert freshness_sec(EdgeResponse(status, tuple(headers.items())), policy) == expected_sec


@pytest.mark.parametrize(
    ("status", "cache_control", "expected_sec"),
    [
        (500, "no-store", 10),
        (502, "", 10),
        (503, "private, max-age=60", 60),
        (504, "max-age=1", 10),
        (405, "no-store", 10),
        (404, "", 10),
        (404, "no-store", 0),
        (410, "no-store", 0),
        (414, "private", 0),
        (501, "no-cache", 0),
        (403, "no-store", 0),
        (403, "max-age=1", 10),
        (400, "", 0),
        (401, "max-age=60", 0),
        (429, "no-store", 0),
        (429, "max-age=60", 0),
    ],
)
def test_how_long_cloudfront_serves_an_error_to_everybody(status: int, cache_control: str, expected_sec: int) -> None:
    response = EdgeResponse(status, (("cache-control", cache_control), ("set-cookie", "who=me"), ("vary", "*")))
    assert error_freshness_sec(response, ERROR_TTL_SEC) == expected_sec


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_an_error_nobody_declared_is_everybodys_for_ten_seconds_even_where_nothing_is_kept(status: int) -> None:
    async def run() -> None:
        clock = Clock()
        edge, origin = Cache(clock, {}), Origin(("cache-control", "no-store"), status=status)
        first = await edge.fetch(KEY, NEVER, request(), origin)
        origin.status = 200
        clock.now_sec += 9
        second = await edge.fetch(KEY, NEVER, request(), origin)
        assert (second.status, await body(second), second.header("age")) == (status, b"answer 1", "9")
        assert first.header("x-cache") == second.header("x-cache") == "Error from cloudfront"
        clock.now_sec += 1
        assert [answer.status for answer in await crowd(edge, origin, 3, NEVER)] == [200] * 3
        assert origin.reads == 4

    asyncio.run(run())


@pytest.mark.parametrize("status", [400, 403, 405, 500, 501, 502, 503, 504])
@pytest.mark.parametrize("policy", [NEVER, OPEN, CachePolicy(1, 1, 1)])
def test_as_the_distribution_is_declared_an_error_stays_with_whom_it_happened_to(
    status: int, policy: CachePolicy
) -> None:
    async def run() -> None:
        edge, origin = Cache(Clock(), DECLARED), Origin(("cache-control", "no-store"), status=status)
        await edge.fetch(KEY, policy, request(), origin)
        origin.status = 200
        assert (await edge.fetch(KEY, policy, request(), origin)).status == 200

    asyncio.run(run())


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/", "site"),
        ("/events/midnight-sun", "site"),
        ("/.waiting-room", "site"),
        ("/.Waiting-Room/v1/x", "site"),
        ("/.waiting-room/v1/zones/a/enter", "api"),
        ("/.waiting-room/v1/admin/zones", "operator"),
        ("/.waiting-room/v2", "catch_all"),
        ("/.waiting-room/status/a.json", "status"),
        ("/.waiting-room/gate-0.json", "snapshot"),
        ("/.waiting-room/", "catch_all"),
    ],
)
def test_the_first_behaviour_that_matches_counts(path: str, name: str) -> None:
    assert behaviours.load(ROOT / "schemas" / "behaviours.json").match(path).name == name
