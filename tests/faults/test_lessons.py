"""What other waiting rooms got wrong, each with a test: those written here, and where the others are.

TESTS names them all; a test that is renamed or deleted breaks the last one of this file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from scripts.simulation.scenarios import SCENARIOS
from tests.support.sale import EXITS_SEC, Sale
from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.domain.errors import UnknownZone
from waiting_room.domain.line.places import Session
from waiting_room.use_cases.claim import Waiting

ROOT = Path(__file__).resolve().parents[2]
HERE = "faults/test_lessons.py"
WINDOW_AND_GRACE_SEC = 20 + 30

TESTS: dict[str, tuple[tuple[str, str], ...]] = {
    "a capped room is stuck once a called batch walks away": (
        ("unit/scripts/test_visiting.py", "test_a_whole_called_batch_walks_away_and_the_line_moves_on"),
        (HERE, "test_absentees_cost_the_line_no_more_than_a_window"),
    ),
    "two visitors share a position": (
        ("contract/test_crowd_at_once.py", "test_thousands_who_join_at_once_and_again_keep_their_own_place"),
    ),
    "a join delivered twice moves a visitor back": (
        ("unit/scripts/test_visiting.py", "test_a_repeated_join_keeps_the_place_and_burns_nothing"),
        ("contract/test_queue.py", "test_a_second_join_does_not_move_the_place"),
    ),
    "an unknown event burns a number": ((HERE, "test_an_unknown_zone_burns_no_number"),),
    "the inlet admits some too many": (
        ("contract/test_cap_under_threads.py", "test_500_threads_win_exactly_max_active_claims"),
        ("contract/test_crowd_at_once.py", "test_of_500_visitors_who_claim_at_once_exactly_max_active_get_in"),
    ),
    "a count goes negative": (("contract/test_gates.py", "test_a_release_never_goes_below_zero"),),
    "one request's validity leaks to later callers": ((HERE, "test_the_lease_of_one_zone_never_leaks_into_another"),),
    "room size counts lapsed visitors": ((HERE, "test_room_size_does_not_count_those_whose_lease_has_ended"),),
    "old positions are served after a reset": (
        (HERE, "test_after_a_reset_no_old_place_is_served"),
        (
            "unit/use_cases/test_operator_control.py",
            "test_a_reset_starts_a_run_that_grants_nothing_for_15_s_on_any_two_clocks",
        ),
    ),
    "no wait estimate, or a wrong one": (
        ("simulator/test_scenarios.py", "test_every_rule_is_kept"),
        ("unit/admission/test_turnover.py", "test_the_pace_is_what_ends_by_the_share_that_comes"),
    ),
    "capacity is not refilled when a checkout completes": (
        (HERE, "test_a_completed_checkout_gives_its_room_to_the_next"),
    ),
    "no on/off switch": (("unit/gate/test_decisions.py", "test_control"),),
    "a bucket of a minute waits for its absentees": ((HERE, "test_absentees_cost_the_line_no_more_than_a_window"),),
    "at least 200 visitors are let in": ((HERE, "test_the_smallest_room_is_for_one"),),
    "/Sale slips past /sale": (("unit/gate/test_paths.py", "test_case_is_folded_as_widely_as_any_server_does"),),
    "closing the tab loses the place": ((HERE, "test_a_closed_tab_keeps_the_place"),),
    "waiting for what is sold out": ((HERE, "test_sold_out_is_told_with_the_next_tick"),),
    "open when something fails": (
        ("unit/gate/test_transport.py", "test_nobody_there"),
        ("unit/gate/test_events.py", "test_without_a_snapshot_nobody_gets_anywhere"),
    ),
    "a hot partition throttles": (
        ("simulator/test_scenarios.py", "test_more_joins_than_a_partition_takes_are_throttled_and_nobody_is_lost"),
    ),
    "two exchangers race": (
        ("contract/test_gates.py", "test_of_two_ticks_one_is_refused"),
        ("faults/test_rules.py", "test_the_rules_hold_in_every_run"),
    ),
    "clocks differ": (("unit/adapters/test_leases.py", "test_a_closed_bucket_is_over_on_every_clock"),),
    "capacity is halved mid-sale": (
        ("unit/admission/test_controller.py", "test_a_lowered_cap_admits_nobody_until_there_is_room"),
    ),
    "the rate is changed and paused live": ((HERE, "test_a_rate_changed_or_paused_live_holds_from_the_next_tick"),),
    "a token is replayed from a second client": (
        ("unit/scripts/test_visiting.py", "test_an_older_device_is_refused"),
        ("unit/http/test_confirm.py", "test_a_session_is_confirmed_and_the_same_reference_gets_the_same_answer"),
    ),
    "a flood of bypass links": (
        ("unit/gate/test_detours.py", "test_a_bad_bypass_link_only_leaves_the_url"),
        ("unit/gate/test_decisions.py", "test_a_revoked_bypass_token_counts_as_none"),
    ),
    "bots confirm": (("unit/http/test_confirm.py", "test_without_a_site_key_nothing_is_looked_at"),),
    "an idle shard hands out old low numbers": (
        ("unit/line/test_epochs.py", "test_a_counter_that_was_not_found_or_is_behind_stands_where_it_stood"),
    ),
    "throttles and partial batches": (
        ("unit/line/test_lines.py", "test_a_counter_left_out_of_a_batch_waits_for_the_next_epoch"),
    ),
    "the gate's snapshot is stale": (
        ("unit/gate/test_snapshots.py", "test_the_old_copy_stays_whatever_goes_wrong"),
        ("unit/use_cases/test_exchange.py", "test_a_stale_snapshot_is_healed"),
    ),
}


def room_is_free_after(sale: Sale, most_sec: int) -> int:
    """Seconds until nobody is counted any more."""
    for second in range(most_sec):
        if sale.gate().active == 0:
            return second
        sale.tick()
    raise AssertionError(f"{sale.gate().active} are still counted after {most_sec} s")


def test_absentees_cost_the_line_no_more_than_a_window() -> None:
    sale = Sale(max_active=10)
    for number in range(200):
        sale.join(f"gone{number}")
    sale.join("here")
    for second in range(20 * WINDOW_AND_GRACE_SEC):
        sale.tick()
        if isinstance(sale.claim("here"), Session):
            assert second <= 200 / 10 * 20, "one window for each ten of them, at most"
            return
    pytest.fail("the line never moved")


def test_an_unknown_zone_burns_no_number() -> None:
    sale = Sale()
    before = sale.store.units.write
    with pytest.raises(UnknownZone):
        ZoneCopies(sale.zones, sale.clock).get("no-such-zone")
    assert sale.store.units.write == before


def test_the_lease_of_one_zone_never_leaks_into_another() -> None:
    short, long = (Sale(session={"idle_sec": idle_sec, "max_sec": 3600}) for idle_sec in (60, 1800))
    lasting = []
    for sale in (short, long, short, long):
        sale.tick()
        name = f"v{len(lasting)}"
        lasting.append((sale.enter(name).expires_at_ms - sale.clock.now_ms()) // 1000)
    assert all(60 <= seconds <= 70 for seconds in lasting[::2])
    assert all(1800 <= seconds <= 1890 for seconds in lasting[1::2])


def test_room_size_does_not_count_those_whose_lease_has_ended() -> None:
    sale = Sale(max_active=2)
    sale.tick()
    sale.enter("silent")
    sale.enter("silent too")
    for name in ("next", "after"):
        sale.join(name)
    room_is_free_after(sale, most_sec=60 + 10 + 10 + 2)
    sale.tick()
    assert isinstance(sale.claim("next"), Session)
    assert isinstance(sale.claim("after"), Session)


def test_after_a_reset_no_old_place_is_served() -> None:
    sale = Sale(max_active=2)
    for name in "abcdef":
        sale.join(name)
    sale.tick()
    old = sale.gate()
    assert sale.zones.save(sale.zone.with_changes(run=2, version=1), 0)
    sale.gates.create(type(old)("z", 2, old.width_sec, lanes={"general": type(old.lane("general"))()}))
    sale.gates.fence("z", 1)
    assert isinstance(sale.claim("a"), Waiting), "called in the old run, and its grants are withdrawn"
    sale.zone = sale.zone.with_changes(run=2, version=1)
    sale.tick()
    assert sale.gate().lane("general").serving == 0
    sale.join("f")
    assert sale.item("f").seq == 1, "everybody joins anew"


def test_a_completed_checkout_gives_its_room_to_the_next() -> None:
    sale = Sale(max_active=1)
    sale.tick()
    buyer = sale.enter("buyer")
    sale.join("next")
    sale.tick(2)
    assert isinstance(sale.claim("next"), Waiting)
    sale.confirm(buyer, "order-1")
    sale.tick(2)
    assert isinstance(sale.claim("next"), Waiting), "the token still opens the gate"
    sale.tick(EXITS_SEC - 2)
    assert isinstance(sale.claim("next"), Session)


def test_the_smallest_room_is_for_one() -> None:
    sale = Sale(max_active=1)
    sale.tick()
    sale.enter("one")
    sale.join("two")
    sale.tick()
    assert isinstance(sale.claim("two"), Waiting)
    assert sale.gate().active == 1


def test_a_closed_tab_keeps_the_place() -> None:
    sale = Sale(max_active=1)
    sale.tick()
    sale.enter("in front")
    place = sale.join("a")
    sale.join("behind")
    sale.mark_away("a")
    sale.tick(40)
    assert sale.join("a").position == place.position


def test_sold_out_is_told_with_the_next_tick() -> None:
    sale = Sale(max_active=2, inventory=1)
    sale.tick()
    buyer = sale.enter("buyer")
    sale.join("hoping")
    sale.confirm(buyer, "order-1")
    sale.tick()
    told = json.loads(sale.objects.objects[".waiting-room/status/z.json"].body)
    assert told["phase"] == "sold_out"


def test_a_rate_changed_or_paused_live_holds_from_the_next_tick() -> None:
    sale = Sale(mode="waiting_room", starts_at_ms=1, rate_per_min=60, max_active=None)
    for number in range(200):
        sale.join(f"v{number}")

    def let_in(seconds: int) -> int:
        before = sale.gate().claimed
        for _ in range(seconds):
            sale.tick()
            for number in range(200):
                gate = sale.gate()
                if gate.claimed >= gate.limit:
                    break
                if sale.item(f"v{number}").status == "waiting":
                    sale.claim(f"v{number}")
        return sale.gate().claimed - before

    assert let_in(20) == pytest.approx(20, abs=3)
    sale.change(rate_per_min=180)
    assert let_in(20) == pytest.approx(60, abs=6)
    sale.change(control="pause")
    assert let_in(20) == 0
    sale.change(control="auto", rate_per_min=60)
    assert let_in(20) == pytest.approx(20, abs=6)


@pytest.mark.parametrize("fault", TESTS)
def test_every_fault_has_its_test(fault: str) -> None:
    for file, name in TESTS[fault]:
        text = (ROOT / "tests" / file).read_text(encoding="utf-8")
        assert re.search(rf"^def {name}\(", text, re.M), f"{name} is not in tests/{file}"


@pytest.mark.parametrize(
    "fault",
    ["absentees", "walks away", "halved", "rate changed", "paused", "reset", "late returners", "killed", "sold out"],
)
def test_every_course_of_a_sale_is_simulated(fault: str) -> None:
    said: list[Any] = [name for name in SCENARIOS if fault in name]
    assert said
