"""What happens on the lane, and what lies on its belt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edge.core.messages import PhotoeyeEdge

NOBODY = -1  # index of an edge that no item made

Eye = Literal["induct", "resync", "confirm", "exit"]
GateEye = Literal["drive", "gate"]
Went = Literal["reject", "good"]


@dataclass(frozen=True, slots=True)
class Placed:
    """An item laid on the belt: its leading edge meets the induct photoeye at `lead_counts`."""

    index: int
    lead_counts: int
    length_mm: float


@dataclass(frozen=True, slots=True)
class Scanned:
    """The warehouse's scanner saw an item's leading edge."""

    index: int
    counts: int


@dataclass(frozen=True, slots=True)
class EyeEdge:
    """A photoeye went dark or light, or what watches the gate did."""

    index: int
    eye: Eye | GateEye
    edge: PhotoeyeEdge


@dataclass(frozen=True, slots=True)
class Unseen:
    """An item came to an eye that something covered already."""

    index: int
    eye: Eye
    counts: int


@dataclass(frozen=True, slots=True)
class Exposure:
    """A camera was triggered."""

    index: int
    camera: str
    counts: int
    exposed_ns: int


@dataclass(frozen=True, slots=True)
class AtGate:
    """An item's leading edge crossed the gate's place and was sent one way."""

    index: int
    counts: int
    went: Went


@dataclass(frozen=True, slots=True)
class Gone:
    """An item's trailing edge has passed the last eye of its way."""

    index: int


Event = Scanned | EyeEdge | Unseen | Exposure | AtGate | Gone
