"""The composition root: the only place that makes clients and decides which implementation is used where.

Each function of this module builds one Lambda's application from its environment, once an instance, in its init phase.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from waiting_room import config, schemas
from waiting_room.adapters.archive import TRIES, FirehoseArchive, NoArchive
from waiting_room.adapters.beacon import DrandBeacon
from waiting_room.adapters.cipher import KmsCipher
from waiting_room.adapters.clock import RandomIds, SystemClock
from waiting_room.adapters.connections import ApiGatewayConnections
from waiting_room.adapters.dynamodb import BATCH, Clients
from waiting_room.adapters.end_user_messaging import EndUserMessaging
from waiting_room.adapters.failures import SqsFailures
from waiting_room.adapters.functions import LambdaFunctions
from waiting_room.adapters.health import Alarms, HttpsProbe
from waiting_room.adapters.idle import drop_idle
from waiting_room.adapters.login_keys import LoginKeys
from waiting_room.adapters.metrics import AlarmLines, CloudWatchMetrics, SeveralMetrics, TimestreamMetrics, print_line
from waiting_room.adapters.notify_codes import NotifyCodes, connect
from waiting_room.adapters.object_store import S3ObjectStore
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.public_door import PublicDoor
from waiting_room.adapters.signer import Signer
from waiting_room.adapters.signing_keys import PublishedKeys, SigningKeys, read_parameter
from waiting_room.adapters.tallies import Tallies
from waiting_room.composition import Stores, alerts_sender, bouncer_endpoints, operator_endpoints, socket_app, tick_zone
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.zone.sizing import MOST_SHARDS
from waiting_room.http.frame.app import HttpApp
from waiting_room.http.frame.body import prepare_bodies
from waiting_room.http.frame.cors import Cors
from waiting_room.http.frame.guards import only_from_distribution, only_with_identity
from waiting_room.http.frame.router import Router
from waiting_room.http.page.assets import embedded, site_assets
from waiting_room.http.page.pages import problem_page, waiting_page
from waiting_room.http.sockets import SocketApp
from waiting_room.init_phase import warm_up
from waiting_room.jobs import HOLD, Job, Warmable
from waiting_room.logs import json_log
from waiting_room.ports import Archive, Metrics
from waiting_room.retention import Retention
from waiting_room.streams import CallStream, QueueStream
from waiting_room.use_cases.automate import Automate
from waiting_room.use_cases.dispatch import ZONES_PER_EXCHANGER, Dispatch
from waiting_room.use_cases.exchange import Exchange
from waiting_room.use_cases.gauges import BackgroundMetrics
from waiting_room.use_cases.history import Audit
from waiting_room.use_cases.keys import ChangeKeys, EnsureKeys
from waiting_room.use_cases.notify import AT_ONCE, Notify
from waiting_room.use_cases.publish import Publish
from waiting_room.use_cases.record import Record
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.warm import HELD_AT_ONCE, HOLD_MS, Warm, WarmUp
from waiting_room.use_cases.watch_door import WatchDoor

_TIMEOUTS: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 2, "tcp_keepalive": True}
"""Seconds. The longest chain of calls that fail fits into the time a bouncer has, with a second left for the answer:
waking an exchanger, a write without an answer, the read that would settle it (PROTOCOL, Three answers)."""
_CONNECTIONS = {"max_pool_connections": ZONES_PER_EXCHANGER}
"""An exchanger ticks its zones side by side; a bouncer needs one."""

REPEATING = Config(retries={"mode": "standard", "total_max_attempts": 2}, **_TIMEOUTS, **_CONNECTIONS)
OBJECTS = Config(
    retries={"mode": "standard", "total_max_attempts": 3}, **{**_TIMEOUTS, "read_timeout": 3}, **_CONNECTIONS
)
"""For S3, which answers more slowly and is on no visitor's path."""
STATUS = OBJECTS.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
"""For status documents: another one comes a second later, and the zone's next tick must not wait for this one."""
QUICK = Config(retries={"mode": "standard", "total_max_attempts": 1}, connect_timeout=1, read_timeout=2)
"""For what may fail: archive and metrics must not hold up those who use them."""
WAKING = Config(retries={"mode": "standard", "total_max_attempts": 1}, **_TIMEOUTS)
"""For the exchanger that a visitor wakes: nobody's answer hangs on it, and the dispatcher does it within a minute."""
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1}, **_TIMEOUTS, **_CONNECTIONS)
"""For writes that are not the same when applied twice: a lost answer must come back as a lost answer.

`total_max_attempts` counts requests and wins over AWS_MAX_ATTEMPTS; `max_attempts` would count repetitions, and without
either a minor version of boto3 decides (1.43: ten for DynamoDB, 1.44: four; findings/botocore_tries.sh).
"""

