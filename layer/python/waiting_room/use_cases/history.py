"""History: note what operators do, for them to read and for the archive, and read it again."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from waiting_room.adapters.audit_log import AuditLog
from waiting_room.domain.errors import Overloaded
from waiting_room.domain.record.audit import Entry, differences
from waiting_room.domain.zone.zones import Zone
from waiting_room.ports import Archive, Clock

logger = logging.getLogger(__name__)


class Audit:
    """Notes an action that has been done. A note that fails changes nothing about it: it is in the function's log."""

    def __init__(self, entries: AuditLog, archive: Archive, clock: Clock) -> None:
        self._entries = entries
        self._archive = archive
        self._clock = clock

    def zone(self, action: str, before: Zone | None, after: Zone | None, by: str, reason: str = "") -> None:
        """Note that a zone was made, changed or taken away: from what to what. No difference is no entry."""
        zone, changes = after or before, differences(before, after)
        if zone is not None and changes:
            self._note(Entry(zone.zone_id, self._clock.now_ms(), action, by, zone.run, reason, changes))

    def action(self, zone_id: str, action: str, by: str, details: Mapping[str, Any], reason: str = "") -> None:
        """Note an action that changes no setting: what it was done to."""
        self._note(Entry(zone_id, self._clock.now_ms(), action, by, reason=reason, details=details))

    def _note(self, entry: Entry) -> None:
        try:
            entry = self._entries.add(entry)
        except Overloaded:
            logger.warning("an action is not in the audit log", extra=_named(entry))
        # The archive has it all the same, even where the table could not take it.
        if self._archive.put([entry.row]):
            logger.warning("an action is not in the archive", extra=_named(entry))


class ReadHistory:
    """Reads the audit log."""

    def __init__(self, entries: AuditLog) -> None:
        self._entries = entries

    def __call__(self, zone_id: str, count: int) -> list[Entry]:
        """The newest entries of a zone, oldest first; also of one that was deleted, none of one there never was."""
        return self._entries.latest(zone_id, count)


def _named(entry: Entry) -> dict[str, Any]:
    return {"zone_id": entry.zone_id, "action": entry.action, "by": entry.by, "at_ms": entry.at_ms}
