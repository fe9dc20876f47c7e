"""The origins behind the edge, read with the raw path of the viewer and streamed back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass

import httpx

from scripts.edge.messages import HOP_BY_HOP, EdgeRequest, EdgeResponse, problem, with_cookies, without

VIA = "1.1 dev-edge (Foyer)"
_CONNECTIONS = httpx.Limits(max_connections=200, max_keepalive_connections=50)
_TIMEOUT = httpx.Timeout(30.0, connect=3.0)


Signer = Callable[[str, str], Mapping[str, str]]
"""Headers that sign a request, by its method and URL."""


@dataclass(frozen=True)
class Origin:
    """Where a behaviour forwards to, and what the viewer's request becomes on the way."""

    url: str
    """Scheme, host, port and path prefix, without a trailing slash."""

    forward_host: bool = False
    """The origin sees the Host the viewer used (AllViewer), not its own (AllViewerExceptHostHeader)."""

    forward_viewer: bool = True
    """Query string, cookies and headers travel on. False for the bucket: it gets the path and nothing else."""

    cookies: tuple[re.Pattern[str], ...] | None = None
    """Names of the only cookies that travel on; None for all of them."""

    set_headers: tuple[tuple[str, str], ...] = ()
    """Custom origin headers; they replace what the viewer sent under the same name."""

    sign: Signer | None = None
    """What signs each request to the origin (origin access control)."""
    websocket: bool = False
    """Takes WebSockets and nothing else; its URL ends in the stage, which replaces the viewer's path."""


class Upstream:
    """Reads origins and counts the reads per path. Lives on one event loop."""

    def __init__(self) -> None:
        self.reads: Counter[str] = Counter()
        self._client = httpx.AsyncClient(limits=_CONNECTIONS, timeout=_TIMEOUT, trust_env=False, follow_redirects=False)

    async def close(self) -> None:
        """Close every connection to the origins."""
        await self._client.aclose()

    async def send(self, origin: Origin, request: EdgeRequest) -> EdgeResponse:
        """Forward a request and return the answer as soon as its headers are there.

        An origin that cannot be reached, or does not answer in 30 s, becomes 502 or 504, kept like any other error of
        an origin.
        """
        self.reads[request.path] += 1
        try:
            response = await self._client.send(self._outgoing(origin, request), stream=True)
        except httpx.TimeoutException:
            return problem(504, "origin-timeout", "The origin did not answer in time.")
        except httpx.TransportError:
            return problem(502, "origin-unreachable", "The origin cannot be reached.")
        headers = [(name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in response.headers.raw]
        kept = without(tuple(headers), HOP_BY_HOP | {"via"})
        if not origin.forward_viewer:
            # The engine's bucket lets every site read it with scripts; a bucket behind CloudFront says no such thing.
            kept = ((name, value) for name, value in kept if not name.startswith(("access-control-", "x-amz")))
        return EdgeResponse(response.status_code, (*kept, ("via", VIA)), _body(response))

    def _outgoing(self, origin: Origin, request: EdgeRequest) -> httpx.Request:
        url = httpx.URL(origin.url)
        target = url.raw_path.decode("ascii").rstrip("/") + request.path
        if origin.forward_viewer and request.query:
            target += "?" + request.query
        headers = list(_headers(origin, request))
        if origin.sign is not None:
            headers += origin.sign(request.method, f"{url.scheme}://{url.netloc.decode('ascii')}{target}").items()
        # httpx would tidy dot segments away; the origin has to see what the viewer sent.
        return httpx.Request(
            request.method,
            url,
            headers=[(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers],
            content=request.body,
            extensions={"target": target.encode("latin-1"), "timeout": _TIMEOUT.as_dict()},
        )


def _headers(origin: Origin, request: EdgeRequest) -> Iterator[tuple[str, str]]:
    """Yield what the origin sees: no hop-by-hop headers, the viewer's address appended, custom headers on top."""
    replaced = {name for name, _ in origin.set_headers}
    if origin.forward_viewer:
        own = HOP_BY_HOP | replaced | {"content-length", "expect", "via", "x-forwarded-for"}
        yield from with_cookies(
            without(request.headers, own if origin.forward_host else own | {"host"}), origin.cookies
        )
        sent = request.header("x-forwarded-for")
        yield "x-forwarded-for", f"{sent}, {request.client_ip}" if sent else request.client_ip
    yield "via", VIA
    yield from origin.set_headers


async def _body(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()
