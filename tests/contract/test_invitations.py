"""Invitations on every engine: tied to the first visitor who takes one, every time, and to nobody else."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.contract.engines import Dynamo
from tests.contract.runs import NOW_MS, RUN, ZONE_ID
from waiting_room.adapters.counters import Invitations


def test_an_invitation_is_its_first_visitors(dynamo: Dynamo) -> None:
    invitations = Invitations(dynamo.clients, dynamo.table("counters"))
    assert [invitations.take(ZONE_ID, RUN, "i", visitor, NOW_MS) for visitor in "aaba"] == ["a"] * 4
    assert invitations.take(ZONE_ID, RUN, "j", "b", NOW_MS) == "b"
    assert invitations.take(ZONE_ID, RUN + 1, "i", "b", NOW_MS) == "b"
    assert [invitations.holder(ZONE_ID, RUN, name) for name in "ijk"] == ["a", "b", None]


def test_of_many_at_once_one_has_it(exact_dynamo: Dynamo) -> None:
    invitations = Invitations(exact_dynamo.clients, exact_dynamo.table("counters"))
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda n: invitations.take(ZONE_ID, RUN, "i", f"v{n}", NOW_MS), range(32)))
    assert len(set(taken)) == 1, "everybody is told the same one"
