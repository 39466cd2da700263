"""One technician at one lane: what is known there, and what of it holds; what is accepted is signed and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from calibration.order import Stage
from calibration.report import PICTURE
from calibration.steps import Found
from calibration.supply import Supply
from edge.calibrations import Shelf
from edge.core.calibration import Calibration, against
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image


@dataclass(frozen=True)
class Session:
    """The key is in memory from its beginning to its end."""

    lane: str
    by: str
    until: datetime
    shelf: Shelf
    key: Ed25519PrivateKey
    supplies: Mapping[str, Supply]  # of each camera
    folder: Path  # for the pictures that are looked at before they are accepted

    def known(self, name: str, camera: str = "") -> Calibration | None:
        """What is in force of this name; None: it was never calibrated.

        Raises:
            CalibrationRefused: it does not hold here and now: changed, expired, of another lane or camera.
        """
        one = self.shelf.newest(name)
        faults = list(against(one, self.lane, self.serial(camera), now())) if one else []
        if faults:
            raise CalibrationRefused("\n".join(f"{name}: {fault}" for fault in faults))
        return one

    def demanded(self, name: str, camera: str, why: str) -> Calibration:
        """The same, where nothing can be done without it."""
        one = self.known(name, camera)
        if one is None:
            raise CalibrationRefused(f"{why}: do its step `{name.partition('.')[0]}` first")
        return one

    def totes(self, camera: str) -> list[Calibration]:
        """Of the types that this camera learnt.

        Raises:
            CalibrationRefused: one of them does not hold, or cannot be read.
        """
        names = [name for name in self.shelf.names() if name.startswith("totes.")]
        own = [name for name in names if (one := self.shelf.newest(name)) and one.values.get("camera") == camera]
        return [one for name in own if (one := self.known(name, camera))]

    def holds(self, stage: Stage) -> bool:
        """Whether it was accepted before and still holds."""
        try:
            return bool(self.totes(stage.camera) if stage.step == "totes" else self.known(stage.name, stage.camera))
        except CalibrationRefused:
            return False

    def serial(self, camera: str) -> str:
        """Of a camera; empty: it has none, or it is the lane's."""
        return self.supplies[camera].serial if camera in self.supplies else ""

    def keep(self, stage: Stage, found: Found, digests: Sequence[str]) -> Calibration:
        """Sign what was accepted, as the next version; in one step, or not at all."""
        calibration = Calibration(
            lane=self.lane,
            step=stage.step,
            subject=found.subject or stage.subject,
            serial=self.serial(stage.camera),
            version=1,
            by=self.by,
            made=now(),
            until=self.until,
            before="",
            frames=tuple(digests),
            quality=dict(found.quality),
            values=dict(found.values),
            files={},
        )
        pictures = {PICTURE: found.picture, **{f"{what}.png": picture for what, picture in found.more.items()}}
        drawn = {name: png(picture) for name, picture in pictures.items()}
        return self.shelf.write(calibration, self.key, {**drawn, **found.files})

    def files(self, calibration: Calibration) -> dict[str, bytes]:
        """What lies beside it."""
        return {name: self.shelf.beside(digest).read_bytes() for name, digest in calibration.files.items()}


def png(picture: Image) -> bytes:
    """As a file."""
    return cv2.imencode(".png", np.ascontiguousarray(picture))[1].tobytes()


def now() -> datetime:
    """To the second: so is a calibration."""
    return datetime.now(UTC).replace(microsecond=0)
