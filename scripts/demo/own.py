"""A site of your own behind the demo's edge: where it listens, its zones, and what its servers have to know."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scripts.demo_site.keys import Keys
from scripts.operator_api.errors import BadInput
from scripts.operator_cli.zone_files import read_zone_file

Json = dict[str, Any]

ASK_EVERY_SEC = 1.0
HERE = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True)
class OwnSite:
    """The site at `origin` and the zones that guard it on this machine; `notes` are what the developer should know."""

    origin: str
    zones: list[Json]
    notes: tuple[str, ...] = ()


def read_own_site(origin: str, zones: str, port: int) -> OwnSite | None:
    """The site that ORIGIN and ZONES tell of, None without either; the edge in front listens on `port`.

    Raises BadInput, for a file of zones with every mistake.
    """
    if not origin and not zones:
        return None
    if not origin or not zones:
        raise BadInput(
            "ORIGIN and ZONES go together: ORIGIN is where your site listens, ZONES the file of the zones that guard "
            "it. scripts/origin/python/README.md has one to begin with."
        )
    _check_origin(origin, port)
    documents = read_zone_file(Path(zones).expanduser())
    notes = tuple(note for document in documents for note in _adapted(document))
    return OwnSite(origin.rstrip("/"), documents, notes)


def _check_origin(origin: str, port: int) -> None:
    try:
        parts = urlsplit(origin)
        host, taken = parts.hostname, parts.port
    except ValueError:
        host = taken = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment:
        raise BadInput(f"ORIGIN is the address your site listens on, like http://localhost:3000, not {origin}")
    if host in HERE and taken == port:
        raise BadInput(
            f"ORIGIN is where the edge itself listens: give your site another port, or the edge: PORT={port + 1}"
        )


def _adapted(document: Json) -> Iterator[str]:
    """Make a zone fit this machine, in place; say what was changed and what is missing."""
    zone_id = document["zone_id"]
    if any(rule.pop("hosts", None) for rule in document["rules"]):
        yield f"{zone_id}: guards every host here, for localhost is none of those its rules name"
    if not document.get("forward_token"):
        yield f"{zone_id}: forward_token is off, and the package foyer-origin lets in nobody without the token"


def first_page(zone: Mapping[str, Any]) -> str:
    """A page the zone guards: its landing path, else what its first rule begins with."""
    return str(zone.get("landing_path") or zone["rules"][0]["paths"][0].partition("*")[0] or "/")


def needed(own: OwnSite, site_url: str, issuer: str, keys: Keys) -> str:
    """What the site's servers read (foyer-origin), as lines for a shell, and what was noticed in the zones."""
    shared = {"FOYER_SITE_URL": site_url, "FOYER_ISSUER": issuer, "FOYER_ORIGIN_SECRET": keys.origin_secret}
    lines = [f"  export {name}={value}" for name, value in shared.items()]
    for zone in own.zones:
        name = zone["zone_id"]
        lines += [f"  export FOYER_ZONE_ID={name}", f"  export FOYER_SITE_KEY={keys.site_keys[name]}"]
    notes = [f"Note: {note}." for note in own.notes]
    return "\n".join(["What your site's servers need; the same at the next start:", "", *lines, "", *notes])


async def until_there(origin: str, say: Callable[[str], None]) -> None:
    """Wait until somebody listens where the site should; say so while nobody does."""
    parts = urlsplit(origin)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    told = False
    while True:
        try:
            _, writer = await asyncio.wait_for(asyncio.open_connection(parts.hostname, port), 5)
        except OSError:
            if not told:
                say(f"Nothing answers at {origin} yet: start your site, with the variables above. Waiting for it.")
            told = True
            await asyncio.sleep(ASK_EVERY_SEC)
        else:
            writer.close()
            return
