"""What a function does before its first event.

Lambda runs what is outside a handler when an instance starts, for 10 s at most, while an event of 512 MB has a third of
a processor ("Understanding the Lambda execution environment lifecycle" and "Configure Lambda function memory", Lambda
guide). So what every event needs is made there: imports, clients, keys, connections. None of it may fail the start.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)


def built_at_start(build: Callable[[], T]) -> Callable[[], T]:
    """A function that gives what `build` makes: made now, or when that fails by the first call that does not."""
    built = cache(build)
    _tried(built)
    return built


def warm_up(*reads: Callable[[], object]) -> None:
    """Make reads side by side, for what they leave behind: open connections, keys in hand.

    One that fails leaves nothing, and is made again by the first event that needs it.
    """
    with ThreadPoolExecutor(len(reads)) as threads:
        list(threads.map(_tried, reads))


def _tried(act: Callable[[], object]) -> None:
    try:
        act()
    except Exception:
        logger.warning("this could not be done at the start", exc_info=True)
