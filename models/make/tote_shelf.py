"""Lessons of totes, taken as they are drawn."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as of

from models.make.tote_lessons import FRAMES
from models.make.tote_varied import Batch

MOST_SCENES = 5000
BATCH = 64
KEPT_BACK = 80  # two of so many scenes, one of them wild, are only looked at
LOOK_EVERY = 20  # steps: for new scenes


class Lessons:
    """Those drawn so far, on the device; what is kept back shows how well it goes."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.folder, self.names = folder, names
        self.scenes, self.number = set[Path](), 0
        self.arrays: dict[str, torch.Tensor] = {}
        self.asked: list[Batch] = []

    def some(self) -> Iterator[Batch]:
        """BATCH of them, drawn anew each time; without an end."""
        while self.number < BATCH:
            time.sleep(1)
            self.look()
        for step in count(1):
            numbers = torch.randint(0, self.number, (BATCH,), device=self.device)
            yield planes({name: array[numbers] for name, array in self.arrays.items()})
            if step % LOOK_EVERY == 0:
                self.look()

    def look(self) -> None:
        """Take what was drawn since."""
        for path in sorted(set(self.folder.glob("*.npz")) - self.scenes):
            self.scenes.add(path)
            with np.load(path) as some:
                arrays = {name: torch.from_numpy(some[name]) for name in self.names}
            if "seen" in arrays:  # of a bare belt there is nothing to be seen
                shown = arrays["seen"].bool().flatten(1).any(1)
                arrays = {name: array[shown] for name, array in arrays.items()}
            if int(path.stem) % KEPT_BACK < 2:
                self.asked.append(arrays)
            else:
                self._take(arrays)

    def _take(self, some: Batch) -> None:
        for name, array in some.items():
            if name not in self.arrays:
                shape = (MOST_SCENES * (FRAMES + 1), *array.shape[1:])
                self.arrays[name] = torch.empty(shape, dtype=torch.uint8, device=self.device)
            self.arrays[name][self.number : self.number + len(array)] = array.to(self.device)
        self.number += len(array)


def planes(batch: Batch) -> Batch:
    """Float, channels first, 0 … 255; zones as planes, half-size fields enlarged."""
    return {name: _plane(name, some) for name, some in batch.items()}


def _plane(name: str, some: torch.Tensor) -> torch.Tensor:
    if name == "zone":
        some = torch.stack([some == 1, (some >= 2) & (some < 6), some == 6], dim=1)
    elif some.ndim == 4:
        some = some.permute(0, 3, 1, 2)
    else:
        some = some[:, None]
    some = some.float()
    return of.interpolate(some, scale_factor=2.0) if name in ("zone", "usual", "lean") else some
