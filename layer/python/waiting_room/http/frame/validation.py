"""Documents against their schemas: every fault, where it is and what to do about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from waiting_room import schemas
from waiting_room.domain.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["validate"]

_SHARED = ("zone", "status", "snapshot")
"""Schemas of documents, which the OpenAPI document refers to by file name."""

_KINDS = {
    "object": "an object",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}


def validate(document: Any, schema: str | Mapping[str, Any], components: Mapping[str, Any] | None = None) -> None:
    """Check a document against a schema, or against the schema of a name (`zone`, `status`, `snapshot`).

    `components` are the schemas that `#/components/schemas/...` leads to, those of the HTTP API unless given.
    Raises InvalidInput with the faults in the order of the document, each with the JSON pointer of its innermost part;
    a missing or an unknown field is pointed at itself.
    """
    text = json.dumps({"$ref": f"{schema}.json"} if isinstance(schema, str) else schema, sort_keys=True)
    known = None if components is None else json.dumps(components, sort_keys=True)
    found = [inner for fault in _validator(text, known).iter_errors(document) for inner in _innermost(fault)]
    if found:
        found.sort(key=lambda fault: _rank(fault, document))
        # Of several missing fields each is a fault that names all of them.
        raise InvalidInput.of(dict.fromkeys(told for fault in found for told in _explained(fault)))


@lru_cache(maxsize=64)
def _validator(schema: str, components: str | None) -> Validator:
    # Imported where something is checked; functions that read bodies do so when they start (`prepare_bodies`).
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import extend
    from referencing import Registry
    from referencing.jsonschema import DRAFT202012

    def pattern(_: object, wanted: str, value: object, __: object) -> Iterator[ValidationError]:
        # The patterns are ECMA-262, where `$` is the very end; Python's also lets a line break follow.
        if isinstance(value, str) and not re.search(re.sub(r"\$\Z", r"\\Z", wanted), value):
            yield ValidationError("does not match")

    named = schemas.components() if components is None else json.loads(components)
    # `$schema` would bring the stock validator back, and with it the stock pattern rule.
    shared = {name: {key: part for key, part in schemas.load(name).items() if key != "$schema"} for name in _SHARED}
    resources = [(f"{name}.json", DRAFT202012.create_resource(content)) for name, content in shared.items()]
    registry: Registry[Any] = Registry().with_resources(resources)
    whole = json.loads(schema) | {"components": {"schemas": named}}
    strict = extend(Draft202012Validator, {"pattern": pattern})  # type: ignore[no-untyped-call]
    validator: Validator = strict(whole, registry=registry)
    return validator


def _innermost(fault: ValidationError) -> Iterator[ValidationError]:
    """The faults inside the alternative that comes closest; the alternatives' own when none of them goes any deeper."""
    if not fault.context:
        yield fault
        return
    deepest = max(fault.context, key=lambda found: len(found.absolute_path))
    if len(deepest.absolute_path) == len(fault.absolute_path) and len(fault.context) > 1:
        yield fault
        return
    for inside in fault.context:
        if inside.relative_schema_path[0] == deepest.relative_schema_path[0]:
            yield from _innermost(inside)


def _rank(fault: ValidationError, document: Any) -> list[int]:
    """Where in the document a fault lies, so that faults compare in reading order; those of a whole come first."""
    rank, part = [], document
    for step in fault.absolute_path:
        rank.append(step if isinstance(step, int) else list(part).index(step))
        part = part[step]
    return rank


def _explained(fault: ValidationError) -> Iterator[Fault]:
    """A fault of the schema as those that the fields meant have, with what to do about each."""
    for field, advice in _fields(fault):
        yield Fault(_pointer([*fault.absolute_path, *field]), advice)


def _fields(fault: ValidationError) -> Iterator[tuple[list[str], str]]:
    """Path from the fault's place to each field meant, and what to do."""
    rule = str(fault.validator)
    wanted: Any = fault.validator_value
    instance: Any = fault.instance
    schema: Any = fault.schema
    if "propertyNames" in fault.absolute_schema_path:
        yield [str(instance)], f"'{_short(instance)}' cannot be used as a name here. {_advice(fault)}"
    elif rule == "required":
        yield from (([field], f"'{field}' is missing: add it.") for field in wanted if field not in instance)
    elif rule == "additionalProperties" and wanted is False:
        known = schema.get("properties", {})
        ways = f"leave it out, or use one of {_listed(known)}."
        yield from (
            ([field], _RENAMED.get(field) or f"'{_short(field)}' is not known here: {ways}")
            for field in instance
            if field not in known
        )
    else:
        yield [], _advice(fault)


def _advice(fault: ValidationError) -> str:
    """What the failed rule asks for; where a rule says nothing to people, the description beside it does."""
    advice = _ADVICE.get(str(fault.validator))
    if advice is not None:
        return advice(fault.validator_value)
    schema: Any = fault.schema
    meant = schema.get("description", f"{fault.validator}: {_short(fault.validator_value)}")
    return f"This does not fit: {meant}"


_RENAMED = {"bots": "'bots' is called 'machines' now, with a word for each class: see ZONES.md."}
"""Settings of earlier releases; left out, they would be lost without a word."""

_ADVICE: dict[str, Callable[[Any], str]] = {
    "type": lambda wanted: f"Give {_one_of_kinds(wanted)}.",
    "enum": lambda wanted: f"Use one of {_listed(wanted)}.",
    "const": lambda wanted: f"Use {_short(wanted)}.",
    "minimum": lambda bound: f"Use {bound} or more.",
    "maximum": lambda bound: f"Use {bound} or less.",
    "exclusiveMinimum": lambda bound: f"Use more than {bound}.",
    "minLength": lambda bound: f"Give at least {_counted(bound, 'character')}.",
    "maxLength": lambda bound: f"Give at most {_counted(bound, 'character')}.",
    "minItems": lambda bound: f"Give at least {_counted(bound, 'item')}.",
    "maxItems": lambda bound: f"Give at most {_counted(bound, 'item')}.",
    "minProperties": lambda bound: f"Give at least {_counted(bound, 'field')}.",
    "maxProperties": lambda bound: f"Give at most {_counted(bound, 'field')}.",
    "uniqueItems": lambda _: "Give each item once.",
}


def _one_of_kinds(wanted: str | list[str]) -> str:
    kinds = [wanted] if isinstance(wanted, str) else wanted
    return " or ".join(_KINDS[kind] for kind in kinds)


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _pointer(path: list[str | int]) -> str:
    """A JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)
