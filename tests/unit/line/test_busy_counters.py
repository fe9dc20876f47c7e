"""A join whose counter is refused takes its number from another one; where an answer is lost, it does not."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ReadTimeoutError

from tests.memory_dynamo.errors import client_error
from tests.support.sale import Sale
from waiting_room.domain.errors import Overloaded, Throttled
from waiting_room.domain.line.epochs import SHARDS_TRIED, shards_of

SHARDS = 6


@pytest.fixture
def sale() -> Sale:
    return Sale(expected_joins_per_sec=600, max_active=100)


def busy(sale: Sale, *shards: int, error: Exception | None = None) -> list[int]:
    """These counters are refused from now on; returns, as it grows, which ones were asked."""
    asked: list[int] = []

    def on_call(method: str, request: dict[str, Any], phase: str) -> None:
        key = str(request.get("Key", {}).get("counter"))
        if phase != "before" or method != "update_item" or "join#" not in key:
            return
        asked.append(int(key.rpartition("#")[2].rstrip("'}")))
        if asked[-1] in shards:
            raise error or client_error("ProvisionedThroughputExceededException", "", "UpdateItem")

    sale.store.on_call = on_call
    return asked


def test_another_counter_gives_the_number_that_the_first_refuses(sale: Sale) -> None:
    own, second, _ = shards_of("v", SHARDS)
    asked = busy(sale, own)
    joined = sale.join("v")
    assert (asked, joined.shard, joined.seq) == ([own, second], second, 1)
    sale.tick()
    assert sale.locate("v").position == 0
    assert (sale.join("v").shard, sale.join("v").seq) == (second, 1), "asked again it is the same place"


def test_after_three_the_visitor_is_told_to_ask_again(sale: Sale) -> None:
    asked = busy(sale, *range(SHARDS))
    with pytest.raises(Throttled):
        sale.join("v")
    assert asked == shards_of("v", SHARDS)


def test_a_lost_answer_leads_to_no_second_number(sale: Sale) -> None:
    asked = busy(sale, *range(SHARDS), error=ReadTimeoutError(endpoint_url="lost"))
    with pytest.raises(Overloaded) as raised:
        sale.join("v")
    assert not isinstance(raised.value, Throttled)
    assert asked == shards_of("v", SHARDS)[:1]


def test_the_counters_of_a_visitor_differ_and_those_of_many_spread() -> None:
    tried = [shards_of(f"v{number}", 100) for number in range(2_000)]
    assert all(len(set(shards)) == SHARDS_TRIED for shards in tried)
    of_one = {second for first, second, _ in tried if first == 7}
    assert len(of_one) > 10, "what one counter cannot take does not go to one other alone"
    assert sorted(shards_of("v", 2)) == [0, 1]
