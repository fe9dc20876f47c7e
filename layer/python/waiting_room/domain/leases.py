"""Arithmetic of leases: which bucket a lease is counted in, and when a bucket may be closed.

A lease is counted in one bucket of the gate item. Bucket `k` of a width `w` ends at `(k + 1) * w` seconds since
the epoch, and no token of a lease in it is valid past that moment. Times are milliseconds unless named otherwise.
"""

from __future__ import annotations

MARGIN_SEC = 10
"""The largest difference of any two clocks that the cap survives."""

PIN_SEC = 120
"""How far ahead a lease is pinned while a sale is recorded; the bouncer's time-out is far below it."""
PIN_STEP = 4
"""Pins share every fourth bucket: each bucket ever used stays in the gate item until it is closed."""

FIRST_SCRIPT_SEC = 60
"""The first lease of a script session: the page has yet to load."""

OPEN_BUCKETS = 20
"""About as many buckets are open at a time: each costs ten bytes of a gate item that has 1,024."""


def bucket_width_sec(idle_sec: int) -> int:
    """Width of the buckets of a zone in seconds, for a new run (PROTOCOL, Leases)."""
    return max(10, -(-idle_sec // OPEN_BUCKETS))


def script_bucket_width_sec(beat_sec: int) -> int:
    """Width of the buckets of a zone with heartbeats: at most about 12 leases of the longest kind are open at a time.

    Finer than those of navigation leases, for what a bucket is too long is time nobody is there for.
    """
    return max(5, max(FIRST_SCRIPT_SEC, 2 * beat_sec) // 12)


def bucket_end_ms(bucket: int, width_sec: int) -> int:
    """The moment a bucket ends."""
    return (bucket + 1) * width_sec * 1000


def bucket_covering(end_ms: int, width_sec: int) -> int:
    """The first bucket that ends no earlier than `end_ms`."""
    return -(-end_ms // (width_sec * 1000)) - 1


def last_ended_bucket(now_ms: int, width_sec: int) -> int:
    """The last bucket whose end is at least the margin ago, on whatever clock it is looked at.

    A bucket may only be closed when it is over on every clock: ended `MARGIN_SEC` ago on the closer's.
    """
    return (now_ms - MARGIN_SEC * 1000) // (width_sec * 1000) - 1


def pin_bucket(now_ms: int, width_sec: int) -> int:
    """The bucket that keeps a lease counted while a sale is recorded."""
    covering = bucket_covering(now_ms + PIN_SEC * 1000, width_sec)
    return covering + -covering % PIN_STEP


def lease_bucket(now_ms: int, lease_sec: int, hard_end_ms: int, width_sec: int) -> int:
    """The bucket of a lease taken now, cut at the session's hard end.

    Where leases were made longer than the run's buckets are meant for, they share every second or every n-th.
    """
    covering = bucket_covering(min(now_ms + lease_sec * 1000, hard_end_ms), width_sec)
    return covering + -covering % max(1, -(-lease_sec // (OPEN_BUCKETS * width_sec)))


def expires_at_ms(bucket: int, hard_end_ms: int, width_sec: int) -> int:
    """When tokens of a lease in this bucket expire: a pure function of the stored lease, so retries agree."""
    return min(bucket_end_ms(bucket, width_sec), hard_end_ms)


def heartbeat_sec(max_active: int | None, configured: int | None) -> int:
    """Seconds between heartbeats of script sessions: the gate item never sees more than about 400 writes a second."""
    return configured if configured is not None else max(15, (max_active or 0) // 200)


def lease_sec(kind: str, idle_sec: int, beat_sec: int, first: bool) -> int:
    """Length of a lease in seconds by kind; a script session gets 60 s to load the page first."""
    if kind == "navigation":
        return idle_sec
    return FIRST_SCRIPT_SEC if first else 2 * beat_sec
