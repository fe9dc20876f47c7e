"""Files of zones: read whole, checked whole before anything is sent, refused with every mistake and its place.

A file is one zone, a list of zones, or `{"defaults": {...}, "templates": {...}, "zones": [...]}`: a zone is written
over the template that its `template` names, and that over the defaults. A zone is written as in schemas/zone.json, with
moments in words beside: `starts_at` for `starts_at_ms`, `opens_at` for `opens_at_ms`, with `ends_at` a schedule of one
window, and in windows all three, `repeat` for a row of equal ones. A moment without an offset is in the zone's
`time_zone`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from waiting_room.domain.errors import Fault, InvalidInput
from waiting_room.domain.gate.zone_rules import rule_faults
from waiting_room.domain.zone.checked import checked
from waiting_room.domain.zone.zones import SERVER_FIELDS
from waiting_room.http.frame.validation import validate

from ..operator_api.errors import BadInput
from .zone_moments import Moments

Json = dict[str, Any]

REMARK = "//"
"""A key that begins so is a remark, of which a file may have any number, anywhere."""


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
            mistakes += [f"{name}: {fault.pointer}: {fault.detail}" for fault in error.faults]
            continue
        faults = zone_faults(document) or _taken(document, documents)
        mistakes += [f"{name}: {fault.pointer or '/'}: {fault.detail}" for fault in faults]
        if not faults:
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
    """JSON lets a key stand twice and the last one win; in a file written by hand that is a mistake. Remarks may."""
    document: Json = {}
    for key, value in pairs:
        if key.startswith(REMARK):
            continue
        if key in document:
            raise ValueError(f"the key {key!r} stands twice in one object")
        document[key] = value
    return document


def without_remarks(value: Any) -> Any:
    """A value of a file without the remarks in it."""
    if isinstance(value, dict):
        return {key: without_remarks(each) for key, each in value.items() if not key.startswith(REMARK)}
    return [without_remarks(each) for each in value] if isinstance(value, list) else value


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


def zone_faults(document: Json) -> list[Fault]:
    """What is wrong with a zone; turns moments in words into milliseconds in passing.

    What contradicts itself is looked for once every field is what it should be.
    """
    moments = Moments()
    moments.read(document)
    sets_itself = "the service sets this itself: leave it out"
    found = [*moments.faults, *(Fault(f"/{name}", sets_itself) for name in SERVER_FIELDS if name in document)]
    settings = {name: value for name, value in document.items() if name not in SERVER_FIELDS}
    try:
        validate(settings, "zone")
        if not found:
            checked(settings, rule_faults)
    except InvalidInput as error:
        found += error.faults
    return found


def _taken(document: Json, documents: list[Json]) -> list[Fault]:
    if any(other["zone_id"] == document["zone_id"] for other in documents):
        return [Fault("/zone_id", "another zone of this file has it already")]
    return []


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "nothing"}
    return names.get(type(value), "a number")
