"""What the waiting room says of a purchase, and what that means for the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import httpx

from foyer_origin.errors import BadReference
from foyer_origin.settings import Settings

LONGEST_REFERENCE = 100
ASK_AGAIN_SEC = 2
"""Where no answer says how long to wait."""


class Verdict(Enum):
    """The answer to a purchase. Only CONFIRMED sells; only UNSURE leaves open whether it was."""

    CONFIRMED = "confirmed"
    """The visit is this purchase's: sell. The same reference again gets the same answer."""

    OVER = "over"
    """The visit had ended before: sell nothing, the visitor may join the line again."""

    USED = "used"
    """The visit is another purchase's: sell nothing. Each visit is good for one."""

    UNKNOWN = "unknown"
    """No valid token of the zone's current run: sell nothing."""

    REFUSED = "refused"
    """The visit was revoked, or the settings are wrong (the site key, say): sell nothing, and look at `detail`."""

    UNSURE = "unsure"
    """No answer that says. It may have been confirmed: neither sell nor give up, but ask again, same reference."""


@dataclass(frozen=True)
class Confirmation:
    """What came of a purchase. `status` is `admitted`, `completed`, or empty without a session or an answer."""

    verdict: Verdict
    reference: str
    status: str = ""
    detail: str = ""
    """For a log: what the waiting room said, or that it said nothing."""

    retry_after_sec: int = 0
    """With UNSURE: seconds after which to ask again."""

    cookies: tuple[str, ...] = ()
    """Set-Cookie values for the answer to the visitor: they end a visit that is over, and are none while it is not."""


_VERDICTS = {409: Verdict.USED, 410: Verdict.OVER, 401: Verdict.UNKNOWN}
_REFUSED = (400, 403, 404, 405, 413)


def end_visit_cookies(zone_id: str) -> tuple[str, ...]:
    """Set-Cookie values that end a visit in the browser, as the waiting room itself ends one.

    The visitor's cookie stays: by it the waiting room knows who has bought, and who may again.
    """
    return (f"__Host-wr-access-{zone_id}=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Lax",)


def require_reference(reference: str) -> None:
    """Raises BadReference when it is not 1 to 100 characters long."""
    if not isinstance(reference, str) or not 1 <= len(reference) <= LONGEST_REFERENCE:
        raise BadReference(f"The reference of a purchase is your own id of it, 1 to {LONGEST_REFERENCE} characters.")


def judged(answer: httpx.Response | None, settings: Settings, reference: str, *, checkout: bool) -> Confirmation:
    """What an answer, or None, means for a purchase."""
    document = _document(answer)
    if answer is None:
        return Confirmation(Verdict.UNSURE, reference, detail="no answer", retry_after_sec=ASK_AGAIN_SEC)
    detail = str(document.get("detail") or f"answered with {answer.status_code}")
    if answer.status_code == 200 and _fits(document, settings, reference, checkout=checkout):
        done = document["status"] == "completed"
        cookies = end_visit_cookies(settings.zone_id) if done else ()
        return Confirmation(Verdict.CONFIRMED, reference, document["status"], cookies=cookies)
    # An answer of something else on the way must not pass for the waiting room's: each has its form.
    if document.get("status") == answer.status_code:
        if verdict := _VERDICTS.get(answer.status_code):
            cookies = end_visit_cookies(settings.zone_id) if verdict is Verdict.OVER else ()
            return Confirmation(verdict, reference, detail=detail, cookies=cookies)
        if answer.status_code in _REFUSED:
            return Confirmation(Verdict.REFUSED, reference, detail=detail)
    return Confirmation(Verdict.UNSURE, reference, detail=detail, retry_after_sec=retry_after_sec(answer))


def retry_after_sec(answer: httpx.Response | None) -> int:
    """How long the waiting room asks to be left alone, else ASK_AGAIN_SEC."""
    text = "" if answer is None else answer.headers.get("retry-after", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else ASK_AGAIN_SEC


def _document(answer: httpx.Response | None) -> Mapping[str, Any]:
    try:
        document = answer.json() if answer is not None else {}
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _fits(document: Mapping[str, Any], settings: Settings, reference: str, *, checkout: bool) -> bool:
    """Whether it confirms this purchase, and not whatever else somebody answers with 200."""
    done = ("completed",) if checkout else ("admitted", "completed")
    told = (document.get("zone_id"), document.get("reference"))
    return told == (settings.zone_id, reference) and document.get("status") in done
