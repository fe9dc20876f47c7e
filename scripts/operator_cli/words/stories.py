"""What happened to one visitor, in sentences that can be read out on the telephone. Only what is stored is said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scripts.operator_cli.words.moments import show_moment

NOW: Mapping[str, str] = {
    "waiting": "The visitor is waiting and has not been called yet.",
    "called": "The visitor has been called and may come in now; whoever has the page open is let in by it.",
    "lapsed": "The visitor was called and did not come in time: the place has lapsed. Joining again gives a new place.",
    "admitted": "The visitor is in.",
    "completed": "The visitor has completed a purchase.",
    "left": "The visitor has left the zone.",
    "revoked": "An operator has revoked the place.",
}


def story(found: Mapping[str, Any], now_ms: int) -> list[str]:
    """Sentences in order of time, what is true now last."""
    told = [f"Joined the lane {found['lane']} of run {found['run']} at {show_moment(found['joined_at_ms'])}."]
    if found.get("rejoined"):
        told.append("An earlier place of this visitor was replaced by this one: it had lapsed or was given up.")
    position = found.get("position")
    if position is None:
        told.append("The place has no position yet: it is drawn at the start, or about to be counted.")
    else:
        told.append(f"The place is number {position + 1:,} of its lane.")
    told += _while_waiting(found)
    told += _inside(found, now_ms)
    if found.get("revoked"):
        told.append("The gate refuses this visitor: the visitor or the session is on the list of revoked ones.")
    told.append(NOW.get(found["status"], f"Status now: {found['status']}."))
    return told


def _while_waiting(found: Mapping[str, Any]) -> list[str]:
    away, admitted = found.get("away_at_ms"), found.get("admitted_at_ms")
    if not away:
        return []
    if admitted and admitted > away:
        return [f"Left the waiting page at {show_moment(away)} and came back later."]
    after = _span(away - found["joined_at_ms"])
    return [f"Left the waiting page at {show_moment(away)}, after {after}; no return is recorded."]


def _inside(found: Mapping[str, Any], now_ms: int) -> list[str]:
    told = []
    if found.get("admitted_at_ms"):
        waited = _span(found["admitted_at_ms"] - found["joined_at_ms"])
        told.append(f"Was let in at {show_moment(found['admitted_at_ms'])}, {waited} after joining.")
    ends = found.get("expires_at_ms")
    if ends and found["status"] == "admitted":
        word = "ends" if ends > now_ms else "ended"
        told.append(f"The session {word} at {show_moment(ends)} unless it is renewed before.")
    if found.get("completed_at_ms"):
        reference = f" with the reference {found['reference']}" if found.get("reference") else ""
        told.append(f"Completed a purchase at {show_moment(found['completed_at_ms'])}{reference}.")
    return told


def _span(ms: int) -> str:
    seconds = max(0, ms // 1000)
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
