"""Moments written in a place's own time: `2027-03-28T20:00` with the time zone `Europe/Oslo`."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from waiting_room.domain.errors import InvalidInput


def time_zone(name: object, pointer: str) -> ZoneInfo:
    """The time zone of an IANA name; raises InvalidInput."""
    if not isinstance(name, str) or name in ("", "localtime"):
        raise InvalidInput("write the name of a time zone like Europe/Oslo", pointer)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(f"there is no time zone {name!r}: write a name like Europe/Oslo", pointer) from None


def moment_ms(text: object, zone: ZoneInfo | None, pointer: str) -> int:
    """Epoch milliseconds of an ISO 8601 moment; one without an offset is in `zone`.

    Raises InvalidInput for a local time that a change of clocks skips, or that it makes happen twice.
    """
    if not isinstance(text, str):
        raise InvalidInput("write an ISO 8601 moment like 2027-03-01T18:00:00+01:00", pointer)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is not a moment: write ISO 8601 like 2027-03-01T18:00:00+01:00", pointer
        ) from None
    if moment.tzinfo is None:
        if zone is None:
            raise InvalidInput(
                f"{text!r} has no time zone: end it with Z for UTC or with an offset like +01:00, or set time_zone",
                pointer,
            )
        moment = _in(zone, moment, pointer)
    return round(moment.timestamp() * 1000)


def _in(zone: ZoneInfo, moment: datetime, pointer: str) -> datetime:
    first, second = (moment.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first
    if first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != moment:
        raise InvalidInput(
            f"{moment.isoformat()} does not exist in {zone.key}: the clocks go forward over it. Choose another time",
            pointer,
        )
    offsets = " or ".join(each.isoformat()[-6:] for each in (first, second))
    raise InvalidInput(
        f"{moment.isoformat()} happens twice in {zone.key}: the clocks go back. Say which by an offset, {offsets}",
        pointer,
    )
