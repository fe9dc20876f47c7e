"""The safety catch: which hosts may be asked, and whether a zone may be filled with people who are not there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .script import MOST_MINUTES, MOST_REQUESTS_PER_SEC, MOST_VISITORS

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
BOTH_FLAGS = "--on-a-live-zone and --beside-real-visitors"


class NotSafe(Exception):
    """Raised when a rehearsal would do harm, or might; nothing was sent. The text says what to do instead."""


def address_of(host: str) -> str:
    """The address of a host as named: `tickets.example.com` is https, a port of this machine is http.

    Raises NotSafe for what is no host: a path or a password in it is a mistake.
    """
    known = host if "://" in host else f"{'http' if _is_loopback(host) else 'https'}://{host}"
    address = urlsplit(known.rstrip("/"))
    named = address.scheme in ("http", "https") and address.hostname
    if not named or address.path or address.query or address.fragment or "@" in address.netloc:
        raise NotSafe(f"--host {host}: name a host, like tickets.example.com or http://localhost:8080")
    if address.scheme == "http" and not _is_loopback(address.netloc):
        raise NotSafe(f"--host {host}: cookies of a waiting room are sent over https only; http is for this machine")
    return f"{address.scheme}://{address.netloc}"


def refuse_unnamed_api(api_url: str, named_api_url: str | None, hosts: Sequence[str]) -> None:
    """Raise NotSafe unless the operator's API is on this machine or was named on the command line too."""
    address = urlsplit(api_url)
    if _is_loopback(address.netloc) or api_url.rstrip("/") == (named_api_url or "").rstrip("/"):
        return
    if f"{address.scheme}://{address.netloc}" not in hosts:
        raise NotSafe(
            f"the API {address.netloc} was found in the environment: name it with --api-url, before `rehearse`, or "
            "with another --host"
        )


def refuse_excess(visitors: int, requests_per_sec: float, minutes: int) -> None:
    """Raise NotSafe beyond what one machine can play."""
    if not 1 <= visitors <= MOST_VISITORS:
        raise NotSafe(
            f"{visitors:,} visitors: give 1 to {MOST_VISITORS:,}; more are simulated: make simulate ARGS=rehearsal"
        )
    if not 0 < requests_per_sec <= MOST_REQUESTS_PER_SEC:
        raise NotSafe(
            f"{requests_per_sec:g} requests a second: give up to {MOST_REQUESTS_PER_SEC:,}, which one process sends"
        )
    if not 1 <= minutes <= MOST_MINUTES:
        raise NotSafe(f"{minutes} minutes: give 1 to {MOST_MINUTES}")


def why_live(zone: Mapping[str, Any], joined: int, now_ms: int) -> str | None:
    """What makes a zone live, in words; None for one that nobody's sale hangs on."""
    if zone.get("rehearsal", False):
        return None
    if joined:
        return f"{joined:,} visitors have joined its run"
    if zone["control"] == "auto" and now_ms >= zone.get("starts_at_ms", 0):
        return "it is open"
    if zone["control"] == "pass":
        return "everybody passes it now, and would have to wait"
    return None


def refuse_live(zone: Mapping[str, Any], joined: int, now_ms: int, *, told: Sequence[bool], own_run: bool) -> None:
    """Raise NotSafe for a live zone unless told twice, and for one that is yet to start unless it may be opened."""
    name, live = zone["zone_id"], why_live(zone, joined, now_ms)
    if live is not None and own_run:
        raise NotSafe(f"{name} is live ({live}): --own-run would begin a new run, and everybody would lose their place")
    if live is not None and not all(told):
        raise NotSafe(
            f"{name} is live: {live}. Rehearse in a zone of its own, marked with rehearsal=true; or give both "
            f"{BOTH_FLAGS}, and scripted visitors take places in the real line"
        )
    if live is None and any(told):
        raise NotSafe(f"{name} is not live: leave {BOTH_FLAGS} out, so that nobody gets used to them")
    if live is None and not zone.get("rehearsal", False) and not own_run:
        raise NotSafe(
            f"{name} is not open yet: --own-run opens it for the time of the rehearsal, also for whoever else comes, "
            "and puts everything back; or mark a zone for rehearsals with rehearsal=true"
        )


def _is_loopback(netloc: str) -> bool:
    host = netloc.rpartition("@")[2]
    return host in LOOPBACK or host.rpartition(":")[0] in LOOPBACK
