"""Notify: tell those who were called, at once. Whoever is missed learns it from the status document, a poll later."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from waiting_room.adapters.user_connections import SOCKET, Listener, UserConnections
from waiting_room.domain.admission.calls import Calls
from waiting_room.domain.errors import Overloaded
from waiting_room.ports import Clock, Connections, Delivery

AT_ONCE = 32
"""Messages under way at a time: one takes some milliseconds, and a thousand called are to hear of it within one."""
TRIES = 3
"""Rounds for those the service was too busy for or who are not there yet; a fourth would come after their next poll."""
PAUSE_SEC = 0.25
HANDSHAKE_MS = 30_000
"""A connection is noted by $connect, and API Gateway calls it gone until that has returned, which may take the 29 s of
an integration ("Use @connections commands in your backend service", Amazon API Gateway Developer Guide, and quotas)."""
MESSAGE = "your_turn"

logger = logging.getLogger(__name__)


class Notify:
    """Sends "your turn" to every open connection of the called; forgets connections that are gone, not new ones."""

    def __init__(
        self, listeners: UserConnections, connections: Connections, clock: Clock, sleep: Callable[[float], None]
    ) -> None:
        self._listeners = listeners
        self._connections = connections
        self._clock = clock
        self._sleep = sleep

    def __call__(self, calls: Calls) -> Counter[Delivery]:
        """Tell everybody called once; the numbers of messages sent, gone and failed.

        Raises Overloaded when the listeners could not be read, or when not one of several messages got through. Doing
        it again is harmless: a page that claims already ignores the message.
        """
        waiting = [each for each in self._listeners.called(calls) if each.channel == SOCKET]
        told: Counter[Delivery] = Counter()
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="push") as threads:
            for attempt in range(TRIES):
                if attempt and waiting:
                    self._sleep(PAUSE_SEC * 2**attempt)
                tell = partial(self._tell, calls, last=attempt == TRIES - 1)
                answers = list(threads.map(tell, waiting))
                told.update(answer for answer in answers if answer is not Delivery.FAILED)
                waiting = [each for each, answer in zip(waiting, answers, strict=True) if answer is Delivery.FAILED]
        if waiting and not told:
            raise Overloaded("No connection could be reached.")
        return told + Counter({Delivery.FAILED: len(waiting)})

    def _tell(self, calls: Calls, listener: Listener, *, last: bool) -> Delivery:
        delivery = self._connections.push(listener.address, your_turn(calls, listener.position))
        if delivery is Delivery.GONE and self._clock.now_ms() - listener.connected_at_ms < HANDSHAKE_MS:
            # Perhaps it is only on its way: asked again, and noted still when that is of no use.
            return Delivery.GONE if last else Delivery.FAILED
        if delivery is Delivery.GONE:
            try:
                self._listeners.remove(listener)
            except Overloaded:
                # It stays until it expires, and leads nowhere.
                logger.warning("a closed connection stays noted", extra={"zone_id": calls.zone_id, "lane": calls.lane})
        return delivery


def your_turn(calls: Calls, position: int) -> bytes:
    """The message, as schemas/websocket.json has it."""
    message = {"type": MESSAGE, "zone_id": calls.zone_id, "run": calls.run, "tick": calls.tick, "position": position}
    return json.dumps(message, separators=(",", ":")).encode()
