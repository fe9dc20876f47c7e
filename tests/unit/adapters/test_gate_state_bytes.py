"""The controller's memory keeps its bytes: exchangers of two versions take turns on one run while a release rolls out.

The bytes here were written by version 1 before its fields had the parts and names they have now.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from waiting_room.adapters.gate_state import pack, unpack
from waiting_room.domain.admission.claim_clock import ClaimClock, Sample
from waiting_room.domain.admission.door import Door
from waiting_room.domain.admission.gate_item import ControllerState
from waiting_room.domain.admission.last_tickets import LastTickets
from waiting_room.domain.admission.shared_calls import SharedCalls
from waiting_room.domain.admission.show_up import ShowUp
from waiting_room.domain.admission.turnover import Turnover

LANES = ["general", "vip", "press"]
EVERY_FIELD = ControllerState(
    clock=ClaimClock(
        98_765,
        (
            Sample(90_000, 4_000, {"general": 5_000, "vip": 70}),
            Sample(98_765, 4_300, {"general": 5_400, "vip": 80, "press": 9}),
        ),
    ),
    show_up=ShowUp(
        on_the_way=(1.5, 2.25, 3.125, 4.0, 5.5, 6.75),
        resolved_called=5_100.25,
        resolved_came=4_250,
        recent_called=401.5,
        recent_came=333.75,
        shut_claims=17,
        shut_ms=23_000,
        noticed_front=5_391.5,
        silent=18.5,
    ),
    turnover=Turnover(
        active=987,
        leave_rate=3.1415,
        end_rate=4.0625,
        end_weight=0.8125,
        mean_active=777.75,
        mean_active_at_leaving=654.5,
        lapses_seen=True,
        pace=5.4321,
    ),
    shared=SharedCalls(deficits={"general": -0.25, "vip": 0.75}, quiet={"press": 0.125}),
    last_tickets=LastTickets(123_456),
    door=Door(shut=True, proven=True, passes=1, misses=5, came=3, asked=9, doubted_in=77, belied=2, unproven=12.3),
    ticked_at_ms=1_780_315_200_123,
    claimed=4_321,
    rate_tokens=-1.25,
    hold_until_ms=1_780_315_260_000,
    phase="paused",
    entry="page",
    epochs={"general": 61, "vip": 62, "press": 63},
    early={"general": 3_000, "vip": 200},
)
"""No two fields have the same value, so that none can change places with another unseen."""
EVERY_FIELD_PACKED = (
    "024cf6e9f0b0d067c2439a870cc091f8b0d06722b0e702b60fc313b4cbee04a0e68604b88131ecde28989292058c31bc3fd80cacf85ec8f24f"
    "f05480890f0cb8179423ea30c03ef855bc690890a10f069fc21ee0c65b0e7a7c7e06f02e900304a0fe0ac03e06904e8c01fa8801d8040ea006"
    "1412"
)
DOOR_PACKED = "2e0a06129a01f601"
SILENT_PACKED = "4a"
"""What was added behind, and behind that."""
NO_DOOR_AND_NONE_SILENT = bytes(7)
RECORDED = {
    "the last tickets of a sold-out sale": (
        "022cb88c92b1d0678c0386fe0a0002a0a9040a00b8fd1fe09518c8ea1990c21390ee1fb8048406f40c849502b8d501f81ab8b402"
        "0c0000000000000002000000100000022a84cb017c028c01c8bb0120022684cb0128022ef8ca0158028401c0bb01600264cebb01"
        "08020cc0bb01020208"
    ),
    "three lanes": (
        "022cde9b9db1d0679a04baf60c0004d80fc80100e4c53490eb20b49425dc961798a733e803c807a00ec8830bf08a0cae0d000cd6"
        "0dce0c9407b005000008f41406dfa712e0a71200001200000e0c0402cabb017c0e7a281480cb014a0e4c1a0ee2bb01160e160808"
        "f8ca01280e260e0e8cc901340e301010c8bb01140e1e0a08c8bb01360e361212feca016a0e84012c00"
    ),
    "a draw on three counters": (
        "022486af88b1d067d204b46d00b403fca9107600ac9338d0a02480bf278cab1ff08338f810b80e8c08fcd303ece006b024000c00"
        "000000000002ea310002ba0202a0060200000278"
    ),
    "a rate that was paused": (
        "022cdcafa5b1d0678a0bb49c06005eb08b172aec07b09d7390c656f48c39d4b22cf88f73f81ac824f60ca0f41488f616840a000c"
        "00000000000000020000000800000208f8ca014602668ecb01c60102ba02f6ca01e40202fe03"
    ),
}
"""Of simulated sales, in the middle of each."""


def test_every_field_has_the_bytes_it_had() -> None:
    assert pack(EVERY_FIELD, LANES).hex() == EVERY_FIELD_PACKED + DOOR_PACKED + SILENT_PACKED


def test_flags_have_the_bytes_they_had() -> None:
    flags = {"resting": True, "locked": True, "phase": "sold_out", "entry": "enter"}
    state = replace(EVERY_FIELD, turnover=replace(EVERY_FIELD.turnover, lapses_seen=False), **flags)
    assert pack(state, LANES).hex()[:6] == "02b201"


@pytest.mark.parametrize("sale", RECORDED)
def test_what_sales_left_reads_and_is_written_as_it_was(sale: str) -> None:
    packed = bytes.fromhex(RECORDED[sale])
    assert pack(unpack(packed, LANES), LANES) == packed + NO_DOOR_AND_NONE_SILENT
