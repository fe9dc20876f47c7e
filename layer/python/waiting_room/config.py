"""Settings of each function, read from its environment. One class per function; its fields are the variables.

schemas/functions.json says which function is given which variable; a field `queue_table` reads `QUEUE_TABLE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, TypeVar

T = TypeVar("T")

OFF = "none"
"""Stands for a part of the deployment that is switched off."""


class MissingSettings(Exception):
    """Raised when variables are not set or empty; names all of them at once."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"Set these environment variables: {', '.join(names)}")
        self.names = names


@dataclass(frozen=True)
class BouncerConfig:
    """Token service. `origin_secret` is what only CloudFront knows; secrets of logins lie below `join_secrets_path`;
    `alerts_key` seals telephone numbers, or is OFF. `codes_identity` is what passcodes come from, or OFF, and
    `codes_configuration` the notify code configuration with their texts; `codes_configuration_set` may be OFF.
    `machine_labels` is OFF where no firewall tells machines."""

    protected_zones_table: str
    counters_table: str
    joins_table: str
    queue_table: str
    user_connections_table: str
    signing_keys_secret: str
    join_secrets_path: str
    token_issuer: str
    origin_secret: str
    cors_origins: str
    exchanger_function: str
    alerts_key: str
    codes_identity: str
    codes_configuration: str
    codes_configuration_set: str
    machine_labels: str
    retention_days: str

    @property
    def origins(self) -> tuple[str, ...]:
        """Other origins whose pages may read what the API answers."""
        return () if self.cors_origins == OFF else tuple(self.cors_origins.split(","))


@dataclass(frozen=True)
class OperatorConfig:
    """Zones, control, keys, look-up. `signing_keys_parameter` is where keys of older releases are looked for;
    `archive_stream` is `none` where the archive is switched off."""

    protected_zones_table: str
    counters_table: str
    joins_table: str
    queue_table: str
    signing_keys_secret: str
    signing_keys_parameter: str
    token_issuer: str
    site_bucket: str
    snapshot_key: str
    exchanger_function: str
    retention_days: str
    user_connections_table: str
    archive_stream: str


@dataclass(frozen=True)
class DispatcherConfig:
    """Starts exchangers, heals stale snapshots, warms bouncers: `warm_instances` of them at most, 0 for none."""

    protected_zones_table: str
    counters_table: str
    joins_table: str
    site_bucket: str
    snapshot_key: str
    exchanger_function: str
    publisher_function: str
    bouncer_function: str
    dispatcher_function: str
    warm_instances: str
    archive_stream: str


@dataclass(frozen=True)
class ExchangerConfig:
    """Ticks, writes status documents, tells the gauges; `metrics_database` and `metrics_table` may be `none`."""

    protected_zones_table: str
    counters_table: str
    joins_table: str
    site_bucket: str
    retention_days: str
    metrics_backend: str
    metrics_namespace: str
    metrics_database: str
    metrics_table: str


@dataclass(frozen=True)
class ConnectionsConfig:
    """Who may open a WebSocket. `origin_secret` is what only CloudFront knows; `websocket_endpoint` closes one."""

    protected_zones_table: str
    counters_table: str
    user_connections_table: str
    token_issuer: str
    origin_secret: str
    websocket_endpoint: str


@dataclass(frozen=True)
class NotifierConfig:
    """Tells those who were called. `websocket_endpoint` is where messages to open connections are sent.

    `alerts_identity` is the number that alerts come from, `alerts_key` opens the numbers they go to; OFF for none.
    """

    protected_zones_table: str
    counters_table: str
    joins_table: str
    queue_table: str
    user_connections_table: str
    websocket_endpoint: str
    alerts_identity: str
    alerts_configuration_set: str
    alerts_key: str


@dataclass(frozen=True)
class RecorderConfig:
    """Archive and business metrics. `archive_stream`, `metrics_database` and `metrics_table` are `none` where that is
    switched off; `failures_queue` is the URL of the queue for records that make no sense."""

    counters_table: str
    failures_queue: str
    archive_stream: str
    metrics_backend: str
    metrics_namespace: str
    metrics_database: str
    metrics_table: str
    retention_days: str


@dataclass(frozen=True)
class PublisherConfig:
    """Writes gate snapshot, JWKS and pages."""

    protected_zones_table: str
    site_bucket: str
    snapshot_key: str
    token_issuer: str


def read(kind: type[T], env: Mapping[str, str]) -> T:
    """The settings of one function; raises MissingSettings with every name that is missing."""
    names = {each.name: each.name.upper() for each in fields(kind)}  # type: ignore[arg-type]
    missing = [variable for variable in names.values() if not env.get(variable)]
    if missing:
        raise MissingSettings(missing)
    values: dict[str, Any] = {name: env[variable] for name, variable in names.items()}
    return kind(**values)
