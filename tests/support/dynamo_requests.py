"""Whole requests made of generated expressions: updates mostly, and every other call there is."""

from __future__ import annotations

import re
from collections.abc import Callable
from random import Random
from typing import Any

from tests.support.dynamo_calls import Call
from tests.support.dynamo_grammar import ATTRIBUTES, Grammar, Request

_TAKES_KEY = re.compile(r"\b[ps]k\b")


CALLS = 5
"""In one round, each after the other."""


def generated_round(seed: int, table: str) -> list[Call]:
    """The calls this seed draws: an item in a partition of its own, and what becomes of it."""
    rng, partition = Random(seed), f"round {seed}"
    first = Grammar(rng, partition).keys[0]
    put: Call = "put_item", {"TableName": table, "Item": {**ATTRIBUTES, **first}}
    return [put, *(_call(Grammar(rng, partition), table) for _ in range(CALLS))]


def _call(grammar: Grammar, table: str) -> Call:
    kinds: list[Callable[[Grammar, str], Call]] = (
        [_update] * 10 + [_put] * 2 + [_delete, _get, _batch_get, _batch_write]
    )
    return grammar.rng.choice([*kinds, *[_query] * 2, *[_transaction] * 2])(grammar, table)


def _update(grammar: Grammar, table: str) -> Call:
    request = _expressions(grammar, update=not grammar.seldom(0.25), condition=grammar.seldom(0.5))
    kept = grammar.rng.choice(("NONE", "ALL_OLD", "ALL_NEW", "ALL_NEW"))
    return "update_item", {"TableName": table, "Key": grammar.key(grammar.keys[0]), "ReturnValues": kept, **request}


def _put(grammar: Grammar, table: str) -> Call:
    request = _expressions(grammar, condition=grammar.seldom(0.4))
    return "put_item", {"TableName": table, "Item": grammar.item(), "ReturnValues": "ALL_OLD", **request}


def _delete(grammar: Grammar, table: str) -> Call:
    request = _expressions(grammar, condition=grammar.seldom(0.6))
    return "delete_item", {"TableName": table, "Key": _some_key(grammar), "ReturnValues": "ALL_OLD", **request}


def _get(grammar: Grammar, table: str) -> Call:
    return "get_item", {"TableName": table, "Key": _some_key(grammar), "ConsistentRead": True, **_wanted(grammar)}


def _query(grammar: Grammar, table: str) -> Call:
    texts = {"KeyConditionExpression": grammar.key_condition()}
    if grammar.seldom(0.5):
        texts["FilterExpression"] = grammar.condition()
    if grammar.seldom(0.3):
        texts["ProjectionExpression"] = grammar.projection()
    request: Request = {"TableName": table, "ConsistentRead": True, **texts, **grammar.placeholders(*texts.values())}
    if grammar.seldom(0.3):
        request["Limit"] = grammar.rng.randint(1, 3)
    if grammar.seldom(0.3):
        request["ScanIndexForward"] = False
    if grammar.seldom(0.2):
        request["ExclusiveStartKey"] = _some_key(grammar)
    return "query", request


def _batch_get(grammar: Grammar, table: str) -> Call:
    keys = [_some_key(grammar) for _ in range(grammar.rng.randint(1, 3))] if grammar.wrong(0.3) else grammar.keys[:3]
    if grammar.wrong(0.1):
        keys = [{**grammar.keys[0], "sk": {"N": str(number)}} for number in range(grammar.rng.choice((100, 101)))]
    return "batch_get_item", {"RequestItems": {table: {"Keys": keys, "ConsistentRead": True, **_wanted(grammar)}}}


def _batch_write(grammar: Grammar, table: str) -> Call:
    writes: list[Request] = [{"PutRequest": {"Item": grammar.item()}} for _ in range(grammar.rng.randint(0, 2))]
    writes.append({"DeleteRequest": {"Key": _some_key(grammar)}})
    if grammar.wrong(0.1):
        keys = [{**grammar.keys[0], "sk": {"N": str(number)}} for number in range(grammar.rng.choice((25, 26)))]
        writes = [{"DeleteRequest": {"Key": key}} for key in keys]
    return "batch_write_item", {"RequestItems": {table: writes}}


def _transaction(grammar: Grammar, table: str) -> Call:
    keys = grammar.rng.sample(grammar.keys, grammar.rng.randint(1, 3))
    return "transact_write_items", {"TransactItems": [_action(grammar.another(), table, key) for key in keys]}


def _action(grammar: Grammar, table: str, key: Request) -> Request:
    kind = grammar.rng.choice(("Put", "Update", "Update", "Delete", "ConditionCheck"))
    needs = kind == "ConditionCheck"
    request = _expressions(grammar, update=kind == "Update", condition=needs or grammar.seldom(0.4))
    if grammar.seldom(0.3):
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    target = {"Item": {**grammar.item(), **key}} if kind == "Put" else {"Key": grammar.key(key)}
    return {kind: {"TableName": table, **target, **request}}


def _expressions(grammar: Grammar, *, update: bool = False, condition: bool = False) -> Request:
    """The expressions of a write and their placeholders.

    A change of a key comes alone: Amazon's own engine tells it after the condition, our model before.
    """
    texts: dict[str, str] = {}
    if update:
        texts["UpdateExpression"] = grammar.update()
    if condition and not _TAKES_KEY.search(texts.get("UpdateExpression", "")):
        texts["ConditionExpression"] = grammar.condition()
    return {**texts, **grammar.placeholders(*texts.values())}


def _wanted(grammar: Grammar) -> dict[str, Any]:
    if not grammar.seldom(0.6):
        return {}
    text = grammar.projection()
    names = grammar.placeholders(text)
    names.pop("ExpressionAttributeValues", None)
    return {"ProjectionExpression": text, **names}


def _some_key(grammar: Grammar) -> Request:
    return grammar.key(grammar.rng.choice(grammar.keys))
