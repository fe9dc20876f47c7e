"""How use cases and endpoints are put together from tables and ports: the same on AWS and in the tests."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from waiting_room import schemas
from waiting_room.adapters.alerts import AlertCounts, Alerts
from waiting_room.adapters.archive import NoArchive
from waiting_room.adapters.audit_log import AuditLog
from waiting_room.adapters.calls import CallRecords
from waiting_room.adapters.counters import Departures, Invitations, Joins, Locks, Minutes, Sales
from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.exits import Exits
from waiting_room.adapters.gate_copies import GateCopies
from waiting_room.adapters.gates import Gates
from waiting_room.adapters.limit_counts import LimitCounts
from waiting_room.adapters.login_keys import LoginKeys
from waiting_room.adapters.networks import Networks
from waiting_room.adapters.phones import Phones
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.adapters.queue import Queue
from waiting_room.adapters.refusals import Refusals
from waiting_room.adapters.tallies import Tallies
from waiting_room.adapters.user_connections import UserConnections
from waiting_room.adapters.zone_copies import ZoneCopies
from waiting_room.http.alerts_api import AlertsApi
from waiting_room.http.credentials import Credentials
from waiting_room.http.door_api import DoorApi
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.frame.validation import validate
from waiting_room.http.link_api import LinkApi
from waiting_room.http.move_api import MoveApi
from waiting_room.http.newcomers import Newcomers
from waiting_room.http.operator_api import OperatorApi
from waiting_room.http.page.alert_text import alert_text
from waiting_room.http.phone_api import PhoneApi
from waiting_room.http.site_api import SiteApi
from waiting_room.http.sockets import SocketApp
from waiting_room.http.visitor_api import VisitorApi
from waiting_room.logs import Log
from waiting_room.ports import Archive, Beacon, Carrier, Cipher, Clock, Ids, Metrics, ObjectStore, Passcodes, Tokens
from waiting_room.retention import Retention
from waiting_room.use_cases.accept import AcceptInvitation
from waiting_room.use_cases.announce import Announce
from waiting_room.use_cases.bypass import MakeBypass
from waiting_room.use_cases.claim import Claim
from waiting_room.use_cases.confirm import Confirm
from waiting_room.use_cases.connect import Connect
from waiting_room.use_cases.control import ControlZone
from waiting_room.use_cases.erase import Erase
from waiting_room.use_cases.history import Audit, ReadHistory
from waiting_room.use_cases.identify import Identify
from waiting_room.use_cases.invite import MakeInvitation
from waiting_room.use_cases.join import Join
from waiting_room.use_cases.keys import ChangeKeys, EnsureKeys
from waiting_room.use_cases.leave import Bar, EndPlace, Leave
from waiting_room.use_cases.limit_joins import LimitJoins
from waiting_room.use_cases.lines import Lines
from waiting_room.use_cases.list_exits import ListExits
from waiting_room.use_cases.locate import Locate
from waiting_room.use_cases.look_up import LookUp
from waiting_room.use_cases.mark_away import MarkAway
from waiting_room.use_cases.metrics import ReadMetrics
from waiting_room.use_cases.minute_rows import MinuteRows
from waiting_room.use_cases.move import Move
from waiting_room.use_cases.note_limits import NoteLimits
from waiting_room.use_cases.note_refusals import NoteRefusals
from waiting_room.use_cases.pass_door import PassDoor
from waiting_room.use_cases.prove import JoinPace, Prove
from waiting_room.use_cases.renew import Renew
from waiting_room.use_cases.request_alert import RequestAlert
from waiting_room.use_cases.restore import RestorePlaces
from waiting_room.use_cases.revoke import RefuseRevoked, Revoke
from waiting_room.use_cases.seal import SealMeanwhile
from waiting_room.use_cases.send_alerts import SendAlerts
from waiting_room.use_cases.tick import TickZone
from waiting_room.use_cases.verify_phone import VerifyPhone
from waiting_room.use_cases.wake import Wake
from waiting_room.use_cases.watch_door import WatchDoor
from waiting_room.use_cases.zones import DeleteZone, GetZone, ListZones, PutZone


class Stores:
    """The tables of one deployment by name. A function that was not given a table's name never touches it."""

    def __init__(
        self,
        clients: Clients,
        protected_zones: str,
        counters: str,
        joins: str = "",
        queue: str = "",
        user_connections: str = "",
        retention: Retention | None = None,
        number_key: str = "",
    ) -> None:
        self.zones = ProtectedZones(clients, protected_zones)
        self.gates = Gates(clients, counters)
        self.exits = Exits(clients, counters, self.gates)
        self.joins = Joins(clients, joins)
        self.sales = Sales(clients, counters)
        self.invitations = Invitations(clients, counters)
        self.minutes = Minutes(clients, counters, retention)
        self.networks = Networks(clients, counters, retention)
        self.departures = Departures(clients, counters, retention)
        self.locks = Locks(clients, counters)
        self.refusals = Refusals(clients, counters, retention)
        self.limit_counts = LimitCounts(clients, counters, retention)
        self.tallies = Tallies(clients, counters, retention)
        self.audit_log = AuditLog(clients, counters)
        self.calls = CallRecords(clients, counters)
        self.queue = Queue(clients, queue, counters, retention)
        self.user_connections = UserConnections(clients, user_connections)
        self.alerts = Alerts(clients, user_connections)
        self.alert_counts = AlertCounts(clients, counters)
        self.phones = Phones(clients, counters, number_key, retention)


