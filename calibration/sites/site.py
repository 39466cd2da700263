"""A site drawn by lot: its totes, its belt, its lamps, its camera, and what it sends down the belt."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from calibration.chart import linear
from calibration.sites.faces import Face, box, tub
from calibration.sites.light import CROSSTALK, Floats, Light, tint
from calibration.sites.optics import Camera
from calibration.sites.paint import Paint, Rgb, belt, carton, labelled, plastic
from calibration.sites.render import ITEM, TOTE, Picture, Scene, belt_face, render

COLOURS: dict[str, tuple[int, int, int]] = {
    "white": (225, 224, 218),
    "black": (38, 38, 40),
    "grey": (128, 130, 133),
    "translucent": (176, 182, 184),
    "blue": (28, 72, 150),
    "light-blue": (110, 165, 205),
    "red": (178, 38, 40),
    "green": (34, 120, 62),
    "yellow": (228, 190, 40),
    "orange": (222, 108, 32),
    "brown": (112, 78, 54),
    "purple": (96, 56, 130),
}
"""Of totes, sRGB."""
SIZES_MM = ((600.0, 400.0, 220.0), (400.0, 300.0, 170.0), (600.0, 400.0, 120.0), (300.0, 200.0, 150.0))
WALL_MM, FLOOR_MM = 14.0, 6.0
SIZE_PX = (640, 360)


@dataclass(frozen=True, slots=True)
class ToteType:
    """What a site's technician knows of one of its totes."""

    name: str
    colour: Rgb
    size_mm: tuple[float, float, float]
    mixed: float = 0.0


@dataclass(frozen=True, slots=True)
class Laid:
    """One tote on the belt, as it is drawn."""

    kind: ToteType
    middle_mm: tuple[float, float]
    degrees: float
    items: tuple[
        tuple[tuple[float, float], tuple[float, float, float], float, Rgb], ...
    ] = ()  # middle, size, turn, colour
    worn: float = 0.0
    dirty: float = 0.0
    labels: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Site:
    """All that stays while a site is calibrated and runs."""

    totes: tuple[ToteType, ...]
    light: Light
    camera: Camera
    belt_colour: Rgb
    seed: int
    gains: Floats = field(default_factory=lambda: np.ones(3))

    def picture(self, laid: Laid | None, chance: np.random.Generator, light: Light | None = None) -> Picture:
        """What the camera sees of the belt with a tote, or without."""
        own = np.random.default_rng(self.seed)
        paints: list[Paint] = [belt(self.belt_colour, own)]
        faces: list[Face] = [belt_face()]
        if laid is not None:
            faces += _tote(laid, paints)
        shifted = [_shifted(faces[0], chance), *faces[1:]]
        deep_mm = laid.kind.size_mm[2] if laid else 0.0
        return render(Scene(shifted, paints, deep_mm), self.camera, light or self.light, self.gains, chance)


def drawn(seed: int, totes: int = 3) -> Site:
    """A site by lot: some of the totes that there are, 3000 to 6500 K, uneven light, a camera somewhere above."""
    chance = np.random.default_rng(seed)
    names = chance.choice(list(COLOURS), totes, replace=False)
    kinds = tuple(_kind(str(name), chance) for name in names)
    height_mm = float(chance.uniform(1200, 1700))
    camera = Camera(
        (float(chance.uniform(-120, 120)), float(chance.uniform(-260, 40)), height_mm),
        (float(chance.uniform(-20, 20)), float(chance.uniform(-20, 20)), 0.0),
        SIZE_PX,
        height_mm * SIZE_PX[0] / 1150,
        float(chance.uniform(-0.06, 0.0)),
    )
    place = chance.uniform((-500, -600, 1200), (500, 300, 2200))
    light = Light(
        float(chance.uniform(3000, 6500)),
        1.0,
        float(chance.uniform(0.1, 0.5)),
        (float(chance.uniform(-200, 200)), float(chance.uniform(-150, 150))),
        (float(place[0]), float(place[1]), float(place[2])),
        float(chance.uniform(0.4, 0.6)),
    )
    grey = float(chance.uniform(0.015, 0.12))
    hue = chance.uniform(0.9, 1.1, 3)
    site = Site(kinds, light, camera, (grey * hue[0], grey * hue[1], grey * hue[2]), seed)
    return replace(site, gains=_balanced(light, chance))


