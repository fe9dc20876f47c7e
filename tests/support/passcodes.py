"""Passcodes in memory: the local stand-in of the service, without HTTP, that can be told to fail."""

from __future__ import annotations

from dataclasses import dataclass, field

from scripts.local.codes import PATH, Codes
from waiting_room.domain.errors import Unsure
from waiting_room.domain.phones import CodeChannel
from waiting_room.ports import Sending


@dataclass
class FakePasscodes:
    """The local stand-in of the service without HTTP; keeps what went out by number."""

    codes: Codes
    sent: list[tuple[str, str, str]] = field(default_factory=list)
    answers: list[Sending] = field(default_factory=list)
    """What becomes of the next sends, instead of SENT."""
    loses: int = 0
    """So many answers of checks are lost after the check."""

    def send(self, channel: CodeChannel, number: str, reference: str) -> Sending:
        what = self.answers.pop(0) if self.answers else Sending.SENT
        if what in (Sending.SENT, Sending.PERHAPS):
            asked = {
                "channel": "TEXT",
                "destinationIdentity": number,
                "originationIdentity": "x",
                "referenceId": reference,
            }
            _, _, message = self.codes.answer(f"{PATH}send", {**asked, "notifyCodeConfiguration": "ncc-1"})
            self.sent.append((channel, number, message.split()[0]))
        return what

    def check(self, number: str, reference: str, code: str) -> bool:
        asked = {"destinationIdentity": number, "referenceId": reference, "code": code}
        _, answer, _ = self.codes.answer(f"{PATH}validate", asked)
        if self.loses:
            self.loses -= 1
            raise Unsure
        return bool(answer["status"] == "VALID")
