"""The architecture as a Mermaid picture, drawn from schemas/: what is not in them is not in the picture."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Json = Mapping[str, Any]

READS = ("GetItem", "Query", "Scan", "BatchGetItem", "GetObject", "GetParameter", "ListBucket", "ConditionCheckItem")
ORIGIN_NODES = {"api": "api", "websocket": "websocket", "site_bucket": "bucket", "site": "site"}


def architecture(schemas: Path) -> str:
    """A Mermaid flow chart: from the visitor through the distribution to functions, tables and bucket."""
    functions: Json = json.loads((schemas / "functions.json").read_text(encoding="utf-8"))["functions"]
    behaviours: Json = json.loads((schemas / "behaviours.json").read_text(encoding="utf-8"))
    tables = [path.stem for path in sorted((schemas / "tables").glob("*.json"))]
    lines = [
        "flowchart LR",
        *_outside(behaviours, functions),
        *_behaviours(behaviours, functions),
        *_functions(functions),
        *_tables(functions, tables),
    ]
    return "\n".join(["```mermaid", *lines, "```"])


def _outside(behaviours: Json, functions: Json) -> Iterator[str]:
    yield "  visitors([visitors]) --> distribution{{CloudFront}}"
    yield "  servers([the site's servers]) --> distribution"
    if any(spec["triggers"].get("http") for spec in functions.values()):
        yield "  operators([operators, AWS_IAM]) --> api[HTTP API]"
    if any("schedule" in spec["triggers"] for spec in functions.values()):
        yield "  scheduler[EventBridge Scheduler]"
    if _has_websocket(functions):
        yield "  websocket[WebSocket API]"
    kinds = {origin["kind"] for origin in behaviours["origins"].values()}
    if "bucket" in kinds:
        yield "  bucket[(site bucket)]"
    if "custom" in kinds:
        yield "  site[your site]"


def _behaviours(behaviours: Json, functions: Json) -> Iterator[str]:
    """One arrow for each origin, labelled with the paths that lead there; the site's goes through the gate."""
    prefix = behaviours["prefix"]
    for name, node in ORIGIN_NODES.items():
        listed = [each for each in behaviours["behaviours"] if each["origin"] == name]
        if not listed or (node == "websocket" and not _has_websocket(functions)):
            continue
        paths = "<br/>".join(each["path_pattern"].removeprefix(prefix) for each in listed)
        gated = any(each["gate"] for each in listed)
        if gated:
            gate = next(component for component, spec in functions.items() if spec["edge"])
            yield f'  distribution -- "{paths}" --> {gate}[/{gate}/] --> {node}'
        else:
            yield f'  distribution -- "{paths}" --> {node}'


def _functions(functions: Json) -> Iterator[str]:
    """What starts each function."""
    for component, spec in functions.items():
        triggers = spec["triggers"]
        if triggers.get("http"):
            yield f"  api --> {component}[{component}]"
        if triggers.get("websocket"):
            yield f"  websocket --> {component}[{component}]"
        if schedule := triggers.get("schedule"):
            yield f'  scheduler -- "{schedule}" --> {component}[{component}]'
        if stream := triggers.get("stream"):
            yield f"  {stream['table']} -. stream .-> {component}[{component}]"
        for resource in _resources(spec, "function:"):
            yield f"  {component} -. starts .-> {resource}[{resource}]"


def _tables(functions: Json, tables: list[str]) -> Iterator[str]:
    """What each function reads and writes."""
    for table in tables:
        if any(f"table:{table}" in _all_resources(spec) for spec in functions.values()):
            yield f"  {table}[({table})]"
    for component, spec in functions.items():
        for table in tables:
            actions = _actions(spec, f"table:{table}")
            if actions:
                yield f"  {component} {_arrow(actions)} {table}"
        actions = [action for each in spec["permissions"] if _is_bucket(each) for action in each["actions"]]
        if actions:
            yield f"  {component} {_arrow(actions)} bucket"
        if keys := _actions(spec, "secret:signing_keys"):
            yield f"  {component} {_arrow(keys)} signing_keys[(signing keys, Secrets Manager)]"


def _arrow(actions: list[str]) -> str:
    """An arrow from a function: both ways where it reads and writes."""
    names = {action.partition(":")[2] for action in actions}
    return "-- reads ---" if names <= set(READS) else "-->"


def _actions(spec: Json, resource: str) -> list[str]:
    return [action for each in spec["permissions"] if each["resource"] == resource for action in each["actions"]]


def _is_bucket(permission: Json) -> bool:
    return bool(permission["resource"].startswith("bucket"))


def _resources(spec: Json, kind: str) -> list[str]:
    found = (each["resource"] for each in spec["permissions"] if each["resource"].startswith(kind))
    return [resource.removeprefix(kind) for resource in found]


def _all_resources(spec: Json) -> set[str]:
    return {each["resource"] for each in spec["permissions"]}


def _has_websocket(functions: Json) -> bool:
    return any(spec["triggers"].get("websocket") for spec in functions.values())
