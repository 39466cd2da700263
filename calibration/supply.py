"""Where a step's frames come from: a camera of the lane, or a simulated site."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from calibration.sites import practice
from calibration.sites.belt_ride import Ride
from calibration.sites.site import FLOOR_MM, WALL_MM, Site, drawn, laid
from calibration.steps import Ask, Shot, Shows
from edge.cameras.assembly import opened
from edge.cameras.source import Source
from edge.core.errors import CameraFault
from edge.core.messages import Image
from edge.settings import CameraSettings

PATIENCE_S = 10.0
RIDE_MM = 250.0  # to each side of the middle
FAST_MM_PER_S, SLOW_MM_PER_S = 500.0, 250.0
NOISE = 1.2  # of 255, between two frames of the same
WAVER = 0.002  # by which share lamps differ from frame to frame
APART = 500  # between the seeds of a site's cameras


class Supply(Protocol):
    """Takes frames when a technician says so."""

    @property
    def serial(self) -> str:
        """Of the camera; empty: it has none."""
        ...

    @property
    def hint(self) -> str:
        """What helps to practise; empty: nothing."""
        ...

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As many frames as are asked for.

        Raises:
            CameraFault: the camera does not send.
        """
        ...


class SimulatedSupply:
    """A simulated site, where what is asked for is shown at once."""

    def __init__(self, site: Site, chance: np.random.Generator, camera: int = 0) -> None:
        """Take the site; camera: 0 is its own, others look at the same belt from elsewhere."""
        elsewhere = replace(site, camera=drawn(site.seed + APART * camera).camera)
        self._site = practice.fine(elsewhere if camera else site)
        self._chance = chance
        self.serial = f"SIM{site.seed:04d}" + (f"-{camera}" if camera else "")
        sizes = (f"{one.name} ({one.size_mm[2]:g} mm high)" for one in site.totes)
        self.hint = f"this site's totes: {', '.join(sizes)}; walls {WALL_MM:g} mm, floors at {FLOOR_MM:g} mm"

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`."""
        if ask.shows in (Shows.BOARD_RIDING, Shows.BOARD_RIDING_AGAIN):
            speed = FAST_MM_PER_S if ask.shows is Shows.BOARD_RIDING else SLOW_MM_PER_S
            return [self._riding(Ride(float(mm), speed)) for mm in np.linspace(-RIDE_MM, RIDE_MM, ask.frames)]
        first = self._shown(ask)
        return [Shot(first), *(Shot(self._again(first)) for _ in range(ask.frames - 1))]

    def _shown(self, ask: Ask) -> Image:
        site, chance = self._site, self._chance
        match ask.shows:
            case Shows.BOARD_IN_HAND:
                return practice.board_in_hand(site, chance).image
            case Shows.SHEET:
                return practice.sheet_on_belt(site, chance).image
            case Shows.BOARD_ON_BELT:
                return practice.board_on_belt(site, chance).image
            case Shows.TOTE:
                return self._tote(ask.which)
        return practice.chart_on_belt(site, chance, 180.0 if ask.shows is Shows.CHART_TURNED else 0.0).image

    def _tote(self, name: str) -> Image:
        kind = next((one for one in self._site.totes if one.name == name), None)
        if kind is None:
            raise CameraFault(f"no tote '{name}' at this site: {self.hint}")
        return self._site.picture(laid(self._site, kind, 0, self._chance), self._chance).image

    def _again(self, image: Image) -> Image:
        """The same a moment later: other noise, the lamps a little brighter or darker."""
        level, noise = self._chance.normal(1, WAVER), self._chance.normal(0, NOISE, image.shape)
        return np.asarray(np.clip(np.rint(image * level + noise), 0, 255), np.uint8)

    def _riding(self, ride: Ride) -> Shot:
        image = practice.board_on_belt(self._site, self._chance, along_mm=ride.along_mm).image
        return Shot(image, ride.counts(self._chance), ride.edge_counts, ride.exposed_ns)


class CameraSupply:
    """A camera of the lane on this box; the daemon must have let go of it."""

    def __init__(self, camera: CameraSettings) -> None:
        self.serial = str(camera.gige or camera.opencv or "")
        self.hint = ""
        self._camera = camera

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`; counts are those that the camera's own encoder input latched."""
        with opened(self._camera) as source:
            return [self._next(source) for _ in range(ask.frames)]

    def _next(self, source: Source) -> Shot:
        end_s = time.monotonic() + PATIENCE_S
        while time.monotonic() < end_s:
            if shot := source.read():
                counts = np.nan if shot.encoder is None else float(shot.encoder)
                return Shot(shot.image, counts, exposed_ns=shot.exposed_ns)
        raise CameraFault(f"sent nothing for {PATIENCE_S:.0f} s: is it triggered?")
