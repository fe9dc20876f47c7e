"""Secrets Manager and Parameter Store in memory, with the rates AWS allows an account in a Region."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from waiting_room.ports import Clock

PARAMETERS_PER_SEC = 40
"""GetParameter, standard throughput ("AWS Systems Manager endpoints and quotas", AWS General Reference)."""
SECRETS_PER_SEC = 10_000
"""GetSecretValue and DescribeSecret together ("AWS Secrets Manager quotas", Secrets Manager guide)."""


@dataclass
class Rate:
    """Refuses what is more than so many calls in one second of the clock."""

    per_sec: int
    clock: Clock
    second: int = -1
    calls: int = 0

    def count(self, operation: str) -> None:
        """Count one call. Raises ThrottlingException."""
        second = self.clock.now_ms() // 1000
        self.calls = self.calls + 1 if second == self.second else 1
        self.second = second
        if self.calls > self.per_sec:
            raise _refused("ThrottlingException", operation)


@dataclass
class MemorySecrets:
    """Secrets by name, each with its value; `fault` is raised by every read."""

    clock: Clock
    values: dict[str, str] = field(default_factory=dict)
    fault: Exception | None = None
    reads: int = 0

    def __post_init__(self) -> None:
        self._rate = Rate(SECRETS_PER_SEC, self.clock)
        self._versions: dict[tuple[str, str], str] = {}

    def get_secret_value(self, *, SecretId: str) -> Any:  # noqa: N803
        self.reads += 1
        self._rate.count("GetSecretValue")
        if self.fault is not None:
            raise self.fault
        if SecretId not in self.values:
            raise _refused("ResourceNotFoundException", "GetSecretValue")
        return {"Name": SecretId, "SecretString": self.values[SecretId]}

    def put_secret_value(self, *, SecretId: str, SecretString: str, ClientRequestToken: str = "") -> None:  # noqa: N803
        version = self._versions.get((SecretId, ClientRequestToken), SecretString)
        if version != SecretString:
            raise _refused("ResourceExistsException", "PutSecretValue")
        if ClientRequestToken:
            self._versions[SecretId, ClientRequestToken] = SecretString
        self.values[SecretId] = SecretString


@dataclass
class MemoryParameters:
    """SSM parameters by name."""

    clock: Clock
    values: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._rate = Rate(PARAMETERS_PER_SEC, self.clock)

    def get_parameter(self, *, Name: str, WithDecryption: bool) -> Any:  # noqa: N803
        assert WithDecryption
        self._rate.count("GetParameter")
        if Name not in self.values:
            raise _refused("ParameterNotFound", "GetParameter")
        return {"Parameter": {"Value": self.values[Name]}}


def _refused(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": 400}}, operation)
