"""Kinds of sets that accuracy is measured on, one module each: `fits(folder)` and `measure(folder, options, show)`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from edge.inspection.assembly import Sessions

Step = TypeVar("Step")
Figures = dict[str, Any]
"""What was measured, by name: numbers, or tables of them; ready for JSON."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a measurement is made with."""

    sessions: Sessions  # the models, each loaded once for all sets
    seeds: int  # random splits and draws: 0, 1, … seeds - 1
    pictures: Path | None = None  # folder for what is worth looking at; None: nothing is drawn


class Show:
    """Tells a person how far a measurement is."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def track(self, what: str, steps: Sequence[Step]) -> Iterator[Step]:
        """The steps one by one, with a bar that goes away at the end."""
        yield from track(steps, what, console=self._console, transient=True)


class Kind(Protocol):
    """A module of this package."""

    def fits(self, folder: Path) -> bool:
        """Whether the folder is laid out as this kind of set."""
        ...

    def measure(self, folder: Path, options: Options, show: Show) -> Figures:
        """All figures of the set; what is tested was not fitted on."""
        ...


def over_seeds(values: Sequence[float]) -> Figures:
    """Mean over the seeds and its 95 % interval (normal approximation: 1.96 standard errors)."""
    mean = float(np.mean(values))
    half = 1.96 * float(np.std(values, ddof=1)) / len(values) ** 0.5 if len(values) > 1 else float("nan")
    return {"mean": round(mean, 4), "low": round(mean - half, 4), "high": round(mean + half, 4), "seeds": len(values)}
