"""The exit list of a zone: sessions of the run that have ended while their tokens have not (PROTOCOL, Exits).

One object for each zone. The exchanger writes it, every gate reads it; neither asks anybody else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass

from waiting_room.domain.locations import PREFIX

__all__ = ["ID_BYTES", "MOST_EXITS", "BadExitList", "ExitList", "exit_id", "list_exits", "object_key", "read_exit_list"]

ID_BYTES = 6
"""Of a session's hash. With a full list one token in 17 billion would be taken for another's."""
MOST_EXITS = 16_384
"""Sessions on a list: 96 KB, 128 KB as text. Those that find no room keep their slots until their tokens end."""


class BadExitList(ValueError):
    """Raised when the object is torn or of a shape this version does not know."""


@dataclass(frozen=True)
class ExitList:
    """Ended sessions of a run. All of its generations up to `generation` are on it, but for tokens that have ended.

    `listed_at_ms` is when it was made, on the clock of whoever made it. `exits` are the sessions' ids as `exit_id`
    makes them, in order, one behind the other. `listed` are earlier generations, each with how many milliseconds it had
    been on the stored list by then: times that clocks agree on, for an exchanger that takes over.
    """

    zone_id: str
    run: int
    generation: int = 0
    listed_at_ms: int = 0
    exits: bytes = b""
    listed: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.exits) // ID_BYTES

    def has(self, sid: str) -> bool:
        """Whether a session has ended."""
        wanted = exit_id(sid)
        return self._at(bisect_left(range(len(self)), wanted, key=self._at)) == wanted

    def _at(self, index: int) -> bytes:
        return self.exits[index * ID_BYTES : (index + 1) * ID_BYTES]

    def encode(self) -> bytes:
        """The object as it is stored."""
        document = {
            "zone_id": self.zone_id,
            "run": self.run,
            "generation": self.generation,
            "listed_at_ms": self.listed_at_ms,
            "exits": base64.b64encode(self.exits).decode(),
            "listed": self.listed,
        }
        return json.dumps(document, separators=(",", ":")).encode()


def exit_id(sid: str) -> bytes:
    """A session on the list: BLAKE2b of its id, 6 bytes long."""
    return hashlib.blake2b(sid.encode(), digest_size=ID_BYTES).digest()


def list_exits(ids: Iterable[bytes]) -> bytes:
    """Ids as a list has them: sorted, each once."""
    return b"".join(sorted(set(ids)))


def read_exit_list(body: bytes) -> ExitList:
    """Read a stored list. Fields it does not know are left alone. Raises BadExitList."""
    try:
        document = json.loads(body)
        read = ExitList(
            document["zone_id"],
            document["run"],
            document["generation"],
            document["listed_at_ms"],
            base64.b64decode(document["exits"], validate=True),
            tuple((number, for_ms) for number, for_ms in document.get("listed", ())),
        )
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise BadExitList(f"The exit list cannot be read: {error!r}") from None
    if type(read.zone_id) is not str or any(
        type(number) is not int for number in (read.run, read.generation, read.listed_at_ms, *sum(read.listed, ()))
    ):
        raise BadExitList("The exit list has a field of another kind.")
    if len(read.exits) % ID_BYTES or len(read) > MOST_EXITS:
        raise BadExitList(f"The exit list has {len(read.exits)} bytes of ids.")
    return read


def object_key(zone_id: str) -> str:
    """Where a zone's list lies in the site bucket: the URL path without its first slash."""
    return f"{PREFIX}/exits/{zone_id}.json".lstrip("/")
