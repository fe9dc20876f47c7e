"""`wr verify-draw`: recompute places of a draw from what was published of it, as anybody may."""

from __future__ import annotations

import argparse
from typing import Any

import httpx

from scripts.operator_api.api import OperatorApi
from scripts.operator_api.connection import Target
from scripts.operator_api.errors import BadInput, Refused, Unreachable
from scripts.operator_cli.checks.beacon import check_beacon
from waiting_room.domain.line.draws import Draw, published_draw
from waiting_room.domain.locations import draw_path

TIMEOUT_SEC = 10.0


def verify_draw(
    _api: OperatorApi, target: Target, arguments: argparse.Namespace, transport: httpx.BaseTransport | None = None
) -> None:
    """Check the commitment, then say one visitor's place, or check that every place was given once."""
    draw = read_draw(target, arguments.zone, arguments.run, transport)
    print(f"{arguments.zone}, run {draw.run}: the secret is the one that was committed to ({draw.commitment})")
    if draw.beacon_round is not None:
        print(f"beacon: drand quicknet, round {draw.beacon_round}: {draw.beacon_value or 'it did not answer in time'}")
    if arguments.beacon and draw.beacon_round is not None and draw.beacon_value is not None:
        with httpx.Client(timeout=TIMEOUT_SEC, transport=transport) as http:
            check_beacon(draw.beacon_round, draw.beacon_value, http)
        print("beacon: drand signed this value")
    early = dict(draw.early or {})
    if arguments.arrival is not None:
        if arguments.lane not in early:
            raise BadInput(f"This draw has no lane {arguments.lane}: use one of {', '.join(early)}.")
        place = draw.place(arguments.lane, arguments.arrival - 1)
        late = " (after the start: behind the draw)" if arguments.arrival > early[arguments.lane] else ""
        print(f"{arguments.lane}: number {arguments.arrival} has place {place + 1}{late}")
        return
    for lane, count in early.items():
        if len({draw.place(lane, arrival) for arrival in range(count)}) != count:
            raise Refused(f"In lane {lane} a place was given twice: the record is not one of this draw.")
        print(f"{lane}: {count} came before the start; every place from 1 to {count} was given once")


def read_draw(target: Target, zone_id: str, run: int, transport: httpx.BaseTransport | None = None) -> Draw:
    """The published record of a draw, its secret checked; raises Unreachable, and Refused where there is none."""
    if not target.site_url:
        raise Unreachable("Draws are published on the site: give --site-url or FOYER_SITE_URL.")
    url = f"{target.site_url}{draw_path(zone_id, run)}"
    try:
        with httpx.Client(timeout=TIMEOUT_SEC, trust_env=False, transport=transport) as http:
            response = http.get(url)
    except httpx.HTTPError as error:
        raise Unreachable(f"{url} does not answer: {error}") from None
    if response.status_code in (403, 404):
        raise Refused(f"No draw is published for run {run} of {zone_id}: its order may be by arrival.")
    try:
        document: dict[str, Any] = response.raise_for_status().json()
        return published_draw(document)
    except httpx.HTTPStatusError:
        raise Refused(f"{url} answered {response.status_code}.") from None
    except (KeyError, TypeError):
        raise Refused(f"{url} is not the record of a draw.") from None
    except ValueError as error:
        raise Refused(str(error)) from None
