"""The verdict of a rehearsal must see what it is there to see: each rule broken once, each figure by hand."""

from __future__ import annotations

from typing import Any

import pytest

from scripts.operator_cli.rehearse import lines
from scripts.rehearsal.targets import Limits, Targets, possible_occupancy
from scripts.rehearsal.verdict import Played, as_json, holds, inversions_ms, occupancy, verdict
from scripts.visitors.habits import Habits
from tests.integration.zones import zone
from waiting_room.domain.zone.zones import Zone

LIMITS = Limits(max_active=2, rate_per_min=None, inventory=None, in_order=True, one_counter=True, occupancy=0.5)
QUIET: dict[str, Any] = {"by_request": [{"name": "page", "count": 100, "failures": 0}]}
Event = dict[str, Any]


def event(at_ms: int, visitor: str, kind: str, **details: Any) -> Event:
    return {"at_ms": at_ms, "visitor": visitor, "event": kind, **details}


def joined(visitor: str, asked_ms: int, answered_ms: int, position: int) -> Event:
    times = {"requested_at_ms": asked_ms, "received_at_ms": answered_ms}
    return event(answered_ms, visitor, "joined", run=1, joined=1, position=position, **times)


def line(at_ms: int, visitor: str, position: int, ahead: int, **shown: int) -> Event:
    return event(at_ms, visitor, "line", run=1, joined=1, position=position, ahead=ahead, **shown)


