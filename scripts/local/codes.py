"""Passcodes as AWS End User Messaging makes and checks them, for whoever has no account.

Rules: "SendNotifyCodeVerification" and "ValidateNotifyCodeVerification", AWS End User Messaging API Reference
2026-09-21; defaults: "Create a notify code configuration", AWS End User Messaging User Guide. That a newer passcode
takes the place of an older one of the same reference is an assumption.
"""

from __future__ import annotations

import re
import secrets
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

PATH = "/v1/notify-code-verifications/"
_POLICY = {"codeLength": (4, 8, 6), "validityPeriodMinutes": (1, 60, 10), "maxAttempts": (1, 5, 3)}
"""Least, most, and what holds where nothing is said."""
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_REFERENCE = re.compile(r"[A-Za-z0-9_-]{1,256}")
_CODE = re.compile(r"[A-Za-z0-9]{4,8}")

Answered = tuple[int, dict[str, Any], str]
"""Status, answer, and the text of the message that goes out; empty for none."""


@dataclass
class _Sent:
    code: str
    until_sec: float
    tries_left: int


class Codes:
    """Passcodes by number and reference. They are told in messages, and in no answer."""

    def __init__(self, now_sec: Callable[[], float] = time.time) -> None:
        self._now_sec = now_sec
        self._sent: dict[tuple[str, str], _Sent] = {}

    def answer(self, path: str, asked: Mapping[str, Any]) -> Answered:
        """The answer to a request of the SDK."""
        if not _NUMBER.fullmatch(str(asked.get("destinationIdentity", ""))):
            return _invalid("destinationIdentity")
        reference = str(asked.get("referenceId", ""))
        if "referenceId" in asked and not _REFERENCE.fullmatch(reference):
            return _invalid("referenceId")
        key = (asked["destinationIdentity"], reference)
        if path == f"{PATH}send":
            return self._send(key, asked)
        if path == f"{PATH}validate":
            return self._validate(key, asked)
        return 404, {"__type": "ResourceNotFoundException", "message": path}, ""

    def _send(self, key: tuple[str, str], asked: Mapping[str, Any]) -> Answered:
        if asked.get("channel") not in ("TEXT", "VOICE", "WHATSAPP"):
            return _invalid("channel")
        if not asked.get("originationIdentity"):
            return _invalid("originationIdentity")
        # "When you do not specify a configuration, you must supply the template in the request."
        if not asked.get("notifyCodeConfiguration") and not asked.get("overrideChannelParameters"):
            return _invalid("notifyCodeConfiguration")
        told = asked.get("overrideCodeConfigurationParameters", {})
        policy = {name: told.get(name, usual) for name, (_, _, usual) in _POLICY.items()}
        for name, (least, most, _) in _POLICY.items():
            if not least <= policy[name] <= most:
                return _invalid(name)
        code = "".join(secrets.choice("0123456789") for _ in range(policy["codeLength"]))
        until_sec = self._now_sec() + 60 * policy["validityPeriodMinutes"]
        self._sent[key] = _Sent(code, until_sec, policy["maxAttempts"])
        answer = {"verificationId": str(uuid.uuid4()), "messageId": str(uuid.uuid4())}
        return 200, answer, f"{code} is your code."

    def _validate(self, key: tuple[str, str], asked: Mapping[str, Any]) -> Answered:
        if not _CODE.fullmatch(str(asked.get("code", ""))):
            return _invalid("code")
        sent = self._sent.get(key)
        # "INVALID indicates that the passcode did not match, expired, or exceeded its attempt limit."
        if sent is None or self._now_sec() >= sent.until_sec or sent.tries_left < 1:
            return 200, {"status": "INVALID"}, ""
        sent.tries_left -= 1
        if sent.code != asked["code"]:
            return 200, {"status": "INVALID"}, ""
        del self._sent[key]
        return 200, {"status": "VALID"}, ""


def _invalid(field: str) -> Answered:
    return 400, {"__type": "ValidationException", "message": f"{field} does not fit."}, ""
