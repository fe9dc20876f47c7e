"""Changes inside nested maps and lists, on copies that the caller owns."""

from __future__ import annotations

from typing import Any

from tests.memory_dynamo.errors import InvalidError
from tests.memory_dynamo.evaluate import member_of
from tests.memory_dynamo.values import AttributeValue, Item

_BAD_PATH = "The document path provided in the update expression is invalid for update"


def parent_of(root: AttributeValue | None, parts: tuple[str | int, ...]) -> AttributeValue:
    """The map or list that holds the last of `parts`. Raises InvalidError where there is none."""
    value = root
    for part in parts[:-1]:
        value = None if value is None else member_of(value, part)
    if value is None or ("L" if isinstance(parts[-1], int) else "M") not in value:
        raise InvalidError(_BAD_PATH)
    return value


def set_member(root: AttributeValue | None, parts: tuple[str | int, ...], new: AttributeValue) -> None:
    """Sets `parts` below `root`; an index past the end of a list appends, as in AWS."""
    parent, last = parent_of(root, parts), parts[-1]
    if isinstance(last, str):
        parent["M"][last] = new
    elif last < len(parent["L"]):
        parent["L"][last] = new
    else:
        parent["L"].append(new)


def remove_member(root: AttributeValue | None, parts: tuple[str | int, ...]) -> None:
    """Removes `parts` below `root`; what is not there stays not there, but its parent must exist."""
    parent, last = parent_of(root, parts), parts[-1]
    if isinstance(last, str):
        parent["M"].pop(last, None)
    elif last < len(parent["L"]):
        del parent["L"][last]


def pruned(item: Item, paths: list[tuple[str | int, ...]]) -> Item:
    """Only these paths of an item, in its own structure: maps keep names, lists keep order and close up."""
    tree: dict[Any, Any] = {}
    for parts in paths:
        node = tree
        for part in parts:
            node = node.setdefault(part, {})
    found = {name: _pruned_value(item[name], node) for name, node in tree.items() if name in item}
    return {name: value for name, value in found.items() if value is not None}


def _pruned_value(value: AttributeValue, tree: dict[Any, Any]) -> AttributeValue | None:
    if not tree:
        return value
    kept: list[tuple[Any, AttributeValue]] = []
    for part in sorted(tree) if all(isinstance(part, int) for part in tree) else tree:
        member = member_of(value, part)
        member = None if member is None else _pruned_value(member, tree[part])
        if member is not None:
            kept.append((part, member))
    if not kept:
        return None
    return {"M": dict(kept)} if "M" in value else {"L": [member for _, member in kept]}
