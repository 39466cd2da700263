"""All products by one coarse direction each: finds which are worth a closer look, among a million, in one pass.

Two files that only grow, read through memory maps: `directory.vectors` (float16) and `directory.gtins`. They hold
nothing that the portraits do not: where they are missing or of another model, they are made anew from these.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge.inspection.session import Tensor

GTIN_BYTES = 14
SLICE = 65_536  # products that are compared at once: 40 MB in float32
MODEL_BYTES = 64  # of a SHA-256 in hexadecimal: what the vectors mean nothing without

Gtins = npt.NDArray[np.bytes_]


class Directory:
    """The products of one folder; one process writes, others may read."""

    def __init__(self, folder: Path, model_sha256: str, channels: int) -> None:
        self._vectors = folder / "directory.vectors"
        self._gtins = folder / "directory.gtins"
        self._model = model_sha256.encode().ljust(MODEL_BYTES)
        self._channels = channels

    @property
    def exists(self) -> bool:
        """Whether there is one, made by this model."""
        try:
            with self._gtins.open("rb") as file:
                return file.read(MODEL_BYTES) == self._model and self._vectors.is_file()
        except FileNotFoundError:
            return False

    def begin(self, products: Iterable[tuple[str, Tensor]]) -> None:
        """Make it anew."""
        self._vectors.parent.mkdir(parents=True, exist_ok=True)
        self._vectors.write_bytes(b"")
        self._gtins.write_bytes(self._model)
        with self._vectors.open("ab") as vectors, self._gtins.open("ab") as gtins:
            for gtin, vector in products:
                vectors.write(vector.astype(np.float16).tobytes())
                gtins.write(gtin.encode().ljust(GTIN_BYTES))

    def enter(self, gtin: str, vector: Tensor) -> None:
        """Add a product, or put it in its old place: the name is written last, so that half an entry does not count."""
        names = self._names()
        places = np.flatnonzero(names == gtin.encode().ljust(GTIN_BYTES))
        place = int(places[0]) if len(places) else len(names)
        written = vector.astype(np.float16).tobytes()
        _put(self._vectors, place * len(written), written)
        _put(self._gtins, MODEL_BYTES + place * GTIN_BYTES, gtin.encode().ljust(GTIN_BYTES))

    def nearest(self, vector: Tensor, count: int) -> list[str]:
        """The products whose directions are most like this one, the most alike first."""
        names = self._names()
        if not len(names):
            return []
        known = np.memmap(self._vectors, np.float16, "r", shape=(len(names), self._channels))
        slices = (known[start : start + SLICE] for start in range(0, len(names), SLICE))
        cosines = np.concatenate([some.astype(np.float32) @ vector for some in slices])
        best = np.argpartition(-cosines, min(count, len(cosines) - 1))[:count]
        return [names[one].decode().rstrip() for one in best[np.argsort(-cosines[best])]]

    def _names(self) -> Gtins:
        """Those whose vectors are there too."""
        size = (self._gtins.stat().st_size - MODEL_BYTES) // GTIN_BYTES
        size = min(size, self._vectors.stat().st_size // (2 * self._channels))
        if not size:
            return np.empty(0, f"S{GTIN_BYTES}")
        return np.memmap(self._gtins, f"S{GTIN_BYTES}", "r", MODEL_BYTES, (size,))


def direction(marks: Tensor) -> Tensor:
    """The mean of a picture's marks (marks × channels), at length 1."""
    mean = marks.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean), np.float32)


def _put(path: Path, place: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        file.write(content)
