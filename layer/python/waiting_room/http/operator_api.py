"""The operators' operations: one method per operationId. Every one that changes something is noted for the audit."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from waiting_room.adapters.signing_keys import SigningKey
from waiting_room.domain.errors import InvalidInput, UnknownVisitor
from waiting_room.domain.record.audit import NOT_ONE_ZONE, Entry
from waiting_room.domain.zone.zones import VISITOR_ID, Zone
from waiting_room.http.frame.body import read_body
from waiting_room.http.frame.request import Request
from waiting_room.http.frame.response import Response, empty, json_response
from waiting_room.http.frame.router import Endpoint
from waiting_room.http.site_api import INVITATION_SEC, invitation_json
from waiting_room.use_cases.bypass import MakeBypass
from waiting_room.use_cases.control import ControlZone, ZoneChange
from waiting_room.use_cases.erase import Erase
from waiting_room.use_cases.history import Audit, ReadHistory
from waiting_room.use_cases.invite import MakeInvitation
from waiting_room.use_cases.keys import ChangeKeys, EnsureKeys
from waiting_room.use_cases.look_up import Found, LookUp
from waiting_room.use_cases.metrics import ReadMetrics
from waiting_room.use_cases.restore import Restored, RestorePlaces
from waiting_room.use_cases.revoke import Revoke
from waiting_room.use_cases.zones import DeleteZone, GetZone, ListZones, PutZone

BYPASS_SEC = 3600
MINUTES, MOST_MINUTES = 60, 1440
ENTRIES, MOST_ENTRIES = 100, 1000


@dataclass(frozen=True)
class OperatorApi:
    """What people with AWS credentials may do. API Gateway has checked who asks."""

    put: PutZone
    get: GetZone
    list: ListZones
    delete: DeleteZone
    control: ControlZone
    restore: RestorePlaces
    make_bypass: MakeBypass
    invite: MakeInvitation
    revoke: Revoke
    look_up: LookUp
    erase: Erase
    metrics: ReadMetrics
    keys: EnsureKeys
    change_keys: ChangeKeys
    audit: Audit
    history: ReadHistory

    def endpoints(self) -> dict[str, Endpoint]:
        """Endpoints by operationId."""
        methods: tuple[Callable[[Request], Response], ...] = (
            self.list_zones,
            self.get_zone,
            self.put_zone,
            self.delete_zone,
            self.set_control,
            self.restore_places,
            self.create_bypass_token,
            self.create_invitation,
            self.create_revocation,
            self.get_metrics,
            self.get_history,
            self.look_up_visitor,
            self.erase_visitor,
            self.list_keys,
            self.rotate_keys,
            self.retire_key,
        )
        return {method.__name__: method for method in methods}

    def list_zones(self, _: Request) -> Response:
        """All zones, by id."""
        return json_response(200, {"zones": [zone.document for zone in self.list()]})

    def get_zone(self, request: Request) -> Response:
        """One zone with every default filled in."""
        return json_response(200, self.get(_zone_id(request)).document)

    def put_zone(self, request: Request) -> Response:
        """Create a zone, or replace the version the operator has read."""
        document = read_body("put_zone", request)
        result = self.put(_zone_id(request), document, _by(request))
        site_key = {} if result.site_key is None else {"site_key": result.site_key}
        answer = json_response(201 if result.created else 200, {**result.zone.document, **site_key})
        return _audited(answer, "put_zone", **_state(result.zone))

    def delete_zone(self, request: Request) -> Response:
        """Delete a zone; its paths are open from then on."""
        self.delete(_zone_id(request), _by(request))
        return _audited(empty(), "delete_zone")

    def set_control(self, request: Request) -> Response:
        """Change a zone live, or start its next run."""
        body = read_body("set_control", request)
        change = ZoneChange(
            control=body.get("control"),
            changes=body.get("changes", {}),
            reset=body.get("reset", False),
            version=body.get("version"),
            reason=body.get("reason", ""),
        )
        zone = self.control(_zone_id(request), change, _by(request))
        changes = {name: value for name, value in change.changes.items() if name != "site_key_sha256"}
        answer = json_response(200, zone.document)
        return _audited(answer, "set_control", changes=changes, reset=change.reset, **_state(zone))

    def restore_places(self, request: Request) -> Response:
        """Give lapsed places back, or say whom that would affect."""
        body = read_body("restore_places", request)
        found = self.restore(_zone_id(request), body.get("to_at_ms"), dry_run=body.get("dry_run", False))
        told = _restored_json(found)
        if not found.done:
            return json_response(200, told)
        self._note(request, "restore_places", body.get("reason", ""), to_at_ms=found.to_at_ms, lanes=told["lanes"])
        return _audited(json_response(200, told), "restore_places", to_at_ms=found.to_at_ms, lanes=told["lanes"])

    def create_bypass_token(self, request: Request) -> Response:
        """Make a bypass token for one named person. The log has its id, never the token."""
        body = read_body("create_bypass_token", request)
        expires_in_sec = body.get("expires_in_sec", BYPASS_SEC)
        made = self.make_bypass(_zone_id(request), body["name"], expires_in_sec, _by(request))
        # Names of people are kept with the token, until it expires, and in the function's log.
        self._note(request, "create_bypass_token", bypass_id=made.bypass_id)
        answer = {"id": made.bypass_id, "token": made.token, "link": made.link, "expires_at_ms": made.expires_at_ms}
        return _audited(json_response(201, answer), "create_bypass_token", bypass_id=made.bypass_id, name=body["name"])

    def create_invitation(self, request: Request) -> Response:
        """Make an invitation into a lane; it is told this once and stored nowhere."""
        body = read_body("create_invitation", request)
        zone = self.get(_zone_id(request))
        made = self.invite(zone, body["lane"], body.get("expires_in_sec", INVITATION_SEC))
        answer = json_response(201, invitation_json(made))
        self._note(request, "create_invitation", invitation_id=made.invitation_id, lane=body["lane"])
        details = {"invitation_id": made.invitation_id, "lane": body["lane"], "name": body["name"]}
        return _audited(answer, "create_invitation", **details)

    def create_revocation(self, request: Request) -> Response:
        """Revoke a session, a visitor or a bypass token."""
        body = read_body("create_revocation", request)
        kinds = {"session_id": self.revoke.session, "visitor_id": self.revoke.visitor, "bypass_id": self.revoke.bypass}
        kind = next(name for name in kinds if name in body)
        reason = body.get("reason", "")
        expires_at_ms = kinds[kind](_zone_id(request), body[kind], reason, _by(request))
        self._note(request, "create_revocation", reason, **{kind: body[kind]})
        revoked = {"zone_id": _zone_id(request), kind: body[kind], "reason": reason}
        answer = json_response(201, {**revoked, "expires_at_ms": expires_at_ms})
        return _audited(answer, "create_revocation", **{kind: body[kind]}, reason=reason)

    def get_metrics(self, request: Request) -> Response:
        """The newest minute rows of the current run, or of another."""
        return json_response(200, asdict(self.metrics(_zone_id(request), _minutes(request), _run(request))))

    def get_history(self, request: Request) -> Response:
        """What operators did to a zone, oldest first; also to one that was deleted."""
        entries = self.history(_zone_id(request), _entries(request))
        run = _run(request)
        told = [_entry_json(entry) for entry in entries if run in (None, entry.run)]
        return json_response(200, {"zone_id": _zone_id(request), "entries": told})

    def look_up_visitor(self, request: Request) -> Response:
        """Everything stored of one visitor. Whose data was looked at is noted for the audit too."""
        visitor_id = request.parameters["visitor_id"]
        if not VISITOR_ID.match(visitor_id):
            raise UnknownVisitor
        found = self.look_up(_zone_id(request), visitor_id)
        self._note(request, "look_up_visitor", visitor_id=visitor_id)
        return _audited(json_response(200, _found_json(found)), "look_up_visitor", visitor_id=visitor_id)

    def erase_visitor(self, request: Request) -> Response:
        """Erase everything stored of one visitor. That it was done is noted; of whom, the audit has the id."""
        visitor_id = request.parameters["visitor_id"]
        if not VISITOR_ID.match(visitor_id):
            raise UnknownVisitor
        erased = self.erase(_zone_id(request), visitor_id)
        # Not of whom: the log of the function forgets it soon, these records would not.
        self._note(request, "erase_visitor", places=erased)
        return _audited(empty(), "erase_visitor", visitor_id=visitor_id, places=erased)

    def list_keys(self, _: Request) -> Response:
        """Public parts of the signing keys; the first call makes them."""
        return json_response(200, {"keys": _keys_json(self.keys())})

    def rotate_keys(self, request: Request) -> Response:
        """Do the next step of a rotation: introduce a key, wait for it to be known, or switch to it."""
        done = self.change_keys.rotate()
        answer = {"step": done.step, "wait_sec": done.wait_sec, "keys": _keys_json(done.keys)}
        active = [key.kid for key in done.keys if key.state == "active"]
        self.audit.action(NOT_ONE_ZONE, "rotate_keys", _by(request), {"step": done.step, "active": active})
        return _audited(json_response(200, answer), "rotate_keys", step=done.step, active=active)

    def retire_key(self, request: Request) -> Response:
        """Take away a key that was replaced."""
        kid, force = request.parameters["kid"], _flag(request, "force")
        self.change_keys.retire(kid, force=force)
        self.audit.action(NOT_ONE_ZONE, "retire_key", _by(request), {"kid": kid, "force": force})
        return _audited(empty(), "retire_key", kid=kid, force=force)

    def _note(self, request: Request, action: str, reason: str = "", **details: Any) -> None:
        self.audit.action(_zone_id(request), action, _by(request), details, reason)


def _zone_id(request: Request) -> str:
    return request.parameters["zone_id"]


def _by(request: Request) -> str:
    """Who asks; on a local engine, which knows no IAM, nobody in particular."""
    return request.identity or "local"


def _audited(response: Response, action: str, **details: Any) -> Response:
    return response.with_notes(audit={"action": action, **details})


def _state(zone: Zone) -> dict[str, Any]:
    return {"version": zone.version, "run": zone.run, "control": zone.control}


def _minutes(request: Request) -> int:
    text = request.query("minutes")
    if text is None:
        return MINUTES
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_MINUTES:
        raise InvalidInput(f"Give a whole number from 1 to {MOST_MINUTES}.", "/minutes")
    return int(text)


def _entries(request: Request) -> int:
    text = request.query("entries")
    if text is None:
        return ENTRIES
    if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= MOST_ENTRIES:
        raise InvalidInput(f"Give a whole number from 1 to {MOST_ENTRIES}.", "/entries")
    return int(text)


def _run(request: Request) -> int | None:
    text = request.query("run")
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise InvalidInput("Give the number of a run, from 1.", "/run")
    return int(text)


def _entry_json(entry: Entry) -> dict[str, Any]:
    told = {name: value for name, value in asdict(entry).items() if name != "zone_id" and value is not None}
    return {**told, "changes": dict(entry.changes), "details": dict(entry.details)}


def _restored_json(found: Restored) -> dict[str, Any]:
    lanes = {
        name: {
            "serving": [lane.before.serving, lane.after.serving],
            "floor": [lane.before.floor, lane.after.floor],
            "come_back": lane.come_back,
            "wait_again": lane.wait_again,
        }
        for name, lane in found.lanes.items()
    }
    told = {name: getattr(found, name) for name in ("zone_id", "run", "to_at_ms", "done")}
    return {**told, "lanes": lanes}


def _flag(request: Request, name: str) -> bool:
    text = request.query(name)
    if text not in (None, "true", "false"):
        raise InvalidInput("Give true or false.", f"/{name}")
    return text == "true"


def _keys_json(keys: Sequence[SigningKey]) -> list[dict[str, Any]]:
    return [{**key.public_jwk, "state": key.state, "created_at_ms": key.created_at_ms} for key in keys]


def _found_json(found: Found) -> dict[str, Any]:
    item = found.item
    return {
        "zone_id": item.zone_id,
        "run": item.run,
        "visitor_id": item.visitor_id,
        "status": found.status,
        "stored_status": item.status,
        "revoked": found.revoked,
        "lane": item.lane,
        "position": item.position,
        "joined_at_ms": item.joined_at_ms,
        "rejoined": item.rejoined,
        "away_at_ms": item.away_at_ms,
        "admitted_at_ms": item.admitted_at_ms,
        "session_id": item.sid,
        "lease_kind": item.lease_kind if item.sid else None,
        "expires_at_ms": found.expires_at_ms,
        "hard_end_at_ms": item.hard_end_at_ms,
        "completed_at_ms": item.completed_at_ms,
        "reference": item.reference,
        "purchases": item.purchases,
    }
