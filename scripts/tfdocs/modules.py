"""One Terraform module as Markdown, laid out as terraform-docs lays out its tables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from scripts.tfdocs.hcl import BadHcl, Block, parse, walk

REGISTRY = "https://registry.terraform.io/providers"


class BadModule(Exception):
    """Raised when a module cannot be documented; the text says which file and why."""


def read(folder: Path) -> list[Block]:
    """Every top-level block of a module's files, by file name. Raises BadModule."""
    blocks: list[Block] = []
    for file in sorted(folder.glob("*.tf")):
        try:
            blocks += parse(file.read_text(encoding="utf-8"))
        except BadHcl as error:
            raise BadModule(f"{file}: {error}") from None
    return blocks


def document(blocks: list[Block]) -> str:
    """Requirements, providers, modules, resources, inputs, outputs: each a table, or a sentence where it is empty."""
    sections = (
        ("Requirements", "requirements", ("Name", "Version"), _requirements(blocks)),
        ("Providers", "providers", ("Name", "Version"), _providers(blocks)),
        ("Modules", "modules", ("Name", "Source", "Version"), _modules(blocks)),
        ("Resources", "resources", ("Name", "Type"), _resources(blocks)),
        ("Inputs", "inputs", ("Name", "Description", "Type", "Default", "Required"), _inputs(blocks)),
        ("Outputs", "outputs", ("Name", "Description"), _outputs(blocks)),
    )
    return "\n\n".join(_section(title, word, headings, list(rows)) for title, word, headings, rows in sections)


def _section(title: str, word: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    if not rows:
        return f"## {title}\n\nNo {word}."
    rule = "|".join("-" * (len(heading) + 2) for heading in headings)
    lines = [f"| {' | '.join(headings)} |", f"|{rule}|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n".join([f"## {title}", "", *lines])


def _requirements(blocks: list[Block]) -> Iterator[tuple[str, str]]:
    for block in walk(blocks, "terraform"):
        if "required_version" in block.arguments:
            yield _anchor("requirement", "terraform"), _escaped(block.text("required_version"))
        for name, version in _required_providers(block).items():
            yield _anchor("requirement", name), _escaped(version)


def _providers(blocks: list[Block]) -> Iterator[tuple[str, str]]:
    """The providers that resources and data sources need, with the version asked for."""
    versions: dict[str, str] = {}
    for block in walk(blocks, "terraform"):
        versions |= _required_providers(block)
    used = {block.labels[0].partition("_")[0] for kind in ("resource", "data") for block in walk(blocks, kind)}
    for name in sorted(used):
        yield _anchor("provider", name), _escaped(versions.get(name, "n/a"))


def _required_providers(block: Block) -> dict[str, str]:
    found = {}
    for inner in block.blocks:
        if inner.kind == "required_providers":
            for name, source in inner.arguments.items():
                version = re.search(r'version\s*=\s*"([^"]*)"', source)
                found[name] = version[1] if version else "n/a"
    return found


def _modules(blocks: list[Block]) -> Iterator[tuple[str, str, str]]:
    for block in sorted(walk(blocks, "module"), key=lambda block: block.labels):
        name = block.labels[0]
        version = block.text("version") if "version" in block.arguments else "n/a"
        yield _anchor("module", name), block.text("source"), version


def _resources(blocks: list[Block]) -> Iterator[tuple[str, str]]:
    found = [
        (f"{block.labels[0]}.{block.labels[1]}", block.labels[0], kind)
        for kind in ("resource", "data")
        for block in walk(blocks, kind)
    ]
    for name, type_name, kind in sorted(found):
        provider, _, rest = type_name.partition("_")
        folder, word = ("resources", "resource") if kind == "resource" else ("data-sources", "data source")
        # What Terraform brings itself is documented elsewhere.
        owner = "hashicorp" if provider != "terraform" else "builtin"
        shown = _escaped(name)
        if owner == "hashicorp":
            shown = f"[{name}]({REGISTRY}/{owner}/{provider}/latest/docs/{folder}/{rest})"
        yield shown, word


def _inputs(blocks: list[Block]) -> Iterator[tuple[str, str, str, str, str]]:
    for block in sorted(walk(blocks, "variable"), key=lambda block: block.labels):
        default = block.arguments.get("default")
        yield (
            _anchor("input", block.labels[0]),
            _described(block),
            _code(block.arguments.get("type", "any")),
            "n/a" if default is None else _code(default),
            "yes" if default is None else "no",
        )


def _outputs(blocks: list[Block]) -> Iterator[tuple[str, str]]:
    for block in sorted(walk(blocks, "output"), key=lambda block: block.labels):
        yield _anchor("output", block.labels[0]), _described(block)


def _described(block: Block) -> str:
    try:
        text = block.text("description")
    except ValueError:
        raise BadModule(f"{block.kind} {block.labels[0]}: the description must be one quoted string") from None
    if not text:
        raise BadModule(f"{block.kind} {block.labels[0]} has no description")
    return _escaped(text)


def _anchor(kind: str, name: str) -> str:
    target = f"{kind}_{name}"
    return f'<a name="{target}"></a> [{_escaped(name)}](#{_escaped(target)})'


def _code(source: str) -> str:
    """An expression in a table's cell: as code, or with its line breaks where it has several lines."""
    if "\n" not in source:
        return f"`{source.replace('|', chr(92) + '|')}`"
    return f"<pre>{source.replace('<', '&lt;').replace(chr(10), '<br/>')}</pre>".replace("|", "\\|")


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is; what stands between backticks is code already."""
    spans = text.split("`")
    spans[::2] = [re.sub(r"<(?=[A-Za-z/!])", "&lt;", re.sub(r"([\\_*])", r"\\\1", span)) for span in spans[::2]]
    return "`".join(spans).replace("|", "\\|").replace("\n", "<br/>")
