"""What a command of `wr` answers with: one thing, said to people in lines and to programs as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What was found or done: `document` for programs, `lines` for people; `code` is what `wr` ends with.

    The keys of a document are a promise: more may come, none changes its meaning.
    """

    document: Any
    lines: Sequence[str]
    code: int = 0

    def show(self, *, as_json: bool) -> None:
        """Print it."""
        if as_json:
            print(as_text(self.document))
        elif self.lines:
            print("\n".join(self.lines))
        # Here, where somebody who stopped reading is noticed.
        sys.stdout.flush()


def tell(arguments: argparse.Namespace, *lines: str) -> None:
    """Say at once how far a command is; on stderr where stdout is for one JSON document."""
    print("\n".join(lines), file=sys.stderr if arguments.json else sys.stdout, flush=True)


def as_text(document: Any) -> str:
    """JSON as people read it too."""
    return json.dumps(document, indent=2, ensure_ascii=False)
