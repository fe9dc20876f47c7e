"""The data in schemas/: tables, functions, behaviours, routes and documents, read once and never written twice."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

__all__ = [
    "METHODS",
    "Operation",
    "behaviours",
    "components",
    "folder",
    "functions",
    "load",
    "openapi",
    "operations",
    "table",
]

METHODS = ("get", "put", "post", "delete")
"""The methods the OpenAPI document uses; anything else in a path item is not an operation."""

_PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Operation:
    """One operation: where it is reached, which function serves it and which use case does it.

    `method` is in upper case, `path` a template (`/a/{b}`), `request_schema` the schema of its JSON body or None.
    """

    operation_id: str
    method: str
    path: str
    function: str
    use_case: str
    request_schema: Mapping[str, Any] | None


@lru_cache(maxsize=64)
def load(name: str) -> dict[str, Any]:
    """One file by its path without `.json` (`zone`, `tables/queue`), cached: treat it as read-only.

    Raises FileNotFoundError for a name there is no file of.
    """
    document: dict[str, Any] = json.loads(folder().joinpath(f"{name}.json").read_text(encoding="utf-8"))
    return document


def table(name: str) -> dict[str, Any]:
    """Keys, stream and kinds of items of a table (`counters`)."""
    return load(f"tables/{name}")


def functions() -> dict[str, Any]:
    """The functions by component."""
    known: dict[str, Any] = load("functions")["functions"]
    return known


def behaviours() -> dict[str, Any]:
    """Prefix, origins, caches and behaviours of the distribution, in order of precedence."""
    return load("behaviours")


def openapi() -> dict[str, Any]:
    """The HTTP API as OpenAPI 3.1."""
    return load("openapi")


def components() -> dict[str, Any]:
    """The named schemas of the HTTP API."""
    known: dict[str, Any] = openapi()["components"]["schemas"]
    return known


@lru_cache(maxsize=1)
def operations() -> dict[str, Operation]:
    """Every operation of the HTTP API by its id."""
    found = {}
    for path, item in openapi()["paths"].items():
        for method in METHODS:
            if method in item:
                operation = _operation(path, method, item[method])
                found[operation.operation_id] = operation
    return found


def _operation(path: str, method: str, definition: Mapping[str, Any]) -> Operation:
    content = definition.get("requestBody", {}).get("content", {})
    return Operation(
        operation_id=definition["operationId"],
        method=method.upper(),
        path=path,
        function=definition["x-foyer-function"],
        use_case=definition["x-foyer-use-case"],
        request_schema=content.get("application/json", {}).get("schema"),
    )


def folder() -> Path:
    """Beside this file in the layer, at the top of the repository otherwise."""
    packed = _PACKAGE / "schemas_data"
    return packed if packed.is_dir() else _PACKAGE.parents[2] / "schemas"
