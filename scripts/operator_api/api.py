"""The operator routes as methods: one request each, answers as plain JSON data, refusals as one clear line."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import httpx

from .connection import SigV4, Target
from .errors import BadInput, Refused, Unreachable

Json = dict[str, Any]

ADMIN = "/.waiting-room/v1/admin"
TIMEOUT_SEC = 15.0
VISITOR = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")

NEXT_STEP = {
    "stale-version": "Somebody changed the zone at the same time: look at it and run the command again.",
    "unknown-zone": "`wr zones list` shows the zones there are.",
    "unknown-key": "`wr keys list` shows the keys there are.",
    "unknown-visitor": "Nobody with this id has joined the current run.",
}
"""What to do about a problem, where its own text does not say it already."""


class OperatorApi:
    """The operator's side of the service. Every method raises Refused or Unreachable."""

    def __init__(self, target: Target, transport: httpx.BaseTransport | None = None) -> None:
        self._http = httpx.Client(
            base_url=target.api_url,
            auth=SigV4(target.credentials, target.region),
            timeout=TIMEOUT_SEC,
            transport=transport,
            trust_env=False,
        )

    def close(self) -> None:
        """Close the connection."""
        self._http.close()

    def zones(self) -> list[Json]:
        """Every zone, as stored."""
        return list(self._call("GET", "/zones")["zones"])

    def zone(self, zone_id: str) -> Json:
        """One zone, as stored."""
        return self._call("GET", f"/zones/{_part(zone_id)}")

    def find_zone(self, zone_id: str) -> Json | None:
        """One zone, or None where there is none."""
        try:
            return self.zone(zone_id)
        except Refused as error:
            if error.problem == "unknown-zone":
                return None
            raise

    def put_zone(self, document: Json) -> Json:
        """Create a zone, or replace the version that `document` names. A new one's answer may hold its `site_key`."""
        return self._call("PUT", f"/zones/{_part(document['zone_id'])}", document)

    def control(self, zone_id: str, body: Json) -> Json:
        """Change a zone live: `control`, `changes`, `version`. Answers with the zone."""
        return self._call("POST", f"/zones/{_part(zone_id)}/control", body)

    def restore(self, zone_id: str, body: Json) -> Json:
        """Give lapsed places back: `to_at_ms`, `dry_run`, `reason`. Answers with whom it affects."""
        return self._call("POST", f"/zones/{_part(zone_id)}/restorations", body)

    def make_bypass(self, zone_id: str, name: str, expires_in_sec: int) -> Json:
        """A bypass token for one named person: id, link, expires_at_ms."""
        body = {"name": name, "expires_in_sec": expires_in_sec}
        return self._call("POST", f"/zones/{_part(zone_id)}/bypass-tokens", body)

    def invite(self, zone_id: str, lane: str, name: str, expires_in_sec: int) -> Json:
        """An invitation into a lane for one visitor: id, token, link, expires_at_ms."""
        body = {"lane": lane, "name": name, "expires_in_sec": expires_in_sec}
        return self._call("POST", f"/zones/{_part(zone_id)}/invitations", body)

    def revoke(self, zone_id: str, body: Json) -> Json:
        """Revoke a session, a visitor or a bypass token."""
        return self._call("POST", f"/zones/{_part(zone_id)}/revocations", body)

    def visitor(self, zone_id: str, visitor_id: str) -> Json:
        """What the service knows about one visitor."""
        return self._call("GET", f"/zones/{_part(zone_id)}/visitors/{_visitor(visitor_id)}")

    def erase(self, zone_id: str, visitor_id: str) -> None:
        """Erase everything stored of one visitor."""
        self._call("DELETE", f"/zones/{_part(zone_id)}/visitors/{_visitor(visitor_id)}")

    def metrics(self, zone_id: str, minutes: int | None = None, run: int | None = None) -> Json:
        """The newest minute rows of a zone's run, the current one or another."""
        return self._call("GET", f"/zones/{_part(zone_id)}/metrics{_query(minutes=minutes, run=run)}")

    def history(self, zone_id: str, entries: int | None = None, run: int | None = None) -> list[Json]:
        """What operators did to a zone, oldest first."""
        path = f"/zones/{_part(zone_id)}/history{_query(entries=entries, run=run)}"
        return list(self._call("GET", path)["entries"])

    def keys(self) -> Json:
        """The public parts of the signing keys."""
        return self._call("GET", "/keys")

    def rotate_keys(self) -> Json:
        """Do one step of a rotation: step, wait_sec, keys."""
        return self._call("POST", "/keys/rotations")

    def retire_key(self, kid: str, *, force: bool) -> None:
        """Take a replaced key away."""
        self._call("DELETE", f"/keys/{_part(kid)}{'?force=true' if force else ''}")

    def _call(self, method: str, path: str, body: Json | None = None) -> Json:
        try:
            response = self._http.request(method, ADMIN + path, json=body)
        except httpx.TransportError as error:
            raise Unreachable(
                f"{self._http.base_url} does not answer ({error}). Is the demo running, or --api-url right?"
            ) from None
        if not response.is_success:
            raise _refusal(response)
        if response.status_code == 204:
            return {}
        answer = _json_object(response)
        if answer is None:
            raise Refused(f"The answer to {method} {path} was not JSON: is --api-url the API of a waiting room?")
        return answer


def _part(text: str) -> str:
    return quote(text, safe="")


def _visitor(text: str) -> str:
    if not VISITOR.match(text):
        raise BadInput(f"{text!r} is no visitor id: that is 22 letters, digits, - or _, as in x-waiting-room-visitor.")
    return text


def _query(**parameters: int | None) -> str:
    given = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return f"?{given}" if given else ""


def _json_object(response: httpx.Response) -> Json | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def _refusal(response: httpx.Response) -> Refused:
    """One line for an answer that is not a success, or one for each fault where the service tells several."""
    status = response.status_code
    problem = _json_object(response) or {}
    name = str(problem.get("type", "")).rpartition(":")[2]
    if not name:
        if status in (401, 403):
            return Refused(
                f"The credentials were refused ({status}): they need the right execute-api:Invoke on the operator "
                "routes of this API.",
                status=status,
            )
        said = problem.get("message") or response.reason_phrase
        return Refused(f"The service answered {status} {said}: is --api-url the API of a waiting room?", status=status)
    detail = str(problem.get("detail") or problem.get("title") or name)
    faults = problem.get("errors") or [{"pointer": problem.get("pointer"), "detail": detail}]
    if len(faults) > 1:
        lines = "".join(f"\n  {_placed(fault)}." for fault in faults)
        return Refused(f"{len(faults)} faults ({status} {name}):{lines}", problem=name, status=status)
    said = f"{_placed(faults[0])} ({status} {name})."
    return Refused(" ".join(part for part in (said, NEXT_STEP.get(name)) if part), problem=name, status=status)


def _placed(fault: Json) -> str:
    """A fault led by its place, if it has one, without the full stop."""
    where = f"{fault['pointer']}: " if fault.get("pointer") else ""
    return where + str(fault.get("detail", "")).rstrip(".")
