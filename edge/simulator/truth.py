"""What really happened on the lane, to compare the box's own account with."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.simulator.events import AtGate, Event, EyeEdge, Gone, Went
from edge.simulator.plan import Plan, PlannedItem
from edge.simulator.plc import Window

NS_PER_BIN = 100_000
BINS_PER_MS = 10


class Lateness:
    """How late the scans began, in bins of 0.1 ms: a run of days takes no more room than one of minutes."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def note(self, late_ns: int) -> None:
        """One scan."""
        self._bins[max(0, late_ns) // NS_PER_BIN] += 1

    def fields(self) -> dict[str, float]:
        """The number of scans, and their lateness: the upper end of the bin."""
        return {
            "scans": self._bins.total(),
            "late_p99_ms": self._quantile_ms(0.99),
            "late_worst_ms": self._quantile_ms(1.0),
        }

    def _quantile_ms(self, share: float) -> float:
        seen, wanted = 0, share * self._bins.total()
        for late in sorted(self._bins):
            seen += self._bins[late]
            if seen >= wanted:
                return (late + 1) / BINS_PER_MS
        return 0.0


@dataclass(slots=True)
class Course:
    """One item's way, as far as it has come."""

    leading_edge_counts: int | None = None  # None: it has not reached the induct photoeye
    gate_counts: int | None = None
    went: Went | None = None
    gone: bool = False


class Truth:
    """Follows each item of the plan."""

    def __init__(self, plan: Plan) -> None:
        self.gone = 0
        self._plan = plan
        self._courses = [Course() for _ in plan.items]

    def note(self, event: Event) -> None:
        """Take down what an event says of its item."""
        course = self._courses[event.index]
        match event:
            case EyeEdge(eye="induct", edge=edge) if edge.dark:
                course.leading_edge_counts = edge.counts
            case AtGate():
                course.gate_counts, course.went = event.counts, event.went
            case Gone():
                course.gone = True
                self.gone += 1

    def fields(self, windows: Sequence[Window]) -> dict[str, Any]:
        """The plan's name and each item's course, with the gate window that was open for it."""
        return {
            "site": self._plan.site,
            "lane": self._plan.lane,
            "seed": self._plan.seed,
            "complete": self.gone == len(self._courses),
            "items": [
                _item_fields(item, course, windows)
                for item, course in zip(self._plan.items, self._courses, strict=True)
            ],
        }


def write_truth(path: Path, fields: Mapping[str, Any]) -> None:
    """Write the truth as JSON."""
    path.write_text(json.dumps(fields, indent=1) + "\n")


def _item_fields(item: PlannedItem, course: Course, windows: Iterable[Window]) -> dict[str, Any]:
    window = next((one for one in windows if _holds(one, course.gate_counts)), None)
    return {
        "item": item.wms_item,
        "gtin": item.gtin,
        "order_line": item.order_line,
        "bad": item.bad,
        "why": item.why,
        "leading_edge_counts": course.leading_edge_counts,
        "gate_counts": course.gate_counts,
        "gate_window": [window.open_counts, window.close_counts] if window else None,
        "went": course.went if course.gone else None,
    }


def _holds(window: Window, counts: int | None) -> bool:
    return counts is not None and window.open_counts <= counts < window.close_counts
