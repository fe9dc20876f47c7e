"""The door: whether claims can get through at all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Door:
    """What the tick knows of the way in."""

    shut: bool = False
