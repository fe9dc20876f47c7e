"""Fakes of the ports: they keep the contract of the real adapters (see tests/contract) and let a test look inside."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult

from waiting_room.adapters.signing_keys import SigningKey, new_key
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import StoredObject


@dataclass
class FakeClock:
    """A clock that stands still until it is moved. Starts on 2026-06-01 12:00 UTC."""

    ms: int = 1_780_315_200_000

    def now_ms(self) -> int:
        return self.ms

    @property
    def now_sec(self) -> int:
        return self.ms // 1000

    def advance(self, sec: float) -> None:
        self.ms += round(sec * 1000)


@dataclass
class FakeIds:
    """Ids that look like the real ones and come in the same order for the same seed."""

    seed: str = "ids"
    made: int = 0

    def _next(self, kind: str) -> str:
        self.made += 1
        digest = hashlib.sha256(f"{self.seed}/{kind}/{self.made}".encode()).digest()
        return base64.urlsafe_b64encode(digest[:16]).decode().rstrip("=")

    def visitor_id(self) -> str:
        return self._next("visitor")

    def session_id(self) -> str:
        return self._next("session")

    def attempt_id(self) -> str:
        return self._next("attempt")

    def jitter(self) -> float:
        self.made += 1
        digest = hashlib.sha256(f"{self.seed}/jitter/{self.made}".encode()).digest()
        return int.from_bytes(digest[:6], "big") / 2**48


@dataclass(frozen=True)
class Written:
    """One object as it was put."""

    body: bytes
    content_type: str
    cache_control: str

    @property
    def etag(self) -> str:
        return f'"{hashlib.md5(self.body, usedforsecurity=False).hexdigest()}"'


@dataclass
class FakeDoor:
    """A site's public address, as PublicDoor connects to it: answers `status`; where it is None nobody does."""

    status: int | None = 204
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    closed: int = 0

    def connect(self, site: SplitResult) -> Any:
        self._host = site.netloc
        return self

    def request(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> None:
        self.asked.append((method, self._host, path))
        if self.status is None:
            raise ConnectionRefusedError

    def getresponse(self) -> FakeDoor:
        return self

    def read(self, most: int) -> bytes:
        return b""

    def close(self) -> None:
        self.closed += 1


@dataclass
class FakeObjectStore:
    """A bucket in memory. `before_put` runs before every put looks at its condition: the place for a racing writer.

    `down` says of which keys it has no answer just now.
    """

    objects: dict[str, Written] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)
    gets: list[str] = field(default_factory=list)
    before_put: Callable[[str], None] | None = None
    down: Callable[[str], bool] = lambda _: False
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def get(self, key: str) -> StoredObject | None:
        self.gets.append(key)
        self._answer(key)
        written = self.objects.get(key)
        return StoredObject(written.body, written.etag) if written else None

    def put(
        self,
        key: str,
        body: bytes,
        content_type: str,
        cache_control: str,
        *,
        if_match: str | None = None,
        if_absent: bool = False,
    ) -> bool:
        if self.before_put is not None:
            self.before_put(key)
        self._answer(key)
        with self._lock:
            there = self.objects.get(key)
            if if_absent and there is not None:
                return False
            if if_match is not None and (there is None or there.etag != if_match):
                return False
            self.objects[key] = Written(body, content_type, cache_control)
            self.puts.append(key)
            return True

    def _answer(self, key: str) -> None:
        if self.down(key):
            raise Overloaded


@dataclass
class FakeFunctions:
    """Remembers which functions were started, with what."""

    started: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        self.started.append((name, dict(payload)))


@dataclass
class FakeSigningKeys:
    """Two real key pairs, made once; `load` and `ensure` as SigningKeys has them."""

    keys: tuple[SigningKey, ...] = field(default_factory=lambda: (new_key("active", 0), new_key("next", 0)))

    def load(self) -> tuple[SigningKey, ...]:
        return self.keys

    def ensure(self) -> tuple[SigningKey, ...]:
        return self.keys


def no_pause(_: float) -> None:
    """Stands in for a pause where nothing happens meanwhile."""
