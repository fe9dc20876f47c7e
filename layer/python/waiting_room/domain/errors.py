"""Every error the product raises on purpose. `http/frame/errors.py` maps `problem` to a status."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Self


class WaitingRoomError(Exception):
    """Base of all expected errors; `problem` is the last part of the problem type URN, `noted` is for the log."""

    problem = "error"
    title = "Something went wrong"
    noted: Mapping[str, str] = {}
    counts_as = ""
    """The limit that was enforced by it, as the report counts refusals; empty for none."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title


class Fault(NamedTuple):
    """One fault of an input: its JSON pointer (RFC 6901) and what to do about it."""

    pointer: str
    detail: str


class InvalidInput(WaitingRoomError):
    """Raised when a request does not fit its schema; `faults` are all there are, `pointer` and `detail` the first's."""

    problem = "invalid-input"
    title = "The request is not valid"

    def __init__(self, detail: str = "", pointer: str = "", *more: Fault) -> None:
        super().__init__(detail)
        self.pointer = pointer
        self.faults = (Fault(pointer, self.detail), *more)

    @classmethod
    def of(cls, faults: Iterable[Fault]) -> Self:
        """The error for one fault or more."""
        first, *more = faults
        return cls(first.detail, first.pointer, *more)


class InvalidZone(InvalidInput):
    """Raised when a zone document contradicts itself or its schema."""

    problem = "invalid-zone"
    title = "The zone is not valid"


class TooLarge(WaitingRoomError):
    """Raised when a body or a document is larger than allowed."""

    problem = "too-large"
    title = "The request is too large"


class UnknownZone(WaitingRoomError):
    """Raised when no zone has this id."""

    problem = "unknown-zone"
    title = "There is no such zone"


class UnknownVisitor(WaitingRoomError):
    """Raised when nobody with this id has joined the current run."""

    problem = "unknown-visitor"
    title = "There is no such visitor"


class UnknownKey(WaitingRoomError):
    """Raised when no signing key has this id."""

    problem = "unknown-key"
    title = "There is no such key"


class UnknownRoute(WaitingRoomError):
    """Raised when no operation has this path."""

    problem = "unknown-route"
    title = "There is nothing here"


class WrongMethod(WaitingRoomError):
    """Raised when the path exists, but not for this method."""

    problem = "wrong-method"
    title = "This path does not take that method"


class BadToken(WaitingRoomError):
    """Raised when a request needs a valid token and has none."""

    problem = "no-token"
    title = "A valid token is needed"


class ProofNeeded(WaitingRoomError):
    """Raised when a newcomer has to prove work before joining; `challenge` is what to solve."""

    problem = "proof-needed"
    title = "Solve the challenge first"

    def __init__(self, challenge: Mapping[str, Any], *, refused: bool = False) -> None:
        """`refused` says that a proof was shown and is not a good one."""
        super().__init__("Find a number whose SHA-256 with the nonce begins with so many zero bits, and join with it.")
        self.challenge = challenge
        self.counts_as = "proof" if refused else ""


class Forbidden(WaitingRoomError):
    """Raised when a caller is known and may not do this, or a visitor was revoked."""

    problem = "forbidden"
    title = "This is not allowed"


class MachineRefused(WaitingRoomError):
    """Raised for a visitor of a class of machines, `kind`, that may not do this."""

    problem = "machine"
    title = "This looks like an automated visit"

    def __init__(self, kind: str, detail: str = "") -> None:
        super().__init__(
            detail or "Machines of this kind do not take part in this line: come with an ordinary browser."
        )
        self.noted, self.counts_as = {"machine": f"{kind}:refuse"}, f"machine:{kind}"


class TooSoon(WaitingRoomError):
    """Raised when a visitor whose place is over asks for another one too soon; `retry_after_sec` is when it is not."""

    problem = "too-soon"
    title = "A new place takes a little longer each time"
    counts_as = "again"

    def __init__(self, retry_after_sec: int) -> None:
        super().__init__(f"You have had a place in this line before: ask again in {retry_after_sec} s.")
        self.retry_after_sec = retry_after_sec


class TooManyPlaces(Forbidden):
    """Raised when a network has as many places as the zone gives to one."""

    counts_as = "network"


class ScriptsNeeded(WaitingRoomError):
    """Raised when a browser without scripts comes to a zone that takes none."""

    problem = "scripts-needed"
    title = "This line needs a browser that runs scripts"
    counts_as = "proof"


class Moved(WaitingRoomError):
    """Raised when a place was moved to another device of its visitor: this one does not have it any more."""

    problem = "moved"
    title = "This place was moved to another device"


class LinkUsed(WaitingRoomError):
    """Raised when a link that moves a place was used, is too old, or never was one."""

    problem = "link-used"
    title = "This link does not work any more"


class LinkExpired(WaitingRoomError):
    """Raised when a link that is good for some time is shown after it."""

    problem = "link-expired"
    title = "This link has expired"


