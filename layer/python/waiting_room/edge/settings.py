"""Settings of the gatekeeper. Lambda@Edge has no environment variables: its name and handler say all that varies.

So everybody deploys the same bundle. A settings file in it, where there is one, decides alone.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

from waiting_room.domain.locations import PREFIX

__all__ = ["EdgeSettings", "InvalidSettings", "find_settings", "read_settings", "settings_of"]

SETTINGS_FILE = "settings.json"
_CHOICES = {"snapshot_scheme": ("https", "http"), "on_missing_snapshot": ("refuse", "pass")}
_SNAPSHOT_PATH = re.compile(r"\A/[A-Za-z0-9._/-]+\Z")
# Replicas are called after the region of the original: us-east-1.foyer-gatekeeper-...
_FUNCTION_NAME = re.compile(r"\A(?:us-east-1\.)?(?P<issuer>[a-z][a-z0-9-]*)-gatekeeper-(?P<snapshot>[0-9a-f]{32})\Z")


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


def settings_of(function_name: str, on_missing_snapshot: str) -> EdgeSettings:
    """The settings a deployed function's name holds: `<issuer>-gatekeeper-<128 bits of the snapshot's name>`.

    Raises InvalidSettings.
    """
    parts = _FUNCTION_NAME.match(function_name)
    if parts is None:
        raise InvalidSettings(f"the function must be called <issuer>-gatekeeper-<32 hex digits>, not {function_name!r}")
    path = f"{PREFIX}/gate-{parts['snapshot']}.json"
    return EdgeSettings(snapshot_path=path, issuer=parts["issuer"], on_missing_snapshot=on_missing_snapshot)


def find_settings(folder: Path, function_name: str, on_missing_snapshot: str) -> EdgeSettings:
    """The settings file's, if the folder has one, otherwise those of the name and handler. Raises InvalidSettings."""
    if (folder / SETTINGS_FILE).exists():
        return read_settings(folder)
    return settings_of(function_name, on_missing_snapshot)