def token(at_ms: int, visitor: str, lasts_sec: int = 60) -> Event:
    times = {"requested_at_ms": at_ms - 10, "received_at_ms": at_ms, "exp_sec": at_ms // 1000 + lasts_sec}
    return event(at_ms, visitor, "token", sid=f"s-{visitor}", run=1, **times)


def ended(at_ms: int, visitor: str, how: str = "button") -> Event:
    times = {"requested_at_ms": at_ms - 10, "received_at_ms": at_ms}
    return event(at_ms, visitor, "ended", sid=f"s-{visitor}", how=how, **times)


def visit(visitor: str, from_ms: int, until_ms: int, position: int, how: str = "button") -> list[Event]:
    """A visit without fault: joined, called, inside, gone."""
    return [
        event(from_ms, visitor, "arrived", comes=True),
        joined(visitor, from_ms, from_ms + 50, position),
        event(from_ms + 100, visitor, "called", run=1, position=position),
        event(from_ms + 150, visitor, "claimed", ms=50),
        token(from_ms + 150, visitor),
        event(from_ms + 200, visitor, "inside", called_at_ms=from_ms + 100),
        ended(until_ms, visitor, how),
    ]


def judged(events: list[Event], visitors: int, limits: Limits = LIMITS, figures: Any = QUIET, **targets: float) -> Any:
    ordered = sorted(events, key=lambda each: each["at_ms"])
    rows = verdict(Played(ordered, figures, visitors), limits, Targets.told(targets))
    return {row.name: row for row in rows}


def calm() -> list[Event]:
    return [*visit("a", 0, 9_000, 0), *visit("b", 1_000, 9_500, 1), *visit("c", 10_000, 20_000, 2)]


def test_a_calm_sale_holds_and_says_what_it_could_not_see() -> None:
    rows = judged(calm(), 3)
    assert holds(list(rows.values()))
    assert {name for name, row in rows.items() if row.state == "broken"} == set()
    assert rows["cap"].figure == "2 at once of 3 sessions"
    assert (rows["wait estimate"].state, rows["push ms"].state, rows["rate"].state) == ("not measured",) * 3
    assert rows["claim ms"].figure == "50 / 50 / 50"
    assert rows["call to inside ms"].details["p95"] == 100
    assert as_json(list(rows.values()))[0]["details"]["possible"] == 2


def without(events: list[Event], visitor: str, *kinds: str) -> list[Event]:
    return [each for each in events if (each["visitor"], each["event"]) not in {(visitor, kind) for kind in kinds}]


@pytest.mark.parametrize(
    ("events", "broken"),
    [
        ([*calm(), *visit("d", 2_000, 9_000, 3)], "cap"),
        ([*calm(), line(500, "a", 0, 1), line(600, "a", 0, 2)], "places kept"),
        ([*calm(), line(500, "a", 0, 0), line(600, "b", 0, 0)], "places kept"),
        ([*calm(), *visit("d", 30_000, 31_000, 3), joined("e", 40_000, 40_050, 2)], "order"),
        ([*calm(), event(5_000, "a", "fault", what="the session was lost")], "nobody lost"),
        ([*calm(), event(50, "a", "lapsed", present=True)], "nobody lost"),
        (without(calm(), "c", "claimed", "token", "inside", "ended"), "nobody lost"),
        (without(calm(), "c", "arrived"), "nobody lost"),
        ([*calm(), *(event(5_000, "a", "busy", status=429) for _ in range(2))], "throttled requests"),
    ],
)
def test_each_rule_broken_is_seen(events: list[Event], broken: str) -> None:
    visitors = len({each["visitor"] for each in events if each["event"] == "arrived"} | {"a", "b", "c"})
    rows = judged(events, visitors)
    assert rows[broken].state == "broken", rows[broken]
    assert not holds(list(rows.values()))


def test_who_lapsed_because_nobody_was_there_is_not_lost() -> None:
    rows = judged([*calm(), event(50, "a", "lapsed", present=False)], 3)
    assert rows["nobody lost"].state == "held"


def test_the_order_is_exact_on_one_counter_and_up_to_an_epoch_on_several() -> None:
    late_but_first = [joined("a", 0, 100, 1), joined("b", 400, 500, 0)]
    assert list(inversions_ms(late_but_first)) == [300]
    assert list(inversions_ms([joined("a", 0, 401, 1), joined("b", 400, 500, 0)])) == []
    several = Limits(**{**vars(LIMITS), "one_counter": False})
    assert judged([*calm(), *late_but_first], 3, several)["order"].state == "held"
    drawn = Limits(**{**vars(LIMITS), "in_order": False})
    assert judged([*calm(), *late_but_first], 3, drawn)["order"].state == "not measured"


def test_a_position_told_later_counts_for_the_order() -> None:
    unplaced = {**joined("a", 0, 100, 0), "position": None}
    assert list(inversions_ms([unplaced, joined("b", 400, 500, 0), line(900, "a", 1, 1)])) == [300]


def test_the_fullest_minute_is_held_against_the_rate() -> None:
    limits = Limits(**{**vars(LIMITS), "max_active": None, "rate_per_min": 12.0})
    events = [token(1_000 * number, f"v{number}") for number in range(14)]
    assert judged(events, 0, limits)["rate"].figure == "14 in the fullest minute"
    assert judged(events, 0, limits)["rate"].state == "held", "five seconds of the rate may be saved up"
    assert judged([*events, token(59_000, "w")], 0, limits)["rate"].state == "broken"
    assert judged([*events, token(75_000, "w")], 0, limits)["rate"].state == "held"


def test_no_more_are_bought_than_there_are() -> None:
    limits = Limits(**{**vars(LIMITS), "inventory": 1})
    one = [*visit("a", 0, 9_000, 0, "checkout"), *visit("b", 1_000, 9_500, 1)]
    assert judged(one, 2, limits)["inventory"].state == "held"
    assert judged([*one, *visit("c", 10_000, 12_000, 2, "checkout")], 3, limits)["inventory"].state == "broken"


def test_occupancy_counts_those_really_there_while_somebody_waits() -> None:
    events = [
        event(0, "a", "inside"),
        event(1_000, "b", "inside"),
        line(2_000, "c", 2, 2),
        event(4_000, "a", "silent"),
        event(6_000, "c", "inside"),
        event(9_000, "b", "ended"),
    ]
    # Full from 1 s, somebody waits from 2 s to 6 s: two of two for 2 s, one of two for 2 s.
    assert occupancy(events, 2) == pytest.approx(0.75)
    assert occupancy(events, 3) is None


def test_what_is_possible_falls_with_silent_leavers_and_short_stays() -> None:
    guarded = Zone.from_document(zone("z", session={"idle_sec": 60, "max_sec": 600}))
    polite = Habits(silent_share=0.0, stay_sec=(45.0, 45.0))
    assert possible_occupancy(guarded, polite) == pytest.approx(45 / 50)
    # A silent one's lease, rounded up to a bucket of 10 s, and the margin of 10 s.
    assert possible_occupancy(guarded, Habits(silent_share=0.5, stay_sec=(45.0, 45.0))) == pytest.approx(45 / 90)
    assert Limits.of(guarded, polite, Targets()).occupancy == pytest.approx(0.81)
    assert Limits.of(guarded, polite, Targets.told({"occupancy": 0.3})).occupancy == 0.3


def test_estimates_are_judged_from_a_minute_on_against_the_wait_as_it_was() -> None:
    shown = [
        line(0, "a", 50, 50, low_sec=80, high_sec=120),
        line(60_000, "a", 50, 20, low_sec=30, high_sec=50),
        event(125_000, "a", "called", run=1, position=50),
    ]
    row = judged(shown, 0)["wait estimate"]
    assert row.details == {"mean_error_pct": pytest.approx(20.0), "in_range_pct": 0.0, "shown": 1}
    assert row.state == "broken"
    assert judged(shown, 0, estimate_error_pct=25)["wait estimate"].state == "held"


def test_push_is_timed_from_the_tick_that_called() -> None:
    def status(tick: int, at_ms: int) -> Event:
        return event(at_ms, "", "status", run=1, tick=tick, phase="open", updated_at_ms=at_ms)

    pushed = [event(5_200, "a", "pushed", run=1, tick=5, position=0), event(9_000, "b", "pushed", run=1, tick=8)]
    assert judged([status(5, 5_000), *pushed], 0)["push ms"].details["max"] == 200
    # Nobody read the document of tick 5: it lay between those of 4 and 6.
    between = judged([status(4, 4_000), status(6, 6_000), *pushed], 0)["push ms"].details
    assert (between["max"], between["count"]) == (200, 1)


def test_failures_are_a_share_of_what_was_sent() -> None:
    failing = {
        "by_request": [{"name": "page", "count": 99, "failures": 1}, {"name": "join", "count": 1, "failures": 1}]
    }
    row = judged(calm(), 3, figures=failing)["failed requests"]
    assert (row.figure, row.state) == ("2 of 100 (2.00 %)", "broken")
    assert judged(calm(), 3, figures=failing, failed_pct=2)["failed requests"].state == "held"
    assert judged(calm(), 3, figures={"by_request": []})["failed requests"].state == "not measured"


def test_it_is_said_that_percentiles_of_requests_are_rounded() -> None:
    page = {"name": "page", "count": 3, "failures": 0, "p50_ms": 1449, "p95_ms": 1400, "max_ms": 1449.2}
    shown = lines(judged(calm(), 3).values(), {"by_request": [page], "held_back": 0})
    assert [line.split() for line in shown if line.startswith("page")] == [["page", "3", "0", "1449", "1400", "1449"]]
    assert "rounded" in shown[-1]


def test_a_target_there_is_none_of_is_named() -> None:
    with pytest.raises(ValueError, match="no target 'fun'; there are: estimate_error_pct"):
        Targets.told({"fun": 1})
