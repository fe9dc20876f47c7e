"""Who was called and is on the way: expected at first, given up soon, and learnt from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting_room.domain.admission import show_up
from waiting_room.domain.gate_item import ControllerState

FAR_SEC = 15.0
TRUSTING = ControllerState(recent_called=10_000, recent_claimed=10_000)
"""Has seen everybody come, for so long that one batch teaches it little."""


def called(calls: int, state: ControllerState = TRUSTING, near_ahead: int = 200) -> ControllerState:
    return show_up.call(state, calls, serving=0, near_ahead=near_ahead)


def after(state: ControllerState, seconds: int, claims: int = 0) -> ControllerState:
    """Seconds in which there was a grant for whoever came."""
    for _ in range(seconds):
        state = show_up.advance(state, claims, walked=0, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    return state


def test_a_batch_is_expected_whole_until_it_can_have_heard_of_its_call() -> None:
    assert show_up.expected(called(100)) == pytest.approx(100, rel=0.01)
    assert show_up.expected(after(called(100), 1)) == pytest.approx(100, rel=0.01)


def test_of_a_batch_that_does_not_come_hardly_anybody_is_expected_much_later() -> None:
    expected = [show_up.expected(after(called(100), seconds)) for seconds in (2, 4, 8, 15)]
    assert expected == sorted(expected, reverse=True)
    assert expected[-1] < 1


def test_those_far_back_are_expected_for_longer() -> None:
    near, far = after(called(100), 8), after(called(100, near_ahead=0), 8)
    assert show_up.expected(far) > 5 * show_up.expected(near)


def test_at_the_known_pace_of_a_line_nobody_is_far() -> None:
    quick = replace(TRUSTING, pace=50.0)
    state = show_up.call(quick, 400, serving=0, near_ahead=200)
    assert sum(state.coming[show_up.FAR]) == 0


def test_a_shut_door_makes_nobody_come_less() -> None:
    state = show_up.advance(called(100), 0, walked=0, elapsed_ms=1000, open_sec=0.0, far_sec=FAR_SEC)
    assert show_up.expected(state) == pytest.approx(100, rel=0.01)
    state = show_up.advance(state, 40, walked=0, elapsed_ms=1000, open_sec=0.0, far_sec=FAR_SEC)
    assert show_up.expected(state) == pytest.approx(60, rel=0.01)


@pytest.mark.parametrize("true_share", [0.2, 0.5, 0.9])
def test_the_share_is_learnt_while_the_door_is_open(true_share: float) -> None:
    state, late = ControllerState(), 0.0
    for _ in range(400):
        state = show_up.call(state, 10, serving=0, near_ahead=200)
        late += 10 * true_share
        claims = int(late)
        late -= claims
        state = show_up.advance(state, claims, walked=0, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    assert show_up.share(state) == pytest.approx(true_share, abs=0.03)


def test_a_shut_door_teaches_nothing() -> None:
    state = replace(called(1_000), recent_called=400, recent_claimed=200)
    before = show_up.share(state)
    for _ in range(20):
        state = show_up.advance(state, 10, walked=0, elapsed_ms=1000, open_sec=0.0, far_sec=FAR_SEC)
    assert show_up.share(state) == pytest.approx(before, abs=0.01)


def test_when_no_grant_is_ever_left_over_fewer_and_fewer_are_called() -> None:
    """A share that is believed too low fills the space before the door with people nobody sees."""
    state, wanted = replace(TRUSTING, recent_claimed=200), []
    for _ in range(160):
        state = show_up.advance(state, 5, walked=0, elapsed_ms=1000, open_sec=0.0, far_sec=FAR_SEC)
        wanted.append(show_up.wanted(state, places=10))
    assert wanted[-1] < wanted[0] / 100
    state = show_up.advance(state, 0, walked=0, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    assert show_up.wanted(state, places=10) > 20 * wanted[-1]


def test_whoever_walks_in_was_never_on_the_way() -> None:
    state = show_up.advance(ControllerState(), 3, walked=3, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    assert show_up.expected(state) == 0
    assert show_up.share(state) == 1.0