@dataclass(frozen=True)
class VisitorVerbs:
    """What a visitor does, and the copies it is decided by: one set an instance."""

    copies: GateCopies
    lines: Lines
    join: Join
    locate: Locate
    claim: Claim
    renew: Renew
    leave: Leave
    confirm: Confirm
    away: MarkAway


def visitor_verbs(
    stores: Stores,
    wake: Wake,
    clock: Clock,
    ids: Ids,
    sleep: Callable[[float], None] = time.sleep,
    *,
    join: type[Join] = Join,
    claim: type[Claim] = Claim,
    renew: type[Renew] = Renew,
    confirm: type[Confirm] = Confirm,
) -> VisitorVerbs:
    """The visitor's verbs over the stores. Whoever tries the protocol without one of its safeguards gives a class."""
    gates, queue = stores.gates, stores.queue
    copies, lines = GateCopies(gates, clock), Lines(stores.joins, stores.zones, clock)
    renewed = renew(gates, queue, copies, clock, ids)
    meanwhile = SealMeanwhile(stores.joins, gates, clock, sleep)
    return VisitorVerbs(
        copies=copies,
        lines=lines,
        join=join(queue, stores.joins, copies, lines, wake, meanwhile, clock, ids),
        locate=Locate(queue, copies, lines, wake, clock),
        claim=claim(gates, queue, copies, lines, renewed, wake, clock, ids, stores.phones),
        renew=renewed,
        leave=Leave(EndPlace(gates, stores.exits, queue, clock, ids), queue),
        confirm=confirm(gates, stores.exits, queue, copies, clock, ids),
        away=MarkAway(queue, stores.departures, clock),
    )


def bouncer_endpoints(
    stores: Stores,
    tokens: Tokens,
    login_keys: LoginKeys,
    wake: Wake,
    clock: Clock,
    ids: Ids,
    cipher: Cipher | None = None,
    sleep: Callable[[float], None] = time.sleep,
    passcodes: Passcodes | None = None,
    *,
    labelled: bool = False,
) -> dict[str, Endpoint]:
    """What the token service answers, by operationId. Without `cipher` it promises nobody an alert, without
    `passcodes` it verifies no phone; `labelled` where the firewall tells machines."""
    zones, credentials = ZoneCopies(stores.zones, clock), Credentials(tokens, clock)
    verbs = visitor_verbs(stores, wake, clock, ids, sleep)
    refuse_revoked = RefuseRevoked(stores.zones, verbs.leave)
    identify = Identify(login_keys, clock, ids)
    newcomers = Newcomers(
        credentials=credentials,
        clock=clock,
        ids=ids,
        join=verbs.join,
        identify=identify,
        limit_joins=LimitJoins(stores.networks, clock),
        prove=Prove(tokens, JoinPace(clock), clock),
        limits=NoteLimits(stores.limit_counts, clock, ids),
        labelled=labelled,
    )
    move = Move(stores.queue, clock, ids)
    links = LinkApi(
        zones=zones,
        credentials=credentials,
        newcomers=newcomers,
        accept=AcceptInvitation(stores.invitations, stores.queue, verbs.copies, verbs.lines, verbs.join, move, clock),
        ids=ids,
    )
    visitors = VisitorApi(
        zones=zones,
        credentials=credentials,
        clock=clock,
        ids=ids,
        newcomers=newcomers,
        claim=verbs.claim,
        locate=verbs.locate,
        renew=verbs.renew,
        leave=verbs.leave,
        away=verbs.away,
        refuse_revoked=refuse_revoked,
        links=links,
        refusals=NoteRefusals(stores.refusals, clock),
    )
    sites = SiteApi(
        zones=zones,
        credentials=credentials,
        confirm=verbs.confirm,
        refuse_revoked=refuse_revoked,
        invite=MakeInvitation(tokens, clock, ids),
    )
    moves = MoveApi(
        zones=zones,
        credentials=credentials,
        clock=clock,
        locate=verbs.locate,
        move=move,
        identify=identify,
        ids=ids,
    )
    request_alert = RequestAlert(
        stores.queue, verbs.copies, verbs.lines, stores.alerts, stores.alert_counts, stores.phones, cipher, clock
    )
    alerts = AlertsApi(zones=zones, credentials=credentials, request=request_alert)
    verify = VerifyPhone(stores.queue, verbs.copies, verbs.lines, stores.phones, passcodes, clock, ids)
    phone = PhoneApi(zones=zones, credentials=credentials, clock=clock, verify=verify, locate=verbs.locate)
    door = DoorApi(zones, PassDoor(stores.gates, stores.queue, tokens, clock))
    apis = (visitors, links, moves, alerts, phone, sites, door)
    return {name: endpoint for api in apis for name, endpoint in api.endpoints().items()}


