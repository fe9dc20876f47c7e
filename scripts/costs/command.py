"""What Foyer costs: idle for a month, for a million visitors who wait, and for a million who are let in.

python -m scripts.costs                                        the table
python -m scripts.costs --visitors 250e3 --wait 20 --admitted 8000    one sale

The counts are measured by the tests on the real code (scripts/costs/counts.json), the prices are in
scripts/costs/prices.json; change either, or the assumptions below, and the table follows.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from dataclasses import asdict, fields
from typing import Any

from .bills import Bill
from .model import FOLDER, MILLION, Assumptions, Costs
from .tables import markdown, of_sale, text

WAIT_MIN = 10.0
MOST_VISITORS = 1_000_000_000
MOST_MINUTES = 1440


def main(argv: Sequence[str] | None = None) -> int:
    """Run from the command line; the exit code is 0."""
    parser = argparse.ArgumentParser(
        prog="python -m scripts.costs", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="every charge by itself, for programs")
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    print(json.dumps(document(arguments), indent=2) + "\n" if arguments.json else report(arguments), end="")
    return 0


def report(arguments: argparse.Namespace) -> str:
    """The table in the form that was asked for."""
    costs = _costs(arguments)
    prices = json.loads((FOLDER / "prices.json").read_text(encoding="utf-8"))
    if sale := _sale(costs, arguments):
        return of_sale(sale, costs, prices) + "\n"
    return markdown(costs, prices) if arguments.markdown else text(costs, prices) + "\n"


def document(arguments: argparse.Namespace) -> dict[str, Any]:
    """Every charge by itself, and what was assumed."""
    costs = _costs(arguments)
    sale = _sale(costs, arguments)
    return _sale_document(costs, sale, arguments) if sale else _document(costs)


def _costs(arguments: argparse.Namespace) -> Costs:
    return Costs.read(Assumptions(**{each.name: getattr(arguments, each.name) for each in fields(Assumptions)}))


def add_arguments(made: argparse.ArgumentParser) -> None:
    """The arguments: the form of the answer, and every assumption by its name."""
    made.add_argument("--markdown", action="store_true", help="as a section of a README")
    sale = made.add_argument_group("one sale", "with any of these, the bill of that sale alone")
    sale.add_argument("--visitors", type=_count, metavar="N", help="how many come (default 1e6)")
    sale.add_argument("--wait", type=_minutes, metavar="MIN", help="minutes they wait (default 10)")
    sale.add_argument("--admitted", type=_count, metavar="N", help="how many are let in (default: all of them)")
    assumptions = made.add_argument_group("assumptions")
    # Visits were measured at these speeds only.
    measured = {"speed_per_sec": [int(speed) for speed in Costs.read().counts["page_by_speed_per_sec"]]}
    for each in fields(Assumptions):
        kind: Any = type(each.default)
        choices = measured.get(each.name)
        hint = f"default {each.default:g}" + (f"; one of {', '.join(map(str, choices))}" if choices else "")
        flag = f"--{each.name.replace('_', '-')}"
        assumptions.add_argument(flag, type=kind, default=each.default, choices=choices, metavar="N", help=hint)


def _sale(costs: Costs, arguments: argparse.Namespace) -> Bill | None:
    """The bill of the sale that was described, None where none was."""
    if (arguments.visitors, arguments.wait, arguments.admitted) == (None, None, None):
        return None
    visitors = MILLION if arguments.visitors is None else arguments.visitors
    wait_min = WAIT_MIN if arguments.wait is None else arguments.wait
    return costs.sale(visitors, wait_min, visitors if arguments.admitted is None else arguments.admitted)


def _sale_document(costs: Costs, sale: Bill, arguments: argparse.Namespace) -> dict[str, Any]:
    asked = {"visitors": arguments.visitors, "wait_min": arguments.wait, "admitted": arguments.admitted}
    return {"assumed": asdict(costs.assumed), "asked": asked, "sale": {"title": sale.title, **_bill(sale)}}


def _count(text: str) -> int:
    """A number of people, also as 1e6."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= MOST_VISITORS or number != int(number):
        raise argparse.ArgumentTypeError(f"give a whole number up to {MOST_VISITORS:,}, like 250000 or 1e6")
    return int(number)


def _minutes(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= MOST_MINUTES:
        raise argparse.ArgumentTypeError(f"give minutes from 0 to {MOST_MINUTES}")
    return number


def _document(costs: Costs) -> dict[str, Any]:
    bills = {
        "idle_month": costs.idle_month(),
        "waiting": costs.waiting(),
        "admitted": costs.admitted(),
        "phones": costs.phones(),
    }
    return {"assumed": asdict(costs.assumed), **{name: _bill(bill) for name, bill in bills.items()}}


def _bill(bill: Bill) -> dict[str, Any]:
    lines = [
        {"part": line.part, "price": line.price.key, "quantity": line.quantity, "usd": line.usd} for line in bill.lines
    ]
    sums = {
        "usd": bill.usd,
        "usd_without_archive": bill.usd_without_archive,
        "usd_after_free": bill.usd_after_free,
        "usd_of_doubtful_prices": bill.doubtful_usd,
    }
    return {**sums, "lines": lines}
