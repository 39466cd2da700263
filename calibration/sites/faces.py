"""Rectangles in space: what a simulated scene is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Place = tuple[float, float, float]

NEAREST = 1e-6  # along a ray: what it starts from it does not meet


@dataclass(frozen=True, slots=True)
class Face:
    """A rectangle: a corner and two edges, mm; `part` says whose it is, `paint` how it looks."""

    corner_mm: Place
    along_mm: Place
    across_mm: Place
    part: int
    paint: int

    @property
    def corners_mm(self) -> Floats:
        """4 × 3."""
        corner, along, across = (np.array(one) for one in (self.corner_mm, self.along_mm, self.across_mm))
        return np.stack((corner, corner + along, corner + across, corner + along + across))

    @property
    def normal(self) -> Floats:
        """Of length 1."""
        one = np.cross(self.along_mm, self.across_mm)
        return np.asarray(one / np.linalg.norm(one))


@dataclass(frozen=True, slots=True)
class Hits:
    """What each of N rays meets first."""

    face: npt.NDArray[np.int32]  # number of the face, −1: none
    far: Floats  # along the ray
    uv: Floats  # N × 2, mm along the face's edges


def meet(origins: Floats, rays: Floats, faces: Sequence[Face], asked: Sequence[Indices] | None = None) -> Hits:
    """Which face each ray (N × 3, from N × 3 places) meets first, and where on it.

    asked: for each face, which rays can meet it at all; None: all.
    """
    face, far, uv = np.full(len(rays), -1, np.int32), np.full(len(rays), np.inf), np.zeros((len(rays), 2))
    for number, one in enumerate(faces):
        some = asked[number] if asked else np.arange(len(rays))
        way, along, across = _met(origins[some], rays[some], one)
        longest = [np.linalg.norm(edge) for edge in (one.along_mm, one.across_mm)]
        inside = (along >= 0) & (along <= longest[0]) & (across >= 0) & (across <= longest[1])
        found = inside & (way > NEAREST) & (way < far[some])
        nearer = some[found]
        face[nearer], far[nearer] = number, way[found]
        uv[nearer] = np.stack((along[found], across[found]), axis=-1)
    return Hits(face, far, uv)


def _met(origins: Floats, rays: Floats, face: Face) -> tuple[Floats, Floats, Floats]:
    """How far along each ray its plane lies, and where on it along its edges, mm."""
    from_corner = origins - np.array(face.corner_mm)
    with np.errstate(divide="ignore", invalid="ignore"):
        way = -(from_corner @ face.normal) / (rays @ face.normal)
    along, across = (
        from_corner @ edge + (rays @ edge) * way
        for edge in (np.divide(one, np.linalg.norm(one)) for one in (face.along_mm, face.across_mm))
    )
    return way, along, across


def box(
    middle_mm: tuple[float, float], size_mm: Place, bottom_mm: float, degrees: float, part: int, paints: tuple[int, int]
) -> Iterator[Face]:
    """A closed box: its lid and four sides; paints: of the lid, and of the sides."""
    turn = np.radians(degrees)
    along = np.array((np.cos(turn), np.sin(turn), 0)) * size_mm[0]
    across = np.array((-np.sin(turn), np.cos(turn), 0)) * size_mm[1]
    up = np.array((0, 0, size_mm[2]))
    corner = np.array((*middle_mm, bottom_mm)) - along / 2 - across / 2
    yield _face(corner + up, along, across, part, paints[0])
    for start, edge in ((corner, along), (corner + across, along), (corner, across), (corner + along, across)):
        yield _face(start, edge, up, part, paints[1])


def tub(
    middle_mm: tuple[float, float],
    size_mm: Place,
    wall_mm: float,
    floor_mm: float,
    degrees: float,
    part: int,
    paints: tuple[int, int, int],
) -> Iterator[Face]:
    """An open tote: floor, walls outside and inside, rim; paints: of the floor, of the walls, of the rim."""
    turn = np.radians(degrees)
    east, north = np.array((np.cos(turn), np.sin(turn), 0)), np.array((-np.sin(turn), np.cos(turn), 0))
    up, length, width = np.array((0, 0, size_mm[2])), size_mm[0], size_mm[1]
    corner = np.array((*middle_mm, 0.0)) - east * length / 2 - north * width / 2
    inner = corner + (east + north) * wall_mm
    long, wide = east * (length - 2 * wall_mm), north * (width - 2 * wall_mm)
    floor = np.array((0, 0, floor_mm))
    yield _face(inner + floor, long, wide, part, paints[0])
    for start, edge in ((inner, long), (inner + wide, long), (inner, wide), (inner + long, wide)):
        yield _face(start + floor, edge, up - floor, part, paints[1])
    for start, edge in (
        (corner, east * length),
        (corner + north * width, east * length),
        (corner, north * width),
        (corner + east * length, north * width),
    ):
        yield _face(start, edge, up, part, paints[1])
    for start, edge, deep in (
        (corner, east * length, north * wall_mm),
        (corner + north * (width - wall_mm), east * length, north * wall_mm),
        (corner, north * width, east * wall_mm),
        (corner + east * (length - wall_mm), north * width, east * wall_mm),
    ):
        yield _face(start + up, edge, deep, part, paints[2])


def _face(corner: Floats, along: Floats, across: Floats, part: int, paint: int) -> Face:
    places = [(float(x), float(y), float(z)) for x, y, z in (corner, along, across)]
    return Face(places[0], places[1], places[2], part, paint)