def alerts_sender(stores: Stores, cipher: Cipher, carrier: Carrier, clock: Clock) -> SendAlerts:
    """Alerts as the notifier sends them."""
    copies, lines = GateCopies(stores.gates, clock), Lines(stores.joins, stores.zones, clock)
    return SendAlerts(stores.zones, stores.queue, copies, lines, stores.alerts, cipher, carrier, clock, alert_text)


def operator_endpoints(
    stores: Stores,
    tokens: Tokens,
    ensure_keys: EnsureKeys,
    change_keys: ChangeKeys,
    wake: Wake,
    clock: Clock,
    ids: Ids,
    archive: Archive | None = None,
) -> dict[str, Endpoint]:
    """What operators may ask for, by operationId."""
    zones, gates, queue = stores.zones, stores.gates, stores.queue
    end_place = EndPlace(gates, stores.exits, queue, clock, ids)
    bar = Bar(end_place, queue)
    audit = Audit(stores.audit_log, archive or NoArchive(), clock)
    lines = Lines(stores.joins, stores.zones, clock)
    alerts = RequestAlert(
        queue, GateCopies(gates, clock), lines, stores.alerts, stores.alert_counts, stores.phones, None, clock
    )
    api = OperatorApi(
        audit=audit,
        history=ReadHistory(stores.audit_log),
        put=PutZone(zones, gates, ensure_keys, wake, clock, ids, audit),
        get=GetZone(zones),
        list=ListZones(zones),
        delete=DeleteZone(zones, gates, audit),
        control=ControlZone(zones, gates, lambda document: validate(document, "zone"), wake, clock, ids, audit),
        restore=RestorePlaces(zones, gates, stores.minutes, wake),
        make_bypass=MakeBypass(zones, tokens, clock, ids),
        invite=MakeInvitation(tokens, clock, ids),
        revoke=Revoke(zones, queue, bar, clock),
        look_up=LookUp(zones, gates, queue, lines, clock),
        erase=Erase(zones, queue, end_place, alerts.cancel, stores.phones),
        metrics=ReadMetrics(zones, stores.minutes, stores.tallies, clock),
        keys=ensure_keys,
        change_keys=change_keys,
    )
    return api.endpoints()


def socket_app(
    stores: Stores,
    tokens: Tokens,
    guard: Callable[[Request], None],
    close: Callable[[str], None],
    clock: Clock,
    log: Log,
) -> SocketApp:
    """What the WebSocket API answers."""
    return SocketApp(
        zones=ZoneCopies(stores.zones, clock),
        credentials=Credentials(tokens, clock),
        connect=Connect(stores.user_connections, GateCopies(stores.gates, clock), clock, close),
        guard=guard,
        viewer_host_header=schemas.behaviours()["viewer_host_header"],
        clock=clock,
        log=log,
    )


def tick_zone(
    stores: Stores,
    objects: ObjectStore,
    clock: Clock,
    beacon: Beacon | None = None,
    metrics: Metrics | None = None,
    door: WatchDoor | None = None,
    start: Callable[[Callable[[], None]], object] = lambda work: work(),
) -> TickZone:
    """One tick of a zone, for those who make ticks and for those who ask whether any are needed.

    Without a `beacon` draws are held by the committed secrets alone, without `metrics` no gauges are told, without
    `door` nobody looks whether it is shut. `start` begins what is done beside the ticks.
    """
    return TickZone(
        stores.zones,
        stores.gates,
        stores.joins,
        stores.sales,
        clock,
        Announce(objects, stores.calls),
        MinuteRows(stores.zones, stores.minutes, stores.departures, stores.limit_counts, metrics),
        ListExits(stores.exits, objects, clock, start),
        beacon=beacon,
        door=door,
    )
