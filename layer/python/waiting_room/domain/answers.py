"""The three answers a conditional write can get: what every verb decides by."""

from __future__ import annotations

from enum import Enum


class Answer(Enum):
    """What became of a conditional write."""

    YES = "it was applied"
    NO = "its condition did not hold; nothing was applied"
    UNSURE = "the answer was lost; it may have been applied, or may yet be"
