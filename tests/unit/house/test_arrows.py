"""Every import follows the arrows: a room imports what is below it, nothing beside it, nothing above.

The tables are the rule; rooms stand in them from the ground up, so that no table can hold a circle. Imports count
wherever they stand, in functions and under TYPE_CHECKING too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.unit.house.test_schemas import ROOT

LAYER = ROOT / "layer" / "python"
Arrows = Mapping[str, frozenset[str]]
Module = tuple[str, ...]


def row(*floors: tuple[str, ...]) -> dict[str, frozenset[str]]:
    """A row of floors: each may import all that is on a floor before its own."""
    below: frozenset[str] = frozenset()
    found: dict[str, frozenset[str]] = {}
    for floor in floors:
        found |= dict.fromkeys(floor, below)
        below |= frozenset(floor)
    return found


PRODUCT = row(
    ("domain",), ("ports",), ("adapters",), ("use_cases",), ("http", "streams"), ("composition",), ("bootstrap",),
    ("lambdas",),
)  # fmt: skip
GATEKEEPER = "lambdas/gatekeeper"
BESIDE: dict[str, tuple[set[str], set[str], str]] = {
    "schemas": (
        set(),
        {"retention", "adapters", "use_cases", "http", "streams", "composition", "bootstrap"},
        "documents of schemas/, read as data by whoever follows one",
    ),
    "logs": (set(), {"jobs", "http", "composition", "bootstrap"}, "the one logger a function is given"),
    "init_phase": (set(), {"bootstrap", "lambdas"}, "what is done before the first event, whatever the function"),
    "config": (set(), {"bootstrap"}, "settings, read where a function is put together and nowhere else"),
    "retention": ({"schemas"}, {"adapters", "composition", "bootstrap"}, "how long what is stored stays, in one place"),
    "tokens": (set(), {"adapters", "use_cases", "edge"}, "signatures, without a library of tokens: a cold start less"),
    "jobs": ({"ports", "logs"}, {"bootstrap"}, "what http is for requests, for functions that get none"),
    "edge": (
        {"domain", "tokens"},
        {GATEKEEPER},
        "the gatekeeper has no tables: it stands on the rules alone",
    ),
    GATEKEEPER: ({"edge"}, set(), "a bundle of its own, which has nothing of the other functions"),
}
"""Rooms beside the row: what each may import, who may import it, and why it is not in the row."""

DOMAIN = {
    "ground": frozenset[str](),
    "zone": frozenset({"ground"}),
    "record": frozenset({"zone"}),
    "admission": frozenset({"ground", "zone"}),
    "line": frozenset({"ground", "admission"}),
    "gate": frozenset({"ground", "zone", "line"}),
}
"""Wings of domain/; `ground` are the modules that lie in no wing."""
HTTP = row(("page",), ("frame",), ("apis",))
"""http/page makes pages of texts, http/frame answers requests, the modules beside them are the APIs."""

SCRIPTS = {
    "bundle": frozenset[str](),
    "costs": frozenset[str](),
    "demo_site": frozenset[str](),
    "deployment": frozenset[str](),
    "edge": frozenset[str](),
    "origin": frozenset[str](),
    "local": frozenset({"bundle", "deployment"}),
    "operator_api": frozenset({"deployment"}),
    "visitors": frozenset({"deployment"}),
    "report": frozenset({"deployment", "operator_api"}),
    "rehearsal": frozenset({"deployment", "operator_api", "visitors"}),
    "simulation": frozenset({"deployment", "rehearsal", "visitors"}),
    "operator_cli": frozenset({"costs", "deployment", "operator_api", "rehearsal", "report"}),
    "tfdocs": frozenset({"bundle", "costs", "deployment", "operator_cli"}),
    "demo": frozenset({"demo_site", "edge", "local", "operator_api", "operator_cli", "visitors"}),
    "onsale": frozenset({"demo_site", "edge", "local", "operator_api", "operator_cli", "rehearsal", "visitors"}),
}
WITH_WR = {"costs", "deployment", "operator_api", "operator_cli", "rehearsal", "report", "visitors"}
"""What `wr` needs, whoever installs it: nothing of the demo, the dev edge or the simulator."""
OUT_OF_REACH = {"bootstrap", "lambdas"}
"""Only functions make clients from their environment; whoever needs their parts takes them from composition."""


def product_arrows() -> dict[str, frozenset[str]]:
    """The row and what stands beside it, as one table."""
    found = {name: frozenset(imports) for name, (imports, _, _) in BESIDE.items()} | PRODUCT
    for name, (_, used_by, _) in BESIDE.items():
        for user in used_by:
            found[user] |= {name}
    return found


def product_room(module: Module) -> str:
    if module[0] == "lambdas":
        return GATEKEEPER if "gatekeeper" in module[1:2] else "lambdas"
    return module[1] if len(module) > 1 else ""


def domain_wing(module: Module) -> str:
    return "ground" if len(module) < 4 else module[2]


def http_wing(module: Module) -> str:
    return "apis" if len(module) < 4 else module[2]


def script_room(module: Module) -> str:
    return module[1] if len(module) > 1 else ""


def module_of(path: Path) -> Module:
    """A file as a module; a package is what its `__init__` is."""
    below = path.relative_to(LAYER if path.is_relative_to(LAYER) else ROOT).with_suffix("")
    return below.parts[:-1] if below.name == "__init__" else below.parts


FOLDERS = (LAYER, ROOT / "lambdas", ROOT / "scripts")
FILES = {module_of(path): path for folder in FOLDERS for path in folder.rglob("*.py")}


def imports(source: str, package: Module = ()) -> Iterator[Module]:
    """What a source imports, by full names; `package` is where it lies, for names that begin with dots."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            here = package[: len(package) - node.level + 1] if node.level else ()
            below = node.module.split(".") if node.module else []
            yield from ((*here, *below, alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from (tuple(alias.name.split(".")) for alias in node.names)


def own(name: Module) -> Module | None:
    """The module of ours that an imported name lies in, if it is one of ours."""
    while name and name not in FILES:
        name = name[:-1]
    return name or None


def imported_by(module: Module, path: Path) -> set[Module]:
    package = module if path.name == "__init__.py" else module[:-1]
    names = imports(path.read_text(encoding="utf-8"), package)
    return {found for name in names if (found := own(name)) is not None and found != module}


IMPORTS = {module: imported_by(module, path) for module, path in FILES.items()}


def wrong(module: Module, imported: Module) -> str | None:
    """Why a module may not import another, or None."""
    if module[0] == "scripts":
        if imported[0] == "scripts":
            return _against(SCRIPTS, script_room(module), script_room(imported))
        room = product_room(imported)
        return f"{room} is out of the scripts' reach" if room in OUT_OF_REACH else None
    if imported[0] == "scripts":
        return "the product runs without scripts"
    here, there = product_room(module), product_room(imported)
    if here != there:
        return _against(product_arrows(), here, there)
    if here == "domain":
        return _against(DOMAIN, domain_wing(module), domain_wing(imported))
    return _against(HTTP, http_wing(module), http_wing(imported)) if here == "http" else None


def _against(table: Arrows, here: str, there: str) -> str | None:
    if here == there or there == "":
        return None
    if here not in table or there not in table:
        return f"{here if here not in table else there} is in no table"
    return None if there in table[here] else f"{here} does not import {there}"


def test_imports_are_seen_wherever_and_however_they_are_written() -> None:
    source = """
import a.b
from .near import one
if TYPE_CHECKING:
    from ..up import two
def later():
    from ... import three
    from x.y import z as w
"""
    assert set(imports(source, ("top", "middle", "low"))) == {
        *(("a", "b"), ("top", "middle", "low", "near", "one"), ("top", "middle", "up", "two")),
        *(("top", "three"), ("x", "y", "z")),
    }


def test_no_import_goes_against_the_arrows() -> None:
    found = [
        f"{'.'.join(module)} imports {'.'.join(imported)}: {reason}"
        for module, names in IMPORTS.items()
        for imported in sorted(names)
        if (reason := wrong(module, imported))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("waiting_room.domain.lanes", "waiting_room.ports"),
        ("waiting_room.ports", "waiting_room.adapters.gates"),
        ("waiting_room.adapters.gate_copies", "waiting_room.use_cases.lines"),
        ("waiting_room.use_cases.join", "waiting_room.http.credentials"),
        ("waiting_room.use_cases.join", "waiting_room.config"),
        ("waiting_room.http.sockets", "waiting_room.streams"),
        ("waiting_room.streams", "waiting_room.http.sockets"),
        ("waiting_room.composition", "waiting_room.bootstrap"),
        ("waiting_room.edge.gatekeeper", "waiting_room.schemas"),
        ("waiting_room.edge.gatekeeper", "waiting_room.adapters.gates"),
        ("waiting_room.schemas", "waiting_room.domain.lanes"),
        ("waiting_room.bootstrap", "lambdas.bouncer.handler"),
        ("lambdas.gatekeeper.handler", "waiting_room.domain.lanes"),
        ("lambdas.bouncer.handler", "waiting_room.edge.gatekeeper"),
        ("waiting_room.bootstrap", "scripts.local.stack"),
        ("waiting_room.domain.lanes", "waiting_room.domain.zone.zones"),
        ("waiting_room.domain.zone.zones", "waiting_room.domain.gate.rules"),
        ("waiting_room.domain.gate.gate", "waiting_room.domain.admission.controller"),
        ("waiting_room.http.page.pages", "waiting_room.http.frame.request"),
        ("waiting_room.http.frame.app", "waiting_room.http.sockets"),
        ("scripts.operator_api.api", "scripts.operator_cli.commands"),
        ("scripts.simulation.venue", "scripts.operator_cli.watch"),
        ("scripts.local.stack", "waiting_room.bootstrap"),
        ("scripts.local.stack", "scripts.new_room.stack"),
        ("waiting_room.new_room", "waiting_room.ports"),
    ],
)
def test_each_kind_of_wrong_arrow_is_seen(module: str, imported: str) -> None:
    assert wrong(tuple(module.split(".")), tuple(imported.split(".")))


def test_no_modules_import_one_another_in_a_circle() -> None:
    try:
        TopologicalSorter(IMPORTS).prepare()
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join('.'.join(module) for module in error.args[1])}")


