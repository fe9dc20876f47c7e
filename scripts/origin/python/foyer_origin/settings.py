"""What a site's server has to know of its waiting room."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self
from urllib.parse import urlsplit

from foyer_origin.errors import BadSettings

ENVIRONMENT = {
    "site_url": "FOYER_SITE_URL",
    "zone_id": "FOYER_ZONE_ID",
    "issuer": "FOYER_ISSUER",
    "site_key": "FOYER_SITE_KEY",
    "origin_secret": "FOYER_ORIGIN_SECRET",
    "run": "FOYER_RUN",
    "timeout_sec": "FOYER_TIMEOUT_SEC",
}
"""Environment variable of each setting."""

LEAST_SECRET = 16
_ZONE_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_SECRET = re.compile(r"[!-~]([ -~]*[!-~])?\Z")
_NEAR_HOSTS = ("localhost", "127.0.0.1", "::1", "host.docker.internal")
_NUMBERS = {"run": int, "timeout_sec": float}


@dataclass(frozen=True)
class Settings:
    """One zone of one deployment. Raises BadSettings, with every fault at once."""

    site_url: str
    """Where visitors reach the site: `https://tickets.example.com`. The waiting room is asked there too."""

    zone_id: str
    issuer: str
    """The deployment's name, as its tokens have it."""

    site_key: str | None = field(default=None, repr=False)
    """The zone's site key; only a server that confirms purchases needs it."""

    origin_secret: str | None = field(default=None, repr=False)
    """What CloudFront sends as `x-origin-secret`. Without it only a token lets in, and no header is believed."""

    run: int | None = None
    """Lets in tokens of this run alone. Without it the gate and the confirmation see to that."""

    timeout_sec: float = 5.0
    """How long one try to confirm may take; there are three at most."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise BadSettings(faults)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ, **given: Any) -> Self:
        """The settings of the environment, those `given` in their place. Raises BadSettings."""
        found = {name: environ[variable] for name, variable in ENVIRONMENT.items() if environ.get(variable)}
        read: dict[str, Any] = {**dict.fromkeys(("site_url", "zone_id", "issuer"), ""), **found, **given}
        for name, kind in _NUMBERS.items():
            if isinstance(read.get(name), str):
                read[name] = _number(read[name], kind)
        return cls(**read)

    def _faults(self) -> Iterator[str]:
        judged = {
            "site_url": _url_fault(self.site_url),
            "zone_id": None if _ZONE_ID.match(str(self.zone_id)) else "is the zone's id",
            "issuer": None if isinstance(self.issuer, str) and self.issuer else "is the deployment's name",
            "site_key": _secret_fault(self.site_key),
            "origin_secret": _secret_fault(self.origin_secret),
            "run": None if self.run is None or (_is_whole(self.run) and self.run > 0) else "is a whole number from 1",
            "timeout_sec": None if _is_duration(self.timeout_sec) else "is a number of seconds from 0.1 to 60",
        }
        for each in fields(self):
            fault, value = judged[each.name], getattr(self, each.name)
            if fault:
                missing = "is missing: it " if value in ("", None) else ""
                yield f"{each.name} ({ENVIRONMENT[each.name]}) {missing}{fault}"


def _url_fault(url: object) -> str | None:
    fault = "is where visitors reach the site, like https://tickets.example.com, and nothing after the host"
    if not isinstance(url, str) or not url:
        return fault
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return fault
    if parts.scheme not in ("http", "https") or not host or parts.username or parts.path not in ("", "/"):
        return fault
    if parts.query or parts.fragment:
        return fault
    if parts.scheme == "http" and not host.endswith(".localhost") and host not in _NEAR_HOSTS:
        return "has to begin with https://: the site key travels there"
    return None


def _secret_fault(secret: object) -> str | None:
    if secret is None:
        return None
    if isinstance(secret, str) and len(secret) >= LEAST_SECRET and _SECRET.match(secret):
        return None
    return f"has {LEAST_SECRET} or more ASCII characters"


def _number(text: str, kind: Any) -> Any:
    """The number a text holds; else the text, for the settings to refuse with all the rest."""
    try:
        return kind(text)
    except ValueError:
        return text


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_duration(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0.1 <= value <= 60
