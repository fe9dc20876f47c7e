"""An item is as large in our models as in Amazon's own engine, to the byte: what a write costs hangs on it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from scripts.simulation.values import item_size as simulated_size
from scripts.simulation.values import plain
from tests.contract.engines import Dynamo, fresh_tables
from tests.memory_dynamo.values import checked_item, item_size
from tests.support.dynamo_calls import TABLE
from tests.support.largest_gate import largest_gate, stored

WRITE_UNIT = 1024
NUMBERS = {
    "0": 1, "1": 2, "99": 2, "100": 2, "123": 3, "4687": 3, "4700": 2, "12345": 4, "10001": 4, "1000000": 2,
    "-1": 3, "-4687": 4, "1.2": 3, "12.34": 3, "0.5": 2, "0.001": 2, "100.001": 5, "1780315200000": 6,
    "1780315200001": 8, "9" * 38: 20, "-" + "9" * 38: 21, "9" * 37 + ".9": 21, "1E-130": 2, "12E20": 2, "12E21": 3,
}  # fmt: skip
"""Numbers as they are written, and their bytes."""

_digits = st.integers(0, 10**38 - 1).flatmap(
    lambda value: st.sampled_from([value, value % 10**4, value % 10**9, value - value % 10**6])
)
_exponents = st.sampled_from([0, 0, 0, -1, -2, -3, -9, 3, 20])
_numbers = st.builds(
    lambda sign, digits, exponent: {"N": f"{sign}{digits}E{exponent}"}, st.sampled_from(["", "-"]), _digits, _exponents
)
_texts = st.text(max_size=9).map(lambda text: {"S": text})
_scalars = _numbers | _texts | st.binary(max_size=5).map(lambda raw: {"B": raw})
_flags = st.sampled_from([{"BOOL": True}, {"NULL": True}])
_nested = st.recursive(
    _scalars | _flags,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda members: {"L": members})
        | st.dictionaries(st.text(min_size=1, max_size=3), inner, max_size=3).map(lambda members: {"M": members})
    ),
    max_leaves=6,
)
_sets = st.sets(st.text(max_size=4), min_size=1, max_size=4).map(lambda members: {"SS": sorted(members)}) | st.sets(
    st.integers(-(10**9), 10**9), min_size=1, max_size=4
).map(lambda members: {"NS": sorted(map(str, members))})


@pytest.mark.parametrize(("text", "size"), NUMBERS.items())
def test_a_number_is_counted_in_pairs_of_digits_from_the_decimal_point(text: str, size: int) -> None:
    value = checked_item({"n": {"N": text}})
    assert item_size(value) == simulated_size(plain(value)) == 1 + size


def test_a_write_costs_a_second_unit_at_the_same_byte(dynamodb_local_endpoint: str) -> None:
    """Each item is filled up to one unit as the models count, and then by one more byte."""
    with fresh_tables("dynamodb_local", dynamodb_local_endpoint, [TABLE]) as reference:
        for text in NUMBERS:
            _compare(reference, {"n": {"N": text}})
        gate = stored(largest_gate())
        _compare(reference, {name: gate[name] for name in gate if name not in ("counter", "slot")})

        @settings(
            max_examples=150,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(st.dictionaries(st.text(min_size=1, max_size=4), _nested | _sets, max_size=4))
        def compare(attributes: dict[str, Any]) -> None:
            _compare(reference, attributes)

        compare()


def _compare(reference: Dynamo, attributes: dict[str, Any]) -> None:
    item = checked_item({**attributes, "pk": {"S": "a"}, "sk": {"N": "1"}, "fill": {"S": ""}})
    if not any(kind in ("SS", "NS") for value in item.values() for kind in value):
        assert simulated_size(plain(item)) == item_size(item)
    free = WRITE_UNIT - item_size(item)
    assert [_units(reference, item, free), _units(reference, item, free + 1)] == [1, 2], attributes


def _units(reference: Dynamo, item: dict[str, Any], fill: int) -> float:
    """Units of a new item with so many bytes of filling."""
    table, write = reference.table(TABLE["name"]), reference.clients.once
    write.delete_item(TableName=table, Key={"pk": item["pk"], "sk": item["sk"]})
    filled = {**item, "fill": {"S": "x" * fill}}
    answer = write.put_item(TableName=table, Item=filled, ReturnConsumedCapacity="TOTAL")
    return float(answer["ConsumedCapacity"]["CapacityUnits"])
