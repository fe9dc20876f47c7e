"""The door as browsers meet it: one request through the public address of the site (PROTOCOL, The door)."""

from __future__ import annotations

import http.client
import json
import logging
import ssl
from collections.abc import Callable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from waiting_room.domain.errors import Overloaded
from waiting_room.domain.locations import SITE_KEY, door_url
from waiting_room.ports import ObjectStore

TIMEOUT_SEC = 3.0
"""To connect and to answer, each: more than a cold token service takes, and for a crowd as good as shut."""
LONGEST_ANSWER = 4_096
AGENT = "Foyer door probe"

logger = logging.getLogger(__name__)


class PublicDoor:
    """Looks at the door from outside. Each look is a connection of its own, so that names and TLS are looked at too."""

    def __init__(
        self, objects: ObjectStore, connect: Callable[[SplitResult], http.client.HTTPConnection] | None = None
    ) -> None:
        self._objects = objects
        self._connect = connect or _connection
        self._site: SplitResult | None = None

    def gets_through(self, zone_id: str) -> bool | None:
        """Whether a request that needs all that a claim needs is served; None while the address is not known."""
        try:
            site = self._site or self._address()
        except (ClientError, BotoCoreError, Overloaded, ValueError, KeyError) as error:
            logger.warning("the site's address could not be read", extra={"zone_id": zone_id, "why": _why(error)})
            return None
        if site is None:
            return None
        connection = self._connect(site)
        try:
            connection.request("POST", door_url(zone_id), body=b"", headers={"user-agent": AGENT})
            answer = connection.getresponse()
            answer.read(LONGEST_ANSWER)
            if answer.status == http.client.NO_CONTENT:
                return True
            logger.warning("the door was found shut", extra={"zone_id": zone_id, "why": f"status {answer.status}"})
        except (OSError, http.client.HTTPException) as error:
            logger.warning("the door was found shut", extra={"zone_id": zone_id, "why": _why(error)})
        finally:
            connection.close()
        return False

    def _address(self) -> SplitResult | None:
        stored = self._objects.get(SITE_KEY)
        if stored is None:
            return None
        url: Any = json.loads(stored.body)["site_url"]
        self._site = urlsplit(url) if url else None
        return self._site


def _connection(site: SplitResult) -> http.client.HTTPConnection:
    """A local stack is served without TLS; Terraform writes none but https addresses."""
    if site.scheme == "http":
        return http.client.HTTPConnection(site.netloc, timeout=TIMEOUT_SEC)
    return http.client.HTTPSConnection(site.netloc, timeout=TIMEOUT_SEC, context=ssl.create_default_context())


def _why(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
