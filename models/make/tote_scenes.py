"""Pictures of totes to learn from: simulated sites, and wilder ones than those, with the truth of every pixel."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from calibration.sites.faces import Face, box, tub
from calibration.sites.paint import Paint, Rgb, belt, labelled, plastic
from calibration.sites.render import ITEM, TOTE, Picture, Scene, belt_face, render
from calibration.sites.site import FLOOR_MM, WALL_MM, Laid, Site, ToteType, drawn, laid
from edge.core.tote_shape import Pose, ToteSize
from models.make.tote_paints import face, moulded, stuck
from models.make.tote_takes import pressed, shaded

FIRST_SEED = 1000  # the sites before it are for tests
ITEMS = (0, 0, 0, 1, 1, 2, 2, 3, 4, 5)  # in a tote, by lot
SCATTERED, TOUCHING, STACKED, BAGGED, PRESSED, SHADED = 0.6, 0.4, 0.12, 0.2, 0.25, 0.3  # shares of the frames
TALL, NEAR = 0.3, 0.3  # of the items: about as high as the rim; nearly of the tote's colour
SOFT_PX = (2, 4, 4)  # of a wilder site's shades
UNKNOWN = 2  # of whether an item sticks out: a bag has no height


Item = tuple[tuple[float, float], tuple[float, float, float], float, Rgb]
"""Middle, size, turn, colour."""


@dataclass(frozen=True, slots=True)
class Scenery:
    """A site and one of its totes, as wild as wanted."""

    site: Site
    kind: ToteType
    wall_mm: float
    floor_mm: float
    wild: bool

    @property
    def size(self) -> ToteSize:
        """As it is learnt."""
        return ToteSize(*self.kind.size_mm, self.wall_mm, self.floor_mm)


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame and its truth."""

    picture: Picture
    pose: Pose
    over: npt.NDArray[np.uint8]  # of each item: 1 sticks out, 0 does not, UNKNOWN


def scenery(seed: int) -> Scenery:
    """A simulated site as the tests have them; with an odd seed a wilder one."""
    site, chance = drawn(FIRST_SEED + seed), np.random.default_rng((FIRST_SEED, seed))
    if seed % 2 == 0:
        return Scenery(site, site.totes[int(chance.integers(len(site.totes)))], WALL_MM, FLOOR_MM, wild=False)
    length_mm = float(chance.uniform(260, 640))
    size_mm = (length_mm, length_mm * float(chance.uniform(0.55, 0.82)), float(chance.uniform(90, 280)))
    colour = _any_colour(chance) if chance.random() < 0.6 else site.totes[0].colour
    kind = ToteType("wild", colour, size_mm, float(chance.uniform(0, 0.8)))
    return Scenery(_wilder(site, chance), kind, float(chance.uniform(5, 26)), float(chance.uniform(2, 12)), wild=True)


def shown(scene: Scenery, items: int, chance: np.random.Generator) -> Shown:
    """One frame of it."""
    if not scene.wild:
        one = laid(scene.site, scene.kind, items, chance)
        if chance.random() < SCATTERED:
            one = replace(one, items=tuple(_scattered(scene, items, chance)))
        return _shaded(_with_truth(scene, one, scene.site.picture(one, chance)), chance)
    one = _laid(scene, items, chance)
    faces, paints = _built(scene, one, chance)
    shift = replace(belt_face(), corner_mm=(-3000 + float(chance.uniform(-400, 400)), -400.0, 0.0))
    wide = Scene(
        [shift, *faces],
        [belt(scene.site.belt_colour, np.random.default_rng(scene.site.seed)), *paints],
        scene.kind.size_mm[2],
    )
    found = _with_truth(scene, one, render(wide, scene.site.camera, scene.site.light, scene.site.gains, chance))
    found = _shaded(found, chance)
    if one.items and chance.random() < BAGGED:
        found = _with_bag(scene, found, chance)
    if chance.random() < PRESSED:
        found = replace(found, picture=replace(found.picture, image=pressed(found.picture.image, chance)))
    return found


def _shaded(found: Shown, chance: np.random.Generator) -> Shown:
    """Now and then."""
    return found if chance.random() > SHADED else replace(found, picture=shaded(found.picture, chance))


