"""Lapsed places are given back: to which moment, and what becomes of the line."""

from __future__ import annotations

from waiting_room.domain.admission.claim_clock import ClaimClock, Sample
from waiting_room.domain.admission.gate_item import ControllerState, GateItem, Watermarks
from waiting_room.domain.admission.restoring import (
    Mark,
    before_nobody_came,
    given_back,
    last_before,
    restored,
)


def marks(*stood: tuple[int, int, int]) -> list[Mark]:
    """Marks ten seconds apart: claims, serving, floor."""
    return [
        Mark(index * 10_000, claimed, {"general": (serving, floor)})
        for index, (claimed, serving, floor) in enumerate(stood)
    ]


def test_the_moment_is_the_one_before_nobody_came_while_places_lapsed() -> None:
    told = marks((5, 8, 2), (6, 9, 4), (6, 40, 4), (6, 80, 9), (6, 90, 60), (9, 99, 70))
    assert before_nobody_came(told) == told[1]


def test_a_line_that_moves_is_no_such_stretch() -> None:
    assert before_nobody_came(marks((5, 8, 2), (6, 9, 4), (7, 12, 8), (8, 20, 9))) is None
    assert before_nobody_came([]) is None


def test_a_full_room_and_a_pause_are_no_such_stretch() -> None:
    assert before_nobody_came(marks((5, 8, 2), (5, 8, 2), (5, 9, 2), (6, 9, 4))) is None


def test_what_was_given_back_already_is_not_given_back_again_by_itself() -> None:
    told = marks((6, 9, 4), (6, 80, 60), (6, 9, 4), (7, 12, 4))
    assert before_nobody_came(told) is None
    assert before_nobody_came([*told, *marks((7, 50, 30))]) is not None


def test_the_newest_of_two_stretches_counts() -> None:
    told = marks((1, 5, 0), (1, 9, 5), (2, 9, 5), (3, 12, 5), (3, 20, 9), (3, 30, 20))
    assert before_nobody_came(told) == told[3]


def test_of_what_is_known_the_last_mark_not_after_the_moment_counts() -> None:
    told = marks((1, 5, 0), (1, 9, 5))
    assert last_before(told, 9_999) == told[0]
    assert last_before(told, 10_000) == told[1]
    assert last_before(told, -1) is None


def gate(**changes: object) -> GateItem:
    samples = (Sample(0, 0, {"general": 60}), Sample(50_000, 3, {"general": 90}))
    known = ControllerState(clock=ClaimClock(120_000, samples), claimed=4, epochs={"general": 7}, early={"general": 3})
    values = {"claimed": 5, "limit": 9, "tick": 40, "lanes": {"general": Watermarks(90, 60, 95)}, "state": known}
    return GateItem("z", 1, 10, **{**values, "buckets": {12: 4}, **changes})  # type: ignore[arg-type]


def test_a_lane_falls_back_to_where_it_was_and_never_rises() -> None:
    back = given_back(gate(), Mark(0, 0, {"general": (40, 20)}))["general"]
    assert (back.after, back.come_back, back.wait_again) == (Watermarks(40, 20, 40), 40, 30)
    assert given_back(gate(), Mark(0, 0, {"general": (70, 20)}))["general"].wait_again == 20
    higher = given_back(gate(), Mark(0, 0, {"general": (300, 200)}))["general"]
    assert (higher.after, higher.come_back, higher.wait_again) == (Watermarks(90, 60, 90), 0, 0)
    unknown = given_back(gate(), Mark(0, 0, {}))["general"]
    assert unknown.after == Watermarks()


def test_whoever_is_inside_stays_and_the_clock_begins_anew() -> None:
    mark = Mark(0, 0, {"general": (40, 20)}, share=0.5, absent=7)
    after = restored(gate(), given_back(gate(), mark), mark)
    assert (after.claimed, after.limit, after.tick) == (5, 5, 41)
    assert (after.buckets, after.closed_to) == (gate().buckets, gate().closed_to)
    assert (after.state.epochs, after.state.early, after.state.claimed) == ({"general": 7}, {"general": 3}, 4)
    assert after.state.clock == ClaimClock(120_000)
    assert after.state.clock.called_before(0, "general") == 0, "nobody lapses by where the line stood meanwhile"
    assert (after.state.show_up.absent, round(after.state.show_up.share, 2)) == (7, 0.5)
    assert after.state.show_up.expected == 10, "twenty were called, and half of them come"
