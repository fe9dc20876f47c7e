"""A deployment that is changed after its first apply, as the real provider would change it.

The stand-in updates everything in place, so what the provider would replace (provider_truths.py) is planned again with
`-replace`. In what order things happen is read from the graph of the apply and not from one run of it: what is not
ordered there may go either way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.terraform.provider_truths import TRUTHS, Json, replaced, used_by
from tests.terraform.workspace import init, terraform

EDGE = re.compile(r'"\[root\] (.+)" -> "\[root\] (.+)"$', re.M)
DISTRIBUTION = "aws_cloudfront_distribution"


@dataclass(frozen=True)
class Step:
    """One plan: its document, and what waits for what when it is applied."""

    plan: Json
    waits_for: Mapping[str, frozenset[str]]

    def changes(self) -> Iterator[Json]:
        """Entries of managed resources that the plan changes."""
        for each in self.plan.get("resource_changes", []):
            if each["mode"] == "managed" and each["change"]["actions"] != ["no-op"]:
                yield each

    def replaced(self) -> set[str]:
        """Addresses of what is made anew, whichever comes first."""
        return {each["address"] for each in self.changes() if len(each["change"]["actions"]) > 1}

    def faults(self) -> Iterator[str]:
        """What AWS would refuse, as sentences."""
        users = [each for each in self.plan["resource_changes"] if each["type"] == DISTRIBUTION]
        for each in self.changes():
            truth, actions = TRUTHS[each["type"]], each["change"]["actions"]
            if actions == ["create", "delete"] and truth.named and _same(each, truth.named):
                yield f"{each['address']}: made first, while the old one has its {' and '.join(truth.named)}"
            if "delete" not in actions or not truth.in_use:
                continue
            for user in users:
                if _uses(user, each) and not self.waits(f"{_node(each)} (destroy", user):
                    yield f"{each['address']} goes before {user['address']} has let go of it"

    def waits(self, node: str, user: Json) -> bool:
        """Whether a node, by the start of its name, comes after a resource was changed, or was destroyed."""
        ends = (f"{_node(user)} (destroy",) if user["change"]["actions"] == ["delete"] else (_node(user),)
        found = [name for name in self.waits_for if name.startswith(node)]
        assert found, f"nothing in the graph starts with {node}"
        return all(self._reaches(name, lambda earlier: earlier.startswith(ends)) for name in found)

    def _reaches(self, start: str, wanted: Callable[[str], bool]) -> bool:
        seen, left = {start}, [start]
        while left:
            for name in self.waits_for.get(left.pop(), frozenset()) - seen:
                if wanted(name):
                    return True
                seen.add(name)
                left.append(name)
        return False


class DayTwo:
    """A root module in a folder of its own that calls the waiting room with any values."""

    def __init__(self, code: Path, base: Mapping[str, Any]) -> None:
        self._folder = code / "examples" / "day_two"
        self._folder.mkdir()
        self._base = base

    def set(self, values: Mapping[str, Any]) -> None:
        """Write these values, over those of the base, into the configuration."""
        module = {"source": "../..", **self._base, **values}
        document = {"provider": {"aws": {"region": "eu-west-1"}}, "module": {"waiting_room": module}}
        (self._folder / "main.tf.json").write_text(json.dumps(document), encoding="utf-8")

    def apply(self, values: Mapping[str, Any]) -> None:
        """The first apply."""
        self.set(values)
        init(self._folder)
        self._terraform("apply", "-auto-approve", "-refresh=false")

    def plan(self, values: Mapping[str, Any], *replace: str) -> Step:
        """What a change to these values comes to; `replace` are addresses that somebody asks for."""
        self.set(values)
        forced = set(replace)
        while True:
            self._terraform("plan", "-refresh=false", "-out=plan", *(f"-replace={each}" for each in sorted(forced)))
            plan = json.loads(self._terraform("show", "-json", "plan"))
            more = {each["address"] for each in plan.get("resource_changes", []) if _managed(each) and replaced(each)}
            if more <= forced:
                return Step(plan, self._graph())
            forced |= more

    def go(self) -> tuple[str, ...]:
        """Apply the last plan; return what a plan after it would still change."""
        self._terraform("apply", "-auto-approve", "plan")
        self._terraform("plan", "-refresh=false", "-out=plan")
        after = Step(json.loads(self._terraform("show", "-json", "plan")), {})
        return tuple(each["address"] for each in after.changes())

    def edit_state(self, kind: str, edit: Callable[[Json], None]) -> None:
        """Change every instance of a type in the state, as AWS changes things without being asked."""
        path = self._folder / "terraform.tfstate"
        state = json.loads(path.read_text(encoding="utf-8"))
        for each in state["resources"]:
            if each["type"] == kind:
                for instance in each["instances"]:
                    edit(instance)
        path.write_text(json.dumps(state), encoding="utf-8")

    def _graph(self) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = {}
        said = self._terraform("graph", "-type=apply", "-plan=plan").replace('\\"', "'")
        for later, earlier in EDGE.findall(said):
            found.setdefault(later, set()).add(earlier)
        return {name: frozenset(earlier) for name, earlier in found.items()}

    def _terraform(self, command: str, *arguments: str) -> str:
        quiet = () if command in ("graph", "show") else ("-no-color", "-input=false")
        return terraform(self._folder, command, *quiet, *arguments)


def _node(change: Json) -> str:
    """What a resource is called in the graph, once the quotes of its index are read."""
    return str(change["address"]).replace('"', "'")


def _managed(change: Json) -> bool:
    return bool(change["mode"] == "managed")


def _same(change: Json, attributes: tuple[str, ...]) -> bool:
    before, after, unknown = (change["change"][part] for part in ("before", "after", "after_unknown"))
    return all(unknown.get(name) is not True and before[name] == after[name] for name in attributes)


def _uses(user: Json, other: Json) -> bool:
    """Whether a resource named another one before this plan."""
    ids = {other["change"]["before"].get(name) for name in ("arn", "id", "qualified_arn")} - {None, ""}
    return not ids.isdisjoint(used_by(user["change"]["before"] or {}))