HOLDING = Config(
    retries={"mode": "standard", "total_max_attempts": 1},
    connect_timeout=1,
    read_timeout=HOLD_MS / 1000 + 5,
    max_pool_connections=HELD_AT_ONCE,
)
"""For calls that last as long as an instance is held, and it may have to start first."""

BATCHES_TOGETHER = MOST_SHARDS // BATCH
"""So many batches have all join counters of the largest zone."""

SENDING = ONCE.merge(Config(read_timeout=3))
"""For messages by telephone, which a carrier takes more slowly."""


def bouncer(env: Mapping[str, str]) -> Warmable:
    """The token service."""
    settings = config.read(config.BouncerConfig, env)
    clock, ids = SystemClock(), RandomIds()
    stores = _all_stores(settings, settings.origin_secret)
    secrets = _clients("secretsmanager")
    tokens = Signer(SigningKeys(secrets, settings.signing_keys_secret, clock), settings.token_issuer)
    login_keys = LoginKeys(secrets.once, settings.join_secrets_path, clock)
    wake = Wake(stores.locks, LambdaFunctions(_client("lambda", WAKING)), settings.exchanger_function, clock)
    cipher = None if settings.alerts_key == config.OFF else KmsCipher(_client("kms"), settings.alerts_key)
    endpoints = bouncer_endpoints(
        stores,
        tokens,
        login_keys,
        wake,
        clock,
        ids,
        cipher,
        time.sleep,
        _passcodes(settings),
        labelled=settings.machine_labels != config.OFF,
    )
    prepare_bodies(endpoints)
    warm_up(tokens.refresh, *stores.zones.connect())
    app = HttpApp(
        Router(schemas.operations().values(), endpoints),
        clock,
        json_log("bouncer"),
        ids.jitter,
        guard=only_from_distribution(settings.origin_secret),
        error_page=problem_page,
        cors=Cors(settings.origins),
    )
    return Warmable(app, clock, time.sleep)


def operator(env: Mapping[str, str]) -> HttpApp:
    """Zones, control, keys, look-up."""
    settings = config.read(config.OperatorConfig, env)
    clock, ids = SystemClock(), RandomIds()
    stores = _all_stores(settings)
    earlier = partial(read_parameter, _client("ssm"), settings.signing_keys_parameter)
    keys = SigningKeys(_clients("secretsmanager"), settings.signing_keys_secret, clock, earlier)
    tokens = Signer(keys, settings.token_issuer)
    wake = Wake(stores.locks, LambdaFunctions(_client("lambda", WAKING)), settings.exchanger_function, clock)
    ensure_keys = EnsureKeys(keys, stores.zones, clock)
    objects = S3ObjectStore(_client("s3", OBJECTS), settings.site_bucket)
    change_keys = ChangeKeys(keys, ensure_keys, stores.zones, objects, clock, snapshot_key=settings.snapshot_key)
    # Once: an operator does not wait for the archive, and the audit log has the action already.
    archive = _archive(settings.archive_stream, tries=1)
    endpoints = operator_endpoints(stores, tokens, ensure_keys, change_keys, wake, clock, ids, archive)
    prepare_bodies(endpoints)
    # A local engine has no IAM and names nobody. On AWS a route without an authorizer is a mistake, not an operator.
    local = bool(env.get("AWS_ENDPOINT_URL"))
    return HttpApp(
        Router(schemas.operations().values(), endpoints),
        clock,
        json_log("operator"),
        ids.jitter,
        guard=(lambda _: None) if local else only_with_identity,
    )


