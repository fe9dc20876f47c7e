"""The zone: what an operator sets, with defaults filled in and contradictions refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.lanes import GENERAL, MOST_LANES, shares
from waiting_room.domain.leases import bucket_width_sec, heartbeat_sec, lease_sec, script_bucket_width_sec
from waiting_room.domain.zone import protection, schedule
from waiting_room.domain.zone.proofs import ProofRules

Mode = Literal["waiting_room", "queueing", "combined"]
Control = Literal["auto", "pause", "pass", "lock", "end"]
LeaseKind = Literal["navigation", "script"]
NetworkBinding = Literal["off", "observe", "refuse"]
Order = Literal["fifo", "lottery"]

ZONE_ID = re.compile(r"\A[a-z0-9][a-z0-9-]{0,39}\Z")
LANE_ID = re.compile(r"\A[a-z0-9]{1,12}\Z")
VISITOR_ID = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")

SERVER_FIELDS = (
    "run",
    "version",
    "updated_at_ms",
    "updated_by",
    "updated_why",
    "granted_from_ms",
    "stage",
    "safe_rate_per_min",
)
"""Fields of the stored zone that the service writes; in a PUT body only `version` is read."""

JOINS_PER_SHARD_PER_SEC = 500
"""A DynamoDB partition takes 1,000 writes a second; half of it leaves room for retries."""
MOST_SHARDS = 400
"""Join counters of a lane: four times a second all of them are read, and an epoch stays a small item."""


@dataclass(frozen=True)
class SessionRules:
    """How long an admitted visitor may stay; seconds."""

    kind: LeaseKind = "navigation"
    idle_sec: int = 300
    heartbeat_sec: int | None = None
    max_sec: int = 3600


@dataclass(frozen=True)
class ClaimRules:
    """How long a called visitor has to come, and how long a late one may still return; seconds."""

    window_sec: int = 60
    grace_sec: int = 60


@dataclass(frozen=True)
class PollRules:
    """How often a waiting browser reads the status document; seconds, and the distance that counts as near."""

    near_sec: int = 2
    far_sec: int = 45
    near_ahead: int = 200


@dataclass(frozen=True)
class Zone:
    """One protected zone as stored. Times are epoch milliseconds (`_at_ms`), durations seconds (`_sec`)."""

    zone_id: str
    mode: Mode
    rules: tuple[Mapping[str, Any], ...]
    title: str = ""
    control: Control = "auto"
    observe: bool = False
    rehearsal: bool = False
    exempt: tuple[Mapping[str, Any], ...] = ()
    network_binding: NetworkBinding = "off"
    identity: Mapping[str, Any] | None = None
    network_limit: Mapping[str, Any] | None = None
    proof_of_work: ProofRules | None = None
    bots: Mapping[str, Any] | None = None
    alerts: Mapping[str, Any] | None = None
    landing_path: str = "/"
    starts_at_ms: int | None = None
    max_active: int | None = None
    rate_per_min: float | None = None
    inventory: int | None = None
    session: SessionRules = field(default_factory=SessionRules)
    claim: ClaimRules = field(default_factory=ClaimRules)
    order: Order = "fifo"
    beacon: Literal["none", "drand"] = "none"
    expected_joins_per_sec: int = 100
    lanes: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: {GENERAL: {"weight": 1}})
    poll: PollRules = field(default_factory=PollRules)
    push_window: int = 5000
    message: str = ""
    picture_url: str = ""
    page: Mapping[str, Any] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    purchases_per_visitor: int = 1
    strict_exit: bool = False
    forward_token: bool = False
    site_key_sha256: str = ""
    schedule: Mapping[str, Any] | None = None
    health: Mapping[str, Any] | None = None
    activation: Mapping[str, Any] | None = None
    protection: Mapping[str, Any] | None = None
    pinned: bool = False
    run: int = 1
    version: int = 0
    updated_at_ms: int = 0
    updated_by: str = ""
    updated_why: str = ""
    granted_from_ms: int = 0
    stage: str = ""
    safe_rate_per_min: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Zone:
        """Build a zone from a document that fits schemas/zone.json; raises InvalidZone on a contradiction."""
        values = dict(document)
        try:
            values["rules"] = tuple(dict(rule) for rule in values.get("rules", ()))
            values["exempt"] = tuple(dict(rule) for rule in values.get("exempt", ()))
            values["session"] = SessionRules(**values.get("session", {}))
            values["claim"] = ClaimRules(**values.get("claim", {}))
            values["poll"] = PollRules(**values.get("poll", {}))
            if values.get("proof_of_work") is not None:
                values["proof_of_work"] = ProofRules(**values["proof_of_work"])
            zone = cls(**values)
        except TypeError as error:
            raise InvalidZone(f"The zone document has a field that is missing or unknown: {error}") from None
        zone.check()
        return zone

    @property
    def document(self) -> dict[str, Any]:
        """The zone as plain JSON data; fields that are not set are left out."""
        document = {name: getattr(self, name) for name in self.__dataclass_fields__}
        document["rules"] = [dict(rule) for rule in self.rules]
        document["exempt"] = [dict(rule) for rule in self.exempt]
        document["lanes"] = {name: dict(lane) for name, lane in self.lanes.items()}
        document["page"] = dict(self.page)
        document["translations"] = {language: dict(texts) for language, texts in self.translations.items()}
        for part in ("session", "claim", "poll"):
            document[part] = {key: value for key, value in vars(document[part]).items() if value is not None}
        if self.proof_of_work is not None:
            document["proof_of_work"] = dict(vars(self.proof_of_work))
        return {name: value for name, value in document.items() if value is not None}

    def with_changes(self, **changes: Any) -> Zone:
        """A copy with some fields replaced, checked again; None unsets an optional field."""
        zone = replace(self, **changes)
        zone.check()
        return zone

    def check(self) -> None:
        """Refuse what no schema can see: settings that contradict each other. Raises InvalidZone."""
        for pointer, message in self._contradictions():
            raise InvalidZone(message, pointer)

    def _contradictions(self) -> list[tuple[str, str]]:
        faults = []
        if not ZONE_ID.match(self.zone_id):
            faults.append(("/zone_id", "Use lower-case letters, digits and '-', at most 40, not beginning with '-'."))
        if not self.rules:
            faults.append(("/rules", "Give at least one rule with the paths to guard."))
        if self.mode in ("waiting_room", "combined") and self.starts_at_ms is None and not self.schedule:
            faults.append(("/starts_at_ms", f"Mode {self.mode} holds visitors until a start: set starts_at_ms."))
        if self.mode == "waiting_room" and self.rate_per_min is None:
            faults.append(("/rate_per_min", "Mode waiting_room lets visitors in at a set rate: set rate_per_min."))
        if self.mode in ("queueing", "combined") and self.max_active is None:
            faults.append(("/max_active", f"Mode {self.mode} lets a set number in at once: set max_active."))
        if self.max_active is not None and self.max_active < 1:
            faults.append(("/max_active", "The smallest limit is 1; use control 'pause' or 'lock' to let nobody in."))
        if self.rate_per_min is not None and not (0 < self.rate_per_min < math.inf):
            faults.append(("/rate_per_min", "The rate must be above 0; use control 'pause' to let nobody in."))
        sources = [name for name in ("keys", "jwks_url", "shared_secret") if (self.identity or {}).get(name)]
        if self.identity is not None and len(sources) != 1:
            faults.append(("/identity", "Say where the login's keys are: give one of keys, jwks_url, shared_secret."))
        for index, key in enumerate((self.identity or {}).get("keys", ())):
            needed = ("crv", "x", "y") if (key["alg"], key["kty"]) == ("ES256", "EC") else ("n", "e")
            if (key["alg"], key["kty"]) not in (("ES256", "EC"), ("RS256", "RSA")) or not all(map(key.get, needed)):
                faults.append((f"/identity/keys/{index}", "An ES256 key needs kty EC, crv, x, y; RS256 kty RSA, n, e."))
        if self.proof_of_work is not None and self.proof_of_work.most_bits < self.proof_of_work.bits:
            faults.append(("/proof_of_work/most_bits", "The cost is raised, never lowered: give bits or more."))
        if self.session.max_sec < self.session.idle_sec:
            faults.append(("/session/max_sec", "A session cannot be shorter than one idle time: raise max_sec."))
        faults += self._lane_faults()
        faults += schedule.faults(self.schedule) if self.schedule else []
        faults += protection.faults(self)
        if self.order == "lottery" and self.starts_at_ms is None and not self.schedule:
            faults.append(("/starts_at_ms", "A draw is held among those who come before the start: set starts_at_ms."))
        if self.beacon != "none" and self.order != "lottery":
            faults.append(("/beacon", "A beacon is for a draw: set order to 'lottery', or leave the beacon out."))
        if not 1 <= self.expected_joins_per_sec <= MOST_SHARDS * JOINS_PER_SHARD_PER_SEC:
            most = MOST_SHARDS * JOINS_PER_SHARD_PER_SEC
            faults.append(("/expected_joins_per_sec", f"Give 1 to {most} joins a second; beyond, use several zones."))
        return faults

    def _lane_faults(self) -> list[tuple[str, str]]:
        if GENERAL not in self.lanes:
            return [("/lanes", f"Keep the lane '{GENERAL}': everybody without an invitation waits in it.")]
        if len(self.lanes) > MOST_LANES:
            return [("/lanes", f"A zone has at most {MOST_LANES} lanes.")]
        reserved = sum(lane.get("reserved_share", 0) for lane in self.lanes.values())
        if reserved > 1 + 1e-9:
            return [("/lanes", f"The reserved shares sum to {reserved:g}: reserve 1 at the most, all of the calls.")]
        if not any(lane["weight"] for lane in self.lanes.values()) and reserved < 1 - 1e-9:
            return [("/lanes", "The weights sum to nothing: give at least one lane a weight of 1 or more.")]
        return [
            (f"/lanes/{name}", "Nobody in this lane would ever be called: give it a weight or a reserved_share.")
            for name, share in shares(self.lanes).items()
            if share <= 0
        ]

    def title_in(self, language: str) -> str:
        """The event's name in a language, if the organiser gave one, otherwise the one for all."""
        return str(self.translations.get(language, {}).get("title") or self.title)

    def page_of(self, lane: str) -> Mapping[str, Any]:
        """The look for a lane: that for all, with what the lane has of its own."""
        return {**self.page, **self.page.get("by_lane", {}).get(lane, {})}

    def message_in(self, language: str, lane: str = "") -> str:
        """What the organiser says: to a lane of its own, else in a language, else what is for all."""
        own = self.page.get("by_lane", {}).get(lane, {}).get("message")
        return str(own or self.translations.get(language, {}).get("message") or self.message)

    def cards_in(self, language: str, lane: str = "") -> list[Mapping[str, str]]:
        """What is good to know: for a lane of its own, else in a language, else for all."""
        own = self.page.get("by_lane", {}).get(lane, {}).get("cards")
        return list(own or self.translations.get(language, {}).get("cards") or self.page.get("cards") or [])

    @property
    def requires_identity(self) -> bool:
        """Whether nobody joins without a claim of the site's login."""
        return self.identity is not None and self.identity["mode"] == "require"

    @property
    def login_url(self) -> str:
        """Where the site's login is; empty where nobody needs one."""
        return str((self.identity or {}).get("login_url", ""))

    @property
    def effective(self) -> Zone:
        """The zone with the rate that holds now: what protection allows, never above what the operator set."""
        safe, most = self.safe_rate_per_min, self.rate_per_min
        if not self.protection_holds or safe is None or most is None or safe >= most:
            return self
        return replace(self, rate_per_min=safe)

    @property
    def protection_holds(self) -> bool:
        """Whether the rate follows the site's health; settings may be empty, which is not the same as none."""
        return self.protection is not None

    @property
    def shards(self) -> int:
        """Join counters of a lane in a new run. Fixed in the gate item from then on, whatever changes here."""
        return max(1, math.ceil(self.expected_joins_per_sec / JOINS_PER_SHARD_PER_SEC))

    @property
    def bucket_width_sec(self) -> int:
        """Bucket width for a new run. Fixed in the gate item from then on, whatever changes here."""
        if self.session.kind == "navigation":
            return bucket_width_sec(self.session.idle_sec)
        return script_bucket_width_sec(self.beat_sec)

    @property
    def beat_sec(self) -> int:
        """Seconds between two heartbeats of a script session."""
        return heartbeat_sec(self.max_active, self.session.heartbeat_sec)

    def lease_sec(self, kind: str, *, first: bool) -> int:
        """Length of a lease of this kind in seconds, before it is rounded up to the end of a bucket.

        A script session's is at most two heartbeats with that: whoever left without a word is counted that long.
        """
        longest = lease_sec(kind, self.session.idle_sec, self.beat_sec, first)
        return longest if kind == "navigation" else longest - script_bucket_width_sec(self.beat_sec)

    def started(self, now_ms: int) -> bool:
        """Whether visitors may be let in by the clock; queueing zones without a start have always started."""
        return self.starts_at_ms is None or now_ms >= self.starts_at_ms
