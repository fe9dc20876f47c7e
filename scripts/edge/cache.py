"""The shared cache of the dev edge: Cache-Control honoured, many readers collapsed into one origin read.

It stands for all caches of CloudFront on an answer's way, each of which keeps it for its whole lifetime, whatever its
age: other locations read the inner ones at moments of their own, so the lifetimes add up. What is never kept passes
through none but the edge location ("How CloudFront works with regional edge caches", Amazon CloudFront Developer
Guide), and neither do its errors.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from scripts.edge.behaviours import CachePolicy
from scripts.edge.messages import EdgeRequest, EdgeResponse, Headers, without

ERROR_TTL_SEC = 10
"""How long an error is kept at least, unless the distribution has a custom error response for its status."""

PASS_SEC = 5
"""How long a key whose answer could not be kept is fetched without waiting for others."""

MAX_OBJECT_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 2_000

_CACHEABLE_STATUS = frozenset({200, 203, 204, 300, 301, 308})
_ERROR_STATUS = frozenset({404, 405, 410, 414, 500, 501, 502, 503, 504})
_ERROR_STATUS_BY_MAX_AGE = frozenset({400, 403, 412, 415})
_MAY_SAY_NO_STORE = frozenset({404, 410, 414, 501})
_NOT_SHARED = frozenset({"no-store", "no-cache", "private"})
_AGE = re.compile(r"(s-maxage|max-age)\s*=\s*\"?(\d{1,9})\"?\Z")

CacheKey = tuple[str, ...]
Variant = tuple[CacheKey, tuple[str, ...]]
Load = Callable[[], Awaitable[EdgeResponse]]


@dataclass(frozen=True)
class _Entry:
    status: int
    headers: Headers
    body: bytes
    stored_at_sec: float
    fresh_sec: float
    initial_age_sec: int


_Loaded = tuple[EdgeResponse, "tuple[Variant, _Entry] | None"]


@dataclass
class _Loading:
    """A load others wait for, and what of it may be shared once it is done."""

    done: asyncio.Event = field(default_factory=asyncio.Event)
    kept: tuple[Variant, _Entry] | None = None


class Cache:
    """Answers by key. `clock` gives seconds that never go back; every method runs on one event loop.

    `error_ttl_sec` is how long errors are kept at least, by status (ERROR_TTL_SEC where it is silent).
    """

    def __init__(self, clock: Callable[[], float], error_ttl_sec: Mapping[int, int]) -> None:
        self._clock = clock
        self._error_ttl_sec = error_ttl_sec
        self._entries: OrderedDict[Variant, _Entry] = OrderedDict()
        self._vary: dict[CacheKey, tuple[str, ...]] = {}
        self._loading: dict[Variant, _Loading] = {}
        self._pass_until: dict[Variant, float] = {}

    async def fetch(self, key: CacheKey, policy: CachePolicy, request: EdgeRequest, load: Load) -> EdgeResponse:
        """Return a fresh copy or what `load` brings; concurrent readers of one key wait for a single load.

        A waiter takes the answer it waited for, however late it wakes up, unless that answer is another variant (Vary)
        or may not be shared at all, in which case each waiter loads its own. Where the policy keeps nothing, nobody
        waits, and only errors are kept. What `load` raises goes to its caller alone.
        """
        attempt = partial(self._load, key, policy, request, load)
        waited = False
        while True:
            variant = self._variant(key, request)
            entry = self._entries.get(variant)
            if entry is not None and self._clock() - entry.stored_at_sec < entry.fresh_sec:
                return self._hit(entry, request)
            loading = self._loading.get(variant)
            if waited or policy.disabled or self._clock() < self._pass_until.get(variant, 0.0):
                return (await attempt())[0]
            if loading is None:
                return await self._lead(variant, attempt)
            await loading.done.wait()
            # On a busy machine thousands of waiters take longer to wake up than the answer is fresh.
            if loading.kept is not None and loading.kept[0] == self._variant(key, request):
                return self._hit(loading.kept[1], request)
            waited = self._variant(key, request) == variant

    async def _lead(self, variant: Variant, attempt: Callable[[], Awaitable[_Loaded]]) -> EdgeResponse:
        """Load for everybody who comes meanwhile."""
        loading = self._loading[variant] = _Loading()
        try:
            response, loading.kept = await attempt()
            return response
        finally:
            del self._loading[variant]
            loading.done.set()

    async def _load(self, key: CacheKey, policy: CachePolicy, request: EdgeRequest, load: Load) -> _Loaded:
        """Load once and keep the answer if it may be shared."""
        response = await load()
        response = response.with_header("x-cache", _told(response.status, "Miss"))
        fresh_sec = self._fresh_sec(response, policy)
        if fresh_sec > 0:
            response = replace(response, body=await _read_up_to(response.body, MAX_OBJECT_BYTES))
        if fresh_sec > 0 and isinstance(response.body, bytes):
            return response, self._keep(key, request, response, response.body, fresh_sec)
        if not policy.disabled:
            self._remember_pass(self._variant(key, request))
        return response, None

    def _fresh_sec(self, response: EdgeResponse, policy: CachePolicy) -> float:
        if response.status >= 400:
            layers = 1 if policy.disabled else policy.layers
            return layers * error_freshness_sec(response, self._error_ttl_sec.get(response.status, ERROR_TTL_SEC))
        return policy.layers * freshness_sec(response, policy)

    def _keep(
        self, key: CacheKey, request: EdgeRequest, response: EdgeResponse, body: bytes, fresh_sec: float
    ) -> tuple[Variant, _Entry]:
        self._vary[key] = _vary_names(response)
        headers = tuple(without(response.headers, {"age", "x-cache"}))
        entry = _Entry(response.status, headers, body, self._clock(), fresh_sec, _age_sec(response))
        variant = self._variant(key, request)
        self._entries[variant] = entry
        if len(self._entries) > MAX_ENTRIES:
            (dropped, _), _ = self._entries.popitem(last=False)
            self._vary.pop(dropped, None)
        return variant, entry

    def _remember_pass(self, variant: Variant) -> None:
        now = self._clock()
        if len(self._pass_until) > MAX_ENTRIES:
            self._pass_until = {known: until for known, until in self._pass_until.items() if until > now}
        self._pass_until[variant] = now + PASS_SEC

    def _variant(self, key: CacheKey, request: EdgeRequest) -> Variant:
        return key, tuple(request.header(name) or "" for name in self._vary.get(key, ()))

    def _hit(self, entry: _Entry, request: EdgeRequest) -> EdgeResponse:
        """Return a stored answer with its age; a reader that already holds it gets 304."""
        age_sec = entry.initial_age_sec + int(self._clock() - entry.stored_at_sec)
        headers = (*entry.headers, ("age", str(age_sec)), ("x-cache", _told(entry.status, "Hit")))
        etag = next((value for name, value in entry.headers if name == "etag"), None)
        if etag is not None and _etag_matches(request.header("if-none-match"), etag):
            return EdgeResponse(304, tuple(without(headers, {"content-length", "content-type"})))
        return EdgeResponse(entry.status, headers, entry.body)


def freshness_sec(response: EdgeResponse, policy: CachePolicy) -> float:
    """Return how many seconds a response may be shared, 0 for not at all.

    Source: "Manage how long content stays in the cache", Amazon CloudFront Developer Guide: s-maxage before max-age,
    within the policy's bounds; without either its default; no-store, no-cache and private give its lower bound.
    Stricter than CloudFront in one thing: what sets a cookie is never shared.
    """
    if response.header("set-cookie") is not None or response.header("vary") == "*":
        return 0
    if response.status not in _CACHEABLE_STATUS:
        return 0
    names, lifetime_sec = _cache_control(response)
    if names & _NOT_SHARED:
        return policy.min_ttl_sec
    if lifetime_sec is None:
        lifetime_sec = policy.default_ttl_sec
    bounded_sec = min(max(lifetime_sec, policy.min_ttl_sec), policy.max_ttl_sec)
    return max(0, bounded_sec - _age_sec(response))


def error_freshness_sec(response: EdgeResponse, min_ttl_sec: int) -> int:
    """Return how many seconds an error is served to everybody, 0 for to nobody else.

    Source: "Control how long CloudFront caches errors" and "How CloudFront processes HTTP 4xx and 5xx status codes from
    your origin", Amazon CloudFront Developer Guide (custom-error-pages-expiration.html, HTTPStatusCodes.html): the
    error caching minimum TTL or the origin's max-age, whichever is longer. no-store, no-cache and private count for
    404, 410, 414 and 501 alone; 400, 403, 412 and 415 are kept only with a max-age; 401, 409, 413, 428 and 429 never.
    The guide's editions differ about 405, which is taken for the worse here: kept. A cookie in it changes nothing.
    """
    names, lifetime_sec = _cache_control(response)
    unheard = response.status not in _MAY_SAY_NO_STORE or not names & _NOT_SHARED
    kept = response.status in _ERROR_STATUS and unheard
    kept_by_age = response.status in _ERROR_STATUS_BY_MAX_AGE and lifetime_sec is not None
    return max(min_ttl_sec, lifetime_sec or 0) if kept or kept_by_age else 0


def _cache_control(response: EdgeResponse) -> tuple[set[str], int | None]:
    """Return the names of the directives, and the seconds that they give a shared cache (None: they say nothing)."""
    directives = [part.strip().lower() for part in (response.header("cache-control") or "").split(",")]
    ages = {match[1]: int(match[2]) for match in map(_AGE.match, directives) if match}
    return {directive.split("=")[0].strip() for directive in directives}, ages.get("s-maxage", ages.get("max-age"))


def _told(status: int, how: str) -> str:
    """CloudFront calls every error an error, kept or not: only its age tells them apart."""
    return f"{'Error' if status >= 400 else how} from cloudfront"


def _age_sec(response: EdgeResponse) -> int:
    age = response.header("age") or ""
    return int(age) if age.isdecimal() else 0


def _vary_names(response: EdgeResponse) -> tuple[str, ...]:
    # An error is not asked what it depends on.
    vary = "" if response.status >= 400 else response.header("vary") or ""
    return tuple(sorted({name.strip().lower() for name in vary.split(",")} - {""}))


def _etag_matches(if_none_match: str | None, etag: str) -> bool:
    candidates = [candidate.strip().removeprefix("W/") for candidate in (if_none_match or "").split(",")]
    return "*" in candidates or etag.removeprefix("W/") in candidates


async def _read_up_to(body: bytes | AsyncIterator[bytes], limit: int) -> bytes | AsyncIterator[bytes]:
    """Return the whole body, or an iterator over all of it once it proves longer than `limit` bytes."""
    if isinstance(body, bytes):
        return body
    chunks: list[bytes] = []
    size = 0
    async for chunk in body:
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            return _resume(chunks, body)
    return b"".join(chunks)


async def _resume(chunks: list[bytes], rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk
    async for chunk in rest:
        yield chunk
