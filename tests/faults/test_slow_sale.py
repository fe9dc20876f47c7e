"""A sale whose record arrives long after the buyer's lease has ended: the stock must hold all the same."""

from __future__ import annotations

from typing import Any

from tests.faults.mutations import SellsUnpinned
from tests.sale import Sale
from waiting_room.domain.places import Session
from waiting_room.use_cases.confirm import Confirm

DELAY_SEC = 90
"""Well past the end of the lease and the margin, well before the end of the pin."""


def sold_and_live(confirm: type[Confirm]) -> int:
    """The last ticket is being sold, slowly, while somebody else waits for it; what is sold and live in the end."""
    sale = Sale(inventory=1)
    sale.tick()
    buyer = sale.enter("buyer")
    sale.join("waiting")
    sale.tick()
    let_in = []

    def stall(operation: str, _request: dict[str, Any], phase: str) -> None:
        if (operation, phase) == ("transact_write_items", "before") and not let_in:
            sale.tick(DELAY_SEC)
            let_in.append(isinstance(sale.claim("waiting"), Session))

    sale.store.on_call = stall
    parts = (sale.gates, sale.queue, sale.rooms, sale.clock, sale.ids)
    confirm(*parts)(sale.zone, "buyer", buyer.sid, buyer.expires_at_ms // 1000, "order-1", checkout=True)
    assert let_in, "the sale was not held up"
    return sale.sales.sold("z", 1) + sum(let_in)


def test_the_stock_holds_while_a_sale_is_recorded_slowly() -> None:
    assert sold_and_live(Confirm) == 1


def test_without_the_pin_the_last_ticket_is_promised_twice() -> None:
    assert sold_and_live(SellsUnpinned) == 2
