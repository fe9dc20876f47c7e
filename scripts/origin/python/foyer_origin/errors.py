"""Every error this package raises on purpose."""

from __future__ import annotations

from collections.abc import Sequence


class FoyerOriginError(Exception):
    """Base of all expected errors."""


class BadSettings(FoyerOriginError, ValueError):
    """Raised when settings are missing or wrong; the text and `faults` have all of them, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("The waiting room cannot be used with these settings:" + "".join(f"\n  {f}" for f in faults))
        self.faults = tuple(faults)


class NotAdmitted(FoyerOriginError):
    """Raised when a request did not come in through the waiting room; the text is for a log, not for the visitor."""


class KeysUnavailable(FoyerOriginError):
    """Raised when the waiting room's public keys were never had, or not for a day: nobody can be told from anybody."""

    retry_after_sec = 10


class BadReference(FoyerOriginError, ValueError):
    """Raised when the reference of a purchase is not 1 to 100 characters long."""
