"""How a protected site is: the state of CloudWatch alarms, or a request of its own with a time-out."""

from __future__ import annotations

import http.client
import logging
import ssl
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from waiting_room.adapters.dynamodb import reading
from waiting_room.domain.errors import Overloaded

NAMES_AT_ONCE = 100
"""As many alarms as DescribeAlarms takes by name."""
TIMEOUT_SEC = 3.0
LONGEST_ANSWER = 4_096
AGENT = "Foyer health probe"

logger = logging.getLogger(__name__)


class Alarms:
    """Alarms of this account and Region by name."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def well(self, names: Sequence[str]) -> dict[str, bool]:
        """By name: True for OK, False for ALARM. What has too little data or does not exist is left out."""
        states: dict[str, str] = {}
        for start in range(0, len(names), NAMES_AT_ONCE):
            batch = list(names[start : start + NAMES_AT_ONCE])
            try:
                answer = reading(
                    self._client.describe_alarms,
                    AlarmNames=batch,
                    AlarmTypes=["MetricAlarm", "CompositeAlarm"],
                    MaxRecords=NAMES_AT_ONCE,
                )
            except Overloaded:
                logger.warning("alarms could not be read", extra={"alarms": len(batch)})
                continue
            states |= _states(answer)
        return {name: state == "OK" for name, state in states.items() if state in ("OK", "ALARM")}


def _states(answer: Mapping[str, Any]) -> dict[str, str]:
    kinds: Iterable[str] = ("MetricAlarms", "CompositeAlarms")
    return {alarm["AlarmName"]: alarm["StateValue"] for kind in kinds for alarm in answer.get(kind, ())}


class HttpsProbe:
    """One GET over HTTPS. Redirects are not followed: they might lead to another host."""

    def __init__(
        self,
        connect: Callable[..., Any] = http.client.HTTPSConnection,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connect = connect
        self._seconds = seconds
        self._context = ssl.create_default_context()

    def well(self, host: str, path: str, slow_ms: int) -> bool:
        """Whether the site answers 2xx within `slow_ms` milliseconds; no answer is none in time."""
        began = self._seconds()
        connection = self._connect(host, timeout=min(TIMEOUT_SEC, slow_ms / 1000), context=self._context)
        try:
            connection.request("GET", path, headers={"user-agent": AGENT, "cache-control": "no-cache"})
            answer = connection.getresponse()
            answer.read(LONGEST_ANSWER)
            in_time = (self._seconds() - began) * 1000 <= slow_ms
            return in_time and 200 <= int(answer.status) < 300
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = f"{type(error).__name__}: {error}"
            logger.warning("a site did not answer its probe", extra={"host": host, "why": why})
            return False
        finally:
            connection.close()
