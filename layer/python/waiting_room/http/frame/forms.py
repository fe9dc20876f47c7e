"""Forms of our own pages, which work where no script runs."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from waiting_room import schemas
from waiting_room.domain.errors import Forbidden, InvalidInput
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.validation import validate

__all__ = ["form_fields", "is_form", "read_form", "require_own_page"]

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 5


def is_form(request: Request) -> bool:
    """Whether a request is what a form sends."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == FORM


def require_own_page(request: Request, advice: str) -> None:
    """Raise Forbidden with this advice for what a page of another site sends (Fetch Metadata)."""
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise Forbidden(advice)


def form_fields(request: Request) -> dict[str, str]:
    """The fields a form has once; raises InvalidInput for more than MOST_FIELDS, or what is not UTF-8."""
    try:
        values = parse_qs(request.body.decode("utf-8"), max_num_fields=MOST_FIELDS)
    except ValueError:
        raise InvalidInput("The form cannot be read.") from None
    return {name: texts[0] for name, texts in values.items() if len(texts) == 1}


def read_form(operation: str, request: Request, *ticked: str) -> dict[str, Any]:
    """What a form of our waiting page says, held to the schema of the operation's body; `ticked` are its boxes.

    Raises Forbidden for a form of another site, and InvalidInput.
    """
    require_own_page(request, "Send the form of the waiting page.")
    asked: dict[str, Any] = dict(form_fields(request))
    asked |= {name: asked.get(name) == "yes" for name in ticked}
    schema = schemas.operations()[operation].request_schema
    if schema is not None:
        validate(asked, schema)
    return asked
