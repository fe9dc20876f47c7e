"""The JSON body of an operation, checked against the schema the OpenAPI document gives it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from typing import Any

from waiting_room import schemas
from waiting_room.domain.errors import InvalidInput
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.validation import validate


def prepare_bodies(operation_ids: Iterable[str]) -> None:
    """Have ready what the bodies of these operations are checked with: imports and schemas, a quarter of a second."""
    operations = schemas.operations()
    for schema in (operations[operation_id].request_schema for operation_id in operation_ids):
        if schema is not None:
            with contextlib.suppress(InvalidInput):
                validate({}, schema)


def read_body(operation_id: str, request: Request) -> dict[str, Any]:
    """The body as an object, `{}` when there is none; raises InvalidInput with every fault."""
    body = request.json()
    schema = schemas.operations()[operation_id].request_schema
    if schema is not None:
        validate(body, schema)
    if not isinstance(body, dict):
        raise InvalidInput("Give a JSON object.")
    return body
