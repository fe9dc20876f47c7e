"""The gate snapshot, fetched through the distribution itself and kept in memory between requests."""

from __future__ import annotations

import encodings.idna  # noqa: F401 - what the first look-up of a name would import
import http.client
import json
import logging
import re
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from waiting_room.domain.gate.gate import Ended, Gate, nobody_ended
from waiting_room.domain.gate.snapshot import SNAPSHOT_LIMIT_BYTES, BadSnapshot, GateSnapshot, read_snapshot
from waiting_room.edge.settings import EdgeSettings
from waiting_room.tokens import InvalidKey, Verifier

__all__ = ["Fetch", "FetchFailed", "Fetched", "KeptSnapshot", "Snapshots", "Transport"]

TIMEOUT_SEC = 0.5
"""For a whole fetch on a new connection, connecting included: longer than that nobody waits at a gate."""
IDLE_SEC = 10
"""A function is frozen between requests, and what the other side sends meanwhile is lost: a connection that has lain
idle for longer may take a request and never answer ("Lambda execution environment lifecycle", AWS Lambda guide)."""
KEPT_TIMEOUT_SEC = 0.25
"""For a fetch on a connection that was kept. It comes before the new connection's own time, not out of it."""
KEEP_SEC = 5
RETRY_SEC = 1
"""Pause after a failed fetch: the next requests use the old copy at once instead of waiting for a time-out each."""
LONGEST_USE_SEC = 300
AHEAD_SEC = 60
"""A snapshot from further in the future than clocks differ would never grow old."""

_PIECE = 65_536
# Made while the function starts, when it has most of a processor: later it would eat up the first fetch's time.
_TLS = ssl.create_default_context()
_HOST = re.compile(r"\A[A-Za-z0-9.-]+(?::[0-9]{1,5})?\Z")
_LOG = logging.getLogger("gatekeeper")


class FetchFailed(Exception):
    """Raised when nothing came, for whatever reason."""


class Fetched(NamedTuple):
    """What came of a fetch: `body` of status 200, nothing of 304 (what `etag` stands for is still so) and of 404."""

    status: int
    body: bytes
    etag: str


class _Wanted(NamedTuple):
    """What is fetched: `etag` stands for what is there already."""

    path: str
    limit_bytes: int
    etag: str


class Fetch(Protocol):
    """Gets the raw snapshot from a host; raises FetchFailed."""

    def __call__(self, host: str) -> bytes: ...


@dataclass(frozen=True)
class KeptSnapshot:
    """A snapshot, the verifier for its keys and the gate over both; `body` is what was fetched."""

    snapshot: GateSnapshot
    verifier: Verifier
    gate: Gate
    body: bytes = field(repr=False)


@dataclass
class _Copy:
    """What is known of one host. `refreshing` is held by whoever fetches; the others use the copy meanwhile."""

    ended: Ended
    known: KeptSnapshot | None = None
    usable_until_ms: int = 0
    next_fetch_at_ms: int = 0
    refreshing: threading.Lock = field(default_factory=threading.Lock)


class Snapshots:
    """The newest snapshot of each host, at most KEEP_SEC behind while fetching works. Safe to use from threads."""

    def __init__(self, issuer: str, fetch: Fetch, ended: Callable[[str], Ended] = lambda _: nobody_ended) -> None:
        """`ended` tells for a host what the gate asks about sessions that ended."""
        self._issuer = issuer
        self._fetch = fetch
        self._ended = ended
        self._copies: dict[str, _Copy] = {}

    def current(self, host: str, now_ms: int) -> KeptSnapshot | None:
        """The snapshot to decide by; None when there is none, or none younger than LONGEST_USE_SEC."""
        copy = self._copies.get(host)
        if copy is None:
            copy = self._copies.setdefault(host, _Copy(self._ended(host)))
        if now_ms < copy.next_fetch_at_ms and copy.known is not None:
            return copy.known if now_ms <= copy.usable_until_ms else None
        if now_ms >= copy.next_fetch_at_ms and copy.refreshing.acquire(blocking=not _usable(copy.known, now_ms)):
            try:
                # Whoever waited for the lock finds the work done.
                if now_ms >= copy.next_fetch_at_ms:
                    self._refresh(host, copy, now_ms)
            finally:
                copy.refreshing.release()
        return copy.known if _usable(copy.known, now_ms) else None

    def _refresh(self, host: str, copy: _Copy, now_ms: int) -> None:
        try:
            known = copy.known = self._newer(copy, self._fetch(host), now_ms)
            copy.usable_until_ms = known.snapshot.published_at_ms + LONGEST_USE_SEC * 1000
            copy.next_fetch_at_ms = now_ms + KEEP_SEC * 1000
        except (FetchFailed, BadSnapshot, InvalidKey) as error:
            copy.next_fetch_at_ms = now_ms + RETRY_SEC * 1000
            _LOG.warning("The gate snapshot was not refreshed: %s", error)

    def _newer(self, copy: _Copy, body: bytes, now_ms: int) -> KeptSnapshot:
        """The fetched snapshot, or the old one where that has a higher version. Raises BadSnapshot or InvalidKey."""
        old = copy.known
        if old is not None and body == old.body:
            # Nearly always. A snapshot of many zones takes long to read with a fourteenth of a processor.
            return old
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise BadSnapshot("The snapshot is torn: it is not JSON.") from None
        fetched = read_snapshot(document, self._issuer)
        if fetched.published_at_ms > now_ms + AHEAD_SEC * 1000:
            raise BadSnapshot("The snapshot is from the future.")
        # A copy too old to be used does not hold back one from a store that was set up anew.
        if old is not None and _usable(old, now_ms) and fetched.version < old.snapshot.version:
            return old
        same_keys = old is not None and fetched.keys == old.snapshot.keys
        verifier = old.verifier if old is not None and same_keys else Verifier(fetched.keys, self._issuer)
        return KeptSnapshot(fetched, verifier, Gate(fetched, verifier.verify, copy.ended), body)


