"""All cameras of a lane: those that nodes send, and those on this box, whose frames get their counts here."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from edge.cameras.grabber import Grabber
from edge.cameras.node import NodeCameras
from edge.cameras.source import Shot
from edge.core.latch import Latch
from edge.core.messages import BeltReading, Frame
from edge.core.ruler import Ruler

APART = "counts the belt otherwise than the PLC does: check its encoder input, and which chunk holds the counts"


class AllCameras:
    """As the loop asks them; nothing here waits."""

    def __init__(
        self,
        nodes: Sequence[NodeCameras],
        grabbers: Sequence[Grabber] = (),
        tolerance_counts: float = math.inf,
    ) -> None:
        """Take both kinds, and how far from its time's place a frame may be that has its own counts."""
        self.nodes = nodes
        self.grabbers = grabbers
        self.unplaced = 0  # frames exposed before the belt's place was known, or too long ago
        self._ruler = Ruler()
        self._latches = {grabber.name: Latch(tolerance_counts) for grabber in grabbers}

    def grab(self, reading: BeltReading) -> Sequence[Frame]:
        """The frames of every camera that have come since the last call, with the belt's counts at their exposure."""
        self._ruler.update(reading)
        for grabber in self.grabbers:
            grabber.counts = reading.counts
        return [*(frame for node in self.nodes for frame in node.grab()), *self._grabbed()]

    def faults(self) -> Mapping[str, str]:
        """Camera → what is wrong with it just now, and what to do."""
        apart = {name: f"camera '{name}' {APART}" for name, latch in self._latches.items() if latch.apart}
        return apart | {grabber.name: fault for grabber in self.grabbers if (fault := grabber.fault)}

    def dropped(self) -> dict[tuple[str, ...], int]:
        """Camera → frames that nobody fetched in time."""
        counts: dict[tuple[str, ...], int] = {(one.name,): one.dropped for one in self.grabbers}
        return counts | {(name,): count for node in self.nodes for name, count in dict(node.dropped).items()}

    def strays(self) -> dict[tuple[str, ...], int]:
        """Camera → frames whose own counts were not believed."""
        return {(name,): latch.strays for name, latch in self._latches.items()}

    def packets(self) -> dict[tuple[str, ...], int]:
        """Camera and what became of packets → how many."""
        return {(one.name, what): count for one in self.grabbers for what, count in one.packets.items()}

    def _grabbed(self) -> Iterator[Frame]:
        for grabber in self.grabbers:
            for shot in grabber.shots():
                counts = self._counts(grabber.name, shot)
                if counts is None:
                    self.unplaced += 1
                else:
                    yield Frame(
                        grabber.name, f"{grabber.name}-{shot.number}", shot.exposed_ns, counts, shot.image, shot.fault
                    )

    def _counts(self, camera: str, shot: Shot) -> float | None:
        """Where the belt was at the exposure; None: its place was not known."""
        reckoned = self._ruler.counts(shot.exposed_ns)
        if shot.encoder is None or reckoned is None:
            return reckoned
        return self._latches[camera].counts(shot.encoder, reckoned)