def coarse(scene: Scenery) -> Scenery:
    """The same seen with half the pixels: enough to learn a look from."""
    camera = scene.site.camera
    width_px, height_px = camera.size_px
    less = replace(camera, size_px=(width_px // 2, height_px // 2), focal_px=camera.focal_px / 2)
    light = replace(scene.site.light, soft_px=max(1, scene.site.light.soft_px // 2))
    return replace(scene, site=replace(scene.site, camera=less, light=light))


def _wilder(site: Site, chance: np.random.Generator) -> Site:
    """Stronger, more uneven and more coloured light; brighter belts; other exposures."""
    light = replace(
        site.light,
        kelvin=float(chance.uniform(2600, 8000)),
        uneven=float(chance.uniform(0, 0.9)),
        ambient=float(chance.uniform(0.2, 0.85)),
        soft_px=int(chance.choice(SOFT_PX)),
    )
    grey = float(np.exp(chance.uniform(np.log(0.012), np.log(0.6))))
    red, green, blue = np.clip(grey * chance.uniform(0.6, 1.4, 3), 0.01, 0.9)
    camera = replace(site.camera, focal_px=site.camera.focal_px * float(chance.uniform(0.75, 1.15)))
    gains = site.gains * np.exp(chance.normal(0, 0.25)) * np.exp(chance.normal(0, 0.08, 3))
    return replace(site, camera=camera, light=light, belt_colour=(float(red), float(green), float(blue)), gains=gains)


def _laid(scene: Scenery, items: int, chance: np.random.Generator) -> Laid:
    """Somewhere, turned further than totes are; items side by side, touching or stacked."""
    one = laid(scene.site, scene.kind, 0, chance)
    middle = (float(chance.uniform(-140, 140)), float(chance.uniform(-60, 60)))
    degrees = float(chance.normal(0, 6))
    some = _scattered if chance.random() < SCATTERED else _packed
    return replace(one, middle_mm=middle, degrees=degrees, items=tuple(some(scene, items, chance)))


def _scattered(scene: Scenery, items: int, chance: np.random.Generator) -> Iterator[Item]:
    """Small ones anywhere, turned anyhow: a lone small thing is an item as often as it is a label."""
    room = np.array(scene.kind.size_mm[:2]) / 2 - scene.wall_mm
    kept: list[tuple[np.ndarray, float]] = []
    for _ in range(8 * items):
        side = np.exp(chance.uniform(np.log(25), np.log(180), 2))
        radius = float(np.hypot(*side) / 2)
        place = chance.uniform(-1, 1, 2) * (room - radius)
        if (
            len(kept) == items
            or (room < radius).any()
            or any(np.hypot(*(place - at)) < radius + far for at, far in kept)
        ):
            continue
        kept.append((place, radius))
        usual_mm = float(np.exp(chance.uniform(np.log(10), np.log(1.15 * scene.kind.size_mm[2]))))
        tall = _height(scene, usual_mm, chance)
        colour = _near(scene, chance) if chance.random() < NEAR else _any_colour(chance)
        turn = float(chance.uniform(-90, 90) if chance.random() < 0.5 else chance.uniform(-5, 5))
        yield (float(place[0]), float(place[1])), (float(side[0]), float(side[1]), tall), turn, colour


def _packed(scene: Scenery, items: int, chance: np.random.Generator) -> Iterator[Item]:
    """The floor cut in rectangles; a box in each of some of them."""
    room = np.array(scene.kind.size_mm[:2]) - 2 * scene.wall_mm - 6
    cells = [(-room / 2, room / 2)]
    while len(cells) < items:
        low, high = cells.pop(int(np.argmax([np.prod(b - a) for a, b in cells])))
        axis = int(np.argmax(high - low))
        cut = low[axis] + float(chance.uniform(0.3, 0.7)) * (high - low)[axis]
        left, right = high.copy(), low.copy()
        left[axis] = right[axis] = cut
        cells += [(low, left), (right, high)]
    tight = chance.random() < TOUCHING
    for low, high in cells[:items]:
        side = (high - low) * (1 - chance.uniform(0, 0.03 if tight else 0.6, 2))
        free = (high - low - side) / 2
        place = (low + high) / 2 + free * chance.uniform(-1, 1, 2)
        tall = _height(scene, float(chance.uniform(8, scene.kind.size_mm[2] * 1.25)), chance)
        turn = 0.0 if tight else float(chance.uniform(-6, 6))
        near = chance.random() < NEAR
        yield (
            tuple(map(float, place)),
            (float(side[0]), float(side[1]), tall),
            turn,
            _near(scene, chance) if near else _any_colour(chance),
        )


def _height(scene: Scenery, usual_mm: float, chance: np.random.Generator) -> float:
    """That, or about as high as the rim."""
    return scene.kind.size_mm[2] * float(chance.uniform(0.75, 1.3)) if chance.random() < TALL else usual_mm


def _built(scene: Scenery, one: Laid, chance: np.random.Generator) -> tuple[list[Face], list[Paint]]:
    """Faces of the tote and its items; their paints, numbered after the belt's."""
    own, of_kind = np.random.default_rng(one.seed), scene.site.seed
    looks = [plastic(one.kind.colour, own, one.worn, one.dirty, one.kind.mixed) for _ in range(3)]
    looks[1] = moulded(looks[1], np.random.default_rng(of_kind))
    for number in (0, 1):
        if own.random() < (0.4, 0.7)[number]:
            looks[number] = labelled(looks[number], own) if own.random() < 0.3 else stuck(looks[number], own)
    if own.random() < 0.3:
        looks[2] = stuck(looks[2], own)
    paints = looks
    faces = list(tub(one.middle_mm, one.kind.size_mm, scene.wall_mm, scene.floor_mm, one.degrees, TOTE, (1, 2, 3)))
    turn = Pose(*one.middle_mm, np.radians(one.degrees))
    for number, (place, size_mm, degrees, colour) in enumerate(one.items):
        x, y = turn.on_belt_mm(np.array([place]))[0]
        paints += [face(colour, (size_mm[0], size_mm[1]), own), face(colour, (size_mm[0], size_mm[2]), own)]
        looks_of = len(paints) - 1, len(paints)
        faces += box((float(x), float(y)), size_mm, scene.floor_mm, one.degrees + degrees, ITEM + number, looks_of)
        if chance.random() < STACKED:
            less = (size_mm[0] * 0.7, size_mm[1] * 0.7, float(chance.uniform(10, 60)))
            bottom = scene.floor_mm + size_mm[2]
            faces += box((float(x), float(y)), less, bottom, one.degrees + degrees + 5, ITEM + 50 + number, looks_of)
    return faces, paints


def _with_truth(scene: Scenery, one: Laid, picture: Picture) -> Shown:
    """Whether each item sticks out; one that is stacked on another counts as a part of it."""
    over = [item[1][2] > one.kind.size_mm[2] - scene.floor_mm for item in one.items]
    stacked = (picture.part >= ITEM + 50) * 50
    pose = Pose(*one.middle_mm, float(np.radians(one.degrees)))
    return Shown(replace(picture, part=picture.part - stacked), pose, np.array(over, np.uint8))


def _with_bag(scene: Scenery, found: Shown, chance: np.random.Generator) -> Shown:
    """And a thing that is no box: soft, round, of any colour, shaded towards its rim."""
    image, part = found.picture.image.copy(), found.picture.part.copy()
    rows, columns = np.nonzero(part >= TOTE)
    middle = np.array((np.quantile(columns, chance.uniform(0.25, 0.75)), np.quantile(rows, chance.uniform(0.3, 0.7))))
    turns = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    waves = sum(chance.normal(0, 0.25 / n) * np.cos(n * turns + chance.uniform(0, 6)) for n in range(1, 6))
    radius = chance.uniform(8, 0.13 * (np.ptp(columns) + np.ptp(rows))) * np.clip(1 + waves, 0.4, 2)
    shape = middle + np.stack((np.cos(turns), np.sin(turns)), 1) * radius[:, None] * chance.uniform(0.6, 1.4, 2)
    mask = cv2.fillPoly(np.zeros(part.shape, np.uint8), [np.rint(shape).astype(np.int32)], 255)
    there = (mask > 0) & (part != 0)
    shade = cv2.GaussianBlur(np.roll(mask, tuple(int(v) for v in chance.integers(-6, 7, 2)), (0, 1)), (0, 0), 4) / 255.0
    inner = np.minimum(1, cv2.distanceTransform(mask, cv2.DIST_L2, 3) / chance.uniform(3, 30))
    colour = chance.uniform(10, 250, 3) if chance.random() < 0.75 else np.median(image[part == TOTE], axis=0)
    cloud = cv2.GaussianBlur(chance.normal(0, 1, part.shape), (0, 0), chance.uniform(1, 8))
    bag = colour * (0.6 + 0.4 * inner[..., None]) * (1 + chance.uniform(0, 0.3) * cloud[..., None] / cloud.std())
    under = image * (1 - 0.5 * shade * (part == TOTE))[..., None]
    alpha = cv2.GaussianBlur(there.astype(np.float32), (0, 0), 0.7)[..., None]
    mixed = np.clip(under * (1 - alpha) + (bag + chance.normal(0, 2, bag.shape)) * alpha, 0, 255).astype(np.uint8)
    part[there] = ITEM + len(found.over)
    return Shown(Picture(mixed, part), found.pose, np.append(found.over, UNKNOWN).astype(np.uint8))


def _any_colour(chance: np.random.Generator) -> Rgb:
    red, green, blue = chance.uniform(0.08, 0.97, 3) ** 2.2
    return float(red), float(green), float(blue)


def _near(scene: Scenery, chance: np.random.Generator) -> Rgb:
    red, green, blue = np.clip(
        np.array(scene.kind.colour) * chance.uniform(0.5, 1.6) * chance.uniform(0.88, 1.12, 3), 0.005, 0.95
    )
    return float(red), float(green), float(blue)
