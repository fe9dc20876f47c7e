"""The one table from a domain problem to an HTTP status, and the problem document (RFC 9457)."""

from __future__ import annotations

from typing import Any

from waiting_room.domain.errors import (
    CodeRefused,
    InvalidInput,
    NotOpen,
    Overloaded,
    PhoneTaken,
    ProofNeeded,
    TooSoon,
    WaitingRoomError,
)

__all__ = ["INTERNAL_PROBLEM", "STATUS_OF", "problem_document", "retry_after_sec"]

STATUS_OF = {
    "invalid-input": 400,
    "invalid-zone": 400,
    "no-token": 401,
    "sign-in": 401,
    "forbidden": 403,
    "machine": 403,
    "scripts-needed": 403,
    "moved": 403,
    "unknown-zone": 404,
    "unknown-visitor": 404,
    "unknown-key": 404,
    "unknown-route": 404,
    "wrong-method": 405,
    "alert-refused": 409,
    "not-sooner": 409,
    "not-open": 409,
    "already-completed": 409,
    "code-refused": 409,
    "phone-taken": 409,
    "reference-used": 409,
    "stale-version": 409,
    "key-in-use": 409,
    "lapsed": 410,
    "run-over": 410,
    "sold-out": 410,
    "hard-end": 410,
    "link-used": 410,
    "link-expired": 410,
    "link-void": 410,
    "invitation-used": 410,
    "too-large": 413,
    "proof-needed": 428,
    "phone-needed": 428,
    "overloaded": 429,
    "too-soon": 429,
    "try-again": 503,
    "not-ready": 503,
    "no-prefetch": 503,
}

MOST_TOLD = 100
"""Faults told at once: a body of nothing but faults must not be answered by one many times as large."""

INTERNAL_PROBLEM = {
    "type": "urn:foyer:problem:internal",
    "title": "Something went wrong",
    "status": 500,
    "detail": "The request could not be handled; the fault was recorded.",
}


def problem_document(error: WaitingRoomError) -> dict[str, Any]:
    """The problem document of an error: with `errors` when faults sit in the input, each with its JSON pointer (RFC
    6901), the first one's also as `pointer` and `detail`; with `challenge` when one is to be solved, with `opens_at_ms`
    before the line opens, with `move_token` where another place can be taken over, with `limit` where it is used up.
    """
    document: dict[str, Any] = {
        "type": f"urn:foyer:problem:{error.problem}",
        "title": error.title,
        "status": STATUS_OF[error.problem],
        "detail": error.detail,
    }
    if isinstance(error, InvalidInput):
        document["pointer"] = error.pointer
        document["errors"] = [fault._asdict() for fault in error.faults[:MOST_TOLD]]
    if isinstance(error, ProofNeeded):
        document["challenge"] = dict(error.challenge)
    if isinstance(error, CodeRefused) and error.limit:
        document["limit"] = error.limit
    if isinstance(error, PhoneTaken) and error.move_token:
        document["move_token"] = error.move_token
    if isinstance(error, NotOpen):
        document["opens_at_ms"] = error.opens_at_ms
    return document


def retry_after_sec(error: WaitingRoomError, jitter: float) -> int | None:
    """Seconds to wait before asking again, spread over 1x to 2x of the hint by `jitter` (0..1); None: do not.

    The opening of a line is told exactly: whoever is told a later moment than others would stand behind them. So is a
    back-off, which is one visitor's own.
    """
    if isinstance(error, NotOpen | TooSoon):
        return error.retry_after_sec
    if not isinstance(error, Overloaded):
        return None
    return max(1, round(error.retry_after_sec * (1 + jitter)))
