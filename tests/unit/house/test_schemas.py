"""The files in schemas/: each fits its schema of schemas, fits the others, and a planted mistake is caught."""

from __future__ import annotations

import copy
import fnmatch
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from waiting_room import schemas

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT / "schemas"
TABLES = ("protected_zones", "counters", "joins", "user_connections", "queue")
DOCUMENTS = ("zone", "status", "snapshot")
META = {f"tables/{name}": "table" for name in TABLES} | {
    name: name for name in ("functions", "behaviours", "openapi", "websocket", "archive", "metrics", "timestream")
}
REMOVED = object()


def faults(name: str, document: Any) -> list[str]:
    """What is wrong with the content of one file, by its meta-schema and by itself."""
    if name in DOCUMENTS:
        meta: Any = Draft202012Validator(Draft202012Validator.META_SCHEMA)
        return [fault.message for fault in meta.iter_errors(document)] + undescribed(document)
    found = [fault.message for fault in Draft202012Validator(schemas.load(f"meta/{META[name]}")).iter_errors(document)]
    if found or name.startswith("tables/"):
        return found
    own = {
        "functions": of_functions,
        "behaviours": of_behaviours,
        "openapi": of_openapi,
        "websocket": of_websocket,
        "archive": of_archive,
        "metrics": lambda _: [],
        "timestream": lambda _: [],
    }
    return own[name](document)


def undescribed(document: Any) -> list[str]:
    """Fields that no operator or developer could know the meaning of, and objects that take any field."""
    described = {"title", "description", "$ref", "enum", "const"}
    return [
        f"{name} has no description" for name, field in document["properties"].items() if not described & field.keys()
    ] + ([] if document.get("additionalProperties") is False else ["unknown fields pass"])


def of_functions(document: Any) -> list[str]:
    found = []
    for component, spec in document["functions"].items():
        resources = [permission["resource"] for permission in spec["permissions"]]
        wanted = {f"{kind.upper()}_TABLE": f"table:{kind}" for kind in TABLES} | {
            f"{other.upper()}_FUNCTION": f"function:{other}" for other in document["functions"]
        }
        for variable, resource in wanted.items():
            if (variable in spec["environment"]) != (resource in resources):
                found.append(f"{component}: {variable} and a right on {resource} go together")
        named = [resource.partition(":")[2] for resource in resources if resource.startswith("function:")]
        found += [f"{component}: no function {other}" for other in named if other not in document["functions"]]
        source = spec["triggers"].get("stream", {}).get("table")
        if source and (schemas.table(source)["stream"] is None or f"stream:{source}" not in resources):
            found.append(f"{component}: cannot read the stream of {source}")
        if len({permission_key(permission) for permission in spec["permissions"]}) != len(spec["permissions"]):
            found.append(f"{component}: a right is there twice")
    return found


def permission_key(permission: Any) -> str:
    return json.dumps(permission, sort_keys=True)


def of_behaviours(document: Any) -> list[str]:
    """Every pattern decides about some path: none is hidden by one before it."""
    entries = document["behaviours"]
    found = []
    for entry in entries:
        path = "/" + entry["path_pattern"].replace("*", "a").lstrip("/")
        first = next(other for other in entries if fnmatch.fnmatchcase(path, other["path_pattern"]))
        if first is not entry:
            found.append(f"{entry['name']} is hidden by {first['name']}")
        if entry["origin"] not in ("none", *document["origins"]):
            found.append(f"{entry['name']}: no origin {entry['origin']}")
        if entry["cache"] not in document["caches"]:
            found.append(f"{entry['name']}: no cache {entry['cache']}")
        if entry["origin_secret"] and document["origins"][entry["origin"]]["kind"] == "bucket":
            found.append(f"{entry['name']}: a bucket needs no secret")
    found += [f"{name}: its bounds contradict" for name, cache in document["caches"].items() if not ordered(cache)]
    if entries[-1]["path_pattern"] != "*" or entries[-2]["path_pattern"] != document["prefix"] + "/*":
        found.append("the last two behaviours must catch the prefix, then everything")
    return found


def ordered(cache: dict[str, int]) -> bool:
    return cache["min_ttl_sec"] <= cache["default_ttl_sec"] <= cache["max_ttl_sec"]


def of_openapi(document: Any) -> list[str]:
    found = []
    components = document["components"]
    for name, schema in components["schemas"].items():
        meta: Any = Draft202012Validator(Draft202012Validator.META_SCHEMA)
        found += [f"{name}: {fault.message}" for fault in meta.iter_errors(schema)]
    ids = []
    for path, item in document["paths"].items():
        for operation in item.values():
            ids.append(operation["operationId"])
            found += of_operation(path, operation, components)
    found += [f"{name} is the id of two operations" for name in ids if ids.count(name) > 1]
    used = json.dumps(document)
    for kind in ("schemas", "parameters", "responses", "headers"):
        found += [
            f"{kind}/{name} is never used" for name in components[kind] if f'"#/components/{kind}/{name}"' not in used
        ]
    return found


