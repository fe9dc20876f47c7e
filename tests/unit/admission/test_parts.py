"""What a tick remembers is written where it is understood: each part of the controller's memory by its module alone."""

from __future__ import annotations

import ast
from dataclasses import fields
from pathlib import Path

import pytest

import waiting_room
from waiting_room.domain.admission.gate_item import ControllerState

PACKAGE = Path(waiting_room.__file__).parent
PARTS = [type(part) for part in vars(ControllerState()).values() if type(part).__module__.startswith("waiting_room.")]
MAKERS = (PACKAGE / "domain" / "admission" / "gate_item.py", PACKAGE / "adapters" / "gate_state.py")
"""Where a memory begins, and where it is read back."""


def calls(path: Path) -> list[tuple[str, set[str]]]:
    """What a module calls by name, with the keywords it gives."""
    nodes = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    return [(ast.unparse(node.func), {word.arg or "**" for word in node.keywords}) for node in nodes]


@pytest.mark.parametrize("part", PARTS)
def test_a_part_is_written_by_its_own_module_alone(part: type) -> None:
    own = PACKAGE.parent / (part.__module__.replace(".", "/") + ".py")
    written = {field.name for field in fields(part)}
    for path in PACKAGE.rglob("*.py"):
        for name, words in calls(path):
            assert path in (own, *MAKERS) or name != part.__name__, f"{path} makes a {name}"
            assert path == own or name != "replace" or not words & written, f"{path} writes a {part.__name__}: {words}"


def test_there_are_six_of_them() -> None:
    names = ["ClaimClock", "ShowUp", "Turnover", "SharedCalls", "LastTickets", "Door"]
    assert [part.__name__ for part in PARTS] == names
