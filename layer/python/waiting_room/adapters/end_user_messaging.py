"""SMS and voice through AWS End User Messaging, one recipient a call; a number sends 1 to 100 messages a second.

Limits: "SendTextMessage" and "SendVoiceMessage", Amazon Pinpoint SMS Voice V2 API Reference.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from waiting_room.domain.alerts import Channel
from waiting_room.ports import Delivery

TRIES = 3
PAUSE_SEC = 0.5
_VOICES = {
    "ar": "ZEINA",
    "de": "VICKI",
    "es": "LUCIA",
    "fr": "CELINE",
    "it": "CARLA",
    "ja": "MIZUKI",
    "ko": "SEOYEON",
    "nl": "LOTTE",
    "pl": "EWA",
    "pt": "CAMILA",
    "tr": "FILIZ",
    "zh": "ZHIYU",
}
"""Polly's voices by language; the others are read by an English one."""

_BUSY = "ThrottlingException"
"""Nothing was sent. After any other fault of the service it may have been: once is promised."""
_REFUSED = frozenset({"ConflictException", "ValidationException"})
"""Opted out, or no number that can be reached."""


logger = logging.getLogger(__name__)


class EndUserMessaging:
    """Sends from one number, sender id or pool."""

    def __init__(self, client: Any, identity: str, configuration_set: str, sleep: Callable[[float], None]) -> None:
        """`client` must not repeat by itself what may have been sent."""
        self._client = client
        self._common = {"OriginationIdentity": identity, "ConfigurationSetName": configuration_set}
        self._sleep = sleep

    def send(
        self, channel: Channel, number: str, text: str, language: str, *, life_sec: int, max_price_usd: float
    ) -> Delivery:
        """Send once. GONE: the number is refused or has opted out. `life_sec` is how long the message is of any use."""
        price = f"{max_price_usd:.5f}"
        told = {**self._common, "DestinationPhoneNumber": number, "MessageBody": text, "TimeToLive": max(5, life_sec)}
        if channel == "sms":
            return self._sent(self._client.send_text_message, MessageType="TRANSACTIONAL", MaxPrice=price, **told)
        voice = _VOICES.get(language.partition("-")[0], "AMY")
        return self._sent(self._client.send_voice_message, VoiceId=voice, MaxPricePerMinute=price, **told)

    def _sent(self, call: Callable[..., Any], **told: Any) -> Delivery:
        for attempt in range(TRIES):
            if attempt:
                self._sleep(PAUSE_SEC * 2**attempt)
            try:
                call(**told)
            except ClientError as error:
                code = error.response.get("Error", {}).get("Code")
                if code in _REFUSED:
                    return Delivery.GONE
                if code != _BUSY:
                    return _failed(str(code))
            except BotoCoreError as error:
                return _failed(type(error).__name__)
            else:
                return Delivery.SENT
        return _failed(_BUSY)


def _failed(why: str) -> Delivery:
    # The kind alone: the message of an error may repeat the number.
    logger.warning("an alert was not sent", extra={"why": why})
    return Delivery.FAILED
