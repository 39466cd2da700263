"""All cameras of a lane: those that nodes send, and those on this box, whose frames get their counts here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from edge.cameras.grabber import Grabber
from edge.cameras.node import NodeCameras
from edge.core.messages import BeltReading, Frame
from edge.core.ruler import Ruler


class AllCameras:
    """As the loop asks them; nothing here waits."""

    def __init__(self, nodes: Sequence[NodeCameras], grabbers: Sequence[Grabber] = ()) -> None:
        self.nodes = nodes
        self.grabbers = grabbers
        self.unplaced = 0  # frames exposed before the belt's place was known, or too long ago
        self._ruler = Ruler()

    def grab(self, reading: BeltReading) -> Sequence[Frame]:
        """The frames of every camera that have come since the last call, with the belt's counts at their exposure."""
        self._ruler.update(reading)
        return [*(frame for node in self.nodes for frame in node.grab()), *self._grabbed()]

    def faults(self) -> Mapping[str, str]:
        """Camera → what is wrong with it just now, and what to do."""
        return {grabber.name: fault for grabber in self.grabbers if (fault := grabber.fault)}

    def dropped(self) -> dict[tuple[str, ...], int]:
        """Camera → frames that nobody fetched in time."""
        counts: dict[tuple[str, ...], int] = {(one.name,): one.dropped for one in self.grabbers}
        return counts | {(name,): count for node in self.nodes for name, count in dict(node.dropped).items()}

    def _grabbed(self) -> Iterator[Frame]:
        for grabber in self.grabbers:
            for shot in grabber.shots():
                counts = self._ruler.counts(shot.exposed_ns)
                if counts is None:
                    self.unplaced += 1
                else:
                    yield Frame(
                        grabber.name, f"{grabber.name}-{shot.number}", shot.exposed_ns, counts, shot.image, shot.fault
                    )
