"""Settings of the gatekeeper. Lambda@Edge has no environment variables: they are a file in the bundle."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

__all__ = ["EdgeSettings", "InvalidSettings", "read_settings"]

SETTINGS_FILE = "settings.json"
_CHOICES = {"snapshot_scheme": ("https", "http"), "on_missing_snapshot": ("refuse", "pass")}
_SNAPSHOT_PATH = re.compile(r"\A/[A-Za-z0-9._/-]+\Z")


class InvalidSettings(ValueError):
    """Raised when the settings file cannot be used; names every fault at once."""


@dataclass(frozen=True)
class EdgeSettings:
    """`snapshot_scheme` is `http` only where a dev edge plays CloudFront on one machine."""

    snapshot_path: str
    issuer: str
    snapshot_scheme: str = "https"
    on_missing_snapshot: str = "refuse"

    def __post_init__(self) -> None:
        faults = [
            f"{name} must be one of {', '.join(choices)}"
            for name, choices in _CHOICES.items()
            if getattr(self, name) not in choices
        ]
        if not isinstance(self.snapshot_path, str) or not _SNAPSHOT_PATH.match(self.snapshot_path):
            faults.append("snapshot_path must be a URL path")
        if not isinstance(self.issuer, str) or not self.issuer:
            faults.append("issuer must be text")
        if faults:
            raise InvalidSettings("; ".join(faults))


def read_settings(folder: Path) -> EdgeSettings:
    """Read settings.json of a folder. Raises InvalidSettings."""
    path = folder / SETTINGS_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        unknown = sorted(set(document) - {field.name for field in fields(EdgeSettings)})
        if unknown:
            raise InvalidSettings(f"{path.name} has unknown fields: {', '.join(unknown)}")
        return EdgeSettings(**document)
    except (OSError, TypeError, json.JSONDecodeError) as error:
        raise InvalidSettings(f"{path.name} cannot be read: {error}") from error
