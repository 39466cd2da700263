"""A scene as a camera sees it, and what each pixel really shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from calibration.sites.faces import Face, meet
from calibration.sites.light import Floats, Light, developed
from calibration.sites.optics import Camera
from calibration.sites.paint import Paint
from edge.core.messages import Image

BELT, TOTE, ITEM = 0, 1, 2  # part of a scene; items are ITEM, ITEM + 1, …
BELT_MM = 6000.0
RIM_PX = 3
DEEP = 0.5  # of the light that reaches the corner of a floor


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame and its truth."""

    image: Image  # BGR
    part: npt.NDArray[np.int32]  # of each pixel


@dataclass(frozen=True, slots=True)
class Scene:
    """Faces and how they look; the belt is the first of both."""

    faces: Sequence[Face]
    paints: Sequence[Paint]
    deep_mm: float = 0.0  # height of the tote's rim: what lies deeper in it gets less light


def belt_face(paint: int = 0) -> Face:
    """The plane z = 0."""
    return Face((-BELT_MM / 2, -400.0, 0.0), (BELT_MM, 0, 0), (0, 800.0, 0), BELT, paint)


def render(scene: Scene, camera: Camera, light: Light, gains: Floats, chance: np.random.Generator) -> Picture:
    """Take a picture; gains: of red, green and blue, the camera's white balance and exposure."""
    rays = camera.rays()
    shape, rays = rays.shape[:2], rays.reshape(-1, 3)
    origin = np.broadcast_to(np.array(camera.place_mm), rays.shape)
    grid = np.arange(len(rays)).reshape(shape)
    hits = meet(origin, rays, scene.faces, [grid[_around(face, camera)].ravel() for face in scene.faces])
    places = origin + rays * np.where(np.isfinite(hits.far), hits.far, 0.0)[:, None]
    seen = np.zeros((len(rays), 3))
    for number, face in enumerate(scene.faces):
        here = np.flatnonzero(hits.face == number)
        seen[here] = scene.paints[face.paint].at(hits.uv[here])
    parts = np.array([face.part for face in scene.faces])[hits.face]
    parts[hits.face < 0] = BELT
    normals = np.array([face.normal for face in scene.faces])[hits.face] * (hits.face >= 0)[:, None]
    normals *= -np.sign(np.einsum("ij,ij->i", normals, rays))[:, None]
    share = _lit(places, normals, parts, shape, scene, light)
    linear = seen * light.falling(places) * share[:, None]
    soft = np.asarray(cv2.GaussianBlur(linear.reshape(*shape, 3), (0, 0), 0.6), np.float64)
    return Picture(developed(soft, gains, chance), parts.reshape(shape).astype(np.int32))


def _around(face: Face, camera: Camera) -> tuple[slice, slice]:
    """Rows and columns that may show a face; the belt fills the picture."""
    if face.part == BELT:
        return slice(None), slice(None)
    seen_px = camera.seen_px(face.corners_mm)
    low, high = np.maximum(0, np.floor(seen_px.min(axis=0) - RIM_PX)), np.ceil(seen_px.max(axis=0) + RIM_PX)
    return slice(int(low[1]), int(max(0, high[1]))), slice(int(low[0]), int(max(0, high[0])))


def _lit(
    places: Floats, normals: Floats, parts: npt.NDArray[np.int64], shape: tuple[int, int], scene: Scene, light: Light
) -> Floats:
    """Share of the light that a place sends on: from everywhere, less in the depth of a tote, and from the lamp."""
    to_lamp = np.array(light.from_mm) - places
    to_lamp /= np.sqrt(np.einsum("ij,ij->i", to_lamp, to_lamp))[:, None]
    facing = np.clip(np.einsum("ij,ij->i", normals, to_lamp), 0, 1)
    grid = np.arange(len(places)).reshape(shape)[:: light.soft_px, :: light.soft_px]
    some = grid.ravel()
    shaded = meet(places[some] + 0.5 * normals[some], to_lamp[some], scene.faces[1:]).face >= 0
    coarse = shaded.reshape(grid.shape).astype(np.float32)
    shade = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 1.5), shape[::-1], interpolation=cv2.INTER_LINEAR)
    deep = 1 - DEEP * np.clip(1 - places[:, 2] / max(1.0, scene.deep_mm), 0, 1) * (parts != BELT) * bool(scene.deep_mm)
    return np.asarray(light.ambient * deep + (1 - light.ambient) * facing * (1 - 0.8 * shade.ravel()))
