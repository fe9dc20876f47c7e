"""The page's scripts and styles as one file each: a crowd pays for every request, and a phone waits for each.

Not a general bundler. It knows the forms the page's modules are written in and refuses every other one: imports of
names from a module beside it (`import { A, B } from "./x.js";`), and exports where something is declared. Comments and
indentation are left out: a third of what a visitor would load, and nobody who loads it reads them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./([\w.-]+)";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const|let) +(\w+))", re.MULTILINE)
_NOTES = re.compile(r"^[ \t]*(?:/\*(?:[^*]|\*(?!/))*\*/[ \t]*|//.*)$\n?", re.MULTILINE)
"""Comments that have lines of their own."""
_INDENT = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def bundled_script(modules: Mapping[str, str], entry: str) -> str:
    """One module that does what `entry` does; each of the others becomes a function called once, in order of need.

    Raises ValueError for a module that is missing, not needed, in a circle, or written in a form that is not known.
    """
    order: list[str] = []
    _visit(entry, modules, order, ())
    if unused := sorted(modules.keys() - set(order)):
        raise ValueError(f"no module imports {', '.join(unused)}")
    return "\n".join(_part(name, bare(modules[name]), is_entry=name == entry) for name in order)


def bundled_style(styles: Mapping[str, str], entry: str) -> str:
    """All style sheets one after the other: the entry first, then the others by name."""
    others = sorted(styles.keys() - {entry})
    return "\n".join(bare(styles[name]) for name in (entry, *others))


def bare(source: str) -> str:
    """A script or style without comments and indentation; raises ValueError where those could be part of a text."""
    left = _NOTES.sub("", source)
    if line := next((line for line in left.splitlines() if line.count("`") % 2), ""):
        raise ValueError(f"a text over several lines cannot be kept as it is: {line}")
    return _INDENT.sub("", left)


def _visit(name: str, modules: Mapping[str, str], order: list[str], above: tuple[str, ...]) -> None:
    """Append a module after those it imports."""
    if name in above:
        raise ValueError(f"{' imports '.join((*above, name))}: a circle")
    if name in order:
        return
    if name not in modules:
        raise ValueError(f"{above[-1]} imports {name}, which is not there" if above else f"there is no {name}")
    for _, imported in _IMPORT.findall(modules[name]):
        _visit(imported, modules, order, (*above, name))
    order.append(name)


def _part(name: str, source: str, *, is_entry: bool) -> str:
    """A module as a statement: its imports taken from the modules before it, its exports given back."""
    exported = _EXPORT.findall(source)
    body = _EXPORT.sub("", _IMPORT.sub(_taken, source))
    if other := _OTHER.search(body):
        raise ValueError(f"{name}: cannot put this into one file: {other[0]}")
    # Its names stay its own, whatever the other modules call theirs.
    if is_entry:
        return body
    return f"const {_holder(name)} = (() => {{\n{body.rstrip()}\nreturn {{ {', '.join(exported)} }};\n}})();\n"


def _taken(found: re.Match[str]) -> str:
    names = ", ".join(name.strip().replace(" as ", ": ") for name in found[1].split(",") if name.strip())
    return f"const {{ {names} }} = {_holder(found[2])};"


def _holder(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name)
