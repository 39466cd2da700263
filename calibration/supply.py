"""Where a step's frames come from: a camera of the lane, or a simulated site."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from calibration.sites import practice
from calibration.sites.render import Picture
from calibration.sites.site import Site
from calibration.steps import Ask, Shot, Shows
from edge.cameras.assembly import opened
from edge.cameras.source import Source
from edge.core.errors import CameraFault
from edge.settings import CameraSettings

PATIENCE_S = 10.0
RIDE_MM = 250.0  # to each side of the middle
SCALE = 10.0  # counts per mm of a simulated site's encoder


class Supply(Protocol):
    """Takes frames when a technician says so."""

    serial: str  # of the camera; empty: it has none

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As many frames as are asked for.

        Raises:
            CameraFault: the camera does not send.
        """
        ...


class SimulatedSupply:
    """A simulated site, where what is asked for is shown at once."""

    def __init__(self, site: Site, chance: np.random.Generator) -> None:
        self.serial = f"SIM{site.seed:04d}"
        self._site = practice.fine(site)
        self._chance = chance

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`."""
        if ask.shows is Shows.BOARD_RIDING:
            return [self._riding(mm) for mm in np.linspace(-RIDE_MM, RIDE_MM, ask.frames)]
        return [Shot(self._shown(ask.shows).image) for _ in range(ask.frames)]

    def _shown(self, shows: Shows) -> Picture:
        if shows is Shows.BOARD_IN_HAND:
            return practice.board_in_hand(self._site, self._chance)
        if shows is Shows.SHEET:
            return practice.sheet_on_belt(self._site, self._chance)
        if shows is Shows.BOARD_ON_BELT:
            return practice.board_on_belt(self._site, self._chance)
        return practice.chart_on_belt(self._site, self._chance, 180.0 if shows is Shows.CHART_TURNED else 0.0)

    def _riding(self, along_mm: float) -> Shot:
        image = practice.board_on_belt(self._site, self._chance, along_mm=along_mm).image
        return Shot(image, along_mm * SCALE + float(self._chance.normal(0, 0.5)))


class CameraSupply:
    """A camera of the lane on this box; the daemon must have let go of it."""

    def __init__(self, camera: CameraSettings) -> None:
        self.serial = str(camera.gige or camera.opencv or "")
        self._camera = camera

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`; counts are those that the camera's own encoder input latched."""
        with opened(self._camera) as source:
            return [self._next(source) for _ in range(ask.frames)]

    def _next(self, source: Source) -> Shot:
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            if shot := source.read():
                return Shot(shot.image, np.nan if shot.encoder is None else float(shot.encoder))
        raise CameraFault(f"sent nothing for {PATIENCE_S:.0f} s: is it triggered?")
