"""What `wr verify-deploy` looks at in one guarded zone: its page, its line, its cookies, its gate."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Any

import httpx

from waiting_room import schemas
from waiting_room.domain.gate.exit_list import object_key
from waiting_room.domain.locations import PREFIX, enter_url, page_path
from waiting_room.domain.zone.zones import Zone
from waiting_room.http.frame.cookies import cookie_name
from waiting_room.use_cases.bypass import guarded_path

from ..spellings import spellings
from .findings import Finding

Get = Callable[[str, dict[str, str]], httpx.Response]
"""One request to the site by path and headers, redirects not followed."""

PAGE = {"accept": "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate", "sec-fetch-site": "none"}
SCRIPT = {"accept": "application/json", "sec-fetch-dest": "empty", "sec-fetch-mode": "cors"}
PREFETCH = {**PAGE, "sec-purpose": "prefetch"}
COOKIE_FLAGS = {"secure": True, "httponly": True, "samesite": "Lax", "path": "/"}


def findings(get: Get, document: Mapping[str, Any]) -> Iterable[Finding]:
    """Everything about one zone, as the operator's API tells it."""
    # A newer service may tell more about a zone than this version knows.
    zone = Zone.from_document({name: document[name] for name in Zone.__dataclass_fields__ if name in document})
    found = [*cookies(get, zone), page(get, zone), status_document(get, zone), exit_list(get, zone), *gate(get, zone)]
    return [*found, other_spellings(get, zone)]


def other_spellings(get: Get, zone: Zone) -> Finding:
    """No other spelling of a guarded page reaches a page without a token, but for the one of any unknown path."""
    path = guarded_path(zone).partition("?")[0]
    unknown = get(f"/verify-{secrets.token_hex(8)}", PAGE)
    answers = {each: get(each, PAGE) for each in spellings(path)}
    open_ones = [
        each
        for each, answer in answers.items()
        if 200 <= answer.status_code < 300 and (answer.status_code, answer.text) != (unknown.status_code, unknown.text)
    ]
    return Finding.judged(
        "spellings",
        not open_ones,
        f"{len(answers)} of {path}: "
        + (f"the site answers {', '.join(open_ones)}" if open_ones else "none reaches a page"),
        "Open these without a token: where one shows the guarded page, add it to the zone's rules.",
    )


def cookies(get: Get, zone: Zone) -> Iterator[Finding]:
    """`enter` sets the visitor's cookie for this host alone, out of reach of scripts, and is kept by no cache."""
    answer = get(enter_url(zone.zone_id, None), PAGE)
    yield Finding.judged(
        "enter",
        answer.status_code == 303 and answer.headers.get("cache-control") == "no-store",
        f"{answer.status_code}, {answer.headers.get('cache-control', 'no cache-control')}",
        "The behaviour for the token service must not cache, and must pass cookies and query string on.",
    )
    name = cookie_name("visitor", zone.zone_id)
    sent = SimpleCookie(answer.headers.get("set-cookie", ""))
    flags = {flag: sent[name][flag] for flag in COOKIE_FLAGS} if name in sent else {}
    yield Finding.judged(
        "cookies",
        flags == COOKIE_FLAGS,
        f"{name}: {flags or 'not set'}",
        "Is something between browser and API changing it?",
    )


def page(get: Get, zone: Zone) -> Finding:
    """The waiting page is there, as HTML, and kept by the CDN."""
    answer = get(page_path(zone.zone_id), PAGE)
    kept = "max-age=" in answer.headers.get("cache-control", "")
    return Finding.judged(
        "waiting page",
        answer.status_code == 200 and "text/html" in answer.headers.get("content-type", "") and kept,
        f"{answer.status_code}, {answer.headers.get('cache-control', 'no cache-control')}",
        "Look into the publisher's log.",
    )


def status_document(get: Get, zone: Zone) -> Finding:
    """The status document is kept for a second and no longer, and the second of two readers gets it from the CDN."""
    path = f"{PREFIX}/status/{zone.zone_id}.json"
    answers = [get(path, SCRIPT) for _ in range(3)]
    control = answers[0].headers.get("cache-control", "no cache-control")
    hit = any("hit" in answer.headers.get("x-cache", "").lower() for answer in answers[1:])
    listed = next(each for each in schemas.behaviours()["behaviours"] if each["name"] == "status")
    return Finding.judged(
        "status document",
        answers[0].status_code == 200 and control == listed["cache_control"] and hit,
        f"{answers[0].status_code}, {control}, {'kept by the CDN' if hit else 'read from the bucket each time'}",
        "A crowd would read the bucket: check the status behaviour. 403 or 404: an exchanger has yet to run.",
    )


def exit_list(get: Get, zone: Zone) -> Finding:
    """The gate can read who has left; as long as nobody has, there is nothing."""
    status = get(f"/{object_key(zone.zone_id)}", SCRIPT).status_code
    return Finding.judged(
        "exit list",
        status in (200, 404),
        str(status),
        f"The gate answers 503 to sessions: let {PREFIX}/exits/* through to the bucket, past any firewall.",
    )


def gate(get: Get, zone: Zone) -> Iterator[Finding]:
    """Without a token: navigations are led to the line, scripts get 429, prefetches 503; no cache keeps any of it."""
    path = guarded_path(zone)
    wanted = (("a navigation", PAGE, 303), ("a script", SCRIPT, 429), ("a prefetch", PREFETCH, 503))
    for who, headers, expected in wanted:
        answer = get(path, headers)
        control = answer.headers.get("cache-control", "no cache-control")
        yield Finding.judged(
            "gate",
            answer.status_code == expected and control == "no-store" and "set-cookie" not in answer.headers,
            f"{who}: {answer.status_code}, {control}",
            f"Expected {expected} and no-store at {path}: does the site's behaviour have the gatekeeper on it?",
        )
