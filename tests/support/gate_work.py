"""The gate's work in lines of its own code that run: the same on every machine, however busy it is."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

PRODUCT = "waiting_room"


def lines_run(call: Callable[[], Any]) -> tuple[Any, int]:
    """What a call returns, and how many lines of the product ran for it."""
    count = 0

    def look(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if PRODUCT not in frame.f_code.co_filename:
            return None
        count += event == "line"
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        return call(), count
    finally:
        sys.settrace(before)
