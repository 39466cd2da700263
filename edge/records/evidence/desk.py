"""The desk of the evidence: takes pictures in, has them encoded and kept by a thread of its own, and drops the newest.

Neither the loop nor a worker encodes or writes; a worker cuts the item out, where there is room for it. The thread
runs as any other: one of lower priority would hold the interpreter's lock while it waits for the processor.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2

from edge.core.messages import Evidence, Image, Outline, Shown, Sighting
from edge.core.ports import Record
from edge.records.evidence.index import CROP
from edge.records.evidence.retention import Retention
from edge.records.evidence.store import Picture, Store
from edge.records.writer import POLL_S, Writer

MOST_BYTES = 64_000_000  # of pictures that wait
BATCH = 16  # pictures that are kept in one transaction
STOP_S, HELD_S = 5.0, 10.0  # at the end: what is not begun by then is dropped; nor is the disk waited for longer
HEATED = frozenset({"anomaly", "second_look"})  # checks whose pictures are heat maps
ENDING, MEDIA_TYPE = ".jpg", "image/jpeg"
QUEUE_FULL, UNCUT, NO_ROOM, DISK, AT_THE_END = "queue_full", "uncut", "no_room", "disk", "at_the_end"
WHY = (QUEUE_FULL, UNCUT, NO_ROOM, DISK, AT_THE_END)  # something is dropped

log = logging.getLogger(__name__)


class EvidenceDesk(Writer):
    """Beside it runs the thread that removes."""

    def __init__(self, state: Path, store: Store, retention: Retention, quality: int, least_free: float) -> None:
        """Take the store.

        quality: of the pictures' compression, 1 to 100. least_free: share of the disk below which nothing is kept.
        """
        super().__init__("evidence", self, 0)
        self.lost = Counter(dict.fromkeys(WHY, 0))  # pictures, by why
        self.store, self.retention = store, retention
        self._state = state
        self._quality, self._least_free = quality, least_free
        self._bytes = 0  # that wait
        self._counting = threading.Lock()
        self._ends_s = float("inf")
        self._fails = ""  # with what; empty: it does not

    def start(self) -> None:
        """Begin to keep and to remove."""
        super().start()
        self.retention.start()

    def stop(self) -> None:
        """Keep what is left, as far as there is time, then end; where the disk holds it, it goes with the process."""
        self._ends_s = time.monotonic() + STOP_S
        self.retention.stop()
        self._ending.set()
        self._thread.join(HELD_S)

    def offer(self, record: Record) -> None:
        """Take an answer's picture in; whatever has none is nothing to this desk."""
        if isinstance(record, Evidence) and record.picture is not None:
            what = "heat_map" if record.check in HEATED else "annotated"
            names = record.item_id, what, record.camera, record.check, record.frame_id, record.exposed_ns
            self._take(Shown(*names, record.picture))

    def show(self, sighting: Sighting, cut: Callable[[], tuple[Image, Outline]]) -> None:
        """Take in what all checks of a frame saw of an item; it is cut out only where there is room."""
        if self._bytes >= MOST_BYTES:
            self._lose(QUEUE_FULL, 1)
            return
        frame = sighting.frame
        names = sighting.item.item_id, CROP, frame.camera, "", frame.frame_id, frame.exposed_ns
        try:
            self._take(Shown(*names, *cut()))
        except (cv2.error, MemoryError):  # a worker has better to do than to end for it
            self._lose(UNCUT, 1)

    def write(self, records: Sequence[Record]) -> None:
        """Keep these.

        Raises:
            OSError, sqlite3.Error: none of them is kept.
        """
        self.store.keep([encoded(one, self._quality) for one in records if isinstance(one, Shown)])

    def _take(self, shown: Shown) -> None:
        size = shown.image.nbytes
        with self._counting:
            fits = size and self._bytes + size <= MOST_BYTES
            self._bytes += size if fits else 0
        if fits:
            self._queue.put_nowait(shown)
        else:
            self._lose(QUEUE_FULL, 1)

    def _lose(self, why: str, count: int) -> None:
        with self._counting:
            self.lost[why] += count
            self.dropped += count

    def _batch(self) -> list[Record]:
        batch: list[Record] = []
        with contextlib.suppress(queue.Empty):
            batch.append(self._queue.get(timeout=POLL_S))
            while len(batch) < BATCH:
                batch.append(self._queue.get_nowait())
        with self._counting:
            self._bytes -= sum(one.image.nbytes for one in batch if isinstance(one, Shown))
        return batch

    def _write(self, batch: Sequence[Record]) -> None:
        why, told = self._hindrance()
        if not why:
            try:
                self.write(batch)
            except Exception as error:  # what cannot be kept must not end the thread
                why, told = DISK, str(error)
        if why:
            self._lose(why, len(batch))
        self._tell(told)

    def _hindrance(self) -> tuple[str, str]:
        """Why nothing can be kept now, for the metrics and in words; empty: something can."""
        if time.monotonic() > self._ends_s:
            return AT_THE_END, "the daemon ends"
        try:
            disk = shutil.disk_usage(self._state)
        except OSError as error:
            return DISK, str(error)
        short = disk.free < self._least_free * disk.total
        return (NO_ROOM, f"only {disk.free / disk.total:.1%} of the disk are free") if short else ("", "")

    def _tell(self, fails: str) -> None:
        """Once when it begins, once when it is over: a disk that is full is so for long."""
        if fails and not self._fails:
            log.warning("evidence is dropped: %s; verdicts and the journal go on: make room in %s", fails, self._state)
        if self._fails and not fails:
            log.warning("evidence is kept again; %d pictures were dropped until now", self.dropped)
        self._fails = fails


def encoded(shown: Shown, quality: int) -> Picture:
    """A picture as a file.

    Raises:
        cv2.error: it is none.
    """
    content = cv2.imencode(ENDING, shown.image, (cv2.IMWRITE_JPEG_QUALITY, quality))[1].tobytes()
    height_px, width_px = shown.image.shape[:2]
    names = shown.item_id, shown.what, shown.camera, shown.check, shown.frame_id, shown.exposed_ns
    return Picture(*names, content, MEDIA_TYPE, width_px, height_px, shown.outline)