def dispatcher(env: Mapping[str, str]) -> Job:
    """Starts exchangers, heals stale snapshots; `{"warm": 50, "until_ms": ...}` holds so many bouncers until then."""
    settings = config.read(config.DispatcherConfig, env)
    clock, ids = SystemClock(), RandomIds()
    stores = Stores(_clients(), settings.protected_zones_table, settings.counters_table, settings.joins_table)
    objects = S3ObjectStore(_client("s3", OBJECTS), settings.site_bucket)
    tick = tick_zone(stores, objects, clock)
    alarms, probe = Alarms(_client("cloudwatch")), HttpsProbe()
    audit = Audit(stores.audit_log, _archive(settings.archive_stream, tries=1), clock)
    functions = LambdaFunctions(_client("lambda"))
    dispatch = Dispatch(
        stores.zones,
        stores.gates,
        stores.sales,
        tick,
        objects,
        functions,
        clock,
        exchanger=settings.exchanger_function,
        publisher=settings.publisher_function,
        snapshot_key=settings.snapshot_key,
        automate=Automate(stores.zones, stores.gates, tick, alarms, probe, clock, ids, audit),
        warm_up=WarmUp(functions, settings.dispatcher_function, int(settings.warm_instances), clock),
    )
    holding, held = LambdaFunctions(_client("lambda", HOLDING)), settings.bouncer_function
    warm = Warm(lambda until_ms: holding.call(held, {HOLD: until_ms}), ThreadPoolExecutor(HELD_AT_ONCE).map)
    log = json_log("dispatcher")

    def run(event: Mapping[str, Any]) -> dict[str, Any]:
        if "warm" in event:
            return {"warmed": warm(event["warm"], event["until_ms"])}
        done = dispatch()
        for audit in done.audits:
            log.info("automatic change", extra={"audit": audit, "zone_id": audit["zone_id"]})
        if done.failed:
            # All else is done; the run counts as failed, for that is what the alarm sees.
            raise Overloaded(f"{done.failed} functions could not be started.")
        return {"started_for": done.started_for, "warming": done.warming}

    return Job(run, clock, log)


def exchanger(env: Mapping[str, str]) -> Job:
    """Ticks zones for a minute and a half; the event names them: `{"zones": ["a", "b"]}`."""
    settings = config.read(config.ExchangerConfig, env)
    clock, ids = SystemClock(), RandomIds()
    retention = Retention.parse(settings.retention_days)
    stores = Stores(
        _clients(), settings.protected_zones_table, settings.counters_table, settings.joins_table, retention=retention
    )
    objects = S3ObjectStore(_client("s3", STATUS), settings.site_bucket)
    threads = ThreadPoolExecutor(ZONES_PER_EXCHANGER, thread_name_prefix="zone")
    # One of their own: however long a metrics backend takes, no zone's tick waits for a thread.
    gauges = BackgroundMetrics(_metrics(settings), ThreadPoolExecutor(1, thread_name_prefix="gauges").submit)
    looks = ThreadPoolExecutor(ZONES_PER_EXCHANGER, thread_name_prefix="door")
    door = WatchDoor(PublicDoor(objects), stores.refusals, clock, looks.submit)
    lists = ThreadPoolExecutor(ZONES_PER_EXCHANGER, thread_name_prefix="exits")
    ticks = tick_zone(stores, objects, clock, DrandBeacon(), gauges, door, lists.submit)
    exchange = Exchange(ticks, stores.locks, clock, ids, time.sleep, threads.submit)

    def run(event: Mapping[str, Any]) -> dict[str, Any]:
        zone_ids = [str(zone_id) for zone_id in event["zones"]]
        return {"zones": zone_ids, "ticks": exchange(zone_ids)}

    return Job(run, clock, json_log("exchanger"))


def connections(env: Mapping[str, str]) -> SocketApp:
    """Who may open a WebSocket."""
    settings = config.read(config.ConnectionsConfig, env)
    clock = SystemClock()
    stores = Stores(
        _clients(),
        settings.protected_zones_table,
        settings.counters_table,
        user_connections=settings.user_connections_table,
    )
    tokens = Signer(PublishedKeys(stores.zones, clock), settings.token_issuer)
    warm_up(tokens.refresh, *stores.zones.connect())
    guard = only_from_distribution(settings.origin_secret)
    opened = ApiGatewayConnections(_client("apigatewaymanagementapi", ONCE, settings.websocket_endpoint))
    return socket_app(stores, tokens, guard, opened.close, clock, json_log("connections"))


