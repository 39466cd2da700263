"""All cameras of a lane: on this box and at nodes, whose frames get their counts here, and those of a feed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from edge.cameras.feed import FeedCameras
from edge.cameras.grabber import Grabber
from edge.cameras.node import NodeCameras
from edge.cameras.source import Shot
from edge.core.belt import Geometry
from edge.core.latch import Latch
from edge.core.messages import BeltReading, Frame, Item
from edge.core.ruler import Ruler

APART = "counts the belt otherwise than the PLC does: check its encoder input, and which chunk holds the counts"
NO_ITEMS: Mapping[str, Item] = {}


class AllCameras:
    """As the loop asks them; nothing here waits."""

    def __init__(
        self,
        feeds: Sequence[FeedCameras],
        grabbers: Sequence[Grabber] = (),
        nodes: Sequence[NodeCameras] = (),
        tolerance_counts: float = math.inf,
    ) -> None:
        """Take all kinds, and how far from its time's place a frame may be that has its own counts."""
        self.feeds = feeds
        self.grabbers = grabbers
        self.nodes = nodes
        self.unplaced = 0  # frames exposed before the belt's place was known, or too long ago
        self._ruler = Ruler()
        names = (*(one.name for one in grabbers), *(name for node in nodes for name in node.cameras))
        self._latches = {name: Latch(tolerance_counts) for name in names}

    @property
    def parts(self) -> tuple[FeedCameras | Grabber | NodeCameras, ...]:
        """What has a thread of its own."""
        return (*self.feeds, *self.grabbers, *self.nodes)

    @property
    def refused(self) -> int:
        """Messages of feeds and nodes that were none."""
        return sum(feed.refused for feed in self.feeds) + sum(node.refused for node in self.nodes)

    def grab(self, reading: BeltReading, items: Mapping[str, Item] = NO_ITEMS) -> Sequence[Frame]:
        """The frames of every camera that have come since the last call, with the belt's counts at their exposure."""
        self._ruler.update(reading)
        for grabber in self.grabbers:
            grabber.counts = reading.counts
        for node in self.nodes:
            node.tell(reading, items.values())
        return [*(frame for feed in self.feeds for frame in feed.grab()), *self._grabbed(), *self._sent(reading)]

    def go_by(self, geometry: Geometry) -> None:
        """As `Camera.go_by`."""
        for node in self.nodes:
            node.go_by(geometry)
        for latch in self._latches.values():
            latch.go_by(geometry.counts(geometry.tolerance_mm))
        for grabber in self.grabbers:
            grabber.space(spacing(geometry))

    def unheard(self) -> Sequence[str]:
        """Cameras that have neither been opened nor have a fault that tells why not."""
        here = [one.name for one in self.grabbers if not one.opened and not one.fault]
        silent = [node for node in self.nodes if not node.answer]
        return [*here, *(name for node in silent for name in node.cameras if name not in node.faults())]

    def faults(self) -> Mapping[str, str]:
        """Camera → what is wrong with it just now, and what to do."""
        here = {name: f"camera '{name}' {APART}" for name, latch in self._latches.items() if latch.apart}
        here |= {grabber.name: fault for grabber in self.grabbers if (fault := grabber.fault)}
        for node in self.nodes:
            here |= node.faults()
        return here

    def dropped(self) -> dict[tuple[str, ...], int]:
        """Camera → frames that nobody fetched in time."""
        counts: dict[tuple[str, ...], int] = {(one.name,): one.dropped for one in self.grabbers}
        return counts | {(name,): count for feed in self.feeds for name, count in dict(feed.dropped).items()}

    def at_nodes(self) -> dict[tuple[str, ...], int]:
        """Camera and what became of a frame → frames, of all nodes; what a node tells is of its present life."""
        counts: Counter[tuple[str, ...]] = Counter()
        for node in self.nodes:
            counts.update({(camera, outcome): count for (camera, outcome), count in dict(node.counts).items()})
            for name, state in node.answer.cameras.items() if node.answer else ():
                told = {"sent": state.sent, "dropped_there": state.dropped, "expired_there": state.expired}
                counts.update({(name, outcome): count for outcome, count in told.items()})
        return counts

    def _sent(self, reading: BeltReading) -> Iterator[Frame]:
        for one in (one for node in self.nodes for one in node.grab(reading)):
            shot = Shot(one.image, one.exposed_ns, one.exposure, one.fault, one.encoder)
            yield from (replace(frame, shown=one.shown) for frame in self._placed(one.camera, shot))

    def strays(self) -> dict[tuple[str, ...], int]:
        """Camera → frames whose own counts were not believed."""
        return {(name,): latch.strays for name, latch in self._latches.items()}

    def packets(self) -> dict[tuple[str, ...], int]:
        """Camera and what became of packets → how many."""
        return {(one.name, what): count for one in self.grabbers for what, count in one.packets.items()}

    def _grabbed(self) -> Iterator[Frame]:
        for grabber in self.grabbers:
            for shot in grabber.shots():
                yield from self._placed(grabber.name, shot)

    def _placed(self, camera: str, shot: Shot) -> Iterator[Frame]:
        counts = self._counts(camera, shot)
        if counts is None:
            self.unplaced += 1
        else:
            yield Frame(camera, f"{camera}-{shot.number}", shot.exposed_ns, counts, shot.image, shot.fault)

    def _counts(self, camera: str, shot: Shot) -> float | None:
        """Where the belt was at the exposure; None: its place was not known."""
        reckoned = self._ruler.counts(shot.exposed_ns)
        if shot.encoder is None or reckoned is None:
            return reckoned
        return self._latches[camera].counts(shot.encoder, reckoned)


def spacing(geometry: Geometry) -> float:
    """How far the belt must have run between two frames that are held against a view, counts."""
    return geometry.counts(geometry.view_mm) / 2
