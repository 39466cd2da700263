"""What the cameras see: the belt under its lamps, and a carton laid on it."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.messages import Image
from edge.simulator.products import ART_PX_PER_MM

Floats = npt.NDArray[np.float32]

FRAME_PX = (960, 540)  # width, height
PX_PER_MM = 3.6
TURN_DEG = 3.0  # how crooked cartons lie on the belt, at most
SHIFT_PX = 26.0
BLUR_PX = 0.7
NOISE = 2.2
LIGHT_SPREAD = 0.05
SHADOW, SHADOW_PX = 0.6, 11.0  # how dark, how soft
RAIL_PX = 44
FLOOR_PX = 440  # where the carton stands in the side view


def from_above(art: Image, chance: np.random.Generator) -> Image:
    """The frame of the top camera: 540 × 960 × 3, BGR."""
    centre = np.array(FRAME_PX) / 2 + chance.uniform(-SHIFT_PX, SHIFT_PX, 2)
    turn = chance.uniform(-TURN_DEG, TURN_DEG)
    return _exposed(_laid(_belt_from_above(), art, centre, turn, shadow=(9, 12)), chance)


def from_the_side(art: Image, chance: np.random.Generator) -> Image:
    """The frame of the side camera: 540 × 960 × 3, BGR."""
    half_height = art.shape[0] / ART_PX_PER_MM * PX_PER_MM / 2
    centre = np.array([FRAME_PX[0] / 2 + chance.uniform(-SHIFT_PX, SHIFT_PX), FLOOR_PX - half_height])
    turn = chance.uniform(-TURN_DEG, TURN_DEG) / 8  # it stands on the belt
    return _exposed(_laid(_belt_from_the_side(), art, centre, turn, shadow=(7, 5)), chance)


def _laid(ground: Floats, art: Image, centre: npt.NDArray[np.float64], turn: float, shadow: tuple[int, int]) -> Floats:
    """The artwork on the ground: bevelled at its edges, over its own soft shadow."""
    pose = _pose(art, centre, turn)
    carton = cv2.warpAffine(_bevelled(art), pose, FRAME_PX, flags=cv2.INTER_LINEAR)
    mask = np.asarray(cv2.warpAffine(np.ones(art.shape[:2], np.float32), pose, FRAME_PX), np.float32)
    bare = (1 - mask) * (1 - SHADOW * _cast(mask, shadow))
    return np.asarray(ground * bare[..., None] + carton * mask[..., None], np.float32)


def _cast(mask: Floats, shadow: tuple[int, int]) -> Floats:
    """The mask, moved and softened; a shadow this soft needs a quarter of the resolution only."""
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    shift = np.array([[1, 0, shadow[0] / 4], [0, 1, shadow[1] / 4]], np.float32)
    soft = cv2.GaussianBlur(cv2.warpAffine(small, shift, small.shape[::-1]), (0, 0), SHADOW_PX / 4)
    return np.asarray(cv2.resize(soft, FRAME_PX), np.float32)


def _pose(art: Image, centre: npt.NDArray[np.float64], turn: float) -> npt.NDArray[np.float64]:
    """2 × 3: artwork px → frame px."""
    height, width = art.shape[:2]
    pose = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), turn, PX_PER_MM / ART_PX_PER_MM), np.float64)
    pose[:, 2] += centre - np.array([width / 2, height / 2])
    return pose


def _bevelled(art: Image) -> Image:
    """The artwork on folded board; a slight blur keeps thin lines from flickering at half the resolution."""
    smooth = cv2.GaussianBlur(art, (3, 3), 0.8)
    return np.asarray(cv2.multiply(smooth, _bevel(*art.shape[:2]), dtype=cv2.CV_8U), np.uint8)


@cache
def _bevel(height: int, width: int) -> Floats:
    """The edges towards the lamp shine, those away from it are dim: gain, height × width × 3."""
    gain = np.linspace(1.04, 0.95, height, dtype=np.float32)[:, None] * np.linspace(1.02, 0.97, width, dtype=np.float32)
    for edge, change in ((np.s_[:7, :], 1.12), (np.s_[:, :7], 1.08), (np.s_[-9:, :], 0.72), (np.s_[:, -9:], 0.8)):
        gain[edge] *= change
    return np.asarray(cv2.merge([gain] * 3), np.float32)


def _exposed(scene: Floats, chance: np.random.Generator) -> Image:
    """A lens and a sensor: a slight blur, uneven light that varies from shot to shot, noise."""
    gain = chance.uniform(1 - LIGHT_SPREAD, 1 + LIGHT_SPREAD) * _falloff()
    seen = cv2.GaussianBlur(scene * gain[..., None], (0, 0), BLUR_PX * chance.uniform(0.8, 1.2))
    noisy = seen + chance.standard_normal((*seen.shape[:2], 1), dtype=np.float32) * NOISE
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


@cache
def _falloff() -> Floats:
    """The lamps are brightest in the middle."""
    across = np.linspace(-1, 1, FRAME_PX[0], dtype=np.float32)
    down = np.linspace(-1, 1, FRAME_PX[1], dtype=np.float32)
    return np.asarray(0.97 - 0.06 * (across[None, :] ** 2 + down[:, None] ** 2), np.float32)


@cache
def _belt_from_above() -> Floats:
    """A dark woven belt between two steel rails: height × width × 3."""
    width, height = FRAME_PX
    down, across = np.mgrid[:height, :width].astype(np.float32)
    weave = 62 + 3.5 * np.sin((across + down) * 0.55) + 3.5 * np.sin((across - down) * 0.55)
    weave += np.random.default_rng(1).normal(0, 2.5, weave.shape)
    ground = weave[..., None] * np.array([1.04, 1.0, 0.97])
    rail = _steel(RAIL_PX, width)
    ground[:RAIL_PX], ground[-RAIL_PX:] = rail, rail[::-1]
    ground[RAIL_PX : RAIL_PX + 8] *= 0.55
    ground[-RAIL_PX - 8 : -RAIL_PX] *= 0.55
    return np.asarray(ground, np.float32)


@cache
def _belt_from_the_side() -> Floats:
    """A matt screen behind, the belt's edge and a steel rail below: height × width × 3."""
    width, height = FRAME_PX
    screen = np.linspace(92, 66, height, dtype=np.float32)[:, None] * np.ones((1, width), np.float32)
    ground = screen[..., None] * np.array([1.05, 1.0, 0.95], np.float32)
    ground[FLOOR_PX:] = 46
    ground[FLOOR_PX : FLOOR_PX + 3] = 84
    ground[FLOOR_PX + 26 : FLOOR_PX + 26 + RAIL_PX] = _steel(RAIL_PX, width)
    return np.asarray(ground, np.float32)


def _steel(height: int, width: int) -> Floats:
    """Brushed along its length."""
    grain = np.random.default_rng(2).normal(0, 7, (height, width)).astype(np.float32)
    brushed = np.asarray(cv2.blur(grain, (61, 1)), np.float32) * 4
    profile = 150 + 42 * np.sin(np.linspace(0.3, 2.6, height, dtype=np.float32))
    return np.asarray((profile[:, None] + brushed)[..., None] * np.array([1.02, 1.0, 0.97], np.float32), np.float32)
