"""Which languages there are, which one a visitor reads, and its rules for plurals and numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

TEXTS = Path(__file__).parent / "texts"

DEFAULT = "en"
_SCRIPTS = {"cn": "hans", "sg": "hans", "my": "hans", "tw": "hant", "hk": "hant", "mo": "hant"}
"""How Chinese is written where only the region is said (CLDR, likely subtags)."""


@cache
def languages() -> tuple[str, ...]:
    """Every language there is a file for, the default first."""
    found = sorted(path.stem for path in TEXTS.glob("*.json"))
    return (DEFAULT, *(name for name in found if name != DEFAULT))


@cache
def texts(language: str = DEFAULT) -> dict[str, Any]:
    """Every text of a language, in groups; raises FileNotFoundError for a language that is not there."""
    loaded: dict[str, Any] = json.loads((TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return loaded


def negotiate(accept_language: str, chosen: str | None = None) -> str:
    """The language to answer in: the one that was chosen, else the best of Accept-Language (RFC 9110, 12.5.4)."""
    if chosen in languages():
        return str(chosen)
    ranked = []
    for index, part in enumerate(accept_language.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        ranked.append((-_quality(parameters), index, tag))
    for quality, _, tag in sorted(ranked):
        found = matching(tag)
        if found is not None and quality < 0:
            return found
    return DEFAULT


def matching(tag: str) -> str | None:
    """The language that serves a tag such as `pt-BR` or `zh-CN`; None where its readers would not read ours."""
    primary, *subtags = tag.lower().replace("_", "-").split("-")
    if primary == "zh":
        script = next((_SCRIPTS.get(each, each) for each in subtags if each in (*_SCRIPTS, "hans", "hant")), "hans")
        return "zh-Hans" if script == "hans" else None
    return primary if primary in languages() else None


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(1.0, max(0.0, float(value)))
    except ValueError:
        return 0.0


def plural(language: str, count: int) -> str:
    """The plural form of a whole number, as CLDR's cardinal rules name it."""
    return _PLURALS.get(language.partition("-")[0], _one)(count)


def _one(count: int) -> str:
    return "one" if count == 1 else "other"


def _up_to_one(count: int) -> str:
    return "one" if count in (0, 1) else "other"


def _polish(count: int) -> str:
    if count == 1:
        return "one"
    few = count % 10 in (2, 3, 4) and count % 100 not in (12, 13, 14)
    return "few" if few else "many"


def _arabic(count: int) -> str:
    if count in (0, 1, 2):
        return ("zero", "one", "two")[count]
    rest = count % 100
    return "few" if 3 <= rest <= 10 else "many" if rest >= 11 else "other"


_PLURALS: Mapping[str, Callable[[int], str]] = {
    "ar": _arabic,
    "fr": _up_to_one,
    "ja": lambda _: "other",
    "ko": lambda _: "other",
    "pl": _polish,
    "pt": _up_to_one,
    "zh": lambda _: "other",
}
"""Languages whose rule is another than English's. French, Spanish, Italian and Portuguese also have a form for whole
millions; no line is that long, and without such a text the one for `other` is taken."""


def plural_forms(language: str) -> set[str]:
    """Every form that counts from nobody to a long line take."""
    return {plural(language, count) for count in range(2_000)}
