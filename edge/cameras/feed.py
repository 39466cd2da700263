"""Cameras on a feed of this machine (the simulator's): frames come with their counts; only the newest are kept."""

from __future__ import annotations

import logging
import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence

import zmq

from edge.cameras.source import KEPT
from edge.core.errors import MalformedMessage
from edge.core.frames import TOPIC, decode_frame
from edge.core.messages import Frame

POLL_MS = 100

log = logging.getLogger(__name__)


class FeedCameras:
    """All cameras of one feed."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], endpoint: str, names: Iterable[str]) -> None:
        self.dropped: Counter[str] = Counter()  # camera → frames that nobody fetched in time
        self.refused = 0  # messages that were no frame, or of an unknown camera
        self._frames: dict[str, deque[Frame]] = {name: deque(maxlen=KEPT) for name in names}
        self._socket = context.socket(zmq.SUB)
        self._socket.setsockopt(zmq.RCVHWM, KEPT * len(self._frames))
        self._socket.setsockopt(zmq.SUBSCRIBE, TOPIC)
        self._socket.connect(endpoint)
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._receive, name=f"camera {endpoint}", daemon=True)

    def start(self) -> None:
        """Begin to grab."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close the socket."""
        self._ending.set()
        self._thread.join()
        self._socket.close(linger=0)

    def grab(self) -> Sequence[Frame]:
        """The frames that have come since the last call."""
        return [frames.popleft() for frames in self._frames.values() for _ in range(len(frames))]

    def _receive(self) -> None:
        while not self._ending.is_set():
            if self._socket.poll(POLL_MS):
                self._keep(self._socket.recv_multipart())

    def _keep(self, parts: Sequence[bytes]) -> None:
        try:
            frame = decode_frame(parts)
            frames = self._frames[frame.camera]
        except (MalformedMessage, KeyError) as error:
            self.refused += 1
            log.warning("frame refused: %s", error)
            return
        self.dropped[frame.camera] += len(frames) == KEPT
        frames.append(frame)