def _usable(known: KeptSnapshot | None, now_ms: int) -> bool:
    return known is not None and now_ms - known.snapshot.published_at_ms <= LONGEST_USE_SEC * 1000


class Transport:
    """Fetches over one connection per host that is kept alive between calls; of two threads one makes a new one.

    `wall` tells how long a connection lay idle: a monotonic clock may stand still in a frozen function.
    """

    def __init__(
        self,
        settings: EdgeSettings,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._wall = wall
        self._connections: dict[str, tuple[http.client.HTTPConnection, float]] = {}

    def __call__(self, host: str) -> bytes:
        """The body of the snapshot. Raises FetchFailed, as `get` does, and where there is none."""
        answer = self.get(host, self._settings.snapshot_path, SNAPSHOT_LIMIT_BYTES)
        if answer.status != 200:
            raise FetchFailed(f"It was answered with status {answer.status}.")
        return answer.body

    def get(self, host: str, path: str, limit_bytes: int, etag: str = "") -> Fetched:
        """What lies at a path, unless it is what `etag` stands for.

        Raises FetchFailed for any status but 200, 304 and 404, for more than `limit_bytes`, and after about
        KEPT_TIMEOUT_SEC + TIMEOUT_SEC at the latest.
        """
        if not _HOST.match(host) or (":" in host and self._settings.snapshot_scheme == "https"):
            raise FetchFailed(f"{host!r} is no host name.")
        wanted = _Wanted(path, limit_bytes, etag)
        kept = self._kept(host)
        if kept is not None:
            try:
                return self._get(host, kept, self._monotonic() + KEPT_TIMEOUT_SEC, wanted)
            except (FetchFailed, http.client.HTTPException, OSError) as error:
                # The other side may close a kept connection at any time, or forget it; that says nothing of a new one.
                _LOG.info("A kept connection failed: %s", error)
        deadline = self._monotonic() + TIMEOUT_SEC
        try:
            return self._get(host, self._connection(host, deadline), deadline, wanted)
        except (http.client.HTTPException, OSError) as error:
            raise FetchFailed(f"{type(error).__name__}: {error}") from error

    def _kept(self, host: str) -> http.client.HTTPConnection | None:
        """The connection there is, unless it has lain idle too long. A clock set back tells nothing: then too."""
        connection, used_at_sec = self._connections.pop(host, (None, 0.0))
        if connection is None or 0 <= self._wall() - used_at_sec <= IDLE_SEC:
            return connection
        connection.close()
        return None

    def _connection(self, host: str, deadline: float) -> http.client.HTTPConnection:
        timeout_sec = self._left_sec(deadline)
        if self._settings.snapshot_scheme == "http":
            return http.client.HTTPConnection(host, timeout=timeout_sec)
        return http.client.HTTPSConnection(host, timeout=timeout_sec, context=_TLS)

    def _get(self, host: str, connection: http.client.HTTPConnection, deadline: float, wanted: _Wanted) -> Fetched:
        """One exchange; the connection is kept only after a whole answer of a kind that is expected."""
        done = False
        headers = {"Accept": "application/json", **({"If-None-Match": wanted.etag} if wanted.etag else {})}
        try:
            self._limit(connection, deadline)
            connection.request("GET", wanted.path, headers=headers)
            self._limit(connection, deadline)
            response = connection.getresponse()
            if response.status not in (200, 304, 404):
                raise FetchFailed(f"It was answered with status {response.status}.")
            body = self._read(connection, response, deadline, wanted.limit_bytes)
            response.close()
            done = not response.will_close
        finally:
            # Another thread may have left one there meanwhile.
            if not done or self._connections.setdefault(host, (connection, self._wall()))[0] is not connection:
                connection.close()
        return Fetched(response.status, body if response.status == 200 else b"", response.getheader("ETag") or "")

    def _read(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse, deadline: float, limit: int
    ) -> bytes:
        """The body, piece by piece as it comes: a trickle must not outlast the deadline."""
        body = bytearray()
        length = response.length
        while length is None or len(body) < length:
            chunk = response.read1(_PIECE if length is None else min(_PIECE, length - len(body)))
            if not chunk:
                break
            body += chunk
            if len(body) > limit:
                raise FetchFailed(f"It has more than {limit} bytes.")
            self._limit(connection, deadline)
        if length is not None and len(body) < length:
            raise FetchFailed("It is torn: the connection ended early.")
        return bytes(body)

    def _limit(self, connection: http.client.HTTPConnection, deadline: float) -> None:
        """Give the next wait for the other side only what is left of the time."""
        left_sec = self._left_sec(deadline)
        sock: Any = connection.sock
        if sock is not None:
            sock.settimeout(left_sec)

    def _left_sec(self, deadline: float) -> float:
        left_sec = deadline - self._monotonic()
        if left_sec <= 0:
            raise FetchFailed("It did not come in time.")
        return left_sec
