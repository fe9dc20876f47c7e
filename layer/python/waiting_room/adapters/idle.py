"""Connections of SDK clients that a freeze may have killed: they are not used again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

IDLE_SEC = 10
"""A function is frozen between requests, and what the other side sends meanwhile is lost: a connection that has lain
idle for longer may take a request and never answer ("Lambda execution environment lifecycle", AWS Lambda guide). For
a write that is sent once that would be a lost answer."""


def drop_idle(client: Any, wall: Callable[[], float] = time.time) -> Any:
    """The same boto3 client, which from now on makes new connections whenever it was not used for IDLE_SEC.

    `wall` is a wall clock: a monotonic one may stand still in a frozen function.
    """
    turn = threading.Lock()
    used_at_sec = wall()

    def before_send(**_: Any) -> None:
        nonlocal used_at_sec
        # Under the lock: of several threads that wake together, one closes, and no other has taken a connection yet.
        with turn:
            now_sec = wall()
            if not 0 <= now_sec - used_at_sec <= IDLE_SEC:
                client.close()
            used_at_sec = now_sec

    client.meta.events.register("before-send", before_send)
    return client
