"""What a visit asks of whoever drives it: a request, a pause, to listen; and what it is sent back.

A visit is a generator without I/O. The demo's crowd drives it with asyncio, a rehearsal with gevent.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")


class Stuck(Exception):
    """Raised when a visit cannot go on: the site or the waiting room does what no visitor could make sense of."""


@dataclass(frozen=True)
class Request:
    """Send this, and tell its Answer or that it was Lost. `name` is what it counts as."""

    method: str
    path: str
    name: str
    is_page: bool = False
    """A page is opened with a browser's headers, and its redirects are followed; other requests are a script's."""
    form: Mapping[str, str] | None = None
    costly: bool = True
    """Whether it ends at a function."""


@dataclass(frozen=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Listen:
    """Wait so many seconds at most; tell the message that comes over the connection, or None."""

    seconds: float


@dataclass(frozen=True)
class Lost:
    """No answer came to a request that was sent at this moment (epoch milliseconds)."""

    asked_at_ms: int


@dataclass(frozen=True)
class Answer:
    """An answer, and when it was asked for and there (epoch milliseconds)."""

    status: int
    url: str
    headers: Mapping[str, str]
    set_cookies: tuple[str, ...]
    text: str
    asked_at_ms: int
    answered_at_ms: int

    @property
    def path(self) -> str:
        """The path it came from."""
        return urlsplit(self.url).path

    def json(self) -> Any:
        """The body; None where it is not JSON."""
        try:
            return json.loads(self.text)
        except ValueError:
            return None

    @property
    def problem(self) -> str:
        """The last part of the problem's type, '' where there is none."""
        body = self.json()
        return str(body.get("type", "")).rpartition(":")[2] if isinstance(body, dict) else ""

    @property
    def retry_after_sec(self) -> float:
        """What the answer asks to wait; 0 where it does not say."""
        text = self.headers.get("retry-after", "")
        return float(text) if text.isdecimal() else 0.0


Step = Request | Pause | Listen
Steps = Generator[Step, Any, T]
"""Steps that are sent what each of them asks for, or thrown Stuck, and return a T."""