def of_operation(path: str, operation: Any, components: Any) -> list[str]:
    found = []
    name = operation["operationId"]
    parameters = [components["parameters"].get(ref["$ref"].rpartition("/")[2], {}) for ref in operation["parameters"]]
    in_path = {parameter["name"] for parameter in parameters if parameter.get("in") == "path"}
    if in_path != set(re.findall(r"\{(\w+)\}", path)):
        found.append(f"{name}: its path parameters are not those of {path}")
    for scheme in (scheme for alternative in operation["security"] for scheme in alternative):
        if scheme not in components["securitySchemes"]:
            found.append(f"{name}: no security scheme {scheme}")
    if "requestBody" in operation and not {"400", "413"} <= operation["responses"].keys():
        found.append(f"{name}: a body can be wrong (400) or too large (413)")
    if operation["x-foyer-function"] == "operator" and not path.startswith("/.waiting-room/v1/admin/"):
        found.append(f"{name}: CloudFront would pass on an operator's route")
    return found


def of_websocket(document: Any) -> list[str]:
    found = [] if len({route["route_key"] for route in document["routes"]}) == 3 else ["a route is there twice"]
    for name, message in document["messages"].items():
        schema = message["schema"]
        if schema["properties"]["type"] != {"const": name}:
            found.append(f"{name}: its type is another name")
        if set(schema["required"]) != schema["properties"].keys():
            found.append(f"{name}: every field is always there")
    return found


def of_archive(document: Any) -> list[str]:
    """Every question has its text, with as many parameters as it says; the partitions are fields."""
    found = [f"{name} is no field" for name in document["partitions"] if name not in document["fields"]]
    texts = {path.stem: path.read_text(encoding="utf-8") for path in (SCHEMAS / "archive").glob("*.sql")}
    if texts.keys() != document["questions"].keys():
        found.append("questions and files are not the same")
    for name, question in document["questions"].items():
        if texts.get(name, "").count("?") != len(question["parameters"]):
            found.append(f"{name}: not as many parameters as its text has")
    return found


def references(document: Any) -> Iterator[str]:
    if isinstance(document, dict):
        if isinstance(document.get("$ref"), str):
            yield document["$ref"]
        for part in document.values():
            yield from references(part)
    elif isinstance(document, list):
        for part in document:
            yield from references(part)


def planted(name: str, pointer: str, value: Any) -> Any:
    """The content of a file with one mistake in it."""
    document = copy.deepcopy(schemas.load(name))
    steps = [step.replace("~1", "/") for step in pointer.split("/")[1:]]
    part = document
    for step in steps[:-1]:
        part = part[int(step) if isinstance(part, list) else step]
    last: Any = int(steps[-1]) if isinstance(part, list) else steps[-1]
    if value is REMOVED:
        del part[last]
    else:
        part[last] = value
    return document


@pytest.mark.parametrize("name", [*META, *DOCUMENTS])
def test_every_file_fits(name: str) -> None:
    assert faults(name, schemas.load(name)) == []


def test_there_is_no_file_without_a_check() -> None:
    present = {str(path.relative_to(SCHEMAS).with_suffix("")) for path in SCHEMAS.rglob("*.json")}
    assert present == {*META, *DOCUMENTS, *(f"meta/{name}" for name in META.values())}
    assert {schemas.table(name)["name"] for name in TABLES} == set(TABLES)


@pytest.mark.parametrize("name", sorted(set(META.values())))
def test_every_meta_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(schemas.load(f"meta/{name}"))


@pytest.mark.parametrize("name", [*META, *DOCUMENTS, *(f"meta/{name}" for name in sorted(set(META.values())))])
def test_every_reference_leads_somewhere(name: str) -> None:
    for reference in references(schemas.load(name)):
        file, _, pointer = reference.partition("#")
        part: Any = schemas.load(file.removesuffix(".json") or name)
        for step in pointer.split("/")[1:]:
            assert step in part, f"{name}: {reference}"
            part = part[step]


