"""What a function's role may do: the permissions of schemas/functions.json as an IAM policy, and nothing beside it.

Terraform renders the same references to the same addresses. Two things every Lambda needs are not in the schema and
not here: the log group, which the engine writes without asking, and the delivery of failed events, which it has not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.deployment.names import Names

VERSION = "2012-10-17"
SWITCHED_OFF = "metrics:"
"""What no local stack has: the references begin with it."""
PREFIX_KEYS = ".waiting-room/*"
"""What the distribution serves of the bucket: every key below the prefix."""


@dataclass(frozen=True)
class Addresses:
    """The addresses (ARNs) of one deployment's resources, by the references of schemas/functions.json."""

    names: Names
    region: str
    account: str
    websocket_api_id: str = ""
    """Its id is given by the engine, so what sends to connections has an address only once it is there."""
    api_stage: str = ""
    alerts_key: str = ""

    def of(self, reference: str) -> str:
        """Return the address of `table:queue`, `function:exchanger`, `bucket` ...; raises KeyError for another kind."""
        kind, _, what = reference.partition(":")
        return self._kinds[kind](what)

    @property
    def _kinds(self) -> Mapping[str, Callable[[str], str]]:
        names = self.names
        # Secrets Manager adds six characters to a secret's name.
        secrets = {"signing_keys": f"{names.signing_keys}-??????", "join_secrets": f"{names.join_secrets_path}/*"}
        return {
            "table": lambda key: self._regional("dynamodb", f"table/{names.table(key)}"),
            # A stream's own name is the moment it was switched on; a table has one at a time.
            "stream": lambda key: self._regional("dynamodb", f"table/{names.table(key)}/stream/*"),
            "streams": lambda _: "*",
            "function": lambda component: self._regional("lambda", f"function:{names.function(component)}"),
            "secret": lambda kind: self._regional("secretsmanager", f"secret:{secrets[kind]}"),
            "parameter": lambda _: self._regional("ssm", f"parameter{names.signing_keys_parameter}"),
            "websocket": lambda _: self._regional(
                "execute-api", f"{self.websocket_api_id}/{self.api_stage}/*/@connections/*"
            ),
            "archive": lambda _: self._regional("firehose", f"deliverystream/{names.archive}"),
            "failures": lambda _: self._regional("sqs", names.failures),
            "alerts": lambda what: self.alerts_key if what == "key" else names.alerts_identity,
            # A check of a passcode names no resource.
            "codes": lambda _: "*",
            "alarms": lambda _: self._regional("cloudwatch", "alarm:*"),
            "bucket": lambda keys: f"arn:aws:s3:::{names.bucket}{f'/{keys}' if keys else ''}",
        }

    def _regional(self, service: str, resource: str) -> str:
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def function_policy(spec: Mapping[str, Any], addresses: Addresses) -> dict[str, Any]:
    """Return the policy of a function's role: one statement for each permission of the schema, in its order.

    Rights on parts that are switched off are not given: here that is Timestream.
    """
    given = [each for each in spec["permissions"] if not each["resource"].startswith(SWITCHED_OFF)]
    return _policy(*(_allow(sorted(each["actions"]), addresses.of(each["resource"])) for each in given))


def edge_policy(addresses: Addresses) -> dict[str, Any]:
    """Return what the bucket's policy allows CloudFront: to read below the prefix, and to be told of a missing key."""
    return _policy(
        _allow(["s3:GetObject"], addresses.of(f"bucket:{PREFIX_KEYS}")),
        _allow(["s3:ListBucket"], addresses.of("bucket")),
    )


def start_policy(components: Iterable[str], addresses: Addresses) -> dict[str, Any]:
    """Return what the scheduler's role may do: start these functions."""
    return _policy(*(_allow(["lambda:InvokeFunction"], addresses.of(f"function:{each}")) for each in components))


def trust_policy(service: str) -> dict[str, Any]:
    """Return who may take the role on: an AWS service."""
    return _policy({"Effect": "Allow", "Action": ["sts:AssumeRole"], "Principal": {"Service": [service]}})


def _allow(actions: list[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": [resource]}


def _policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": list(statements)}