def test_no_file_is_outside_the_tables_and_no_room_is_empty() -> None:
    rooms: dict[str, set[str]] = {"product": set(), "domain": set(), "http": set(), "scripts": set()}
    for module in FILES:
        if module[0] == "scripts":
            rooms["scripts"].add(script_room(module))
            continue
        room = product_room(module)
        rooms["product"].add(room)
        if room == "domain":
            rooms["domain"].add(domain_wing(module))
        if room == "http":
            rooms["http"].add(http_wing(module))
    tables: dict[str, Arrows] = {"product": product_arrows(), "domain": DOMAIN, "http": HTTP, "scripts": SCRIPTS}
    assert {name: found - {""} for name, found in rooms.items()} == {name: set(table) for name, table in tables.items()}


@pytest.mark.parametrize("table", [DOMAIN, HTTP, SCRIPTS], ids=["domain", "http", "scripts"])
def test_a_table_is_written_from_the_ground_up(table: Arrows) -> None:
    rooms = list(table)
    for number, room in enumerate(rooms):
        assert table[room] <= set(rooms[:number]), room


def test_what_stands_beside_the_row_makes_no_circle_and_is_used_as_it_says() -> None:
    TopologicalSorter(product_arrows()).prepare()
    pairs = {(product_room(module), product_room(name)) for module, names in IMPORTS.items() for name in names}
    for name, (may_import, used_by, _) in BESIDE.items():
        assert {there for here, there in pairs if here == name} - {name, ""} == may_import
        assert {here for here, there in pairs if there == name and here in product_arrows()} - {name} == used_by


def test_arrows_between_scripts_and_wings_that_nobody_uses_are_not_in_the_tables() -> None:
    pairs = {(module, name) for module, names in IMPORTS.items() for name in names}
    for prefix, room, table in (("scripts", script_room, SCRIPTS), ("domain", domain_wing, DOMAIN)):
        used = {(room(here), room(there)) for here, there in pairs if prefix in here[:2] and prefix in there[:2]}
        assert {(here, there) for here, below in table.items() for there in below} <= used


def test_what_wr_needs_stands_below_it() -> None:
    needed, left = set(), ["operator_cli"]
    while left:
        room = left.pop()
        needed.add(room)
        left += SCRIPTS[room] - needed
    assert needed == WITH_WR
