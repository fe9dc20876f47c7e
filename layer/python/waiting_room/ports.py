"""The seams: protocols for everything that has a second implementation in the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from waiting_room.domain.alerts import Channel
from waiting_room.domain.phones import CodeChannel


class Clock(Protocol):
    """The time, the only source of it."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        ...


class Ids(Protocol):
    """Randomness, the only source of it."""

    def visitor_id(self) -> str:
        """22 base64url characters."""
        ...

    def session_id(self) -> str:
        """22 base64url characters."""
        ...

    def attempt_id(self) -> str:
        """22 base64url characters, new for every write that may need to be recognised."""
        ...

    def jitter(self) -> float:
        """A number in [0, 1)."""
        ...


@dataclass(frozen=True)
class StoredObject:
    """An object as read, with the tag a conditional write needs."""

    body: bytes
    etag: str


class ObjectStore(Protocol):
    """The site bucket; a key is the URL path without its first slash. Raises Overloaded where it does not answer."""

    def get(self, key: str) -> StoredObject | None:
        """The object, or None when there is none."""
        ...

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
        """Write an object; False when the condition did not hold."""
        ...


class Beacon(Protocol):
    """A public source of randomness, in numbered rounds."""

    def round_at(self, at_ms: int) -> int:
        """The first round that was not known yet at a moment."""
        ...

    def value(self, number: int) -> str | None:
        """The value of a round, None while it is not known."""
        ...


class DoorProbe(Protocol):
    """Someone who tries the door from outside."""

    def gets_through(self, zone_id: str) -> bool | None:
        """Whether a request that needs all that a claim needs is served; None where nobody can tell.

        It may take seconds.
        """
        ...


class Functions(Protocol):
    """Other functions of this deployment."""

    def start(self, name: str, payload: Mapping[str, Any]) -> None:
        """Start a function and do not wait for it."""
        ...


class Delivery(Enum):
    """What became of a message to one connection."""

    SENT = "it was handed over"
    GONE = "nobody is there any more"
    FAILED = "the service was too busy or could not be reached"


class Connections(Protocol):
    """Open WebSockets of this deployment."""

    def push(self, connection_id: str, message: bytes) -> Delivery:
        """Send a message; may be called from several threads at once."""
        ...


class Archive(Protocol):
    """Where rows of schemas/archive.json are kept for good."""

    def put(self, rows: Sequence[Mapping[str, Any]]) -> set[int]:
        """Keep rows; the numbers of those that were not taken and may be handed over again."""
        ...


@dataclass(frozen=True)
class MetricPoint:
    """Measures of schemas/metrics.json of one minute, of a lane or (None) of the whole zone.

    Of two points of the same minute the one with the higher version counts; its numbers are the more complete.
    """

    zone_id: str
    run: int
    lane: str | None
    minute_at_ms: int
    version: int
    values: Mapping[str, float]


class Metrics(Protocol):
    """A backend of the business metrics."""

    def put(self, points: Sequence[MetricPoint]) -> None:
        """Tell points; telling one again is harmless. Raises Overloaded when the backend does not take them now."""
        ...


class Failures(Protocol):
    """Where events are left that nobody could deal with."""

    def put(self, failure: Mapping[str, Any]) -> None:
        """Leave word; raises Overloaded."""
        ...


class Cipher(Protocol):
    """Seals what only a part of the product may read."""

    def seal(self, text: str, context: Mapping[str, str]) -> bytes:
        """The text, encrypted; raises Overloaded."""
        ...

    def open(self, sealed: bytes, context: Mapping[str, str]) -> str:
        """The text again, for the same context; raises Overloaded."""
        ...


class Carrier(Protocol):
    """Brings messages to telephones."""

    def send(
        self, channel: Channel, number: str, text: str, language: str, *, life_sec: int, max_price_usd: float
    ) -> Delivery:
        """Send a message once; GONE when the number is refused."""
        ...


class Sending(Enum):
    """What became of a passcode that was to be sent."""

    SENT = "it was handed over"
    PERHAPS = "the answer was lost; it may have been sent"
    REFUSED = "the number cannot be reached, or wants no messages"
    BUSY = "nothing was sent; asking again may help"
    STOPPED = "nothing was sent, and nothing will be until somebody looks after it"


class Passcodes(Protocol):
    """Makes passcodes, sends and checks them. `reference` binds the two."""

    def send(self, channel: CodeChannel, number: str, reference: str) -> Sending:
        """Have a passcode sent, once."""
        ...

    def check(self, number: str, reference: str, code: str) -> bool:
        """Whether the passcode is the one sent for this reference; raises Overloaded, Unsure."""
        ...


class Tokens(Protocol):
    """Signed tokens."""

    def sign(self, audience: str, claims: Mapping[str, Any]) -> str:
        """A JWT with issuer and audience added; `claims` hold iat and exp in seconds."""
        ...

    def verify(self, token: str, audience: str, *, now_sec: int, allow_expired: bool = False) -> dict[str, Any] | None:
        """The claims, or None for anything that is not exactly a valid token of this audience."""
        ...
