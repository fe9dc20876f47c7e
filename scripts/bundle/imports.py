"""Which modules of our own package a file needs, read from its import statements."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path


def needed_modules(start: Path, package: str, root: Path) -> dict[str, Path]:
    """Return every module of `package` (below `root`) that `start` imports, directly or not, with its file.

    Imports inside functions count. Packages on the way to a module count too, because Python runs them.
    """
    found: dict[str, Path] = {}
    waiting = [start]
    while waiting:
        for name in _imported(waiting.pop(), package):
            for ancestor in _with_ancestors(name):
                path = _file(ancestor, root)
                if path is not None and ancestor not in found:
                    found[ancestor] = path
                    waiting.append(path)
    return found


def _imported(path: Path, package: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            # `from a import b`: b may be a module or a name in a; the file system decides.
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] == package)


def _with_ancestors(name: str) -> Iterator[str]:
    parts = name.split(".")
    return (".".join(parts[: count + 1]) for count in range(len(parts)))


def _file(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    candidates = (base / "__init__.py", base.with_suffix(".py"))
    return next((candidate for candidate in candidates if candidate.is_file()), None)
