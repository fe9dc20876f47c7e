"""Plots as inline SVG. Colours are classes of the page, so that light and dark are the page's affair."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 480, 240
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 12, 34
TICKS = 4
EDGE = 24
"""A text in the middle of a place nearer to the right edge than this would be cut off."""

Spot = tuple[float, float]


@dataclass(frozen=True)
class Series:
    """A line or bars of one plot; `kind` is line, step or bar. Colours follow the order of the series."""

    name: str
    points: Sequence[Spot]
    kind: str = "line"


def plot(
    title: str, summary: str, series: Sequence[Series], show_x: Callable[[float], str], unit: str, whole: float
) -> str:
    """One plot with axes and legend; `summary` says in words what it shows, for those who do not see it.

    `whole` is what a bar stands for along the axis, and the smallest step between the numbers written there.
    """
    drawn = [each for each in series if each.points]
    if not drawn:
        return '<p class="none">Nothing was recorded for this plot.</p>'
    xs = [x for each in drawn for x, _ in each.points]
    low, high = min(xs), max(xs)
    # A bar begins at its minute and stands for all of it.
    high += whole if high == low or any(each.kind == "bar" for each in drawn) else 0
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
    for x in ticks(low, high, whole):
        anchor = "end" if across(x) > WIDTH - RIGHT - EDGE else "middle"
        parts.append(f'<text x="{across(x)}" y="{HEIGHT - 12}" text-anchor="{anchor}">{escape(show_x(x))}</text>')
    for number, each in enumerate(drawn):
        parts.append(_drawn(each, f"s{number}", across, up, whole))
    parts.append("</svg>")
    legend = "".join(
        f'<li><span class="key s{number}" aria-hidden="true"></span>{escape(each.name)}</li>'
        for number, each in enumerate(drawn)
    )
    return f'{"".join(parts)}<ul class="legend">{legend}<li class="unit">{escape(unit)}</li></ul>'


def _drawn(
    series: Series, colour: str, across: Callable[[float], float], up: Callable[[float], float], whole: float
) -> str:
    points = sorted(series.points)
    if series.kind == "bar":
        width = round(max(1.0, (across(points[0][0] + whole) - across(points[0][0])) * 0.9), 1)
        floor = up(0)
        return "".join(
            f'<rect class="{colour} fill" x="{across(x)}" y="{up(y)}" '
            f'width="{width}" height="{round(max(0.0, floor - up(y)), 1)}"/>'
            for x, y in points
        )
    path = f"M{across(points[0][0])} {up(points[0][1])}"
    for x, y in points[1:]:
        path += f"H{across(x)}V{up(y)}" if series.kind == "step" else f"L{across(x)} {up(y)}"
    if series.kind == "step":
        path += f"H{min(across(points[-1][0] + whole), WIDTH - RIGHT)}"
    elif len(points) == 1:
        return f'<circle class="{colour} fill" cx="{across(points[0][0])}" cy="{up(points[0][1])}" r="3"/>'
    return f'<path class="{colour} stroke{" dashed" if series.kind == "step" else ""}" d="{path}"/>'


def ticks(low: float, high: float, whole: float) -> list[float]:
    """At most six places of the axis to be named, whole steps apart: 1, 2, 5, 10, 15, 30, 60 and so on of `whole`."""
    steps = [factor * whole for factor in (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080)]
    step = next((each for each in steps if (high - low) / each <= 5), (high - low) / 5)
    first = math.ceil(low / step - 1e-9) * step
    return [first + number * step for number in range(int((high - first) / step + 1e-9) + 1)]


def nice(highest: float) -> float:
    """A step of 1, 2, 2.5 or 5 times a power of ten, so that TICKS of them are at least `highest`."""
    if highest <= 0:
        return 1.0
    step = highest / TICKS
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step * (1 - 1e-9))
