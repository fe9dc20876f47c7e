"""Links that people send are opened by machines first: a link opens a page, and only the page's form does anything.

The token stands in the fragment of the link, which browsers send to nobody; the page's script puts it into the form.
"""

from __future__ import annotations

from collections.abc import Callable

from waiting_room.domain.errors import InvalidInput, Overloaded, WaitingRoomError
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.forms import form_fields, is_form, require_own_page
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, problem, scripted
from waiting_room.http.page.link_page import LinkPage, link_page
from waiting_room.http.page.pages import problem_page


def link_token(request: Request, operation: str) -> str:
    """The token that the button sends, as a form or as JSON, or of the whole link that was pasted into the form.

    Only our own page may send one, for it replaces what this browser has. Raises Forbidden and InvalidInput.
    """
    require_own_page(request, "Open the link and press the button there.")
    if not is_form(request):
        return str(read_body(operation, request)["token"])
    token = form_fields(request).get("token")
    if token is None:
        raise InvalidInput("Send the token of the link once.", "/token")
    return token.rpartition("#")[2].strip()


def pressed(
    request: Request,
    zone: Zone,
    page: LinkPage,
    token: str,
    take: Callable[[], Response],
    jitter: Callable[[], float],
) -> Response:
    """What the button did, or a page that says why it did nothing; what may pass is tried again with the same token."""
    try:
        return take()
    except Overloaded as error:
        again = link_page(zone, page, request.language, token)
        return scripted(again, problem(error, jitter(), page=again))
    except WaitingRoomError as error:
        said = problem_page(error, zone, zone.landing_path, request.language)
        return problem(error, jitter(), page=said)
