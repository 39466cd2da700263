"""What a camera on this box is asked, by a thread of its own: it may block, as drivers do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from edge.core.messages import Image

KEPT = 4  # frames per camera until the loop's next turn; the oldest is dropped
READ_S = 0.2  # a source that waits for a frame looks up this often


@dataclass(frozen=True, slots=True)
class Shot:
    """One exposure."""

    image: Image  # uint8, BGR or mono; read-only
    exposed_ns: int  # monotonic
    number: int  # the camera's own, or counted
    fault: str = ""  # what is wrong with what it shows
    encoder: int | None = None  # counts of the belt's encoder at exposure, where it is wired to the camera: 32 bit


class Source(Protocol):
    """One camera."""

    about: str  # what a person looks for: a serial number, a device, a file

    def open(self) -> None:
        """Find the camera, set it, and have it send.

        Raises:
            CameraFault: it is not there, or refuses a setting; the message lists all that it refused.
        """
        ...

    def read(self) -> Shot | None:
        """The next exposure; None: none came within READ_S.

        Raises:
            CameraFault: it is gone, or has ended.
        """
        ...

    def lost(self) -> int:
        """Frames that the camera sent and that did not arrive whole, since it was opened."""
        ...

    def packets(self) -> Mapping[str, int]:
        """What became of its packets, where the link counts them: missing, asked for again, come again."""
        ...

    def settings(self) -> Mapping[str, tuple[str, str]]:
        """What can be set, by name: how it stands, and what it takes; to be asked while it is open."""
        ...

    def close(self) -> None:
        """Have it stop sending; it can be opened again."""
        ...
