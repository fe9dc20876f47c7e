"""Where a visitor may be sent back to: a path of the same site, never another host and never this service."""

from __future__ import annotations

import re
import string
from urllib.parse import quote

from waiting_room.domain.errors import InvalidInput
from waiting_room.domain.gate.paths import BadPath, fold, readings
from waiting_room.domain.locations import PREFIX

LONGEST_PATH = 2_000
"""Characters. The path travels inside another URL, where each may take three, and few clients take over 8,000."""

_AS_IT_IS = string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@/?#[]%"
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def safe_path(to: str) -> str:
    """`to` as a value for a Location header, characters outside ASCII percent-encoded.

    Raises InvalidInput (pointer `/to`) unless it begins with one `/`, has no control bytes, and no way to read its
    path has `//` or `\\` or leads under the prefix. The query may hold anything else: it names no host.
    """
    if not to.startswith("/") or _CONTROL.search(to):
        raise InvalidInput("Give a path of this site that begins with '/' and has no control characters.", "/to")
    if len(to) > LONGEST_PATH:
        raise InvalidInput(f"The path may have {LONGEST_PATH} characters at most.", "/to")
    path = re.split(r"[?#]", to, maxsplit=1)[0]
    if "\\" in path:
        raise InvalidInput("The path must not have '\\'.", "/to")
    try:
        encoded = quote(to, safe=_AS_IT_IS)
        stages = readings(quote(path, safe=_AS_IT_IS))
    except (BadPath, UnicodeEncodeError) as error:
        raise InvalidInput(f"The path cannot be read safely: {error}", "/to") from None
    for stage in stages:
        if "//" in stage or "\\" in stage:
            raise InvalidInput("The path must not have '//' or '\\', encoded or not.", "/to")
        if (fold(stage) + "/").startswith(PREFIX + "/"):
            raise InvalidInput("The path leads to the waiting room itself.", "/to")
    return encoded
