"""The page of `bench.orders`: what was owed over the run, beneath it what was down, and the figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from bench.orders_reckoned import Sample

WIDTH_PX, CHART_PX, LEFT_PX, LANE_PX = 1100, 260, 60, 22
LANES = {"daemon": "#c8372d", "warehouse": "#1b6ca8", "stopped": "#7aa6cf", "broker": "#2e8b57"}


def page(told: Mapping[str, Any], done: Sequence[tuple[float, str, float]], samples: Sequence[Sample]) -> str:
    """HTML that needs nothing beside it."""
    rows = "".join(f"<tr><td>{escape(name.replace('_', ' '))}<td>{escape(str(value))}" for name, value in told.items())
    style = "body{font:14px sans-serif;margin:2em;color:#223}td{padding:.2em 1em .2em 0;border-top:1px solid #dde}"
    return (
        f"<!doctype html><meta charset=utf-8><title>orders</title><style>{style}</style>"
        f"<h1>Never asked twice, never forgotten</h1>{_chart(done, samples)}<table>{rows}</table>\n"
    )


def _chart(done: Sequence[tuple[float, str, float]], samples: Sequence[Sample]) -> str:
    if not samples:
        return ""
    height_px = CHART_PX + LANE_PX * (len(LANES) + 2)
    shapes = "".join([*_owed(samples), *_lanes(done, samples)])
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH_PX}" height="{height_px}">{shapes}</svg>'


def _x(wall_s: float, samples: Sequence[Sample]) -> float:
    whole_s = max(1.0, samples[-1].wall_s - samples[0].wall_s)
    return LEFT_PX + (wall_s - samples[0].wall_s) / whole_s * (WIDTH_PX - LEFT_PX - 20)


def _owed(samples: Sequence[Sample]) -> Iterator[str]:
    most = max(1, *(one.owed for one in samples))
    way = " ".join(
        f"{_x(one.wall_s, samples):.1f},{CHART_PX - one.owed / most * (CHART_PX - 30):.1f}" for one in samples
    )
    yield f'<polyline points="{way}" fill="none" stroke="#223" stroke-width="1.3"/>'
    yield f'<text x="4" y="34" font-size="12">{most} owed</text><text x="4" y="{CHART_PX}" font-size="12">0</text>'
    for minute in range(int((samples[-1].wall_s - samples[0].wall_s) // 300) + 1):
        x = _x(samples[0].wall_s + 300 * minute, samples)
        yield f'<text x="{x:.1f}" y="{CHART_PX + 16}" font-size="11" fill="#667">{5 * minute} min</text>'


def _lanes(done: Sequence[tuple[float, str, float]], samples: Sequence[Sample]) -> Iterator[str]:
    for row, (name, colour) in enumerate(LANES.items()):
        y = CHART_PX + LANE_PX * (row + 1.2)
        yield f'<text x="4" y="{y + 13:.0f}" font-size="11" fill="{colour}">{name}</text>'
        for began_s, what, down_s in done:
            if what == name:
                x, end = _x(began_s, samples), _x(began_s + down_s, samples)
                yield f'<rect x="{x:.1f}" y="{y:.0f}" width="{max(1.0, end - x):.1f}" height="14" fill="{colour}"/>'
