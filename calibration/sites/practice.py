"""What a technician shows the camera of a simulated site: the board in hand or on the belt, a colour chart."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import cv2
import numpy as np

from calibration import board
from calibration.chart import linear, reference
from calibration.sites.faces import Face
from calibration.sites.light import Floats
from calibration.sites.paint import Paint
from calibration.sites.paint import belt as woven
from calibration.sites.render import Picture, Scene, belt_face, render
from calibration.sites.site import Site

FINE = 2  # times a site's pixels: what is measured is looked at in full
HELD, LAID = 9, 9  # parts of a scene that are no tote and no item
SHEET_MM = (2400.0, 1600.0)
CHART_MM = (280.0, 186.0)
MM_PER_PX = 0.5  # of a printed texture


def fine(site: Site, times: int = FINE) -> Site:
    """The same site with a camera of more pixels."""
    width_px, height_px = site.camera.size_px
    camera = replace(site.camera, size_px=(times * width_px, times * height_px), focal_px=times * site.camera.focal_px)
    return replace(site, camera=camera)


def board_on_belt(site: Site, chance: np.random.Generator, degrees: float = 0.0, along_mm: float = 0.0) -> Picture:
    """Laid down, its x along the belt; along_mm: how far it has ridden from the middle."""
    turn = _about(np.array((0.0, 0.0, 1.0)), degrees)
    return _with(site, _sheet(np.array((along_mm, 0.0, 0.0)), turn, board.SIZE_MM), _printed(), chance)


def board_in_hand(site: Site, chance: np.random.Generator) -> Picture:
    """Held somewhere over the belt, tilted."""
    place = np.array((*chance.uniform((-260, -130), (260, 130)), chance.uniform(60, 350)))
    axis = np.array((*chance.normal(0, 1, 2), 0.0))
    turn = _about(axis / np.linalg.norm(axis), float(chance.uniform(5, 38)))
    turned = turn @ _about(np.array((0, 0, 1.0)), float(chance.normal(0, 15)))
    return _with(site, _sheet(place, turned, board.SIZE_MM), _printed(), chance)


def chart_on_belt(site: Site, chance: np.random.Generator, degrees: float = 0.0) -> Picture:
    """A ColorChecker laid down: 24 patches on black."""
    turn = _about(np.array((0.0, 0.0, 1.0)), degrees)
    place = np.array((*chance.uniform(-8, 8, 2), 0.0))
    return _with(site, _sheet(place, turn, CHART_MM), _chart(), chance)


def sheet_on_belt(site: Site, chance: np.random.Generator) -> Picture:
    """White paper over all of the view; mains and lamps waver a little."""
    site = replace(site, light=replace(site.light, level=float(chance.normal(1, 0.003))))
    return _with(site, _sheet(np.zeros(3), np.eye(3), SHEET_MM), np.full((8, 8, 3), 0.8), chance)


@lru_cache(maxsize=1)
def _chart() -> Floats:
    """Its print, linear, red first: 6 × 4 patches."""
    across, down = (round(side / MM_PER_PX) for side in CHART_MM)
    printed = np.full((down, across, 3), 0.03)
    step = across / 6.2
    for number, colour in enumerate(reference()):
        left, top = (round(step * (0.17 + place)) for place in (number % 6, number // 6))
        printed[top : top + round(0.86 * step), left : left + round(0.86 * step)] = colour
    return printed


def _sheet(middle: Floats, turn: Floats, size_mm: tuple[float, float]) -> Face:
    width_mm, height_mm = size_mm
    # The page's y runs down, away from the belt's.
    along, down = turn @ np.array((width_mm, 0, 0)), turn @ np.array((0, -height_mm, 0))
    corner = middle + np.array((0, 0, 0.5)) - along / 2 - down / 2
    places = [(float(x), float(y), float(z)) for x, y, z in (corner, along, down)]
    return Face(places[0], places[1], places[2], HELD, 1)


@lru_cache(maxsize=1)
def _printed() -> Floats:
    """The board's print: black and white of a laser printer."""
    return linear(np.repeat(board.drawn(127)[..., None], 3, axis=2) / 255 * 0.85 + 0.06)


def _with(site: Site, face: Face, printed: Floats, chance: np.random.Generator) -> Picture:
    width_mm = float(np.linalg.norm(face.along_mm))
    paints = [woven(site.belt_colour, np.random.default_rng(site.seed)), Paint(printed, width_mm / printed.shape[1])]
    return render(Scene([belt_face(), face], paints), site.camera, site.light, site.gains, chance)


def _about(axis: Floats, degrees: float) -> Floats:
    return np.asarray(cv2.Rodrigues(axis * np.radians(degrees))[0])