def laid(site: Site, kind: ToteType, items: int, chance: np.random.Generator) -> Laid:
    """A tote somewhere in view, nearly straight; worn, dirty and labelled as totes are; with items in it."""
    worn, dirty = chance.uniform(0, 1, 2) ** 2
    one = Laid(
        kind,
        (float(chance.uniform(-70, 70)), float(chance.uniform(-40, 40))),
        float(chance.normal(0, 2)),
        (),
        float(worn),
        float(dirty),
        bool(chance.random() < 0.5),
        int(chance.integers(2**31)),
    )
    places = _apart(kind, items, chance)
    return replace(one, items=tuple((place, size, turn, _colour(kind, chance)) for place, size, turn in places))


def _tote(laid: Laid, paints: list[Paint]) -> list[Face]:
    own = np.random.default_rng(laid.seed)
    looks = [plastic(laid.kind.colour, own, laid.worn, laid.dirty, laid.kind.mixed) for _ in range(3)]
    if laid.labels:
        looks[1] = labelled(looks[1], own)
        looks[0] = labelled(looks[0], own) if own.random() < 0.4 else looks[0]
    first = len(paints)
    paints += looks
    size_mm = laid.kind.size_mm
    faces = list(tub(laid.middle_mm, size_mm, WALL_MM, FLOOR_MM, laid.degrees, TOTE, (first, first + 1, first + 2)))
    turn = np.radians(laid.degrees)
    for number, (place, item_mm, degrees, colour) in enumerate(laid.items):
        x, y = (
            laid.middle_mm[0] + place[0] * np.cos(turn) - place[1] * np.sin(turn),
            laid.middle_mm[1] + place[0] * np.sin(turn) + place[1] * np.cos(turn),
        )
        paints += [carton(colour, item_mm[:2], own), carton(colour, (item_mm[0], item_mm[2]), own)]
        looks_of = len(paints) - 2, len(paints) - 1
        faces += box((float(x), float(y)), item_mm, FLOOR_MM, laid.degrees + degrees, ITEM + number, looks_of)
    return faces


def _apart(
    kind: ToteType, items: int, chance: np.random.Generator
) -> list[tuple[tuple[float, float], tuple[float, float, float], float]]:
    """Places for items that do not touch each other or the walls: side by side along the tote."""
    room = np.array(kind.size_mm[:2]) - 2 * WALL_MM - 12
    slot = room[0] / max(1, items)
    found = []
    for number in range(items):
        size = np.array(
            (
                chance.uniform(0.35, 0.8) * (slot - 8),
                chance.uniform(0.3, 0.75) * room[1],
                chance.uniform(20, kind.size_mm[2] * 1.15),
            )
        )
        turn = float(chance.uniform(-12, 12))
        radius = np.hypot(size[0], size[1]) / 2 * np.abs(np.cos(np.radians(45 - abs(turn)))) * 1.02
        loose = np.maximum(
            0, np.array((slot - 8, room[1])) / 2 - np.minimum(radius, (np.array((slot - 8, room[1]))) / 2)
        )
        place = (
            -room[0] / 2 + slot * (number + 0.5) + chance.uniform(-1, 1) * loose[0],
            chance.uniform(-1, 1) * loose[1],
        )
        found.append(((float(place[0]), float(place[1])), (float(size[0]), float(size[1]), float(size[2])), turn))
    return found


def _colour(kind: ToteType, chance: np.random.Generator) -> Rgb:
    """Of an item: any, or, one time in eight, nearly the tote's."""
    if chance.random() < 1 / 8:
        near = np.array(kind.colour) * chance.uniform(0.75, 1.3) * chance.uniform(0.93, 1.07, 3)
    else:
        near = linear(chance.uniform(0.08, 0.95, 3))
    red, green, blue = np.clip(near, 0.005, 0.95)
    return float(red), float(green), float(blue)


def _kind(name: str, chance: np.random.Generator) -> ToteType:
    red, green, blue = linear(np.array(COLOURS[name]) / 255)
    size_mm = SIZES_MM[int(chance.integers(len(SIZES_MM)))]
    return ToteType(name, (float(red), float(green), float(blue)), size_mm, float(chance.uniform(0, 0.6)))


def _balanced(light: Light, chance: np.random.Generator) -> Floats:
    """The camera's own white balance, which is never quite right, and an exposure that clips no white."""
    white = CROSSTALK @ tint(light.kelvin)
    off = np.exp(chance.normal(0, 0.06, 3))
    return np.asarray(chance.uniform(0.75, 0.95) * off / white)


def _shifted(face: Face, chance: np.random.Generator) -> Face:
    """The belt, somewhere else along its way."""
    x, y, z = face.corner_mm
    return replace(face, corner_mm=(x + float(chance.uniform(-400, 400)), y, z))
