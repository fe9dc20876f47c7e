"""`wr set`: key=value pairs into a merge patch of the zone (RFC 7396)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..operator_api.errors import BadInput
from .words.moments import parse_moment

Json = dict[str, Any]

UNSET = "none"


def parse_settings(pairs: list[str], schema: Mapping[str, Any], now_ms: int) -> Json:
    """The merge patch for `key=value` pairs, values read by the type schemas/zone.json gives the key.

    `part.key=value` changes one field of an object; `none` takes a field away; `starts_at` takes `+60s` or
    ISO 8601. Raises BadInput with a line for each pair that cannot be read.
    """
    patch: Json = {}
    mistakes = []
    for pair in pairs:
        try:
            _parse(pair, schema, now_ms, patch)
        except BadInput as error:
            mistakes.append(str(error))
    if mistakes:
        raise BadInput("\n".join(mistakes))
    return patch


def _parse(pair: str, schema: Mapping[str, Any], now_ms: int, patch: Json) -> None:
    """Put one pair into the patch."""
    key, equals, text = pair.partition("=")
    if not equals or not key:
        raise BadInput(f"{pair!r}: write key=value, for example rate_per_min=60.")
    if key in ("starts_at", "opens_at"):
        patch[f"{key}_ms"] = None if text == UNSET else parse_moment(text, now_ms)
        return
    part, dot, name = key.partition(".")
    if dot:
        fields = _fields_of(schema, part)
        patch.setdefault(part, {})[name] = _value(_field(fields, sorted(fields), name, key), key, text)
    else:
        settable = schema["$defs"]["setting"]["enum"]
        patch[key] = _value(_field(schema["properties"], settable, key, key), key, text)


def patched(document: Mapping[str, Any], patch: Mapping[str, Any]) -> Json:
    """A document with a merge patch applied."""
    result = dict(document)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = patched(result[name], value)
        else:
            result[name] = value
    return result


def _fields_of(schema: Mapping[str, Any], part: str) -> Mapping[str, Any]:
    """The fields of a setting that is an object, wherever the schema keeps them."""
    holder = schema["properties"].get(part, {})
    reference = str(holder.get("$ref", "")).removeprefix("#/$defs/")
    fields: Mapping[str, Any] = holder.get("properties") or schema["$defs"].get(reference, {}).get("properties", {})
    return fields


def _field(fields: Mapping[str, Any], settable: list[str], name: str, key: str) -> Mapping[str, Any]:
    if name not in settable:
        raise BadInput(f"There is no setting {key!r}; there are: {', '.join(settable) or 'none'}.")
    found: Mapping[str, Any] = fields[name]
    return found


def _value(field: Mapping[str, Any], key: str, text: str) -> Any:
    if field["type"] == "string":
        return text
    if text == UNSET:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise BadInput(f"{key}={text}: a value of type {field['type']} is needed, or `none` to unset it.") from None
