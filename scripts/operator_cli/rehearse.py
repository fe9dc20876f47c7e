"""`wr rehearse`: play a crowd on a real stack and judge what it met."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from waiting_room.domain.zone.zones import SERVER_FIELDS, Zone

from ..deployment.places import own_folder
from ..operator_api.api import OperatorApi
from ..operator_api.connection import Target
from ..operator_api.errors import BadInput
from ..rehearsal import director, takeover
from ..rehearsal.safety import NotSafe, address_of, refuse_excess, refuse_live, refuse_unnamed_api
from ..rehearsal.script import ARRIVALS, USUAL, Script
from ..rehearsal.targets import Limits, Targets
from ..rehearsal.verdict import Row, as_json, holds, verdict
from .answers import Answer, as_text
from .arguments import Command, Commands
from .words.tables import table

Json = dict[str, Any]

BUILD = own_folder() / "rehearsal"
LOCAL_IN_FLIGHT = 4
"""The local engine starts a process for every parallel request to a function."""
DISTANT_IN_FLIGHT = 200
MARKS = {"held": "ok", "broken": "NO", "not measured": "-"}


def add_command(found: Commands[Command]) -> None:
    """The arguments of `wr rehearse`."""
    arrivals = "\n".join(f"  {name:<10} {each.about} ({each.over_sec:g} s)" for name, each in ARRIVALS.items())
    rehearse = found.add_parser(
        "rehearse",
        help="play a crowd on a real stack, and judge what it met",
        description="Let scripted visitors come over HTTP and WebSocket, wait, be called, come in, buy or leave; then "
        "say whether every rule and target was kept. Only the hosts named are ever asked, and never a live zone "
        "unless told twice. A zone marked with rehearsal=true, or taken over with --own-run, gets a run for it and "
        f"another one behind it.\n\nways to arrive:\n{arrivals}",
        epilog="exit codes: 0 everything held, 1 something did not, 2 refused before anything was sent, 130 broken off",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    rehearse.add_argument("zone", metavar="ZONE")
    rehearse.add_argument("--host", metavar="HOST", action="append", default=[], help="the site; more: it leads there")
    rehearse.add_argument("--visitors", type=int, default=100, metavar="N", help="how many (default %(default)s)")
    rehearse.add_argument("--arrival", choices=ARRIVALS, default="flash", help="how they come (default %(default)s)")
    rehearse.add_argument("--over", type=float, metavar="SEC", help="how long their coming takes")
    rehearse.add_argument("--path", help="the guarded page (default: the zone's landing_path)")
    rehearse.add_argument("--checkout", metavar="PATH", help="where buyers post `order`; else they just leave")
    rehearse.add_argument("--minutes", type=int, default=15, help="ends after that at the latest (default %(default)s)")
    rehearse.add_argument(
        "--requests-per-sec", type=float, default=200.0, metavar="N", help="at most (default %(default)g)"
    )
    rehearse.add_argument("--in-flight", type=int, metavar="N", help="requests to functions at a time")
    rehearse.add_argument("--seed", type=int, default=1, help="of everybody's plans and times (default %(default)s)")
    _habits(rehearse)
    rehearse.add_argument("--target", metavar="NAME=VALUE", action="append", default=[], help="judge by this instead")
    rehearse.add_argument("--output", type=Path, metavar="FILE", help="write the verdict there, as JSON")
    rehearse.add_argument("--own-run", action="store_true", help="open a zone that is yet to start, and put it back")
    rehearse.add_argument("--put-back", action="store_true", help="after a rehearsal that was killed: only put back")
    rehearse.add_argument("--on-a-live-zone", action="store_true", help="told once")
    rehearse.add_argument("--beside-real-visitors", action="store_true", help="told twice")
    rehearse.set_defaults(command=rehearse_zone)


def _habits(rehearse: argparse.ArgumentParser) -> None:
    habits = rehearse.add_argument_group("habits, shares of 1")
    for name, about in (
        ("absent", "do not come when called"),
        ("give-up", "leave the line"),
        ("silent", "go without a word once in"),
        ("reload", "chance at each look to load the page again"),
    ):
        default = getattr(USUAL, f"{name.replace('-', '_')}_share")
        habits.add_argument(f"--{name}", type=float, default=default, metavar="SHARE", help=f"{about} ({default:g})")
    habits.add_argument(
        "--stay", type=float, nargs=2, default=USUAL.stay_sec, metavar="SEC", help="in the zone, from to %(default)s"
    )


def rehearse_zone(api: OperatorApi, target: Target, arguments: argparse.Namespace) -> Answer:
    """Play the crowd; ends with 0 when every rule and target was kept, 1 when not, 130 when it was broken off."""
    note = BUILD / f"{arguments.zone}.before.json"
    if arguments.put_back:
        zone_id = takeover.put_back(api, note)
        return Answer({"put_back": zone_id}, [f"{zone_id}: as it was before the rehearsal, in a new run"])
    try:
        zone, script, targets = _prepared(api, target, arguments, note)
    except (NotSafe, ValueError) as error:
        raise BadInput(str(error)) from None
    with _ended_by_sigterm(), contextlib.ExitStack() as ending:
        if takeover.wants_own_run(zone, own_run=arguments.own_run):
            _say(f"{arguments.zone}: a run for the rehearsal begins")
            zone = ending.enter_context(takeover.own_run(api, zone, note))
            ending.callback(_say, f"{arguments.zone}: put back as it was, in a new run")
        takeover.until_ticking(script.hosts[0], zone, _say)
        played, broken_off = director.play(script, BUILD / f"{arguments.zone}.events.jsonl")
    rows = verdict(played, Limits.of(_settings(zone), script.habits, targets), targets)
    kept = arguments.output or BUILD / f"{arguments.zone}.json"
    kept.parent.mkdir(parents=True, exist_ok=True)
    document = _document(script, rows, dict(played.figures), broken_off)
    kept.write_text(as_text(document) + "\n", encoding="utf-8")
    said = [*lines(rows, dict(played.figures)), "", f"{_sum(rows, broken_off)} Written to {kept}"]
    return Answer(document, said, 130 if broken_off else 0 if holds(rows) else 1)


def lines(rows: Sequence[Row], figures: Json) -> list[str]:
    """The verdict as a table, and below it how long each kind of request took."""
    verdict_rows = [(MARKS[row.state], row.name, row.figure, row.target) for row in rows]
    shown = table(("", "RULE OR FIGURE", "MEASURED", "TARGET"), verdict_rows)
    requests = [
        (entry["name"], entry["count"], entry["failures"], entry["p50_ms"], entry["p95_ms"], round(entry["max_ms"]))
        for entry in figures["by_request"]
    ]
    shown += ["", *table(("REQUEST", "COUNT", "FAILED", "P50 MS", "P95 MS", "MAX MS"), requests)]
    # See findings/locust_p95_below_the_fastest.sh.
    shown.append("P95 of a request is as locust keeps it, rounded: 1,449 ms is 1400. The verdict's times are exact.")
    if figures["held_back"]:
        shown.append(
            f"{figures['held_back']:,} of {figures['requests']:,} requests waited a second or more for their turn, by "
            "--requests-per-sec and --in-flight: real visitors would have sent them at once."
        )
    return shown


def _prepared(
    api: OperatorApi, target: Target, arguments: argparse.Namespace, note: Path
) -> tuple[Json, Script, Targets]:
    """The zone and what is to be played on it, once nothing speaks against it. Raises NotSafe, ValueError, BadInput."""
    if not arguments.host:
        raise NotSafe("name the site with --host, like --host tickets.example.com: no other host is ever asked")
    hosts = tuple(address_of(host) for host in arguments.host)
    refuse_unnamed_api(target.api_url, arguments.named_api_url, hosts)
    refuse_excess(arguments.visitors, arguments.requests_per_sec, arguments.minutes)
    targets = Targets.told(dict(_pair(text) for text in arguments.target))
    director.require_engine()
    if note.exists():
        raise BadInput(
            f"the last rehearsal of {arguments.zone} was killed: first wr rehearse {arguments.zone} --put-back"
        )
    zone = api.zone(arguments.zone)
    now_ms = takeover.now_ms()
    told = (arguments.on_a_live_zone, arguments.beside_real_visitors)
    refuse_live(zone, takeover.joined_so_far(hosts[0], zone), now_ms, told=told, own_run=arguments.own_run)
    if takeover.wants_own_run(zone, own_run=arguments.own_run):
        takeover.refuse_close_start(zone, arguments.minutes * 60, now_ms)
    return zone, _script(zone, hosts, arguments), targets


def _script(zone: Json, hosts: tuple[str, ...], arguments: argparse.Namespace) -> Script:
    settings = _settings(zone)
    local = hosts[0].startswith("http://")
    return Script(
        hosts=hosts,
        zone_id=arguments.zone,
        path=arguments.path or settings.landing_path,
        checkout_path=arguments.checkout,
        visitors=arguments.visitors,
        arrival=arguments.arrival,
        over_sec=arguments.over or ARRIVALS[arguments.arrival].over_sec,
        lasts_sec=arguments.minutes * 60,
        seed=arguments.seed,
        in_flight=arguments.in_flight or (LOCAL_IN_FLIGHT if local else DISTANT_IN_FLIGHT),
        requests_per_sec=arguments.requests_per_sec,
        held_sec=settings.claim.window_sec,
        heartbeat_sec=settings.beat_sec if settings.session.kind == "script" else None,
        habits=replace(
            USUAL,
            absent_share=arguments.absent,
            give_up_share=arguments.give_up,
            silent_share=arguments.silent,
            reload_share=arguments.reload,
            stay_sec=(arguments.stay[0], arguments.stay[1]),
        ),
    )


def _settings(zone: Json) -> Zone:
    return Zone.from_document({name: value for name, value in zone.items() if name not in SERVER_FIELDS})


def _pair(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise BadInput(f"--target {text}: write NAME=NUMBER") from None


def _document(script: Script, rows: Sequence[Row], figures: Json, broken_off: bool) -> Json:
    whole = {"holds": holds(rows) and not broken_off, "broken_off": broken_off, "verdict": as_json(rows)}
    return {**whole, "figures": figures, "script": json.loads(script.to_json())}


def _sum(rows: Sequence[Row], broken_off: bool) -> str:
    if broken_off:
        return "Broken off: this is no verdict."
    broken = [row.name for row in rows if row.state == "broken"]
    return f"Not kept: {', '.join(broken)}." if broken else "Everything held."


@contextlib.contextmanager
def _ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends a rehearsal as Ctrl-C does: everybody leaves, the zone is put back."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
