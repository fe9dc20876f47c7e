"""From a request to the function of its operation. The routes come from schemas/openapi.json alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol
from urllib.parse import unquote

from waiting_room.domain.errors import UnknownRoute, WrongMethod
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response

Endpoint = Callable[[Request], Response]


class WithRoute(Protocol):
    """One operation of the OpenAPI document: its id, method and path template (`/a/{b}`)."""

    @property
    def operation_id(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...


@dataclass(frozen=True)
class _Route:
    operation_id: str
    method: str
    pattern: re.Pattern[str]
    endpoint: Endpoint


class MethodNotAllowed(WrongMethod):
    """Raised when the path exists for other methods, which `allow` lists."""

    def __init__(self, allow: list[str]) -> None:
        super().__init__(f"Use {' or '.join(allow)} here.")
        self.allow = allow


class Router:
    """Routes of one function: those operations of the document that it has endpoints for."""

    def __init__(self, operations: Iterable[WithRoute], endpoints: Mapping[str, Endpoint]) -> None:
        self._routes = [
            _Route(known.operation_id, known.method.upper(), _pattern(known.path), endpoints[known.operation_id])
            for known in operations
            if known.operation_id in endpoints
        ]
        missing = set(endpoints) - {route.operation_id for route in self._routes}
        if missing:
            raise LookupError(f"Not in the OpenAPI document: {', '.join(sorted(missing))}")

    def resolve(self, request: Request) -> tuple[str, Endpoint, Request]:
        """Operation id, endpoint and the request with its path parameters; raises UnknownRoute or WrongMethod."""
        matches = [(route, match) for route in self._routes if (match := route.pattern.match(request.path))]
        if not matches:
            raise UnknownRoute
        for route, match in matches:
            if route.method == request.method:
                parameters = {name: unquote(value) for name, value in match.groupdict().items()}
                return route.operation_id, route.endpoint, replace(request, parameters=parameters)
        raise MethodNotAllowed(sorted({route.method for route, _ in matches}))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    expression = "".join(f"(?P<{part}>[^/]+)" if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(rf"\A{expression}\Z")
