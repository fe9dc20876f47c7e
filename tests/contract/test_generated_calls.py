"""Our strict model answers generated calls, right and wrong ones, as Amazon's own engine does."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.engines import Dynamo, fresh_tables
from tests.support.dynamo_calls import TABLE, outcome
from tests.support.dynamo_requests import CALLS, generated_round

ROUNDS = 300
"""Each is an item and some calls: 1,500 calls altogether."""


def test_generated_calls_are_taken_and_refused_as_in_dynamodb_local(dynamodb_local_endpoint: str) -> None:
    with (
        fresh_tables("memory", None, [TABLE]) as model,
        fresh_tables("dynamodb_local", dynamodb_local_endpoint, [TABLE]) as reference,
    ):
        answers = [_compare(model, reference, seed) for seed in range(ROUNDS)]
    accepted = [isinstance(answer, dict) for of_round in answers for answer in of_round]
    assert ROUNDS * CALLS / 3 < sum(accepted) < ROUNDS * CALLS * 2 / 3, "both kinds are drawn"


def _compare(model: Dynamo, reference: Dynamo, seed: int) -> list[Any]:
    """The answers to the calls of a round but the first, which puts the item."""
    rounds = [generated_round(seed, engine.table(TABLE["name"])) for engine in (model, reference)]
    answers = []
    for number, (ours, theirs) in enumerate(zip(*rounds, strict=True)):
        answer = _unordered(outcome(model.clients.once, ours))
        expected = _unordered(outcome(reference.clients.once, theirs))
        if answer != expected:
            pytest.fail(f"seed {seed}, call {number}: {ours}\nours:   {answer}\ntheirs: {expected}")
        answers.append(answer)
    return answers[1:]


def _unordered(answer: Any) -> Any:
    """A batch's items in an order of ours: it promises none."""
    if not isinstance(answer, dict) or "Responses" not in answer:
        return answer
    items = [item for found in answer["Responses"].values() for item in found]
    return {"items": sorted(items, key=_sorted_text), "unprocessed": len(answer["UnprocessedKeys"])}


def _sorted_text(value: Any) -> str:
    if isinstance(value, dict):
        return str(sorted((name, _sorted_text(member)) for name, member in value.items()))
    return str([_sorted_text(member) for member in value]) if isinstance(value, list) else repr(value)
