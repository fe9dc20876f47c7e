"""The arithmetic: counts times prices, part by part. Nothing here is measured and no price is written here.

counts.json comes from the tests, which fail when the code no longer does what it says. What no test can count, for it
depends on AWS or on the site, is an assumption: `Assumptions` has all of them.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from waiting_room import schemas

from .bills import ARCHIVE, Bill, Charge, Price

FOLDER = Path(__file__).parent

MILLION = 1_000_000
GB = 1_000_000_000
HOURS_A_MONTH = 730
MINUTES_A_MONTH = HOURS_A_MONTH * 60
FIREHOSE_STEP_BYTES = 5 * 1024
"""Each record is charged as a multiple of it: https://aws.amazon.com/firehose/pricing/"""
DELIVERY_SEC, DELIVERY_BYTES = 300, 64 * 2**20
"""When Firehose writes a file, whichever comes first: as terraform/modules/archive has it."""
BEAT_MIN = 4.5
"""Between two signs of life of a page with a connection: lambdas/publisher/site/assets/push.js."""
RECORDER = "recorder: sums and metrics"
TABLES_WITHOUT_ALARM = {"protected_zones"}
ALARMS_OF_ALL = 4
"""The API failing and slow, the queue of failed events, the distribution."""
QUICK_ALARMS = 1
"""The shut door."""


@dataclass(frozen=True)
class Assumptions:
    """What the table assumes beside what is counted. Times in milliseconds, sizes in bytes."""

    aws_call_ms: float = 5.0
    """What a function waits for one call of another service in its Region."""
    own_ms: float = 15.0
    """What a function computes for itself in one invocation, at the share of a processor its memory buys."""
    gate_ms: float = 5.0
    """What the gatekeeper takes for a request."""
    platform_log_bytes: int = 600
    """What Lambda adds to the log of an invocation, with what the logger adds to each line."""
    gate_log_bytes: int = 400
    """The same for the gatekeeper, which logs nothing of its own about a request."""
    speed_per_sec: int = 400
    """Visitors called a second: about as fast as one zone can be."""
    snapshot_requests_per_request: float = 0.04
    """Snapshots and exit lists a gatekeeper reads for each request it decides: one of each in 5 s at 10 requests a
    second."""
    renewals_per_session: float = 1.0
    """Times a session is prolonged."""
    guarded_requests_per_session: int = 20
    """Pages and calls of the guarded part of the site in one session; files left unguarded do not count."""
    archived_months: float = 3.0
    """How long the archive is kept in Standard: three months, after which it moves to Glacier for next to nothing."""


