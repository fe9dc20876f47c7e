"""ZONES.md: every setting of a zone on one page, from schemas/zone.json."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from scripts.operator_cli.zone_fields import ZoneField, fields

HEAD = """\
# Settings of a zone

`make docs` writes this page from [schemas/zone.json](schemas/zone.json); `wr zones fields NAME` says the same on a
terminal, and `wr zones new my-show --paths /events/x` begins a file. A file of zones is JSON, and `wr zones apply FILE`
makes the zones what it says. A key that begins with `//` is a remark.

A moment is a number (`starts_at_ms`) or, in a file, words (`starts_at`): ISO 8601 with an offset, or in the local time
of the zone's `time_zone`. What is live is changed within seconds, with `wr set` or by applying the file again.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *_sections(fields())])


def _sections(every: list[ZoneField]) -> Iterator[str]:
    below: list[ZoneField] = []
    for each in every:
        if "." in each.name:
            below.append(each)
            continue
        yield from _table(below)
        below = []
        yield f"## `{each.name}`\n"
        yield f"**{each.title}.** {_plain(each.description)}\n"
        yield f"- {_plain(each.facts)}"
        if each.example is not None:
            yield f"- for example `{json.dumps(each.example, ensure_ascii=False)}`"
        yield f"- changes: {each.changes}\n"
    yield from _table(below)


def _plain(text: str) -> str:
    """Text that Markdown leaves as it is, but for what stands in backticks."""
    return re.sub(r"`[^`]*`|[*\[<|]", lambda found: found[0] if len(found[0]) > 1 else f"\\{found[0]}", text)


def _table(below: list[ZoneField]) -> Iterator[str]:
    if not below:
        return
    yield "| setting | meaning | value |"
    yield "|---|---|---|"
    for each in below:
        yield f"| `{each.name}` | {_plain(each.description)} | {_plain(each.facts)} |"
    yield ""
