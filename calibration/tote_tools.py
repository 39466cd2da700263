"""By what totes are learnt and seen again: the one place that knows how."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self, TypeVar

import cv2
import numpy as np

from calibration.totes import Ask, learn
from edge.core.errors import CalibrationRefused, PictureUnreadable, ReferencesRefused
from edge.core.messages import Image
from edge.core.plane import Plane
from edge.core.tote_shape import Rays
from edge.inspection.belt import BeltColour
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import SeenTote, Totes

WIDTH_PX = 640  # of the frames in which totes are looked for; a larger one is made smaller
Kept = TypeVar("Kept")
BELT, TOTE = "belt.npz", "tote.npz"  # among a calibration's files


@dataclass(frozen=True, slots=True)
class ToteTools:
    """A camera's plane, and what its bare belt looks like."""

    plane: Plane  # of frames WIDTH_PX wide, or of the camera's own where these are smaller
    belt: BeltColour
    share: float  # of the camera's pixels, across and down

    @classmethod
    def of(cls, plane: Plane, bare: Sequence[Image]) -> Self:
        """From frames of the bare belt."""
        share = min(1.0, WIDTH_PX / bare[0].shape[1])
        smaller = plane.scaled(share)
        return cls(smaller, BeltColour.learn([_resized(frame, share) for frame in bare]), share)

    @classmethod
    def again(cls, plane: Plane, files: Mapping[str, bytes], width_px: int) -> Self:
        """From a calibration's files; width_px: of the camera's frames."""
        share = min(1.0, WIDTH_PX / width_px)
        return cls(plane.scaled(share), _read(files, BELT, BeltColour.load), share)

    def learn(self, frames: Sequence[Image], asked: Ask) -> ToteType:
        """A type of tote.

        Raises:
            CalibrationRefused: too few frames agree; what to do.
        """
        try:
            return learn([self.small(frame) for frame in frames], self.plane, self.belt, asked)
        except PictureUnreadable as refusal:
            raise CalibrationRefused(str(refusal)) from refusal

    def see(self, image: Image, types: Sequence[ToteType]) -> SeenTote:
        """What a frame shows of a tote."""
        frame = self.small(image)
        return Totes(self.plane, Rays.of(self.plane, frame.shape[1], frame.shape[0]), self.belt, types).see(frame)

    def small(self, image: Image) -> Image:
        """The frame in the size in which totes are looked for."""
        return _resized(image, self.share)

    def files(self, tote: ToteType) -> dict[str, bytes]:
        """What is kept of a type."""
        with TemporaryDirectory() as folder:
            belt, kept = Path(folder) / BELT, Path(folder) / TOTE
            self.belt.save(belt)
            tote.save(kept)
            return {BELT: belt.read_bytes(), TOTE: kept.read_bytes()}


def tote_of(files: Mapping[str, bytes]) -> ToteType:
    """The type that a calibration's files keep.

    Raises:
        CalibrationRefused: it is none, or was learnt in another way.
    """
    return _read(files, TOTE, ToteType.load)


def _read(files: Mapping[str, bytes], name: str, load: Callable[[Path], Kept]) -> Kept:
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(files.get(name, b""))
        try:
            return load(path)
        except ReferencesRefused as refusal:
            raise CalibrationRefused(f"what is kept of it cannot be used ({refusal}): do `totes` anew") from refusal


def _resized(image: Image, share: float) -> Image:
    if share == 1:
        return image
    return np.asarray(cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA), np.uint8)
