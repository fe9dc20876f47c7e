"""The zone: what an operator sets, with defaults filled in. What contradicts itself is found by checked.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from waiting_room.domain.errors import InvalidZone
from waiting_room.domain.lanes import GENERAL
from waiting_room.domain.leases import bucket_width_sec, heartbeat_sec, lease_sec, script_bucket_width_sec
from waiting_room.domain.zone.machines import MachineRules
from waiting_room.domain.zone.proofs import ProofRules
from waiting_room.domain.zone.sizing import shards_for

Mode = Literal["waiting_room", "queueing", "combined"]
Control = Literal["auto", "pause", "pass", "lock", "end"]
LeaseKind = Literal["navigation", "script"]
NetworkBinding = Literal["off", "observe", "refuse"]
Order = Literal["fifo", "lottery"]

ZONE_ID = re.compile(r"\A[a-z0-9][a-z0-9-]{0,39}\Z")
LANE_ID = re.compile(r"\A[a-z0-9]{1,12}\Z")
VISITOR_ID = re.compile(r"\A[A-Za-z0-9_-]{22}\Z")

OPENS_BEFORE_MS = 1_800_000
"""Where a zone with a start does not say when its line opens, it is half an hour before."""

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
    machines: MachineRules | None = None
    alerts: Mapping[str, Any] | None = None
    landing_path: str = "/"
    starts_at_ms: int | None = None
    opens_at_ms: int | None = None
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
    strict_exit: bool = False  # without effect; zones stored by earlier releases have it
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
        """Read a document that was judged good, `checked` judges one; raises InvalidZone where a field does not fit."""
        values = dict(document)
        try:
            values["rules"] = tuple(dict(rule) for rule in values.get("rules", ()))
            values["exempt"] = tuple(dict(rule) for rule in values.get("exempt", ()))
            values["session"] = SessionRules(**values.get("session", {}))
            values["claim"] = ClaimRules(**values.get("claim", {}))
            values["poll"] = PollRules(**values.get("poll", {}))
            if values.get("proof_of_work") is not None:
                values["proof_of_work"] = ProofRules(**values["proof_of_work"])
            if values.get("machines") is not None:
                values["machines"] = MachineRules(**values["machines"])
            return cls(**values)
        except TypeError as error:
            raise InvalidZone(f"The zone document has a field that is missing or unknown: {error}") from None

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
        if self.machines is not None:
            document["machines"] = {name: value for name, value in vars(self.machines).items() if value}
        return {name: value for name, value in document.items() if value is not None}

    def with_changes(self, **changes: Any) -> Zone:
        """A copy with some fields replaced; None unsets an optional field."""
        return replace(self, **changes)

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
        return self.identity is not None and self.identity["mode"] == "require" and self.phone is None

    @property
    def phone(self) -> Mapping[str, Any] | None:
        """How phone numbers are confirmed, where a place needs one before it is let in; None where it does not."""
        found: Mapping[str, Any] | None = (self.identity or {}).get("phone")
        return found

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
        return shards_for(self.expected_joins_per_sec)

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

    @property
    def line_opens_at_ms(self) -> int | None:
        """When the first place may be taken; None where that is at any time. The windows of a schedule open by it."""
        if self.starts_at_ms is None or self.schedule:
            return None
        return self.starts_at_ms - OPENS_BEFORE_MS if self.opens_at_ms is None else self.opens_at_ms

    def line_opened(self, now_ms: int) -> bool:
        """Whether places may be taken by the clock."""
        return self.line_opens_at_ms is None or now_ms >= self.line_opens_at_ms

    def started(self, now_ms: int) -> bool:
        """Whether visitors may be let in by the clock; queueing zones without a start have always started."""
        return self.starts_at_ms is None or now_ms >= self.starts_at_ms
