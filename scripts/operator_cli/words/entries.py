"""Entries of the audit log in words: who it was, and from what to what."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from scripts.operator_cli.words.moments import show_moment

MANY = 6
"""Settings of one entry that are told on a line of their own each; of more, only how many."""


def lines(entry: Mapping[str, Any]) -> list[str]:
    """What an entry says, a line for each setting or detail."""
    told = [f"reason: {entry['reason']}"] if entry["reason"] else []
    if len(entry["changes"]) > MANY:
        return [*told, f"{len(entry['changes'])} settings (--json shows them)"]
    told += [f"{name}: {shown(name, old)} -> {shown(name, new)}" for name, (old, new) in entry["changes"].items()]
    return told + [f"{name}: {shown(name, value)}" for name, value in entry["details"].items()]


def shown(name: str, value: Any) -> str:
    """A value of a setting: moments as one reads a clock, the rest as JSON."""
    if value is None:
        return "not set"
    if name.endswith("_at_ms") and isinstance(value, int) and not isinstance(value, bool):
        return show_moment(value)
    return json.dumps(value, ensure_ascii=False)


def who(by: str) -> str:
    """The name at the end of an AWS identity: `ines` of arn:aws:sts::1:assumed-role/operators/ines."""
    return by.rpartition("/")[2].rpartition(":")[2]
