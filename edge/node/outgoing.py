"""What one camera of a node has to send: cut to the item, the newest few, each until it expires."""

from __future__ import annotations

import math
import uuid
from collections import deque
from dataclasses import replace

import numpy as np

from edge.cameras.assembly import grabber
from edge.cameras.source import Shot
from edge.core.aim import Thinning, Wanted, part, wanted
from edge.core.frames import Sent
from edge.core.nodes import CameraState, Place
from edge.core.window import Window
from edge.node.settings import NodeCamera

WAITING = 3  # frames; a newer one takes the oldest's place
LIFE = uuid.uuid4().hex[:16]  # of this process


class Outgoing:
    """Of one camera."""

    def __init__(self, camera: NodeCamera) -> None:
        """Take its settings.

        Raises:
            CameraFault: what it needs is not installed.
            ReferencesRefused: its view is missing or damaged.
        """
        self.grabber = grabber(camera, (camera.sees_mm or 0.0) / 2)  # a node has no counts: it is asked in mm
        self.window = Window()
        self._name = camera.name
        self._triggered = camera.triggered
        self._lens = camera.lens
        self._thinning = Thinning()
        self._waiting: deque[Sent] = deque(maxlen=WAITING)
        self._sent = self._dropped = self._expired = 0

    @property
    def state(self) -> CameraState:
        """For the box."""
        return CameraState(self.grabber.fault, self._triggered, self._sent, self._dropped, self._expired)

    def begin_anew(self) -> None:
        """Another connection: nothing is under way on it."""
        self.window = Window()

    def take(self, place: Place | None) -> None:
        """What the camera has shown since: kept as far as somebody waits for it; None: there is nobody."""
        self.grabber.counts = place.counts / place.counts_per_mm if place else math.nan
        for shot in self.grabber.shots():
            if place is None:
                self._dropped += 1
            else:
                self._aim(shot, place)

    def next(self, now_ns: int) -> Sent | None:
        """What should be sent now (the box's clock): the newest, for what has waited long will be late.

        None: nothing is worth it, or too much is on its way.
        """
        fresh = [one for one in self._waiting if one.expires_ns >= now_ns]
        self._expired += len(self._waiting) - len(fresh)
        self._waiting = deque(fresh, WAITING)
        return replace(fresh[-1], number=self._sent + 1) if fresh and self.window.open else None

    def gone(self) -> None:
        """That is on its way."""
        self._waiting.pop()
        self._sent += 1
        self.window.sent(self._sent)

    def _aim(self, shot: Shot, place: Place) -> None:
        exposed_ns = shot.exposed_ns - place.offset_ns
        stretch = wanted(place, self._name, self._lens, exposed_ns)
        apart_mm = place.cameras[self._name].apart_mm if stretch else 0.0
        if stretch and self._thinning.keeps(stretch, apart_mm * place.counts_per_mm, exposed_ns):
            self._keep(shot, stretch)

    def _keep(self, shot: Shot, stretch: Wanted) -> None:
        self._dropped += len(self._waiting) == WAITING
        rows, columns = part(shot.image.shape, self._lens, stretch)
        sent = Sent(
            camera=self._name,
            life=LIFE,
            number=0,  # until it goes
            exposure=shot.number,
            exposed_ns=shot.exposed_ns,
            expires_ns=stretch.expires_ns,
            image=np.ascontiguousarray(shot.image[rows, columns]),
            at_px=(rows.start, columns.start),
            whole_px=(shot.image.shape[0], shot.image.shape[1]),
            fault=shot.fault,
            encoder=shot.encoder,
        )
        self._waiting.append(sent)
