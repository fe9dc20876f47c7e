"""The shared cache of the dev edge: Cache-Control honoured, many readers collapsed into one origin read."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial

from scripts.edge.behaviours import CachePolicy
from scripts.edge.messages import EdgeRequest, EdgeResponse, Headers, without

ERROR_TTL_SEC = 1
"""How long an error is kept when the origin says nothing: a crowd must not read a missing document each time."""

PASS_SEC = 5
"""How long a key whose answer could not be kept is fetched without waiting for others."""

MAX_OBJECT_BYTES = 8 * 1024 * 1024
MAX_ENTRIES = 2_000

_CACHEABLE_STATUS = frozenset({200, 203, 204, 300, 301, 308})
_ERROR_STATUS = frozenset({404, 405, 410, 414, 500, 501, 502, 503, 504})
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
    """Answers by key. `clock` gives seconds that never go back; every method runs on one event loop."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._entries: OrderedDict[Variant, _Entry] = OrderedDict()
        self._vary: dict[CacheKey, tuple[str, ...]] = {}
        self._loading: dict[Variant, _Loading] = {}
        self._pass_until: dict[Variant, float] = {}

    async def fetch(self, key: CacheKey, policy: CachePolicy, request: EdgeRequest, load: Load) -> EdgeResponse:
        """Return a fresh copy or what `load` brings; concurrent readers of one key wait for a single load.

        A waiter takes the answer it waited for, however late it wakes up, unless that answer is another variant (Vary)
        or may not be shared at all, in which case each waiter loads its own. What `load` raises goes to its caller
        alone.
        """
        attempt = partial(self._load, key, policy, request, load)
        waited = False
        while True:
            variant = self._variant(key, request)
            entry = self._entries.get(variant)
            if entry is not None and self._clock() - entry.stored_at_sec < entry.fresh_sec:
                return self._hit(entry, request)
            loading = self._loading.get(variant)
            if waited or self._clock() < self._pass_until.get(variant, 0.0):
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
        response = (await load()).with_header("x-cache", "Miss from cloudfront")
        fresh_sec = freshness_sec(response, policy)
        if fresh_sec > 0:
            response = replace(response, body=await _read_up_to(response.body, MAX_OBJECT_BYTES))
        if fresh_sec > 0 and isinstance(response.body, bytes):
            return response, self._keep(key, request, response, response.body, fresh_sec)
        self._remember_pass(self._variant(key, request))
        return response, None

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
        headers = (*entry.headers, ("age", str(age_sec)), ("x-cache", "Hit from cloudfront"))
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
    error = response.status in _ERROR_STATUS
    if not error and response.status not in _CACHEABLE_STATUS:
        return 0
    directives = [part.strip().lower() for part in (response.header("cache-control") or "").split(",")]
    names = {directive.split("=")[0].strip() for directive in directives}
    if names & {"no-store", "no-cache", "private"}:
        return policy.min_ttl_sec
    ages = {match[1]: int(match[2]) for match in map(_AGE.match, directives) if match}
    lifetime_sec = ages.get("s-maxage", ages.get("max-age"))
    if lifetime_sec is None:
        lifetime_sec = ERROR_TTL_SEC if error else policy.default_ttl_sec
    bounded_sec = min(max(lifetime_sec, policy.min_ttl_sec), policy.max_ttl_sec)
    return max(0, bounded_sec - _age_sec(response))


def _age_sec(response: EdgeResponse) -> int:
    age = response.header("age") or ""
    return int(age) if age.isdecimal() else 0


def _vary_names(response: EdgeResponse) -> tuple[str, ...]:
    return tuple(sorted({name.strip().lower() for name in (response.header("vary") or "").split(",")} - {""}))


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
