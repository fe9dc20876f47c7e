"""What a check found, and how a list of checks is run and shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import botocore.exceptions
import httpx

from ...operator_api.errors import OperatorError


class State(Enum):
    """How a check ended."""

    OK = "ok"
    ACT = "act"
    UNKNOWN = "?"


@dataclass(frozen=True)
class Finding:
    """One check: what was looked at, what was found, and what to do where something is to be done."""

    name: str
    state: State
    found: str
    to_do: str = ""

    @classmethod
    def judged(cls, name: str, holds: bool, found: str, to_do: str) -> Finding:
        """Fine if it holds; `to_do` is said otherwise."""
        return cls(name, State.OK, found) if holds else cls(name, State.ACT, found, to_do)


Check = tuple[str, Callable[[], Iterable[Finding]]]
"""A name for what could not be looked at, and what looks."""


def run(checks: Iterable[Check]) -> list[Finding]:
    """Every finding of every check; one that could not look is a finding too, and hinders no other."""
    found: list[Finding] = []
    for name, look in checks:
        try:
            found += look()
        except botocore.exceptions.ClientError as error:
            code, operation = error.response["Error"]["Code"], error.operation_name
            found.append(Finding(name, State.UNKNOWN, f"{operation} was refused: {code}", _needed(code, operation)))
        except botocore.exceptions.BotoCoreError as error:
            found.append(Finding(name, State.UNKNOWN, str(error), "Check the credentials, the Region and the network."))
        except httpx.HTTPError as error:
            found.append(Finding(name, State.ACT, f"no answer: {error}", "Check the address, DNS and the certificate."))
        except OperatorError as error:
            found.append(Finding(name, State.ACT, str(error), "Check --api-url and the credentials."))
    return found


def _needed(code: str, operation: str) -> str:
    if "Denied" in code or "Unauthorized" in code:
        return f"Your credentials need the right to call {operation}, or look for yourself."
    return "Look for yourself, or try again."


def gate_snapshot(document: Mapping[str, Any], now_ms: int, old_sec: int, to_do: str) -> Finding:
    """Whether the gate snapshot is younger than so many seconds, and has room for all that was revoked."""
    age_sec = max(0, now_ms - int(document["published_at_ms"])) // 1000
    left_out = int(document.get("left_out", 0))
    found = f"{age_sec} s old" + (f", {left_out} revoked sessions or visitors have no room in it" if left_out else "")
    if age_sec < old_sec and left_out:
        to_do = "Their pages open until their tokens run out. A reset makes every token of a zone void."
    return Finding.judged("gate snapshot", age_sec < old_sec and not left_out, found, to_do)


def lines(findings: Sequence[Finding]) -> list[str]:
    """One line for each finding, what is to be done below it, and a sum."""
    width = max((len(finding.name) for finding in findings), default=0)
    shown = []
    for finding in findings:
        shown.append(f"{finding.state.value:<3}  {finding.name.ljust(width)}  {finding.found}")
        if finding.to_do:
            shown.append(f"{'':<{width + 7}}{finding.to_do}")
    counts = {state: sum(finding.state is state for finding in findings) for state in State}
    shown += ["", f"{counts[State.OK]} fine, {counts[State.ACT]} to act on, {counts[State.UNKNOWN]} not known"]
    return shown


def all_fine(findings: Iterable[Finding]) -> bool:
    """Whether nothing is to be done and nothing is unknown."""
    return all(finding.state is State.OK for finding in findings)
