"""What can go wrong between the operator and the service; each is shown as one line that says what to do."""

from __future__ import annotations

__all__ = ["BadInput", "OperatorError", "Refused", "Unreachable"]


class OperatorError(Exception):
    """Base of the errors shown without a traceback; `exit_code` is what `wr` ends with."""

    exit_code = 1


class Refused(OperatorError):
    """Raised when the service answered, and said no."""

    exit_code = 1

    def __init__(self, message: str, problem: str = "", status: int = 0) -> None:
        super().__init__(message)
        self.problem = problem
        self.status = status


class BadInput(OperatorError):
    """Raised when an argument or a file cannot be right; nothing was sent."""

    exit_code = 2


class Unreachable(OperatorError):
    """Raised when no service is configured, or none answers."""

    exit_code = 3
