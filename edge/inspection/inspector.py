"""Inspection beside the loop: idle workers ask the planner what to do next, look, and say what they found."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from edge.core.errors import CameraFault
from edge.core.messages import Evidence, Image, Sighting, Span
from edge.inspection.crop import Crop
from edge.inspection.held import Held
from edge.inspection.planner import Planner
from edge.inspection.waiting import NEVER_NS, Job

AGAIN_S = 0.02  # what waits may be allowed by the mere lapse of time: an item's deadline has passed

log = logging.getLogger(__name__)


class Locate(Protocol):
    """Finds items."""

    def __call__(self, camera: str, image: Image, shown: Span | None = None) -> Crop:
        """The item's crop, of a camera's frame, or of the part of it that was shown."""
        ...


Show = Callable[[Sighting, Crop], None]
"""Told of each item that was looked at, once a frame, on a worker's thread; never raises."""


def to_nobody(sighting: Sighting, crop: Crop) -> None:
    """Nobody keeps what was looked at."""


class ThreadedInspector:
    """Workers share the sessions; ONNX Runtime and OpenCV release the interpreter's lock."""

    def __init__(self, locate: Locate, planner: Planner, show: Show = to_nobody) -> None:
        self._locate = locate
        self._planner = planner
        self._show = show
        self._held = Held()
        self._changed = threading.Condition()  # guards the planner
        self._ending = False
        self._arrived: deque[Sighting] = deque()  # between the loop and whoever has the planner
        self._decided: deque[str] = deque()
        self._found: deque[Evidence] = deque()
        self._workers = [
            threading.Thread(target=self._work, name=f"inspect {number}", daemon=True)
            for number in range(planner.workers)
        ]

    @property
    def counts(self) -> Counter[tuple[str, str]]:
        """Checks by name and by what became of them, until now; see `Planner`."""
        with self._changed:
            return Counter(self._planner.counts)

    def start(self) -> None:
        """Begin to look."""
        for worker in self._workers:
            worker.start()

    def stop(self) -> None:
        """End after what is being looked at now; what waits is dropped."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        for worker in self._workers:
            worker.join()

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Have these looked at; where there is no room some are dropped, and that is said as evidence."""
        self._arrived.extend(sightings)
        self._tell()

    def forget(self, item_ids: Iterable[str]) -> None:
        """No verdict waits for these any longer: look at them only when there is nothing better to do."""
        self._decided.extend(item_ids)
        self._tell()

    def collect(self) -> Sequence[Evidence]:
        """The evidence that has arrived since the last call, and word of what there was no time for."""
        self._tell()
        return [self._found.popleft() for _ in range(len(self._found))]

    def faults(self) -> Mapping[str, str]:
        """Cameras whose pictures cannot be those of the items: camera → why, and what to do."""
        return self._held.faults()

    def _tell(self) -> None:
        """Bring the planner up to date, unless a worker has it just now: the loop never waits, and comes again."""
        due = self._arrived or self._decided or time.monotonic_ns() >= self._planner.next_skip_ns
        if due and self._changed.acquire(blocking=False):
            try:
                self._update()
                self._changed.notify_all()
            finally:
                self._changed.release()

    def _update(self) -> None:
        """What has arrived, what is decided, what is too late; called with the lock held."""
        while self._arrived:
            self._found.extend(self._planner.submit(self._arrived.popleft(), time.monotonic_ns()))
        self._planner.forget(self._decided.popleft() for _ in range(len(self._decided)))
        self._found.extend(self._planner.expire(time.monotonic_ns()))

    def _work(self) -> None:
        while job := self._next():
            self._do(job)

    def _next(self) -> Job | None:
        """Wait for a job; None: it is over."""
        with self._changed:
            while not self._ending:
                self._update()
                if job := self._planner.take(time.monotonic_ns()):
                    return job
                self._changed.wait(AGAIN_S if self._planner.next_skip_ns < NEVER_NS else None)
        return None

    def _do(self, job: Job) -> None:
        """Locate first where nobody has, then ask; what fails is said, and the worker goes on."""
        if fault := job.look.sighting.frame.fault:
            self._fail(job, f"camera {job.look.sighting.frame.camera} shows what it should not: {fault}")
            return
        try:
            known = job.look.crop
            crop = known or self._located(job)
            self._ask(job, crop)
        except CameraFault as error:
            self._fail(job, str(error))
        except Exception as error:  # one picture must not end a worker
            frame = job.look.sighting.frame
            log.exception("%s of frame %s of camera %s", job.question, frame.frame_id, frame.camera)
            self._fail(job, f"failed: {type(error).__name__}")
        else:
            if known is None:
                self._show(job.look.sighting, crop)  # after the first answer: no verdict waits for it

    def _fail(self, job: Job, because: str) -> None:
        with self._changed:
            self._found.extend(self._planner.failed(job, because))
            self._changed.notify_all()

    def _located(self, job: Job) -> Crop:
        """Cut the item out.

        Raises:
            CameraFault: the picture cannot be that of the item.
        """
        frame, started_ns = job.look.sighting.frame, time.monotonic_ns()
        crop = self._locate(frame.camera, frame.image, frame.shown)
        if fault := self._held.check(job.look.sighting):
            raise CameraFault(fault)
        with self._changed:
            self._planner.located(job, crop, time.monotonic_ns() - started_ns)
            self._changed.notify_all()
        return crop

    def _ask(self, job: Job, crop: Crop) -> None:
        started_ns = time.monotonic_ns()
        found = job.question.check.inspect(crop, job.look.sighting)
        ended_ns = time.monotonic_ns()
        self._found.extend(replace(one, started_ns=started_ns, finished_ns=ended_ns) for one in found)
        with self._changed:
            self._planner.done(job, found, ended_ns - started_ns)
            self._changed.notify_all()
