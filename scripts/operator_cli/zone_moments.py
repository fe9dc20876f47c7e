"""Moments of a zone in words, and rows of equal windows: turned into what schemas/zone.json knows, milliseconds."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from waiting_room.domain.errors import Fault, InvalidInput

from .words.local_times import moment_ms, time_zone

Json = dict[str, Any]

MOMENTS = ("opens_at", "starts_at", "ends_at")
MOST_REPEATS = 500
UNREAD_MS = 1
"""Stands for a moment that cannot be read, so that nothing else is said of its field."""


class Moments:
    """Reads the moments of one zone. `faults` are all that cannot be read."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self._zone: ZoneInfo | None = None

    def read(self, document: Json) -> None:
        """Turn moments in words into milliseconds, in place."""
        if "time_zone" in document:
            self._read_zone(document.pop("time_zone"))
        if "ends_at" in document:
            window = {name: document.pop(name) for name in MOMENTS if name in document}
            if "schedule" in document or "starts_at" not in window:
                self._say("ends_at stands with starts_at, or in the windows of a schedule", "/ends_at")
                return
            document["schedule"] = {"windows": [window]}
        for name in ("opens_at", "starts_at"):
            if name in document:
                if f"{name}_ms" in document:
                    self._say(f"give either {name} or {name}_ms", f"/{name}")
                document[f"{name}_ms"] = self._moment(document.pop(name), f"/{name}")
        schedule = document.get("schedule")
        if not isinstance(schedule, dict) or not isinstance(schedule.get("windows"), list):
            return
        if "starts_at_ms" in document:
            self._say("the schedule sets the start: leave it out here", "/starts_at_ms")
        rows = [self._windows(each, f"/schedule/windows/{index}") for index, each in enumerate(schedule["windows"])]
        document["schedule"] = {**schedule, "windows": [window for row in rows for window in row]}

    def _read_zone(self, name: object) -> None:
        try:
            self._zone = time_zone(name, "/time_zone")
        except InvalidInput as error:
            self.faults += error.faults
            # The moments in it are read as if in UTC: that their zone is unknown is said once.
            self._zone = ZoneInfo("UTC")

    def _moment(self, text: object, pointer: str) -> int:
        try:
            return moment_ms(text, self._zone, pointer)
        except InvalidInput as error:
            self.faults += error.faults
            return UNREAD_MS

    def _windows(self, window: Any, pointer: str) -> list[Any]:
        """A window, or as many as it is repeated; anything else is left for the schema to refuse."""
        if not isinstance(window, dict):
            return [window]
        read = {name: value for name, value in window.items() if name not in (*MOMENTS, "repeat")}
        for name in MOMENTS:
            if name in window:
                if f"{name}_ms" in window:
                    self._say(f"give either {name} or {name}_ms", f"{pointer}/{name}")
                read[f"{name}_ms"] = self._moment(window[name], f"{pointer}/{name}")
        every_ms, times = self._repeat(window["repeat"], f"{pointer}/repeat") if "repeat" in window else (0, 1)
        return [
            {name: value + index * every_ms if isinstance(value, int) else value for name, value in read.items()}
            for index in range(times)
        ]

    def _repeat(self, repeat: Any, pointer: str) -> tuple[int, int]:
        """Milliseconds between the windows and how many they are; one where that cannot be read."""
        if not isinstance(repeat, dict) or set(repeat) != {"every_min", "times"}:
            self._say("write every_min and times, nothing else", pointer)
            return 0, 1
        known = len(self.faults)
        for name, most in (("every_min", 366 * 24 * 60), ("times", MOST_REPEATS)):
            if type(repeat[name]) is not int or not 1 <= repeat[name] <= most:
                self._say(f"{name} is a whole number from 1 to {most}", pointer)
        return (repeat["every_min"] * 60_000, repeat["times"]) if len(self.faults) == known else (0, 1)

    def _say(self, advice: str, pointer: str) -> None:
        self.faults.append(Fault(pointer, advice))
