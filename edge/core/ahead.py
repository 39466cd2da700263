"""What the eyes at the gate told of items before the induct eye's word of them came, after a restart or a silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.core.messages import BeltReading, PhotoeyeEdge

MOST = 1024  # so many messages the broker may send ahead, and more


@dataclass(frozen=True, slots=True)
class Early:
    """An edge that was nobody's yet."""

    eye: str
    edge: PhotoeyeEdge
    boot: int


class Ahead:
    """Such edges, until their item is born or there is no more to be patient for."""

    def __init__(self) -> None:
        self._early: deque[Early] = deque(maxlen=MOST)

    def note(self, eye: str, edge: PhotoeyeEdge, reading: BeltReading) -> None:
        """An eye has told of something that is not in the books, but may come into them."""
        self._early.append(Early(eye, edge, reading.boot))

    def dark(self, eye: str, edges: Iterable[PhotoeyeEdge], boot: int) -> Iterator[PhotoeyeEdge]:
        """The dark edges of an eye: those that were nobody's, then the new ones. Counts are of one life of the PLC."""
        early = [one for one in self._early if one.eye == eye]
        self._early = deque((one for one in self._early if one.eye != eye), MOST)
        yield from (one.edge for one in early if one.boot == boot)
        yield from (edge for edge in edges if edge.dark)
