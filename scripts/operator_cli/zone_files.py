"""Files of zones: read whole, checked whole before anything is sent, refused with every mistake and its place.

A file is one zone, a list of zones, or `{"defaults": {...}, "templates": {...}, "zones": [...]}`: a zone is written
over the template that its `template` names, and that over the defaults. A zone is written as in schemas/zone.json, with
moments in words beside: `starts_at` for `starts_at_ms`, `opens_at` and `ends_at` with it for a schedule of one window,
and in windows all three, `repeat` for a row of equal ones. A moment without an offset is in the zone's `time_zone`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.operator_api.errors import BadInput
from scripts.operator_cli.words.local_times import moment_ms, time_zone
from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone
from waiting_room.http.frame.validation import validate

Json = dict[str, Any]


class BadZoneFile(BadInput):
    """Raised when a file of zones has mistakes; one line for each."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        lines = "".join(f"\n  {mistake}" for mistake in mistakes)
        super().__init__(f"{path} was refused, nothing was changed:{lines}")
        self.mistakes = mistakes


def read_zone_file(path: Path) -> list[Json]:
    """The zone documents of a file, defaults filled in from its `defaults`. Raises BadZoneFile with all mistakes."""
    entries, defaults, templates = _entries(path, _load(path))
    documents: list[Json] = []
    mistakes = []
    for number, entry in enumerate(entries, start=1):
        name = f"zone {number}"
        if not isinstance(entry, dict):
            mistakes.append(f"{name}: a zone is an object, this is {_kind(entry)}")
            continue
        if "zone_id" in entry:
            name += f" ({entry['zone_id']})"
        try:
            document = _merge(_base(defaults, templates, entry), entry)
            document.pop("template", None)
        except InvalidInput as error:
            mistakes.append(f"{name}: {error.pointer}: {error.detail}")
            continue
        mistake = _mistake(document) or _taken(document, documents)
        if mistake:
            mistakes.append(f"{name}: {mistake}")
        else:
            documents.append(document)
    if mistakes:
        raise BadZoneFile(path, mistakes)
    return documents