def fields_of(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for field in schema.get("properties", {}).values():
        yield field
        yield from fields_of(field)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_default_fits_its_own_field(name: str) -> None:
    document = schemas.load(name)
    for field in fields_of(document):
        if "default" in field:
            validator = Draft202012Validator(field | {"$defs": document["$defs"]})
            assert [fault.message for fault in validator.iter_errors(field["default"])] == []


OPERATOR = "/paths/~1.waiting-room~1v1~1admin~1zones/get"
ENTER = "/paths/~1.waiting-room~1v1~1zones~1{zone_id}~1enter/get"
CONTROL = "/paths/~1.waiting-room~1v1~1admin~1zones~1{zone_id}~1control/post"


@pytest.mark.parametrize(
    ("name", "pointer", "value"),
    [
        ("tables/queue", "/partition_key/type", "B"),
        ("tables/queue", "/ttl_attribute", "ttl"),
        ("tables/counters", "/sort_key", {"name": "slot"}),
        ("tables/protected_zones", "/stream", "NEW_IMAGE"),
        ("tables/user_connections", "/item_kinds", []),
        ("functions", "/functions/bouncer/timeout_sec", 30),
        ("functions", "/functions/bouncer/memory", 512),
        ("functions", "/functions/bouncer/environment/6", "token_issuer"),
        ("functions", "/functions/bouncer/environment/2", REMOVED),
        ("functions", "/functions/bouncer/permissions/0/actions/0", "dynamodb:*"),
        ("functions", "/functions/bouncer/permissions/0/resource", "table:orders"),
        ("functions", "/functions/bouncer/permissions/4/resource", "function:baker"),
        ("functions", "/functions/operator/permissions/3/actions/0", "s3:GetObject"),
        ("functions", "/functions/gatekeeper/environment", ["TOKEN_ISSUER"]),
        ("functions", "/functions/gatekeeper/architecture", "arm64"),
        ("functions", "/functions/gatekeeper/open_handler", REMOVED),
        ("functions", "/functions/bouncer/open_handler", "handler.open_handler"),
        ("functions", "/functions/bouncer/permissions/0/resource", "archive:stream"),
        ("functions", "/functions/bouncer/permissions/0/resource", "websocket:routes"),
        ("functions", "/functions/exchanger/retries", REMOVED),
        ("functions", "/functions/publisher/triggers/stream/table", "user_connections"),
        ("functions", "/functions/dispatcher/triggers/schedule", "rate(1 minutes)"),
        ("functions", "/functions/doorman", {}),
        ("behaviours", "/behaviours/0/answer", REMOVED),
        ("behaviours", "/behaviours/1/gate", True),
        ("behaviours", "/behaviours/1/methods", ["GET", "POST"]),
        ("behaviours", "/behaviours/0/path_pattern", "/.waiting-room/*"),
        ("behaviours", "/behaviours/3/cache", "second"),
        ("behaviours", "/behaviours/11", REMOVED),
        ("behaviours", "/behaviours/11/gate", False),
        ("behaviours", "/caches/status/max_ttl_sec", 0),
        ("behaviours", "/origins/site_bucket/forward", "all"),
        ("openapi", f"{ENTER}/operationId", REMOVED),
        ("openapi", f"{ENTER}/operationId", "join_queue"),
        ("openapi", f"{ENTER}/x-foyer-function", "operator"),
        ("openapi", f"{ENTER}/parameters/0", REMOVED),
        ("openapi", f"{ENTER}/responses/500", REMOVED),
        ("openapi", f"{OPERATOR}/security", []),
        ("openapi", f"{CONTROL}/responses/413", REMOVED),
        ("openapi", f"{CONTROL}/requestBody/content/application~1json/schema", {"type": "object"}),
        ("openapi", "/components/schemas/Place/properties/run/type", "whole"),
        ("openapi", "/components/schemas/Unused", {"description": "Used by nobody."}),
        ("openapi", "/components/parameters/zone_id/required", False),
        ("websocket", "/routes/2", REMOVED),
        ("websocket", "/routes/2/route_key", "$connect"),
        ("websocket", "/messages/your_turn/schema/properties/type/const", "turn"),
        ("websocket", "/messages/your_turn/schema/additionalProperties", True),
        ("archive", "/fields/run/type", "number"),
        ("archive", "/fields/day", REMOVED),
        ("archive", "/questions/waits", REMOVED),
        ("archive", "/questions/waits/parameters", ["zone_id"]),
        ("metrics", "/measures/admitted/statistic", "Sum"),
        ("metrics", "/dimensions/lane", REMOVED),
        ("timestream", "/questions/line/sql", "SELECT 1"),
        ("timestream", "/questions/line/parameters", ["visitor_id"]),
        ("zone", "/properties/max_active/type", "number of visitors"),
        ("zone", "/properties/max_active/minimum", "1"),
        ("zone", "/properties/control/enum", "auto"),
        ("zone", "/properties/colour", {"type": "string"}),
        ("zone", "/additionalProperties", True),
        ("status", "/required", "zone_id"),
        ("status", "/properties/run", {"type": "integer"}),
        ("snapshot", "/properties/revoked/properties", []),
        ("snapshot", "/additionalProperties", REMOVED),
    ],
)
def test_a_planted_mistake_is_caught(name: str, pointer: str, value: Any) -> None:
    assert faults(name, planted(name, pointer, value)) != []


def test_operations_know_their_route() -> None:
    operations = schemas.operations()
    join = operations["join_queue"]
    assert (join.method, join.path) == ("POST", "/.waiting-room/v1/zones/{zone_id}/visitors")
    assert (join.function, join.use_case, join.request_schema) == (
        "bouncer",
        "join",
        {"$ref": "#/components/schemas/JoinRequest"},
    )
    assert operations["confirm_token"].request_schema == {"$ref": "#/components/schemas/ConfirmationRequest"}


def test_an_unknown_file_is_an_error() -> None:
    with pytest.raises(FileNotFoundError):
        schemas.load("tables/orders")
