"""The key pairs that sign tokens: one secret of Secrets Manager, filled at first use, never in Terraform's state.

Whoever signs reads it when an instance starts: Secrets Manager answers 10,000 GetSecretValue a second in an account and
Region ("AWS Secrets Manager quotas"), with one KMS Decrypt behind each, of 10,000 or more ("Request quotas" of KMS).
Parameter Store answers 40 ("AWS Systems Manager endpoints and quotas").
"""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from cryptography.hazmat.primitives.asymmetric import ec

from waiting_room.adapters.dynamodb import Clients
from waiting_room.adapters.protected_zones import ProtectedZones
from waiting_room.domain.errors import NotReady, Overloaded
from waiting_room.ports import Clock
from waiting_room.tokens import ALGORITHM

CACHE_SEC = 300
"""How long keys are kept. A new key is published as `next` for longer than that before it becomes `active`."""
RETRY_SEC = 30
"""How long old keys go on being used before another try, while the secret cannot be read: whoever asks waits for it."""
COORDINATE_BYTES = 32

MOST_KEYS = 6
"""The next one, the active one and four that are retired: every edge reads all of them."""
FIRST_VERSION = "foyer-signing-keys-first-version"
"""Version id of the first value (32 to 64 characters). A version's value cannot be changed: of several who fill the
secret at once one does, and the others are refused ("PutSecretValue", Secrets Manager API reference)."""

_COMES_AGAIN = ("ThrottlingException", "LimitExceededException")

KEYS_PARTITION = "_keys"
KEY_ITEM = "key#"
"""Under which the public parts lie in the protected_zones table."""

State = Literal["active", "next", "retired"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SigningKey:
    """One key pair. `active` signs; all of them verify, a `retired` one until it is taken away.

    `changed_at_ms` is when it came to its state. Without a private part it only verifies.
    """

    kid: str
    state: State
    created_at_ms: int
    private_jwk: Mapping[str, str]
    public_jwk: Mapping[str, str]
    changed_at_ms: int = 0

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, state={self.state!r})"


