"""What the appliance may learn from: what the network saw of unusual items, and of some that passed.

`<folder>/<gtin>/<camera>/{unusual,passed}/<item>.png`, the item's mask as the fourth channel. Bounded: a few of each
product, the newest; and in all, where the oldest give way.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import cv2

from edge import disk
from edge.core.messages import Disposition, Evidence, Look, Verdict
from edge.core.ports import Record

CANDIDATES = "candidates"  # folder in the lane's state
UNUSUAL, PASSED = "unusual", "passed"
KEPT = 24  # of each kind, product and camera
PASSED_EVERY_S = 300.0  # of a product and camera: more often would fill the disk and teach little
REMEMBERED = 50_000  # products and cameras of which the last one is known
EVERY = "*/*/*/*.png"
SWEPT = 0.9  # of the bytes allowed are left by a sweep


class CandidateSink:
    """Keeps them as verdicts fall."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self._bytes = self._counted()  # at most so many: what is replaced or taken away is noticed at the next sweep
        self._last_s: dict[tuple[str, str], float] = {}

    def write(self, records: Sequence[Record]) -> None:
        """Save what is to be kept."""
        for verdict in records:
            if isinstance(verdict, Verdict):
                for one in verdict.evidence:
                    if one.look is not None and (kind := self._kind(one, one.look, verdict.disposition)):
                        self._save(one.look, self._folder / one.look.gtin / one.camera / kind / f"{one.item_id}.png")

    def _kind(self, one: Evidence, look: Look, disposition: Disposition) -> str:
        """Which it is to be kept as; empty: not at all."""
        if one.unusual:
            return UNUSUAL
        return PASSED if disposition is Disposition.PASS and self._is_due((look.gtin, one.camera)) else ""

    def _is_due(self, key: tuple[str, str]) -> bool:
        now_s = time.monotonic()
        if now_s - self._last_s.get(key, -PASSED_EVERY_S) < PASSED_EVERY_S:
            return False
        if len(self._last_s) >= REMEMBERED:
            self._last_s.clear()
        self._last_s[key] = now_s
        return True

    def _save(self, look: Look, path: Path) -> None:
        disk.made(path.parent)
        content = cv2.imencode(".png", look.with_mask())[1].tobytes()
        disk.written(path, content)  # half a picture would stop whoever learns from them
        self._bytes += len(content)
        for old in oldest_first(path.parent)[:-KEPT]:
            old.unlink(missing_ok=True)
        if self._bytes > self._most_bytes:
            self._sweep()

    def _sweep(self) -> None:
        """The oldest of all give way; the bytes are counted anew, for commands take candidates away too."""
        self._bytes = self._counted()
        for path in sorted(self._folder.glob(EVERY), key=_written):
            if self._bytes <= SWEPT * self._most_bytes:
                break
            self._bytes -= path.stat().st_size
            path.unlink(missing_ok=True)

    def _counted(self) -> int:
        return sum(path.stat().st_size for path in self._folder.glob(EVERY))


def oldest_first(folder: Path) -> list[Path]:
    """The candidates in a folder."""
    return sorted(folder.glob("*.png"), key=_written)


def _written(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name
