"""The chart of `bench.lots`, as SVG: items until a bad lot is held, and good lots that are held."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH_PX, HEIGHT_PX = 1040, 430
TOP_PX, BOTTOM_PX = 40, 370
LEFT_PX, MIDDLE_PX, RIGHT_PX = 70, 560, 1010
COLOURS = ("#1b6ca8", "#2e8b57", "#c8372d")
GREY = "#667"
ITEMS, SHARES = (1.0, 10.0, 100.0, 1000.0), (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # what is ruled

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One usual share, one bad share, and what the rules came to; an interval of 95 % beside each mean."""

    usual: float
    bad: float
    items: float  # of a bad lot that are decided until it is held
    items_95: float
    wald: float
    fixed: float  # the same of a rule of fixed count
    fixed_95: float
    fixed_rejects: int


@dataclass(frozen=True, slots=True)
class Good:
    """Lots of just the usual share: the share that is held, with the interval's ends (Wilson, 95 %)."""

    usual: float
    held: tuple[float, float, float]
    held_by_count: tuple[float, float, float]
    held_by_count_longer: tuple[float, float, float]  # of lots that are four times as long as the rule was told
    allowed: float


def chart(rows: Sequence[Row], good: Sequence[Good]) -> str:
    """Both panels."""
    shapes = [*_left(rows), *_right(good)]
    size = f'width="{WIDTH_PX}" height="{HEIGHT_PX}" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}"'
    style = 'font-family="sans-serif" style="background:#fff"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size} {style}>{"".join(shapes)}</svg>\n'


def _left(rows: Sequence[Row]) -> Iterator[str]:
    """Items until the hold over the share of bad ones: the test, Wald's bound, a fixed count."""
    yield _text((LEFT_PX, 18), "items of a bad lot until it is held: test ―, Wald's bound - -, fixed count ···", 13)
    yield from _grid(ITEMS, LEFT_PX, MIDDLE_PX - 60, lambda value: f"{value:g}")
    bads = sorted({row.bad for row in rows})
    for bad in bads:
        yield _text((_x(bad, bads), BOTTOM_PX + 18), f"{bad:.0%}", 11)
    for colour, usual in zip(COLOURS, sorted({row.usual for row in rows}), strict=False):
        of_one = sorted((row for row in rows if row.usual == usual), key=lambda row: row.bad)
        for dashes, value in (("", _items), ("7 5", _wald), ("2 4", _fixed)):
            yield _line([(_x(row.bad, bads), _y(value(row), ITEMS)) for row in of_one], colour, dashes)
        for row in of_one:
            ends = (row.items - row.items_95, row.items + row.items_95)
            yield _line([(_x(row.bad, bads), _y(end, ITEMS)) for end in ends], colour, "", 4)
        last = of_one[-1]
        yield _text((_x(last.bad, bads) + 6, _y(last.fixed, ITEMS) + 4), f"usual {usual:.1%}", 11, colour)


def _right(good: Sequence[Good]) -> Iterator[str]:
    """Shares of good lots that are held, with their intervals, and what is allowed."""
    yield _text((MIDDLE_PX + 40, 18), "good lots that are held (95 %), and what the site allows", 13)
    yield from _grid(SHARES, MIDDLE_PX + 40, RIGHT_PX, lambda value: f"{value:.2%}")
    allowed = _y(good[0].allowed, SHARES)
    yield _line([(MIDDLE_PX + 40, allowed), (RIGHT_PX, allowed)], "#000", "4 3")
    for column, one in enumerate(good):
        x = MIDDLE_PX + 90 + column * 130
        yield _text((x - 10, BOTTOM_PX + 18), f"usual {one.usual:.1%}", 11)
        bars = (("test", one.held), ("count", one.held_by_count), ("count, 4 × as long", one.held_by_count_longer))
        for place, (name, (middle, low, high)) in enumerate(bars):
            at = x + place * 34
            yield _line([(at, _y(low, SHARES)), (at, _y(high, SHARES))], COLOURS[place], "", 3)
            yield f'<circle cx="{at:.1f}" cy="{_y(middle, SHARES):.1f}" r="4" fill="{COLOURS[place]}"/>'
            if column == 0:
                yield _text((MIDDLE_PX + 44, BOTTOM_PX + 34 + 12 * place), f"● {name}", 11, COLOURS[place])


def _items(row: Row) -> float:
    return row.items


def _wald(row: Row) -> float:
    return row.wald


def _fixed(row: Row) -> float:
    return row.fixed


def _x(bad: float, bads: Sequence[float]) -> float:
    return LEFT_PX + 20 + bads.index(bad) * (MIDDLE_PX - LEFT_PX - 150) / max(1, len(bads) - 1)


def _y(value: float, ruled: Sequence[float]) -> float:
    """A logarithmic scale; what is smaller stands at its foot."""
    low, high = math.log(ruled[0]), math.log(ruled[-1])
    share = (math.log(max(value, ruled[0])) - low) / (high - low)
    return BOTTOM_PX - min(share, 1.0) * (BOTTOM_PX - TOP_PX)


def _grid(ruled: Sequence[float], left: float, right: float, told: Callable[[float], str]) -> Iterator[str]:
    for value in ruled:
        y = _y(value, ruled)
        yield _line([(left, y), (right, y)], "#e3e7ec", "")
        yield _text((left - 42, y + 4), told(value), 10)


def _line(points: Sequence[Point], colour: str, dashes: str, width: float = 1.6) -> str:
    way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dash = f' stroke-dasharray="{dashes}"' if dashes else ""
    return f'<polyline points="{way}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}/>'


def _text(at: Point, words: str, size: int, colour: str = GREY) -> str:
    return f'<text x="{at[0]:.1f}" y="{at[1]:.1f}" font-size="{size}" fill="{colour}">{escape(words)}</text>'
