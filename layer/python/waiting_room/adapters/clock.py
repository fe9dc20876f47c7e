"""The real time and the real randomness."""

from __future__ import annotations

import base64
import secrets
import time

ID_BYTES = 16
"""128 bits: nobody guesses or meets one twice; 22 base64url characters."""


class SystemClock:
    """The clock of the machine."""

    def now_ms(self) -> int:
        """Milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class RandomIds:
    """Ids from the operating system's random source, read at every call: a thawed container repeats nothing."""

    def visitor_id(self) -> str:
        """22 base64url characters."""
        return _random_id()

    def session_id(self) -> str:
        """22 base64url characters."""
        return _random_id()

    def attempt_id(self) -> str:
        """22 base64url characters."""
        return _random_id()

    def jitter(self) -> float:
        """A number in [0, 1)."""
        return secrets.randbits(53) / 2**53


def _random_id() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(ID_BYTES)).decode().rstrip("=")
