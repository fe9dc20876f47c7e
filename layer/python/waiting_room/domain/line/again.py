"""A place taken again: each new position of one visitor comes later than the one before (PROTOCOL, Joining).

Doubling the wait each time is binary exponential back-off (R. Metcalfe and D. Boggs, "Ethernet", 1976).
"""

from __future__ import annotations

from waiting_room.domain.line.places import QueueItem

__all__ = ["FIRST_WAIT_SEC", "FREE", "LONGEST_WAIT_SEC", "may_join_at_ms"]

FREE = 2
"""Positions without any wait: whoever left by accident is back at once."""
FIRST_WAIT_SEC = 10
LONGEST_WAIT_SEC = 900
"""Eleven positions in the first hour and four in each one after it, whatever an account tries."""


def may_join_at_ms(item: QueueItem) -> int:
    """From when on (epoch milliseconds) the visitor of this place may have another position, once it is over.

    Counted from the moment this one was taken: who has waited in line for long need not wait for a line.
    """
    if item.times < FREE:
        return item.joined_at_ms
    # The exponent is bounded, for the wait is.
    wait_sec = min(LONGEST_WAIT_SEC, FIRST_WAIT_SEC << min(item.times - FREE, 10))
    return item.joined_at_ms + wait_sec * 1000
