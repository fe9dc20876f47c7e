"""The one table from a domain problem to an HTTP status, and the problem document (RFC 9457)."""

from __future__ import annotations

from typing import Any

from waiting_room.domain.errors import InvalidInput, Overloaded, ProofNeeded, TooSoon, WaitingRoomError

__all__ = ["INTERNAL_PROBLEM", "STATUS_OF", "problem_document", "retry_after_sec"]

STATUS_OF = {
    "invalid-input": 400,
    "invalid-zone": 400,
    "no-token": 401,
    "sign-in": 401,
    "forbidden": 403,
    "scripts-needed": 403,
    "moved": 403,
    "unknown-zone": 404,
    "unknown-visitor": 404,
    "unknown-key": 404,
    "unknown-route": 404,
    "wrong-method": 405,
    "alert-refused": 409,
    "already-completed": 409,
    "reference-used": 409,
    "stale-version": 409,
    "key-in-use": 409,
    "lapsed": 410,
    "run-over": 410,
    "sold-out": 410,
    "hard-end": 410,
    "link-used": 410,
    "too-large": 413,
    "proof-needed": 428,
    "overloaded": 429,
    "too-soon": 429,
    "try-again": 503,
    "not-ready": 503,
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
    6901), the first one's also as `pointer` and `detail`; with `challenge` when one is to be solved."""
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
    return document


def retry_after_sec(error: WaitingRoomError, jitter: float) -> int | None:
    """Seconds to wait before asking again, spread over 1x to 2x of the hint by `jitter` (0..1); None: do not.

    A back-off is one visitor's own, and is said exactly.
    """
    if isinstance(error, TooSoon):
        return error.retry_after_sec
    if not isinstance(error, Overloaded):
        return None
    return max(1, round(error.retry_after_sec * (1 + jitter)))