def _load(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise BadZoneFile(path, [f"not UTF-8 at byte {error.start}"]) from None
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise BadZoneFile(path, [f"line {error.lineno}, column {error.colno}: not JSON: {error.msg}"]) from None
    except ValueError as error:
        raise BadZoneFile(path, [str(error)]) from None


def _without_repeats(pairs: list[tuple[str, Any]]) -> Json:
    """JSON lets a key stand twice and the last one win; in a file written by hand that is a mistake."""
    document: Json = {}
    for key, value in pairs:
        if key in document:
            raise ValueError(f"the key {key!r} stands twice in one object")
        document[key] = value
    return document


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _entries(path: Path, content: Any) -> tuple[list[Any], Json, Json]:
    """The zones, the defaults and the templates of a file's content."""
    if not isinstance(content, dict):
        content = {"zones": content}
    elif "zones" not in content and "defaults" not in content:
        content = {"zones": [content]}
    entries, defaults = content.get("zones"), content.get("defaults", {})
    templates = content.get("templates", {})
    mistakes = [
        f"/{key}: only `defaults`, `templates` and `zones` stand here" for key in content if key not in _WRAPPER
    ]
    if not isinstance(templates, dict) or not all(isinstance(each, dict) for each in templates.values()):
        mistakes.append("/templates: an object of objects is needed, by the names zones use")
        templates = {}
    mistakes += [
        f"/templates/{name}/zone_id: each zone needs its own zone_id"
        for name in templates
        if "zone_id" in templates[name]
    ]
    if not isinstance(entries, list):
        mistakes.append(f"/zones: a list of zones is needed, not {_kind(entries)}")
    elif not entries:
        mistakes.append("/zones: there is no zone in it")
    if not isinstance(defaults, dict):
        mistakes.append(f"/defaults: an object is needed, not {_kind(defaults)}")
    elif "zone_id" in defaults:
        mistakes.append("/defaults/zone_id: each zone needs its own zone_id")
    if mistakes:
        raise BadZoneFile(path, mistakes)
    return list(entries), dict(defaults), dict(templates)


_WRAPPER = ("defaults", "templates", "zones")


def _base(defaults: Json, templates: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """What a zone is written over: its template over the defaults."""
    name = entry.get("template", defaults.get("template"))
    if name is None:
        return defaults
    if name not in templates:
        raise InvalidInput(f"there is no template {name!r}; there are: {', '.join(templates) or 'none'}", "/template")
    return _merge(defaults, templates[name])


def _merge(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """The entry over the defaults; objects are merged, anything else is replaced."""
    merged = dict(defaults)
    for key, value in entry.items():
        base = merged.get(key)
        merged[key] = _merge(base, value) if isinstance(base, dict) and isinstance(value, dict) else value
    return merged


def _mistake(document: Json) -> str | None:
    """What is wrong with a zone, led by its JSON pointer; turns moments in words into milliseconds in passing."""
    try:
        read_moments(document)
        for name in SERVER_FIELDS:
            if name in document:
                return f"/{name}: the service sets this itself: leave it out"
        validate(document, "zone")
        Zone.from_document(document)
    except InvalidInput as error:
        return f"{error.pointer or '/'}: {error.detail}"
    return None


MOMENTS = ("opens_at", "starts_at", "ends_at")
MOST_REPEATS = 500


def read_moments(document: Json) -> None:
    """Turn moments in words into milliseconds, in place; raises InvalidInput with the pointer."""
    zone = time_zone(document.pop("time_zone"), "/time_zone") if "time_zone" in document else None
    if "opens_at" in document or "ends_at" in document:
        if "schedule" in document or "starts_at" not in document:
            raise InvalidInput("opens_at and ends_at stand with starts_at, or in the windows of a schedule", "/ends_at")
        window = {name: document.pop(name) for name in MOMENTS if name in document}
        document["schedule"] = {"windows": [window]}
    if "starts_at" in document:
        if "starts_at_ms" in document:
            raise InvalidInput("give either starts_at or starts_at_ms", "/starts_at")
        document["starts_at_ms"] = moment_ms(document.pop("starts_at"), zone, "/starts_at")
    schedule = document.get("schedule")
    if not isinstance(schedule, dict) or not isinstance(schedule.get("windows"), list):
        return
    if "starts_at_ms" in document:
        raise InvalidInput("the schedule sets the start: leave it out here", "/starts_at_ms")
    windows = [_windows(window, zone, f"/schedule/windows/{index}") for index, window in enumerate(schedule["windows"])]
    document["schedule"] = {**schedule, "windows": [window for row in windows for window in row]}


def _windows(window: Any, zone: Any, pointer: str) -> list[Any]:
    """A window, or as many as it is repeated; anything else is left for the schema to refuse."""
    if not isinstance(window, dict):
        return [window]
    read = {name: value for name, value in window.items() if name not in (*MOMENTS, "repeat")}
    for name in MOMENTS:
        if name in window:
            if f"{name}_ms" in window:
                raise InvalidInput(f"give either {name} or {name}_ms", f"{pointer}/{name}")
            read[f"{name}_ms"] = moment_ms(window[name], zone, f"{pointer}/{name}")
    if "repeat" not in window:
        return [read]
    every_ms, times = _repeat(window["repeat"], f"{pointer}/repeat")
    return [
        {name: value + index * every_ms if isinstance(value, int) else value for name, value in read.items()}
        for index in range(times)
    ]


def _repeat(repeat: Any, pointer: str) -> tuple[int, int]:
    if not isinstance(repeat, dict) or set(repeat) != {"every_min", "times"}:
        raise InvalidInput("write every_min and times, nothing else", pointer)
    for name, most in (("every_min", 366 * 24 * 60), ("times", MOST_REPEATS)):
        if type(repeat[name]) is not int or not 1 <= repeat[name] <= most:
            raise InvalidInput(f"{name} is a whole number from 1 to {most}", pointer)
    return repeat["every_min"] * 60_000, repeat["times"]


def _taken(document: Json, documents: list[Json]) -> str | None:
    if any(other["zone_id"] == document["zone_id"] for other in documents):
        return "/zone_id: another zone of this file has it already"
    return None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
