"""Plots as inline SVG. Colours are classes of the page, so that light and dark are the page's affair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 34
TICKS = 4

Point = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line or bars of one plot; `kind` is line, step or bar. Colours follow the order of the series."""

    name: str
    points: Sequence[Point]
    kind: str = "line"


def plot(title: str, summary: str, series: Sequence[Series], show_x: Callable[[float], str], unit: str) -> str:
    """One plot with axes and legend; `summary` says in words what it shows, for those who do not see it."""
    drawn = [each for each in series if each.points]
    if not drawn:
        return f'<p class="none">Nothing was recorded for this plot: {escape(summary)}</p>'
    xs = [x for each in drawn for x, _ in each.points]
    low, high = min(xs), max(xs)
    high = high if high > low else low + 1
    step = nice(max(y for each in drawn for _, y in each.points))
    top = step * TICKS

    def across(x: float) -> float:
        return round(LEFT + (x - low) / (high - low) * (WIDTH - LEFT - RIGHT), 1)

    def up(y: float) -> float:
        return round(HEIGHT - BOTTOM - y / top * (HEIGHT - TOP - BOTTOM), 1)

    identity = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{identity}-t {identity}-d">',
        f'<title id="{identity}-t">{escape(title)}</title><desc id="{identity}-d">{escape(summary)}</desc>',
    ]
    for number in range(TICKS + 1):
        y = up(number * step)
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4}" text-anchor="end">{number * step:g}</text>')
    for number, anchor in ((0, "start"), (1, "middle"), (2, "end")):
        x = low + (high - low) * number / 2
        parts.append(f'<text x="{across(x)}" y="{HEIGHT - 12}" text-anchor="{anchor}">{escape(show_x(x))}</text>')
    for number, each in enumerate(drawn):
        parts.append(_drawn(each, f"s{number}", across, up, bars=sum(one.kind == "bar" for one in drawn)))
    parts.append("</svg>")
    legend = "".join(
        f'<li><span class="key s{number}" aria-hidden="true"></span>{escape(each.name)}</li>'
        for number, each in enumerate(drawn)
    )
    return f'{"".join(parts)}<ul class="legend">{legend}<li class="unit">{escape(unit)}</li></ul>'


def _drawn(
    series: Series, colour: str, across: Callable[[float], float], up: Callable[[float], float], bars: int
) -> str:
    points = sorted(series.points)
    if series.kind == "bar":
        space = (WIDTH - LEFT - RIGHT) / max(1, len(points))
        width = round(max(1.0, min(24.0, space * 0.7 / max(1, bars))), 1)
        floor = up(0)
        return "".join(
            f'<rect class="{colour} fill" x="{round(min(across(x), WIDTH - RIGHT - width), 1)}" y="{up(y)}" '
            f'width="{width}" height="{round(max(0.0, floor - up(y)), 1)}"/>'
            for x, y in points
        )
    path = f"M{across(points[0][0])} {up(points[0][1])}"
    for x, y in points[1:]:
        path += f"H{across(x)}V{up(y)}" if series.kind == "step" else f"L{across(x)} {up(y)}"
    if len(points) == 1:
        return f'<circle class="{colour} fill" cx="{across(points[0][0])}" cy="{up(points[0][1])}" r="3"/>'
    return f'<path class="{colour} stroke{" dashed" if series.kind == "step" else ""}" d="{path}"/>'


def nice(highest: float) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten, so that TICKS of them are at least `highest`."""
    if highest <= 0:
        return 1.0
    step = highest / TICKS
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))
