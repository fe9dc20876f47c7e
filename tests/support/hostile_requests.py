"""Requests that are made to wear out the gate: as long, as many-sided and as full as CloudFront lets them through.

CloudFront takes 32,768 bytes of request line and headers, 8,192 of them for the URL (CloudFront guide, "Quotas").
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.support.gate_support import access_token, event

URL, ALL = 8_192, 20_000
PIECES = (
    *("/a;b", "%41", "%2541", "%252541", "/%2e%2e", "%E2%80%AD", "%EF%B7%BA", "%C3%A9", "%u0041", "/(S(a))", "/(", "+"),
    *(
        "/x.php",
        "//",
        "/.",
        "/..",
        "\\",
        "%%36%31",
        "/1a",
        "/0_1",
        "..........",
        "/a.b",
        "&",
        "/_next/data",
        "% ",
        "/a",
    ),
)
ODD = "/a+b;c//d%2fe&f.php/g/../h%252e.%C2%AD"


def hostile_events(guarded: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Events by what is too much in them, for a path that a zone guards."""
    for piece in PIECES:
        for length in (60, 300, 1_000, 2_000, 4_000, URL):
            yield f"path of {length} characters like {piece}", asked((guarded + piece * length)[:length])
            yield f"open path of {length} characters like {piece}", asked(("/" + piece * length)[:length])
    yield "path with many readings", asked(guarded + ODD)
    for sign in ("&", "&wr_bypass=x", "&%77r_bypass=x", "&a%41", "%77", "&=", "+", "&++++"):
        yield f"query of {sign}", asked(guarded, (sign * URL)[:7_000])
    token = access_token(exp=2**31)
    for pair in ("a;", "__Host-wr-x=1;", "__Host-wr-access-midnight-sun=1;", " ;", "__Host-wr-", f"{token};"):
        yield f"cookies like {pair[:40]}", asked(guarded, cookie=[(pair * ALL)[:ALL]])
    forged = [f"__Host-wr-access-midnight-sun={token[:-9]}{number:09}" for number in range(40)]
    yield "many forged tokens", asked(guarded, cookie=["; ".join(forged)])
    yield (
        "forged tokens everywhere",
        asked(
            guarded,
            cookie=[
                "; ".join(forged[:9]),
                "; ".join(f"__Host-wr-bypass-midnight-sun={token[:-9]}{number:09}" for number in range(9)),
            ],
            authorization=[f"Bearer {token[:-8]}{number:08}" for number in range(9)],
        ),
    )
    yield "many cookie headers", asked(guarded, cookie=["a=1"] * 3_000)
    yield "long token", asked(guarded, cookie=["__Host-wr-access-midnight-sun=" + "A" * ALL])
    yield "many bearers", asked(guarded, authorization=["Bearer x"] * 1_000)
    yield "many referers", asked(guarded, method="POST", referer=["https://x/"] * 1_500)
    yield "long Host", asked(guarded, host=["a." * 9_000])
    yield "many Hosts", asked(guarded, host=["a.example"] * 1_500)
    for value in (",", "a,", "host=a;", "host ", "a.example:1,"):
        yield f"forwarded hosts like {value}", asked(guarded, **{"x-forwarded-host": [value * (ALL // len(value))]})
        yield f"forwarded like {value}", asked(guarded, forwarded=[value * (ALL // len(value))])
    yield "many headers", asked(guarded, **{f"x{number}": ["1"] for number in range(4_000)})
    yield "many odd headers", asked(guarded, **{f"x_{number}_{'.' * 90}": ["1"] for number in range(190)})
    yield "many accepts", asked(guarded, accept=["*/*"] * 3_000)


def asked(
    path: str, query: str = "", *, method: str = "GET", cookie: list[str] | None = None, **headers: list[str]
) -> dict[str, Any]:
    """The recorded navigation with another path, query and further headers."""
    recorded: dict[str, Any] = copy.deepcopy(event("navigation"))
    request = recorded["Records"][0]["cf"]["request"]
    request.update(uri=path, querystring=query, method=method)
    others: Mapping[str, list[str]] = {**headers, **({"cookie": cookie} if cookie else {})}
    for name, values in others.items():
        request["headers"][name] = [{"key": name, "value": value} for value in values]
    return recorded
