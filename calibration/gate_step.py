"""The step `gate`: how long before its window the gate must be told, from the daemon's own fire test."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from calibration.steps import Ask, Found, Shows
from edge.core.errors import CalibrationRefused
from edge.core.gate_lead import CONFIDENCE, COVERS, LEAST_SHOTS, GateLead, gate_lead
from edge.core.messages import FireShot, Image

PAGE_PX = (640, 200)  # of one histogram
LEFT_PX, FOOT_PX = 20, 30
BINS = 40
RARE_MS = 10.0  # of the network's bound beyond what is usual: more shots tell better how rare that is
PAPER, INK, BAR, MARK = 255, (60, 60, 60), (200, 150, 80), (40, 40, 220)


class GateStep:
    """As `Step`, of shots of the gate instead of a camera's."""

    def __init__(self, counts_per_mm: float, margin_mm: float) -> None:
        """Take the belt's scale, and by how much a window is longer than its item at each end."""
        self._counts_per_mm, self._margin_mm = counts_per_mm, margin_mm
        self._shots: tuple[FireShot, ...] = ()

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        return None if self._shots else Ask(Shows.GATE_FIRED, LEAST_SHOTS)

    def take(self, shots: Sequence[FireShot]) -> str:
        """As `Step.take`, of one fire test; it is reckoned at once, so that a bad one is told at once."""
        found = gate_lead(shots, self._counts_per_mm, self._margin_mm)
        self._shots = tuple(shots)
        return f"{found.shots} of {len(shots)} shots of use, {found.trips} answers"

    def found(self) -> Found:
        """As `Step.found`."""
        if not self._shots:
            raise CalibrationRefused("no fire test was taken yet: begin this step anew")
        lead = gate_lead(self._shots, self._counts_per_mm, self._margin_mm)
        values = {name: round(getattr(lead, name), 3) for name in ("lead_ms", "spread_ms", "travel_ms", "network_ms")}
        return Found(_quality(lead), values, self._drawn(lead), _said(lead))

    def _drawn(self, lead: GateLead) -> Image:
        """Three histograms: the gate's way over and back, and the network's trips."""
        over = [self._ms(shot, shot.driven_counts, shot.over_counts) for shot in self._shots]
        back = [self._ms(shot, shot.released_counts, shot.back_counts) for shot in self._shots]
        trips = [trip for shot in self._shots for trip in shot.trips_ms]
        plots = (
            _Plot("gate: driven until on the divert side", over, lead.travel_ms),
            _Plot("gate: driven back until on the pass side", back, None),
            _Plot("network: until the order was taken", trips, lead.network_ms),
        )
        return np.vstack([plot.drawn() for plot in plots])

    def _ms(self, shot: FireShot, first: int | None, last: int | None) -> float:
        """What the belt needed from one count to another; nan where one was not seen."""
        if first is None or last is None:
            return np.nan
        return (last - first) / self._counts_per_mm / shot.told_mm_per_s * 1000


@dataclass(frozen=True, slots=True)
class _Plot:
    """Times (ms) as a histogram, with the bound that is kept."""

    title: str
    times_ms: Sequence[float]
    bound_ms: float | None

    def drawn(self) -> Image:
        """The picture."""
        width, height = PAGE_PX
        page = np.full((height, width, 3), PAPER, np.uint8)
        times = np.array([one for one in self.times_ms if np.isfinite(one)])
        low, high = times.min() - 1, max(times.max(), self.bound_ms or 0) + 1
        bars, edges = np.histogram(times, BINS, (low, high))
        for count, left, right in zip(bars, edges, edges[1:], strict=False):
            top = height - FOOT_PX - round(count / bars.max() * (height - 2 * FOOT_PX))
            corners = (self._x(left, low, high), top), (self._x(right, low, high), height - FOOT_PX)
            cv2.rectangle(page, *corners, BAR, cv2.FILLED)
        if self.bound_ms is not None:
            x = self._x(self.bound_ms, low, high)
            cv2.line(page, (x, FOOT_PX), (x, height - FOOT_PX), MARK, 2)
        bound = "" if self.bound_ms is None else f", bound {self.bound_ms:.1f} ms"
        _write(page, f"{self.title}{bound}", LEFT_PX, FOOT_PX - 10)
        _write(page, f"{low:.1f} ms", LEFT_PX, height - 10)
        _write(page, f"{high:.1f} ms", width - 100, height - 10)
        return page

    def _x(self, time_ms: float, low: float, high: float) -> int:
        return round(LEFT_PX + (PAGE_PX[0] - 2 * LEFT_PX) * (time_ms - low) / (high - low))


def _write(page: Image, words: str, x: int, y: int) -> None:
    cv2.putText(page, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


def _quality(lead: GateLead) -> dict[str, float]:
    names = ("travel_mean_ms", "travel_deviation_ms", "back_mean_ms", "network_usual_ms", "early_ms", "late_ms")
    return {**{name: getattr(lead, name) for name in names}, "shots": lead.shots, "answers": lead.trips}


def _said(lead: GateLead) -> str:
    gate_ms = lead.lead_ms - lead.network_ms
    late = f"; the gate stood there up to {lead.late_ms:.0f} ms after its window had begun" if lead.late_ms else ""
    return (
        f"lead {lead.lead_ms:.1f} ms: {gate_ms:.1f} for the gate, {lead.network_ms:.1f} for the network, "
        f"{lead.spread_ms:.1f} more than is usual; at least {COVERS:.0%} of all orders need no more, with "
        f"{CONFIDENCE:.0%} confidence{late}{_advice(lead)}"
    )


def _advice(lead: GateLead) -> str:
    rare_ms = lead.network_ms - lead.network_usual_ms
    return f"; rare delays make {rare_ms:.0f} ms of it: --times 100 tells closer how rare" if rare_ms > RARE_MS else ""
