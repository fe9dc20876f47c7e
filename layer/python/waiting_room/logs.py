"""One JSON line per invocation. No token, cookie, phone number or address is ever handed to it."""

from __future__ import annotations

import logging
from typing import Any, Protocol


class Log(Protocol):
    """The part of a logger that is used: a message with fields in `extra`."""

    def info(self, msg: str, *, extra: dict[str, Any]) -> None:
        """Write one line."""
        ...

    def exception(self, msg: str, *, extra: dict[str, Any]) -> None:
        """Write one line with the stack of the current exception."""
        ...


def json_log(component: str) -> Log:
    """The log of a function; what this package's own modules log takes the same form."""
    from aws_lambda_powertools import Logger
    from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

    logger = Logger(service=component, location=None, use_rfc3339=True)
    package = __name__.partition(".")[0]
    logging.getLogger(package)
    copy_config_to_registered_loggers(logger, include={package})
    return logger