class KeptKeys(ABC):
    """Keys that are read now and then: a read is kept for CACHE_SEC, and longer while another one fails."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._read_at_ms = 0

    def load(self) -> tuple[SigningKey, ...]:
        """The keys, at most CACHE_SEC old; older only while they cannot be read, whatever the reason.

        Raises NotReady before the operator made them, Overloaded when they cannot be read for the first time.
        """
        now_ms = self._clock.now_ms()
        if self._keys and 0 <= now_ms - self._read_at_ms < CACHE_SEC * 1000:
            return self._keys
        try:
            keys = self._read()
            if not keys:
                raise NotReady("The operator has not made signing keys yet.")
        except (Overloaded, NotReady, ClientError) as error:
            if not self._keys:
                raise
            why = f"{type(error).__name__}: {error}"
            logger.warning("the signing keys could not be read again", extra={"why": why})
            self._read_at_ms = now_ms - (CACHE_SEC - RETRY_SEC) * 1000
            return self._keys
        self._keys, self._read_at_ms = keys, now_ms
        return keys

    @abstractmethod
    def _read(self) -> tuple[SigningKey, ...]:
        """The keys where they are kept; none before they were made."""


class PublishedKeys(KeptKeys):
    """The public parts, from the table they are published in: who only verifies has no right to the private ones."""

    def __init__(self, zones: ProtectedZones, clock: Clock) -> None:
        super().__init__(clock)
        self._zones = zones

    def _read(self) -> tuple[SigningKey, ...]:
        found = self._zones.named(KEYS_PARTITION, KEY_ITEM)
        return tuple(
            SigningKey(kid, item["state"], int(item["created_at_ms"]), private_jwk={}, public_jwk=item["public_jwk"])
            for kid, item in found.items()
        )


class SigningKeys(KeptKeys):
    """Both parts, for those who sign; and who makes and replaces them."""

    def __init__(
        self, secrets: Clients, secret: str, clock: Clock, earlier: Callable[[], str | None] = lambda: None
    ) -> None:
        """Who has no keys yet, or must know them as they are, asks repeatedly; who has some asks once: a visitor waits
        for it, and can do without.

        `earlier` has the value that an older release kept elsewhere: it is carried over instead of making keys."""
        super().__init__(clock)
        self._secrets = secrets
        self._secret = secret
        self._earlier = earlier

    def ensure(self) -> tuple[SigningKey, ...]:
        """The keys as they are now; made if there are none. Of several callers at once, all get the first one's."""
        keys = self._read_with(self._secrets.repeating) or self._create()
        self._keys, self._read_at_ms = keys, self._clock.now_ms()
        return keys

    def replace(self, keys: tuple[SigningKey, ...]) -> None:
        """Store these keys instead. The caller sees to it that nobody else does so at the same time."""
        self._secrets.repeating.put_secret_value(SecretId=self._secret, SecretString=_encode(keys))
        self._keys, self._read_at_ms = keys, self._clock.now_ms()

    def _create(self) -> tuple[SigningKey, ...]:
        now_ms = self._clock.now_ms()
        value = self._earlier() or _encode((new_key("active", now_ms), new_key("next", now_ms)))
        try:
            self._secrets.repeating.put_secret_value(
                SecretId=self._secret, SecretString=value, ClientRequestToken=FIRST_VERSION
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ResourceExistsException":
                raise
            return self._read_with(self._secrets.repeating)
        return _decode(value)

    def _read(self) -> tuple[SigningKey, ...]:
        return self._read_with(self._secrets.once if self._keys else self._secrets.repeating)

    def _read_with(self, client: Any) -> tuple[SigningKey, ...]:
        try:
            answer = client.get_secret_value(SecretId=self._secret)
        except (NoConnection, HTTPClientError) as error:
            raise Overloaded("The signing keys could not be read.") from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ResourceNotFoundException":
                # Also of a secret that has no value yet.
                return ()
            if code in _COMES_AGAIN or error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise Overloaded("The signing keys could not be read.") from error
            raise
        # Some engines have an empty answer instead.
        return _decode(answer["SecretString"]) if "SecretString" in answer else ()


def read_parameter(ssm: Any, name: str) -> str | None:
    """Where releases before this one kept the keys: the value of an SSM parameter, None if there is none."""
    try:
        value: str = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        return None
    return value


def new_key(state: State, now_ms: int) -> SigningKey:
    """A new P-256 pair; its id is the thumbprint of the public part (RFC 7638).

    None whose id begins with `-`: on a command line that would be an option.
    """
    while (key := _pair(state, now_ms)).kid.startswith("-"):
        pass
    return key


def _pair(state: State, now_ms: int) -> SigningKey:
    numbers = ec.generate_private_key(ec.SECP256R1()).private_numbers()
    public = {
        "crv": "P-256",
        "kty": "EC",
        "x": _coordinate(numbers.public_numbers.x),
        "y": _coordinate(numbers.public_numbers.y),
    }
    thumbprint = hashlib.sha256(json.dumps(public, separators=(",", ":"), sort_keys=True).encode()).digest()
    kid = _base64url(thumbprint)[:22]
    public_jwk = {"kid": kid, "alg": ALGORITHM, **public}
    private_jwk = {**public_jwk, "d": _coordinate(numbers.private_value)}
    return SigningKey(kid, state, now_ms, private_jwk=private_jwk, public_jwk=public_jwk, changed_at_ms=now_ms)


def _encode(keys: tuple[SigningKey, ...]) -> str:
    return json.dumps({"keys": [vars(key) for key in keys]}, separators=(",", ":"))


def _decode(value: str) -> tuple[SigningKey, ...]:
    return tuple(SigningKey(**key) for key in json.loads(value)["keys"])


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(COORDINATE_BYTES, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
