"""The key pairs that sign tokens: one SSM SecureString, made at first use, never in Terraform's state."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnection
from cryptography.hazmat.primitives.asymmetric import ec

from waiting_room.domain.errors import NotReady, Overloaded
from waiting_room.ports import Clock
from waiting_room.tokens import ALGORITHM

CACHE_SEC = 300
"""How long keys are kept. A new key is published as `next` for longer than that before it becomes `active`."""
RETRY_SEC = 10
"""How long old keys go on being used before another try, while the parameter store cannot be reached."""
COORDINATE_BYTES = 32

DESCRIPTION = "Private keys that sign Foyer's tokens. Made by the operator function."
MOST_KEYS = 6
"""So many fit into a standard parameter (4,096 characters)."""

State = Literal["active", "next", "retired"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SigningKey:
    """One key pair. `active` signs; all of them verify, a `retired` one until it is taken away.

    `changed_at_ms` is when it came to its state.
    """

    kid: str
    state: State
    created_at_ms: int
    private_jwk: Mapping[str, str]
    public_jwk: Mapping[str, str]
    changed_at_ms: int = 0

    def __repr__(self) -> str:
        return f"SigningKey(kid={self.kid!r}, state={self.state!r})"


class SigningKeys:
    """Reads the keys, and makes the first two. A read is kept for CACHE_SEC."""

    def __init__(self, ssm: Any, parameter: str, clock: Clock) -> None:
        self._ssm = ssm
        self._parameter = parameter
        self._clock = clock
        self._keys: tuple[SigningKey, ...] = ()
        self._read_at_ms = 0

    def load(self) -> tuple[SigningKey, ...]:
        """The keys, at most CACHE_SEC old, older only while the parameter store cannot be reached.

        Raises NotReady before the operator made them, Overloaded when they cannot be read for the first time.
        """
        now_ms = self._clock.now_ms()
        if self._keys and 0 <= now_ms - self._read_at_ms < CACHE_SEC * 1000:
            return self._keys
        try:
            keys = self._read()
        except Overloaded:
            if not self._keys:
                raise
            logger.warning("the signing keys could not be read again", extra={"parameter": self._parameter})
            self._read_at_ms = now_ms - (CACHE_SEC - RETRY_SEC) * 1000
            return self._keys
        if not keys:
            raise NotReady("The operator has not made signing keys yet.")
        self._keys, self._read_at_ms = keys, now_ms
        return keys

    def ensure(self) -> tuple[SigningKey, ...]:
        """The keys as they are now; made if there are none. Of several callers at once, all get the first one's."""
        keys = self._read() or self._create()
        self._keys, self._read_at_ms = keys, self._clock.now_ms()
        return keys

    def replace(self, keys: tuple[SigningKey, ...]) -> None:
        """Store these keys instead. The caller sees to it that nobody else does so at the same time."""
        self._ssm.put_parameter(
            Name=self._parameter, Description=DESCRIPTION, Value=_encode(keys), Type="SecureString", Overwrite=True
        )
        self._keys, self._read_at_ms = keys, self._clock.now_ms()

    def _create(self) -> tuple[SigningKey, ...]:
        now_ms = self._clock.now_ms()
        keys = (new_key("active", now_ms), new_key("next", now_ms))
        try:
            self._ssm.put_parameter(
                Name=self._parameter,
                Description=DESCRIPTION,
                Value=_encode(keys),
                Type="SecureString",
                Overwrite=False,
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterAlreadyExists":
                raise
            return self._read()
        return keys

    def _read(self) -> tuple[SigningKey, ...]:
        try:
            answer = self._ssm.get_parameter(Name=self._parameter, WithDecryption=True)
        except (NoConnection, HTTPClientError) as error:
            raise Overloaded("The signing keys could not be read.") from error
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "ParameterNotFound":
                return ()
            if code in ("ThrottlingException", "InternalServerError"):
                raise Overloaded("The signing keys could not be read.") from error
            raise
        return tuple(SigningKey(**key) for key in json.loads(answer["Parameter"]["Value"])["keys"])


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


def _coordinate(number: int) -> str:
    return _base64url(number.to_bytes(COORDINATE_BYTES, "big"))


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
