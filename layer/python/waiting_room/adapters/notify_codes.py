"""Passcodes made, sent and checked by AWS End User Messaging ("Send a passcode", AWS End User Messaging User Guide).

The SDK of a function's runtime may be older than the service, so `models/` has the two operations used here.
Nothing here is logged but the kind of an error: its message may repeat the number, and at level DEBUG botocore writes
whole requests, which no function of ours sets.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
)

from waiting_room.domain.errors import Overloaded, Unsure
from waiting_room.domain.phones import CODE_ATTEMPTS, CODE_LENGTH, CODE_MINUTES, CodeChannel
from waiting_room.ports import Sending

logger = logging.getLogger(__name__)

SERVICE = "endusermessaging"
MODELS = Path(__file__).parent / "models"
_CHANNELS: dict[CodeChannel, str] = {"sms": "TEXT", "voice": "VOICE", "whatsapp": "WHATSAPP"}
_POLICY = {
    "codeType": "NUMERIC",
    "codeLength": CODE_LENGTH,
    "validityPeriodMinutes": CODE_MINUTES,
    "maxAttempts": CODE_ATTEMPTS,
}
_BUSY = "ThrottlingException"
_REFUSED = frozenset({"ConflictException", "ValidationException"})
"""Opted out, or no number that can be reached."""
_STOPPED = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ServiceQuotaExceededException"})
"""Refused for everybody: a right, a configuration or a quota of the account is missing."""
_NOT_SENT = (EndpointConnectionError, ConnectTimeoutError, NoCredentialsError)


def connect(settings: Config, endpoint_url: str | None = None, region: str | None = None) -> Any:
    """A client of the service. `settings` must try once: a send has no idempotency token, and a repeated post may be
    a second message."""
    session = botocore.session.get_session()
    session.get_component("data_loader").search_paths.append(str(MODELS))
    return session.create_client(SERVICE, region_name=region, config=settings, endpoint_url=endpoint_url)


class NotifyCodes:
    """Sends from one number, sender or pool, by one notify code configuration, which has the texts."""

    def __init__(self, connect: Callable[[], Any], identity: str, configuration: str, configuration_set: str) -> None:
        """`connect` makes the client when it is first needed; `configuration_set` may be empty."""
        self._connect = connect
        self._client: Any = None
        self._from = {"originationIdentity": identity, "notifyCodeConfiguration": configuration}
        if configuration_set:
            self._from["configurationSetName"] = configuration_set

    def send(self, channel: CodeChannel, number: str, reference: str) -> Sending:
        """Have a passcode sent, once."""
        told = {**self._from, "overrideCodeConfigurationParameters": _POLICY, "referenceId": reference}
        try:
            self._service.send_notify_code_verification(channel=_CHANNELS[channel], destinationIdentity=number, **told)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code"))
            if code in _REFUSED:
                return Sending.REFUSED
            if code == _BUSY:
                return Sending.BUSY
            _failed("a passcode was not sent", code)
            return Sending.STOPPED if code in _STOPPED else Sending.PERHAPS
        except BotoCoreError as error:
            _failed("a passcode was not sent", type(error).__name__)
            return Sending.BUSY if isinstance(error, _NOT_SENT) else Sending.PERHAPS
        return Sending.SENT

    def check(self, number: str, reference: str, code: str) -> bool:
        """Whether the passcode is the one sent for this reference. A wrong one, an old one and one tried too often are
        the same. Raises Overloaded, and Unsure when the answer was lost: the passcode may be used up."""
        try:
            answer = self._service.validate_notify_code_verification(
                destinationIdentity=number, referenceId=reference, code=code
            )
        except ClientError as error:
            kind = str(error.response.get("Error", {}).get("Code"))
            if kind == "ValidationException":
                return False
            _failed("a passcode was not checked", kind)
            raise (Overloaded if kind == _BUSY or kind in _STOPPED else Unsure) from None
        except BotoCoreError as error:
            _failed("a passcode was not checked", type(error).__name__)
            raise (Overloaded if isinstance(error, _NOT_SENT) else Unsure) from None
        return bool(answer["status"] == "VALID")

    @property
    def _service(self) -> Any:
        if self._client is None:
            self._client = self._connect()
        return self._client


def _failed(what: str, why: str) -> None:
    logger.warning(what, extra={"why": why})
