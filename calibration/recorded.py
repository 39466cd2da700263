"""Rides of the board out of a recording of the lane: there frames have the PLC's counts, and the photoeye's edges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from calibration import board
from calibration.belt_run import FEWEST_FRAMES
from calibration.steps import Ask, Shot, Shows
from calibration.supply import Supply
from edge.core.errors import CalibrationRefused
from edge.core.topics import BELT
from edge.core.wire import edges_of
from edge.recording.lines import Line
from edge.recording.reader import Recording

EYE = "induct"
NONE = (
    "the recording shows the board on no more rides: `tunnel-edge record` while it rides past this camera, at two "
    "speeds, its leading edge high enough to darken the photoeye"
)


class RecordedSupply:
    """What rides comes from a recording, each ride once; all else from the camera."""

    def __init__(self, supply: Supply, folder: Path, camera: str) -> None:
        """Take the camera's own supply, the recording, and the camera's name in it.

        Raises:
            RecordingRefused: it is damaged, or none.
        """
        self._supply = supply
        self._rides = self._all_rides(Recording(folder), camera)

    @property
    def serial(self) -> str:
        """As `Supply.serial`."""
        return self._supply.serial

    @property
    def hint(self) -> str:
        """As `Supply.hint`."""
        return self._supply.hint

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`."""
        if ask.shows not in (Shows.BOARD_RIDING, Shows.BOARD_RIDING_AGAIN):
            return self._supply.take(ask)
        ride = next(self._rides, None)
        if ride is None:
            raise CalibrationRefused(NONE)
        some = np.linspace(0, len(ride) - 1, min(ask.frames, len(ride))).round().astype(int)
        return [ride[number] for number in some]

    def _all_rides(self, recording: Recording, camera: str) -> Iterator[list[Shot]]:
        """Of each thing that darkened the eye: the frames that show it to be the board."""
        ride: list[Shot] = []
        edge_counts, seq = np.nan, -1
        for line in recording.lines():
            for edge in _dark_edges(line):
                if edge[0] > seq:
                    yield from [ride] if len(ride) >= FEWEST_FRAMES else []
                    (seq, edge_counts), ride = edge, []
            for frame in line.frames:
                if frame.camera == camera and frame.sha256 and not frame.fault:
                    image = recording.picture(frame)
                    ride += _of_board(Shot(image, frame.belt_counts, edge_counts, frame.exposed_ns))
        yield from [ride] if len(ride) >= FEWEST_FRAMES else []


def _dark_edges(line: Line) -> Iterator[tuple[int, float]]:
    """Number and counts of each edge of the eye; the PLC says them again and again."""
    for _, fields in line.said.get(BELT.name, ()):
        yield from ((edge.seq, float(edge.counts)) for edge in edges_of(fields, EYE) if edge.dark)


def _of_board(shot: Shot) -> list[Shot]:
    """The frame, if all of the board is on it that a ride needs."""
    try:
        board.find(shot.image)
    except CalibrationRefused:
        return []
    return [shot]
