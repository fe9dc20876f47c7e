"""Who was called and is on the way: expected at first, given up soon, and learnt from."""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting_room.domain.admission.show_up import FAR, ShowUp

FAR_SEC = 15.0
TRUSTING = ShowUp(recent_called=10_000, recent_came=10_000)
"""Has seen everybody come, for so long that one batch teaches it little."""


def called(calls: int, before: ShowUp = TRUSTING, near_ahead: int = 200, pace: float = 0.0) -> ShowUp:
    return before.call(calls, serving=0, near_ahead=near_ahead, pace=pace)


def after(show_up: ShowUp, seconds: int, claims: int = 0) -> ShowUp:
    """Seconds in which there was a grant for whoever came."""
    for _ in range(seconds):
        show_up = show_up.advance(claims, walked=0, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    return show_up


def shut(show_up: ShowUp, claims: int) -> ShowUp:
    """A second in which there was no grant but for those who claimed."""
    return show_up.advance(claims, walked=0, elapsed_ms=1000, open_sec=0.0, far_sec=FAR_SEC)


def test_a_batch_is_expected_whole_until_it_can_have_heard_of_its_call() -> None:
    assert called(100).expected == pytest.approx(100, rel=0.01)
    assert after(called(100), 1).expected == pytest.approx(100, rel=0.01)


def test_of_a_batch_that_does_not_come_hardly_anybody_is_expected_much_later() -> None:
    expected = [after(called(100), seconds).expected for seconds in (2, 4, 8, 15)]
    assert expected == sorted(expected, reverse=True)
    assert expected[-1] < 1


def test_those_far_back_are_expected_for_longer() -> None:
    near, far = after(called(100), 8), after(called(100, near_ahead=0), 8)
    assert far.expected > 5 * near.expected


def test_at_the_known_pace_of_a_line_nobody_is_far() -> None:
    assert sum(called(400, pace=50.0).on_the_way[FAR]) == 0
    assert sum(called(400).on_the_way[FAR]) == 200


def test_a_shut_door_makes_nobody_come_less() -> None:
    show_up = shut(called(100), claims=0)
    assert show_up.expected == pytest.approx(100, rel=0.01)
    assert shut(show_up, claims=40).expected == pytest.approx(60, rel=0.01)


@pytest.mark.parametrize("true_share", [0.2, 0.5, 0.9])
def test_the_share_is_learnt_while_the_door_is_open(true_share: float) -> None:
    show_up, late = ShowUp(), 0.0
    for _ in range(400):
        show_up = called(10, show_up)
        late += 10 * true_share
        claims = int(late)
        late -= claims
        show_up = after(show_up, 1, claims)
    assert show_up.share == pytest.approx(true_share, abs=0.03)


def test_a_shut_door_teaches_nothing() -> None:
    show_up = replace(called(1_000), recent_called=400, recent_came=200)
    before = show_up.share
    for _ in range(20):
        show_up = shut(show_up, claims=10)
    assert show_up.share == pytest.approx(before, abs=0.01)


def test_when_no_grant_is_ever_left_over_fewer_and_fewer_are_called() -> None:
    """A share that is believed too low fills the space before the door with people nobody sees."""
    show_up, wanted = replace(TRUSTING, recent_came=200), []
    for _ in range(160):
        show_up = shut(show_up, claims=5)
        wanted.append(show_up.wanted(places=10))
    assert wanted[-1] < wanted[0] / 100
    assert wanted[-1] < after(show_up, 1).wanted(places=10) < wanted[0], "one grant left over says little"
    assert after(show_up, 5).wanted(places=10) > 20 * wanted[-1]


def test_whoever_walks_in_was_never_on_the_way() -> None:
    show_up = ShowUp().advance(3, walked=3, elapsed_ms=1000, open_sec=1.0, far_sec=FAR_SEC)
    assert show_up.expected == 0
    assert show_up.share == 1.0


def test_after_so_many_in_a_row_who_did_not_come_as_many_may_be_on_the_way() -> None:
    show_up = after(called(100), 30)
    assert show_up.share > 0.9, "it has seen so many come"
    assert show_up.silent == pytest.approx(100, rel=0.01)
    assert show_up.wanted(1) == pytest.approx(100, rel=0.01)
    assert after(called(100, show_up), 30).wanted(1) == pytest.approx(200, rel=0.01)


def test_one_who_comes_ends_the_silence() -> None:
    show_up = after(called(100), 30)
    assert after(called(1, show_up), 1, claims=1).silent == 0
    assert after(called(1, show_up), 1, claims=1).wanted(5) < 10


def test_those_on_the_way_count_as_called() -> None:
    show_up = after(called(100), 30)
    assert called(60, show_up).wanted(1) == pytest.approx(40, rel=0.02)


def test_who_could_not_have_come_was_not_silent() -> None:
    assert after(called(100), 30).take_back(70).silent == pytest.approx(30, abs=1)
