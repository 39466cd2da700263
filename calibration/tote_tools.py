"""By what totes are learnt and seen again: the one place that knows how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Self

from calibration.totes import Ask, learn
from edge.core.errors import CalibrationRefused, PictureUnreadable, ReferencesRefused
from edge.core.messages import Image
from edge.core.plane import Plane
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.tote_type import FILE as TOTE
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import SeenTote, Totes
from edge.settings import ROOT


@dataclass(frozen=True, slots=True)
class ToteTools:
    """A camera's plane, and the networks that find totes."""

    plane: Plane
    networks: ToteNetworks

    @classmethod
    def of(cls, plane: Plane) -> Self:
        """With the shipped networks."""
        return cls(plane, _networks())

    def learn(self, frames: Sequence[Image], asked: Ask) -> ToteType:
        """A type of tote.

        Raises:
            CalibrationRefused: too few frames agree; what to do.
        """
        try:
            return learn(frames, self.plane, self.networks, asked)
        except PictureUnreadable as refusal:
            raise CalibrationRefused(str(refusal)) from refusal

    def see(self, image: Image, types: Sequence[ToteType]) -> SeenTote:
        """What a frame shows of a tote."""
        return Totes.of(self.plane, (image.shape[1], image.shape[0]), self.networks, types).see(image)


def files_of(tote: ToteType) -> dict[str, bytes]:
    """What is kept of a type."""
    return {TOTE: tote.to_bytes()}


def tote_of(files: Mapping[str, bytes]) -> ToteType:
    """The type that a calibration's files keep.

    Raises:
        CalibrationRefused: it is none, or was learnt in another way.
    """
    try:
        return ToteType.of_bytes(files.get(TOTE, b""), TOTE)
    except ReferencesRefused as refusal:
        raise CalibrationRefused(f"what is kept of it cannot be used ({refusal}): do `totes` anew") from refusal


@cache
def _networks() -> ToteNetworks:
    return ToteNetworks.load(ROOT / "models")
