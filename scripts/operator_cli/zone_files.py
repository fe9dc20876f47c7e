"""Files of zones: read whole, checked whole before anything is sent, refused with every mistake and its place.

A file is one zone, a list of zones, or `{"defaults": {...}, "zones": [...]}`. A zone is written as in
schemas/zone.json; `starts_at` (ISO 8601 with a time zone) may stand for `starts_at_ms`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from scripts.operator_cli.errors import BadInput
from scripts.operator_cli.moments import parse_moment
from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.zones import SERVER_FIELDS, Zone
from waiting_room.http.validation import validate

Json = dict[str, Any]


class BadZoneFile(BadInput):
    """Raised when a file of zones has mistakes; one line for each."""

    def __init__(self, path: Path, mistakes: list[str]) -> None:
        lines = "".join(f"\n  {mistake}" for mistake in mistakes)
        super().__init__(f"{path} was refused, nothing was changed:{lines}")
        self.mistakes = mistakes


def read_zone_file(path: Path) -> list[Json]:
    """The zone documents of a file, defaults filled in from its `defaults`. Raises BadZoneFile with all mistakes."""
    entries, defaults = _entries(path, _load(path))
    documents: list[Json] = []
    mistakes = []
    for number, entry in enumerate(entries, start=1):
        name = f"zone {number}"
        if not isinstance(entry, dict):
            mistakes.append(f"{name}: a zone is an object, this is {_kind(entry)}")
            continue
        if "zone_id" in entry:
            name += f" ({entry['zone_id']})"
        document = _merge(defaults, entry)
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


def _entries(path: Path, content: Any) -> tuple[list[Any], Json]:
    """The zones and the defaults of a file's content."""
    if not isinstance(content, dict):
        content = {"zones": content}
    elif "zones" not in content and "defaults" not in content:
        content = {"zones": [content]}
    entries, defaults = content.get("zones"), content.get("defaults", {})
    mistakes = [f"/{key}: only `defaults` and `zones` stand here" for key in content if key not in _WRAPPER]
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
    return list(entries), dict(defaults)


_WRAPPER = ("defaults", "zones")


def _merge(defaults: Mapping[str, Any], entry: Mapping[str, Any]) -> Json:
    """The entry over the defaults; objects are merged, anything else is replaced."""
    merged = dict(defaults)
    for key, value in entry.items():
        base = merged.get(key)
        merged[key] = _merge(base, value) if isinstance(base, dict) and isinstance(value, dict) else value
    return merged


def _mistake(document: Json) -> str | None:
    """What is wrong with a zone, led by its JSON pointer; turns `starts_at` into `starts_at_ms` in passing."""
    try:
        if "starts_at" in document:
            document["starts_at_ms"] = _starts_at_ms(document.pop("starts_at"), "starts_at_ms" in document)
        for name in SERVER_FIELDS:
            if name in document:
                return f"/{name}: the service sets this itself: leave it out"
        validate(document, "zone")
        Zone.from_document(document)
    except InvalidInput as error:
        return f"{error.pointer or '/'}: {error.detail}"
    return None


def _starts_at_ms(text: Any, both: bool) -> int:
    if both:
        raise InvalidInput("give either starts_at or starts_at_ms", "/starts_at")
    if not isinstance(text, str) or text.startswith("+"):
        raise InvalidInput("write an ISO 8601 moment like 2027-03-01T18:00:00+01:00", "/starts_at")
    try:
        return parse_moment(text, 0)
    except BadInput as error:
        raise InvalidInput(str(error), "/starts_at") from None


def _taken(document: Json, documents: list[Json]) -> str | None:
    if any(other["zone_id"] == document["zone_id"] for other in documents):
        return "/zone_id: another zone of this file has it already"
    return None


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