class LinkVoid(WaitingRoomError):
    """Raised when a link is none of this line's: of another zone, run or lane, or not whole."""

    problem = "link-void"
    title = "This link does not belong to this line"


class InvitationUsed(WaitingRoomError):
    """Raised when the place of an invitation was called, is over, or is another account's."""

    problem = "invitation-used"
    title = "This invitation has been used"


class NotSooner(WaitingRoomError):
    """Raised when an invitation leads to nowhere better than where its visitor stands; nothing was taken."""

    problem = "not-sooner"
    title = "The place you have is called sooner"


class Lapsed(WaitingRoomError):
    """Raised when a place or a session ran out and can only be replaced by joining again."""

    problem = "lapsed"
    title = "Your turn has passed"


class RunOver(WaitingRoomError):
    """Raised when a token belongs to a run that has ended."""

    problem = "run-over"
    title = "This event has ended"


class SoldOut(WaitingRoomError):
    """Raised when nothing is left to be sold."""

    problem = "sold-out"
    title = "Everything is sold"


class HardEnd(WaitingRoomError):
    """Raised when a session has reached the longest time it may last."""

    problem = "hard-end"
    title = "Your time in the zone has ended"


class AlreadyCompleted(WaitingRoomError):
    """Raised when a visitor has bought as often as the zone allows."""

    problem = "already-completed"
    title = "You have already completed your purchase"
    counts_as = "purchases"


class ReferenceUsed(WaitingRoomError):
    """Raised when a session was confirmed with another reference."""

    problem = "reference-used"
    title = "This session was used for another purchase"


class StaleVersion(WaitingRoomError):
    """Raised when a zone changed since the caller read it."""

    problem = "stale-version"
    title = "The zone has changed since you read it"


class KeyInUse(WaitingRoomError):
    """Raised when a signing key cannot be changed yet: tokens of it are still about."""

    problem = "key-in-use"
    title = "This key is still in use"


class Overloaded(WaitingRoomError):
    """Raised when a table throttles; nothing was applied. `retry_after_sec` is a hint."""

    problem = "overloaded"
    title = "Too many requests at the moment"

    def __init__(self, detail: str = "", retry_after_sec: int = 2) -> None:
        super().__init__(detail)
        self.retry_after_sec = retry_after_sec


class Throttled(Overloaded):
    """Raised when a store refused a call for lack of capacity: nothing of it was applied, that is certain."""


class Unsure(Overloaded):
    """Raised when a write's answer was lost and reading did not settle it; the caller may ask again."""

    problem = "try-again"
    title = "The answer was lost on the way; please try again"


class NotReady(Overloaded):
    """Raised when the zone has no signing keys or no gate item yet."""

    problem = "not-ready"
    title = "The waiting room is being set up"


class NotOpen(WaitingRoomError):
    """Raised when somebody joins before the line opens: nothing was taken. `retry_after_sec` leads to that moment."""

    problem = "not-open"
    title = "The line is not open yet"

    def __init__(self, opens_at_ms: int, now_ms: int) -> None:
        super().__init__("Join at opens_at_ms; nobody has a place before.")
        self.opens_at_ms = opens_at_ms
        self.retry_after_sec = max(1, -(-(opens_at_ms - now_ms) // 1000))


class NotAhead(Overloaded):
    """Raised when a browser asks on a guess, before anybody is on the way: it asks again when somebody is."""

    problem = "no-prefetch"
    title = "This is not fetched ahead of time"


class AlertRefused(WaitingRoomError):
    """Raised when no alert can be promised: the zone sends none, or no more, or the turn is too near."""

    problem = "alert-refused"
    title = "No message can be sent"


class PhoneNeeded(WaitingRoomError):
    """Raised when somebody is called whose place has no verified phone, in a zone of one place for each."""

    problem = "phone-needed"
    title = "Confirm a phone number first"


class CodeRefused(WaitingRoomError):
    """Raised when no passcode is sent or checked: the zone has none, or as many as it may were sent already."""

    problem = "code-refused"
    title = "No code can be sent"

    def __init__(self, detail: str, limit: str = "") -> None:
        """`limit` names what was used up: `visitor`, `network`, `number` or `run`; empty for another reason."""
        super().__init__(detail)
        self.limit = limit


class PhoneTaken(WaitingRoomError):
    """Raised for a number that another place was verified with; `move_token` moves that one, where it still waits."""

    problem = "phone-taken"
    title = "This number has a place already"

    def __init__(self, move_token: str = "") -> None:
        super().__init__("One number has one place. Continue with that one, or use another number.")
        self.move_token = move_token


class SignInNeeded(WaitingRoomError):
    """Raised when somebody joins without the claim of the site's login that the zone requires."""

    problem = "sign-in"
    title = "Sign in first"
    counts_as = "identity"
