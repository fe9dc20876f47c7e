"""The names of a deployment's resources, all from the deployment's name."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from waiting_room.retention import Retention


@dataclass(frozen=True)
class Secrets:
    """What nobody outside may guess: the origin secret, and where the gate snapshot lies."""

    origin_secret: str
    snapshot_key: str

    @classmethod
    def made(cls) -> Secrets:
        """Return new ones, 128 bits and more."""
        return cls(secrets.token_urlsafe(32), f".waiting-room/gate-{secrets.token_hex(16)}.json")


@dataclass(frozen=True)
class Names:
    """Names as Terraform gives them too, but for the bucket, which needs no account number on this machine."""

    deployment: str = "foyer"

    @property
    def bucket(self) -> str:
        """Name of the bucket that holds what CloudFront serves under the prefix."""
        return f"{self.deployment}-site"

    @property
    def archive(self) -> str:
        """Name of the archive's delivery stream, and of its bucket."""
        return f"{self.deployment}-archive"

    @property
    def failures(self) -> str:
        """Name of the queue for events nobody could deal with."""
        return f"{self.deployment}-failures"

    @property
    def layer(self) -> str:
        """Name of the Lambda layer."""
        return f"{self.deployment}-layer"

    @property
    def signing_keys(self) -> str:
        """Name of the secret that holds the private keys."""
        return f"{self.deployment}/signing-keys"

    @property
    def signing_keys_parameter(self) -> str:
        """Name of the SSM parameter in which older releases held them."""
        return f"/{self.deployment}/signing-keys"

    @property
    def join_secrets_path(self) -> str:
        """Below it lies, by the zone's id, the secret that a site's login signs join claims with."""
        return f"{self.deployment}/join-secrets"

    @property
    def alerts_identity(self) -> str:
        """The number that alerts come from; nobody has it."""
        return "arn:aws:sms-voice:us-east-1:000000000000:phone-number/phone-00000000000000000000000000000000"

    @property
    def alerts_key(self) -> str:
        """Alias of the key that seals telephone numbers."""
        return f"alias/{self.deployment}-alerts"

    def table(self, key: str) -> str:
        """Return the name of a table; `key` is its name in schemas/tables/."""
        return f"{self.deployment}-{key.replace('_', '-')}"

    def function(self, component: str) -> str:
        """Return the name of a component's function."""
        return f"{self.deployment}-{component}"

    def role(self, component: str) -> str:
        """Return the name of the role of a component, or of `edge` and `scheduler`, which play AWS services."""
        return f"{self.deployment}-{component}"

    def environment(self, own: Secrets, websocket_endpoint: str = "", failures_queue: str = "") -> Mapping[str, str]:
        """Return every environment variable a function may ask for in schemas/functions.json.

        The addresses given are the engine's own: of the WebSocket stage and of the queue of failures.
        """
        return {
            "PROTECTED_ZONES_TABLE": self.table("protected_zones"),
            "COUNTERS_TABLE": self.table("counters"),
            "JOINS_TABLE": self.table("joins"),
            "QUEUE_TABLE": self.table("queue"),
            "USER_CONNECTIONS_TABLE": self.table("user_connections"),
            "SITE_BUCKET": self.bucket,
            "SIGNING_KEYS_SECRET": self.signing_keys,
            "SIGNING_KEYS_PARAMETER": self.signing_keys_parameter,
            "JOIN_SECRETS_PATH": self.join_secrets_path,
            "TOKEN_ISSUER": self.deployment,
            "ORIGIN_SECRET": own.origin_secret,
            "CORS_ORIGINS": "none",
            "MACHINE_LABELS": "none",
            "RETENTION_DAYS": json.dumps(vars(Retention()), separators=(",", ":"), sort_keys=True),
            "SNAPSHOT_KEY": own.snapshot_key,
            "EXCHANGER_FUNCTION": self.function("exchanger"),
            "PUBLISHER_FUNCTION": self.function("publisher"),
            "BOUNCER_FUNCTION": self.function("bouncer"),
            "DISPATCHER_FUNCTION": self.function("dispatcher"),
            # An engine on this machine starts a process for each.
            "WARM_INSTANCES": "2",
            "WEBSOCKET_ENDPOINT": websocket_endpoint,
            "FAILURES_QUEUE": failures_queue,
            "ARCHIVE_STREAM": self.archive,
            # No engine has Timestream; lines in embedded metric format are in the function's log.
            "METRICS_BACKEND": "cloudwatch",
            "METRICS_NAMESPACE": self.deployment,
            "METRICS_DATABASE": "none",
            "METRICS_TABLE": "none",
            "ALERTS_IDENTITY": self.alerts_identity,
            "ALERTS_CONFIGURATION_SET": self.deployment,
            "ALERTS_KEY": self.alerts_key,
            "CODES_IDENTITY": self.alerts_identity,
            "CODES_CONFIGURATION": "ncc-00000000000000000",
            "CODES_CONFIGURATION_SET": "none",
        }
