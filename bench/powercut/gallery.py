"""What a lane that writes keeps of its items: JPEG files, by the daemon's own store, and what its retention removes."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from edge.core.messages import Image, Shown, Verdict
from edge.core.ports import Record
from edge.disk import synced
from edge.records.evidence.desk import encoded
from edge.records.evidence.index import CROP
from edge.records.evidence.retention import NS_PER_DAY, NS_PER_S, PASSED, Limits, Retention
from edge.records.evidence.store import KEPT, REMOVED, Store, _durable

SCENES = 24  # different pictures: some items look alike, and share a file
SIDES_PX = (8, 24, 40, 64)  # files of 0.7 to 3.4 KB: two to seven sectors
QUALITY = 80
MOST_PICTURES = 3  # of an item
SHOWN_TWICE = 0.2  # of them: by two cameras, alike
ROUNDS = 0.3  # of the transactions: a round of retention after them
AHEAD_NS = 1800 * NS_PER_S  # so much later it is for retention
LIMITS = Limits({PASSED: 600 * NS_PER_S / NS_PER_DAY}, 20_000, 0.0)
ENTERED_FIRST, REMOVED_FIRST = "picture entered before it is synced", "picture removed before that is entered"


class EnteringFirst(Store):
    """A planted fault: a picture is written and entered, and only then synced."""

    def _write(self, files: Mapping[str, bytes]) -> None:
        for sha256, content in files.items():
            (self._incoming / sha256).write_bytes(content)
        synced(self._incoming)

    def _put(self, sha256: str) -> None:
        _durable(self._incoming / sha256)
        super()._put(sha256)


class RemovingFirst(Store):
    """A planted fault: a file goes, and then the journal is told of it."""

    def _strike(self, rule: str, rows: Sequence[tuple[int, str, str, int]]) -> None:
        for _, _, sha256, _ in rows:
            for path in self._incoming.parent.glob(f"*/{sha256}"):
                path.unlink()
        super()._strike(rule, rows)


STORES: Mapping[str, Callable[[Path], Store]] = {ENTERED_FIRST: EnteringFirst, REMOVED_FIRST: RemovingFirst}


class Gallery:
    """Keeps some pictures of every item that is judged, and has retention at work."""

    def __init__(self, state: Path, planted: str, told: Callable[..., None], chance: random.Random) -> None:
        self._store = STORES.get(planted, Store)(state)
        self._retention = Retention(state, self._store, LIMITS)
        self._told, self._chance = told, chance

    def show(self, records: Iterable[Record]) -> None:
        """Keep pictures of what was judged; now and then remove what is old, or too much."""
        judged = [one.item_id for one in records if isinstance(one, Verdict)]
        if shown := [one for item in judged for one in self._seen(item)]:
            self._store.keep([encoded(one, QUALITY) for one in shown])
            self._told("kept", *((KEPT, item) for item in dict.fromkeys(one.item_id for one in shown)))
        if self._chance.random() < ROUNDS and self._retention.round(time.time_ns() + AHEAD_NS):
            self._told("kept", (REMOVED, None))

    def close(self) -> None:
        """Give the ledger back."""
        self._store.close()

    def _seen(self, item: str) -> Iterable[Shown]:
        for number in range(self._chance.randint(0, MOST_PICTURES)):
            image = scene(self._chance.randrange(SCENES))
            for camera in ("top", "side") if self._chance.random() < SHOWN_TWICE else ("top",):
                yield Shown(item, CROP, camera, "", f"f-{number}", number, image)


def scene(number: int) -> Image:
    """Noise: hardly anything of it can be packed."""
    side = SIDES_PX[number % len(SIDES_PX)]
    return np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
