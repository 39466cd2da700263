"""Two drawings for the report, as SVG: every item's way over time, and the scores of good and bad."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

from edge.demo.score import Story

NS_PER_S = 1_000_000_000
PX_PER_S = 34
HEIGHT_PX = 320
LEFT_PX, TOP_PX, BOTTOM_PX = 90, 20, 24
LABEL_PX = 11
COLOURS = {"passed": "#2e8b57", "diverted": "#c8372d", "no_decision": "#c98a00", "missed": "#8b1fa9"}
OTHER = "#555"
PLOT_PX = 900
ROW_PX = 40


def timeline(stories: Sequence[Story], places_mm: Mapping[str, float]) -> str:
    """Time to the right, place along the belt upwards; `places_mm` are the stations to rule a line at."""
    told = [one for one in stories if one.item and one.end]
    if not told:
        return ""
    start_ns = min(one.item["born_ns"] for one in told)
    span_s = (max(one.end["ended_ns"] for one in told if one.end) - start_ns) / NS_PER_S
    width = LEFT_PX + round(span_s * PX_PER_S) + 20
    scale = _Scale(start_ns, max(places_mm.values()))
    shapes = [*_stations(places_mm, scale, width), *_seconds(span_s)]
    shapes += [shape for one in told for shape in _way(one, places_mm, scale)]
    return _svg(width, HEIGHT_PX, shapes)


class _Scale:
    """Nanoseconds and millimetres to pixels."""

    def __init__(self, start_ns: int, last_mm: float) -> None:
        self._start_ns, self._last_mm = start_ns, last_mm

    def x(self, at_ns: float) -> float:
        return LEFT_PX + (at_ns - self._start_ns) / NS_PER_S * PX_PER_S

    def y(self, place_mm: float) -> float:
        return HEIGHT_PX - BOTTOM_PX - place_mm / self._last_mm * (HEIGHT_PX - TOP_PX - BOTTOM_PX)


def _stations(places_mm: Mapping[str, float], scale: _Scale, width: int) -> Iterator[str]:
    label_y = float(HEIGHT_PX + LABEL_PX)
    for name, place_mm in sorted(places_mm.items(), key=lambda station: station[1]):
        y = scale.y(place_mm)
        label_y = min(y, label_y - LABEL_PX)  # names of close neighbours must not lie on each other
        yield f'<line x1="{LEFT_PX}" x2="{width}" y1="{y:.0f}" y2="{y:.0f}" stroke="#e3e7ec"/>'
        yield f'<text x="4" y="{label_y + 4:.0f}" font-size="10" fill="#667">{escape(name)}</text>'


def _seconds(span_s: float) -> Iterator[str]:
    for second in range(0, int(span_s) + 1, 5):
        x = LEFT_PX + second * PX_PER_S
        yield f'<text x="{x}" y="{HEIGHT_PX - 6}" font-size="10" fill="#667">{second} s</text>'


def _way(story: Story, places_mm: Mapping[str, float], scale: _Scale) -> Iterator[str]:
    """An item's line, its exposures, its verdict and its deadline."""
    end, verdict = story.end or {}, story.verdict
    colour = COLOURS.get(end["end"], OTHER)
    born_ns, ended_ns = story.item["born_ns"], end["ended_ns"]
    last_mm = places_mm["confirm eye" if end["end"] == "diverted" else "exit eye"]

    def at(when_ns: float) -> str:
        place_mm = last_mm * (when_ns - born_ns) / max(1, ended_ns - born_ns)
        return f'cx="{scale.x(when_ns):.1f}" cy="{scale.y(place_mm):.1f}"'

    yield f'<g><title>{escape(_title(story))}</title><line x1="{scale.x(born_ns):.1f}" y1="{scale.y(0):.1f}" '
    yield f'x2="{scale.x(ended_ns):.1f}" y2="{scale.y(last_mm):.1f}" stroke="{colour}" stroke-width="1.6"/>'
    for exposed_ns in sorted({one["exposed_ns"] for one in story.evidence}):
        yield f'<circle {at(exposed_ns)} r="2" fill="#99a"/>'
    if verdict:
        yield f'<circle {at(verdict["decided_ns"])} r="3.5" fill="{colour}"/>'
        yield f'<circle {at(verdict["deadline_ns"])} r="3" fill="none" stroke="{colour}"/>'
    yield "</g>"


def _title(story: Story) -> str:
    reasons = "; ".join(story.verdict["reasons"]) if story.verdict else "no verdict"
    return f"{story.item_id} ({story.truth.get('item', 'unknown')}): {reasons}"


def strip(scores: Mapping[str, Iterable[float]]) -> str:
    """One row a group, one tick an item."""
    rows = {name: list(values) for name, values in scores.items()}
    every = [value for values in rows.values() for value in values]
    if not every:
        return ""
    least, most = min(every), max(every)
    shapes = []
    for row, (name, values) in enumerate(rows.items()):
        y = 12 + row * ROW_PX
        shapes.append(f'<text x="4" y="{y + 16}" font-size="12" fill="#667">{escape(name)} ({len(values)})</text>')
        shapes += [_tick(value, least, most, y) for value in values]
    for share in (0.0, 0.5, 1.0):
        x = LEFT_PX + share * PLOT_PX
        value = least + share * (most - least)
        shapes.append(f'<text x="{x:.0f}" y="{26 + len(rows) * ROW_PX}" font-size="10" fill="#667">{value:.2f}</text>')
    return _svg(LEFT_PX + PLOT_PX + 60, 36 + len(rows) * ROW_PX, shapes)


def _tick(value: float, least: float, most: float, y: float) -> str:
    x = LEFT_PX + (value - least) / max(most - least, 1e-9) * PLOT_PX
    place = f'x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 24}"'
    return f'<line {place} stroke="#1b6ca8" stroke-opacity=".55" stroke-width="2"/>'


def _svg(width: int, height: int, shapes: Iterable[str]) -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">{"".join(shapes)}</svg>'