def notifier(env: Mapping[str, str]) -> Job:
    """Tells those who were called, and by telephone those who asked for it and are near."""
    settings = config.read(config.NotifierConfig, env)
    crowded = REPEATING.merge(Config(max_pool_connections=AT_ONCE))
    clients = Clients(repeating=_client("dynamodb", crowded), once=_client("dynamodb", ONCE))
    client = _client("apigatewaymanagementapi", crowded, settings.websocket_endpoint)
    stores = Stores(
        clients,
        settings.protected_zones_table,
        settings.counters_table,
        settings.joins_table,
        settings.queue_table,
        settings.user_connections_table,
    )
    clock = SystemClock()
    notify = Notify(stores.user_connections, ApiGatewayConnections(client), clock, time.sleep)
    alerts = None
    if config.OFF not in (settings.alerts_key, settings.alerts_identity):
        carrier = EndUserMessaging(
            _client("pinpoint-sms-voice-v2", SENDING),
            settings.alerts_identity,
            settings.alerts_configuration_set,
            time.sleep,
        )
        alerts = alerts_sender(stores, KmsCipher(_client("kms"), settings.alerts_key), carrier, clock)
    return Job(CallStream(notify, alerts), clock, json_log("notifier"))


def recorder(env: Mapping[str, str]) -> Job:
    """Every change of a place: archived and counted."""
    settings = config.read(config.RecorderConfig, env)
    clock = SystemClock()
    counters = settings.counters_table
    record = Record(
        _archive(settings.archive_stream),
        Tallies(_clients(), counters, Retention.parse(settings.retention_days)),
        _metrics(settings),
        clock,
    )
    failures = SqsFailures(_client("sqs"), settings.failures_queue)
    return Job(QueueStream(record, failures), clock, json_log("recorder"))


def publisher(env: Mapping[str, str], site_folder: Path) -> Job:
    """Writes the gate snapshot, key set and waiting pages; `site_folder` has the pages' scripts and styles."""
    settings = config.read(config.PublisherConfig, env)
    clock = SystemClock()
    publish = Publish(
        ProtectedZones(_clients(), settings.protected_zones_table),
        S3ObjectStore(_client("s3", OBJECTS), settings.site_bucket),
        clock,
        embedded(waiting_page, site_folder),
        site_assets(site_folder),
        issuer=settings.token_issuer,
        snapshot_key=settings.snapshot_key,
    )

    def run(event: Mapping[str, Any]) -> dict[str, Any]:
        published = publish(recheck=bool(event.get("refresh")))
        return {"version": published.version, "written": list(published.written)}

    return Job(run, clock, json_log("publisher"))


def _archive(stream_name: str, tries: int = TRIES) -> Archive:
    if stream_name == config.OFF:
        return NoArchive()
    return FirehoseArchive(_client("firehose", QUICK), stream_name, time.sleep, tries)


def _metrics(settings: config.RecorderConfig | config.ExchangerConfig) -> Metrics:
    # Alarms are CloudWatch's whatever the backend is.
    alarms = AlarmLines(settings.metrics_namespace, print_line)
    if settings.metrics_backend == "timestream":
        client = _client("timestream-write", QUICK)
        return SeveralMetrics(alarms, TimestreamMetrics(client, settings.metrics_database, settings.metrics_table))
    return SeveralMetrics(alarms, CloudWatchMetrics(settings.metrics_namespace, print_line))


def _passcodes(settings: config.BouncerConfig) -> NotifyCodes | None:
    """The sender of passcodes, whose client is made when the first is sent: few visits need one."""
    if settings.codes_identity == config.OFF:
        return None
    sets = settings.codes_configuration_set
    configuration_set = "" if sets == config.OFF else sets
    return NotifyCodes(_codes_client, settings.codes_identity, settings.codes_configuration, configuration_set)


def _codes_client() -> Any:
    return drop_idle(connect(SENDING))


def _all_stores(settings: config.BouncerConfig | config.OperatorConfig, number_key: str = "") -> Stores:
    """The stores of those who write places."""
    return Stores(
        _clients(),
        settings.protected_zones_table,
        settings.counters_table,
        settings.joins_table,
        settings.queue_table,
        settings.user_connections_table,
        retention=Retention.parse(settings.retention_days),
        number_key=number_key,
    )


def _client(service: str, settings: Config = REPEATING, address: str | None = None) -> Any:
    return drop_idle(boto3.client(service, config=settings, endpoint_url=address))


def _clients(service: str = "dynamodb") -> Clients:
    return Clients(_client(service), _client(service, ONCE), _together)


def _together(calls: Iterable[Callable[[], None]]) -> None:
    """Make calls in threads; one alone needs none."""
    first, *others = calls
    if not others:
        first()
        return
    with ThreadPoolExecutor(BATCHES_TOGETHER, thread_name_prefix="batch") as threads:
        for done in [threads.submit(call) for call in (first, *others)]:
            done.result()
