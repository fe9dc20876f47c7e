"""The settings of a zone explained, from schemas/zone.json alone: what each means, its default, bounds and example."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from waiting_room import schemas

from ..operator_api.errors import BadInput

Json = dict[str, Any]

UNITS = {
    "_per_min": "a minute",
    "_per_sec": "a second",
    "_sec": "seconds",
    "_min": "minutes",
    "_at_ms": "milliseconds since 1970-01-01 UTC; in a file also the same name without _ms, in words",
    "_ms": "milliseconds",
    "_usd": "US dollars",
    "_share": "a part of 1",
}
"""What the end of a setting's name says of its value."""
BOUNDS = (
    ("minimum", "maximum", ""),
    ("minLength", "maxLength", " characters"),
    ("minItems", "maxItems", " entries"),
    ("minProperties", "maxProperties", " names"),
)


@dataclass(frozen=True)
class ZoneField:
    """One setting; `name` is its way from the top: `session.idle_sec`, `rules[].paths`, `lanes.LANE.weight`."""

    name: str
    description: str
    kind: str
    title: str = ""
    unit: str = ""
    bounds: str = ""
    default: Any = None
    example: Any = None
    required: bool = False
    live: bool = False
    with_next_run: bool = False
    set_by_service: bool = False

    @property
    def facts(self) -> str:
        """All but the meaning, in one line."""
        told = [self.kind]
        if self.unit:
            told.append(self.unit)
        if self.bounds:
            told.append(self.bounds)
        if self.required:
            told.append("needed")
        elif self.default is not None:
            told.append(f"default {json.dumps(self.default, ensure_ascii=False)}")
        return "; ".join(told)

    @property
    def changes(self) -> str:
        """When the setting may change."""
        if self.set_by_service:
            return "set by the service"
        if self.with_next_run:
            return "with the next run"
        return "live, with `wr set` or `wr zones apply`" if self.live else "never: it is the zone's name"


def fields() -> list[ZoneField]:
    """Every setting, a part's own settings after it, in the order of the schema."""
    schema = schemas.load("zone")
    return list(_fields(schema, schema, "", live=None))


def explained(name: str | None) -> list[ZoneField]:
    """The settings of the first level, or one with its parts. Raises BadInput for any other name, with the nearest."""
    known = fields()
    if name is None:
        return [each for each in known if _is_first_level(each)]
    found = [each for each in known if each.name == name or each.name.startswith((f"{name}.", f"{name}["))]
    if not found:
        near = difflib.get_close_matches(name, [each.name for each in known], 3, 0.5)
        hint = f"Did you mean {' or '.join(near)}?" if near else "`wr zones fields` lists them."
        raise BadInput(f"There is no setting {name!r}. {hint}")
    return found


def paragraphs(shown: list[ZoneField]) -> Iterator[str]:
    """Settings as a person reads them on a terminal."""
    for number, each in enumerate(shown):
        if number:
            yield ""
        yield f"{each.name}{f' - {each.title}' if each.title else ''}"
        yield f"  {each.description}"
        yield f"  {each.facts}"
        if each.example is not None:
            yield f"  example: {json.dumps(each.example, ensure_ascii=False)}"
        if _is_first_level(each):
            yield f"  changes: {each.changes}"


def _is_first_level(field: ZoneField) -> bool:
    return "." not in field.name and "[" not in field.name


def _fields(schema: Json, part: Mapping[str, Any], prefix: str, live: bool | None) -> Iterator[ZoneField]:
    settable = schema["$defs"]["setting"]["enum"]
    for name, written in part["properties"].items():
        each = _resolved(schema, written)
        changes_live = name in settable if live is None else live
        yield ZoneField(
            name=prefix + name,
            description=str(each["description"]),
            kind=_kind(each),
            title=str(each.get("title", "")),
            unit=next((unit for end, unit in UNITS.items() if name.endswith(end)), ""),
            bounds=_bounds(each),
            default=each.get("default"),
            example=_example(each),
            required=name in part.get("required", ()),
            live=changes_live,
            with_next_run=each.get("x-foyer-changes") == "next-run",
            set_by_service=bool(each.get("readOnly")),
        )
        yield from _below(schema, each, prefix + name, changes_live)


def _below(schema: Json, part: Mapping[str, Any], name: str, live: bool) -> Iterator[ZoneField]:
    """The settings inside an object, in the entries of a list, or under names the operator chooses."""
    if "properties" in part:
        yield from _fields(schema, part, f"{name}.", live)
    entries = _resolved(schema, part.get("items", {}))
    if "properties" in entries:
        yield from _fields(schema, entries, f"{name}[].", live)
    chosen = part.get("additionalProperties")
    if isinstance(chosen, dict) and "properties" in chosen:
        yield from _fields(schema, chosen, f"{name}.NAME.", live)


def _resolved(schema: Json, part: Mapping[str, Any]) -> Json:
    """A part with what it refers to below it."""
    reference = str(part.get("$ref", "")).removeprefix("#/$defs/")
    return {**schema["$defs"].get(reference, {}), **part}


def _kind(part: Mapping[str, Any]) -> str:
    if "enum" in part:
        return "one of " + ", ".join(map(str, part["enum"]))
    if "const" in part:
        return f"only {json.dumps(part['const'])}"
    kinds = {
        "integer": "whole number",
        "number": "number",
        "string": "text",
        "boolean": "true or false",
        "array": "list",
        "object": "object",
    }
    return kinds[part["type"]]


def _bounds(part: Mapping[str, Any]) -> str:
    told = [f"more than {part['exclusiveMinimum']:,}"] if "exclusiveMinimum" in part else []
    for least, most, of_what in BOUNDS:
        if least in part and most in part:
            told.append(f"{part[least]:,} to {part[most]:,}{of_what}")
        elif least in part:
            told.append(f"at least {part[least]:,}{of_what}")
        elif most in part:
            told.append(f"at most {part[most]:,}{of_what}")
    return ", ".join(told)


def _example(part: Mapping[str, Any]) -> Any:
    """The schema's own example; where a default or a choice says as much, none is needed."""
    return part["examples"][0] if part.get("examples") else None