class Costs:
    """Bills for one set of counts and prices."""

    def __init__(
        self, counts: Mapping[str, Any], prices: Mapping[str, Any], assumed: Assumptions | None = None
    ) -> None:
        self.assumed = assumed or Assumptions()
        self.counts = counts
        self.prices = {key: Price(key, **entry) for key, entry in prices["prices"].items()}
        self._functions = schemas.functions()

    @classmethod
    def read(cls, assumed: Assumptions | None = None) -> Costs:
        """Bills from the files beside this module."""
        counts, prices = (json.loads((FOLDER / f"{name}.json").read_text("utf-8")) for name in ("counts", "prices"))
        return cls(counts, prices, assumed)

    def idle_month(self) -> Bill:
        """A month in which nobody comes: the dispatcher looks at every zone once a minute and keeps the snapshot."""
        machinery = self.counts["machinery"]
        # The snapshot is made anew when it is older than 90 s, which a look every 60 s finds every other time.
        refreshes = MINUTES_A_MONTH / 2
        lines = [
            self._line("schedule", MINUTES_A_MONTH, "schedule"),
            *self._invocations("dispatcher", "dispatcher", machinery["idle_minute"], MINUTES_A_MONTH),
            *self._invocations("publisher", "publisher", machinery["refresh"], refreshes),
            self._line("alarms", self._alarms(), "alarm"),
            self._line("alarms", QUICK_ALARMS, "quick_alarm"),
            self._line("signing keys", 1, "secret"),
            # Streams that bring nothing start nobody, and metrics nobody tells cost nothing.
            self._line(RECORDER, 0, "custom_metric"),
            self._line(ARCHIVE, 0, "firehose_ingest"),
        ]
        return Bill("a month with nothing on sale", tuple(lines))

    def waiting(self) -> Bill:
        """A million visitors who wait, from their first request to the call, and the machinery that calls them."""
        polls = self.counts["page_by_speed_per_sec"][str(self.assumed.speed_per_sec)]["polls"]
        lines = self._waiting(MILLION, polls, self.counts["wait_sec"])
        return Bill("a million visitors who wait ten minutes", tuple(lines))

    def admitted(self) -> Bill:
        """A million of them who come when called, stay, and buy or leave."""
        return Bill("a million visitors who are admitted", tuple(self._admitted(MILLION)))

    def phones(self) -> Bill:
        """A million of them who confirm a phone, where a zone wants that: one code each, by a text message."""
        lines = [
            self._line("the message", MILLION, "text_message"),
            *self._api("having a code sent", ("send_code",), MILLION),
            *self._api("showing it", ("verify_phone",), MILLION),
        ]
        return Bill("a million phones confirmed", tuple(lines))

    def sale(self, visitors: int, wait_min: float, admitted: int) -> Bill:
        """One sale: so many visitors who wait so many minutes each, and those of them who are let in."""
        lines = [*self._waiting(visitors, self.polls(wait_min), wait_min * 60), *self._admitted(admitted)]
        return Bill(f"{visitors:,} visitors who wait {wait_min:g} minutes, {admitted:,} of them admitted", tuple(lines))

    def polls(self, wait_min: float) -> float:
        """Looks at the line in a wait of that length: along straight lines through the waits that were measured."""
        measured = self.counts["polls_by_wait_min"][str(self.assumed.speed_per_sec)]
        points = [(float(minutes), float(polls)) for minutes, polls in measured.items()]
        after = next((number for number, (minutes, _) in enumerate(points) if minutes >= wait_min), len(points) - 1)
        (from_min, from_polls), (to_min, to_polls) = points[max(0, after - 1)], points[max(1, after)]
        along = (wait_min - from_min) / (to_min - from_min)
        # Whoever waits no time at all has looked once.
        return max(1.0, from_polls + along * (to_polls - from_polls))

    def _waiting(self, visitors: int, polls: float, wait_sec: float) -> list[Charge]:
        sizes = self.counts["sizes"]
        return [
            *self._gate("gate: the request that leads to the waiting page", visitors),
            *self._delivered("waiting page and its files", sizes["page_requests"], sizes["page_bytes"], visitors),
            *self._api("joining", ("join_queue",), visitors),
            *self._delivered("looking at the line", polls, polls * sizes["status_bytes"], visitors),
            *self._pushed(visitors, wait_sec / 60),
            *self._exchanger(visitors / self.assumed.speed_per_sec + wait_sec),
            *self._recorder("joined", visitors),
            *self._metrics(visitors / self.assumed.speed_per_sec + wait_sec),
        ]

    def _admitted(self, visitors: int) -> list[Charge]:
        renewals = int(self.assumed.renewals_per_session * visitors)
        return [
            *self._api("claiming a session", ("issue_access_token",), visitors),
            *self._api("renewing it", ("renew_session",), renewals),
            # The site's own server asks the API through the same address.
            *self._api("confirming the purchase", ("checkout",), visitors),
            *self._gate("gate: the guarded requests", visitors * self.assumed.guarded_requests_per_session, own=False),
            *self._recorder("admitted", 2 * visitors + renewals),
        ]

    def _alarms(self) -> int:
        """How many alarms Terraform makes: for functions, tables, streams and schedules, and four for all of it."""
        regional = [spec for spec in self._functions.values() if not spec["edge"]]
        triggered = sum(bool({"stream", "schedule"} & spec["triggers"].keys()) for spec in regional)
        tables = {path.stem for path in (schemas.folder() / "tables").glob("*.json")} - TABLES_WITHOUT_ALARM
        # Failures of the asynchronous are in the queue of failures; the HTTP API says whom it cannot start.
        errors = [spec for spec in regional if not spec["asynchronous"]]
        throttles = [spec for spec in errors if "http" not in spec["triggers"]]
        return len(errors) + len(throttles) + triggered + len(tables) + ALARMS_OF_ALL

    def _gate(self, part: str, requests: float, *, own: bool = True) -> Iterable[Charge]:
        """The gatekeeper's decisions; `own` counts the CloudFront requests too, which are otherwise the site's."""
        memory_mb = self._functions["gatekeeper"]["memory_mb"]
        snapshots = requests * self.assumed.snapshot_requests_per_request
        yield self._line(part, requests, "edge_request")
        yield self._line(part, requests * self.assumed.gate_ms / 1000 * memory_mb / 1024, "edge_compute")
        yield self._line(part, requests * self.assumed.gate_log_bytes / GB, "log_ingestion")
        yield self._line(part, snapshots + (requests if own else 0), "cloudfront_request")

    def _delivered(self, part: str, requests: float, size: float, visitors: int) -> Iterable[Charge]:
        yield self._line(part, requests * visitors, "cloudfront_request")
        yield self._line(part, size * visitors / GB, "cloudfront_egress")

    def _api(self, part: str, operations: Iterable[str], times: int) -> Iterable[Charge]:
        """Requests to the token service through the distribution."""
        for operation in operations:
            yield self._line(part, times, "cloudfront_request")
            yield self._line(part, times, "api_request")
            yield from self._invocations(part, "bouncer", self.counts["operations"][operation], times)

    def _pushed(self, visitors: int, wait_min: float) -> Iterable[Charge]:
        """WebSockets of those near the front, where the line is slow enough for them, and the word that is sent."""
        page, counted = self.counts["page_by_speed_per_sec"][str(self.assumed.speed_per_sec)], self.counts["pushes"]
        part, sockets = "told of the call by WebSocket", visitors * page["sockets"]
        minutes = visitors * min(page["socket_min"], wait_min)
        yield self._line(part, sockets, "cloudfront_request")
        yield self._line(part, sockets + minutes / BEAT_MIN, "websocket_message")
        yield self._line(part, minutes, "websocket_minute")
        yield from self._invocations(part, "connections", counted["connect"], sockets)
        yield from self._invocations(part, "notifier", counted["notify"], sockets / counted["notify"]["told"])

    def _exchanger(self, seconds: float) -> Iterable[Charge]:
        """Ticks of one zone for so long, by runs that overlap by a third of their time."""
        run = self.counts["machinery"]["exchanger_run"]
        part, share = "calling the next", seconds / run["ticks"]
        spec = self._functions["exchanger"]
        # One run follows the other every minute; the second only looks on until the first ends.
        overlapping = seconds * 1.5 * spec["memory_mb"] / 1024
        yield self._line(part, overlapping, "lambda_compute_arm")
        yield self._line(part, run["write_units"] * share, "dynamodb_write")
        yield self._line(part, run["read_units"] * share, "dynamodb_read")
        yield self._line(part, run["s3_puts"] * share, "s3_put")
        yield self._line(part, (run["log_bytes"] + self.assumed.platform_log_bytes) * share / GB, "log_ingestion")

    def _recorder(self, kind: str, changes: int) -> Iterable[Charge]:
        """Changes of places: counted, told to CloudWatch, archived. `kind` is what most of a batch's changes are of."""
        batch = self.counts["recording"][str(self.assumed.speed_per_sec)][kind]
        yield from self._invocations(RECORDER, "recorder", batch, changes / batch["records"])
        rounded = math.ceil(batch["row_bytes"] / FIREHOSE_STEP_BYTES) * FIREHOSE_STEP_BYTES
        seconds = changes / batch["records_per_sec"]
        objects = max(seconds / DELIVERY_SEC, changes * batch["row_bytes"] / DELIVERY_BYTES)
        yield self._line(ARCHIVE, changes * rounded / GB, "firehose_ingest")
        yield self._line(ARCHIVE, changes * batch["row_bytes"] / GB, "firehose_partition")
        yield self._line(ARCHIVE, objects, "firehose_object")
        yield self._line(ARCHIVE, seconds / 3600, "firehose_jq")
        yield self._line(ARCHIVE, objects, "s3_put")
        stored = changes * batch["row_gzip_bytes"] / GB * self.assumed.archived_months
        yield self._line(ARCHIVE, stored, "s3_storage")

    def _metrics(self, seconds: float) -> Iterable[Charge]:
        """Custom metrics of one zone with one lane, for the hours in which they are told."""
        measures = schemas.load("metrics")["measures"]
        yield self._line(RECORDER, len(measures) * math.ceil(seconds / 3600) / HOURS_A_MONTH, "custom_metric")

    def _invocations(self, part: str, component: str, counted: Mapping[str, Any], times: float) -> Iterable[Charge]:
        """Invocations of a regional function, with all it does."""
        memory_mb = self._functions[component]["memory_mb"]
        duration_ms = self.assumed.own_ms + counted["aws_calls"] * self.assumed.aws_call_ms
        yield self._line(part, times, "lambda_request")
        yield self._line(part, times * duration_ms / 1000 * memory_mb / 1024, "lambda_compute_arm")
        yield self._line(part, times * (counted["log_bytes"] + self.assumed.platform_log_bytes) / GB, "log_ingestion")
        for name, price in _DONE.items():
            yield self._line(part, times * counted[name], price)

    def _line(self, part: str, quantity: float, price: str) -> Charge:
        return Charge(part, quantity, self.prices[price])


_DONE = {
    "write_units": "dynamodb_write",
    "read_units": "dynamodb_read",
    "s3_puts": "s3_put",
    "s3_gets": "s3_get",
}
"""Counts of an invocation and the prices they are charged at."""
