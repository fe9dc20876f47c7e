"""The deployment on this machine: what its engine takes, and the file that says where everything of it is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .places import own_folder, user_folder

REGION = "us-east-1"
ACCOUNT = "000000000000"
CREDENTIALS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
"""What the engines take, with every right. Never the caller's own: nothing here may ever reach AWS."""

FILE = "local-stack.json"
DESCRIPTION = own_folder() / FILE
"""Where `wr` looks for a running stack: in a checkout for its own."""
ANNOUNCED = (DESCRIPTION, user_folder() / FILE)
"""Where a stack describes itself: also for a `wr` outside of any checkout, which sees the one that started last."""


@dataclass(frozen=True)
class Announcement:
    """Where a running stack said where everything of it is."""

    files: tuple[Path, ...]
    text: str

    @classmethod
    def made(cls, files: Iterable[Path], description: Mapping[str, Any]) -> Announcement:
        """Write a description to files that this user alone can read."""
        made = cls(tuple(files), json.dumps(description, indent=2) + "\n")
        for file in made.files:
            file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.unlink(missing_ok=True)
            file.touch(mode=0o600)
            file.write_text(made.text, encoding="utf-8")
        return made

    def take_back(self) -> None:
        """Remove the files, but for one that another stack has written since. Harmless when repeated."""
        for file in self.files:
            if file.is_file() and file.read_text(encoding="utf-8") == self.text:
                file.unlink()
