"""Pictures drawn for calibration and parity (packages, bottles, surfaces): no photograph, and nobody's rights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]
Tensor = npt.NDArray[np.float32]
Draw = Callable[[Picture, np.random.Generator], None]

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of ImageNet, RGB: what both backbones were fed with


def drawn(count: int, seed: int, side_px: int = 256) -> Iterator[Picture]:
    """`count` pictures, side_px × side_px × 3 (BGR, uint8); the same ones for the same seed."""
    random = np.random.default_rng(seed)
    for index in range(count):
        yield _picture(SUBJECTS[index % len(SUBJECTS)], random, side_px)


def normalised(picture: Picture) -> Tensor:
    """BGR picture to the graph's input, 1 × 3 × H × W."""
    planes = (picture[..., ::-1].astype(np.float32) - np.float32(MEAN)) / np.float32(STD)
    return np.ascontiguousarray(planes.transpose(2, 0, 1)[None])


def _picture(subject: Draw, random: np.random.Generator, side_px: int) -> Picture:
    """A belt, a thing on it, and what a real camera adds: uneven light, blur, noise."""
    canvas = _belt(random, side_px)
    subject(canvas, random)
    return _exposed(canvas, random)


def _belt(random: np.random.Generator, side_px: int) -> Picture:
    """A plain or slatted belt of any colour."""
    canvas = np.full((side_px, side_px, 3), _colour(random), np.uint8)
    pitch_px = int(random.integers(8, 64))
    for top in range(0, side_px, pitch_px):
        cv2.line(canvas, (0, top), (side_px, top), _colour(random), int(random.integers(1, 5)))
    return canvas


def _carton(canvas: Picture, random: np.random.Generator) -> None:
    """A turned rectangle with a coloured band and print."""
    side_px = canvas.shape[0]
    size = random.uniform(0.4, 0.95, 2) * side_px
    corners = cv2.boxPoints(((side_px / 2, side_px / 2), tuple(size), float(random.uniform(-45, 45))))
    cv2.fillPoly(canvas, [corners.astype(np.int32)], _colour(random))
    share = random.uniform(0.1, 0.6)
    band = np.array(
        [corners[0], corners[1], _between(corners[1], corners[2], share), _between(corners[0], corners[3], share)]
    )
    cv2.fillPoly(canvas, [band.astype(np.int32)], _colour(random))
    _print(canvas, random)


def _bottle(canvas: Picture, random: np.random.Generator) -> None:
    """Rings, as a bottle or a tin shows them from above."""
    middle = tuple(int(part) for part in random.normal(canvas.shape[0] / 2, 8, 2))
    for radius_px in sorted(random.integers(8, canvas.shape[0] // 2, 6), reverse=True):
        cv2.circle(canvas, middle, int(radius_px), _colour(random), -1, cv2.LINE_AA)


def _surface(canvas: Picture, random: np.random.Generator) -> None:
    """Grain at three scales: wood, cloth, cast metal."""
    side_px = canvas.shape[0]
    grain = np.zeros((side_px, side_px), np.float32)
    for cells in random.integers(4, side_px, 3):
        stretch = (int(cells), max(2, int(cells * random.uniform(0.1, 1))))
        coarse = random.normal(0, 1, (stretch[1], stretch[0])).astype(np.float32)
        grain += cv2.resize(coarse, (side_px, side_px), interpolation=cv2.INTER_CUBIC)
    canvas[:] = np.clip(canvas + random.uniform(5, 40) * grain[..., None], 0, 255)


def _label(canvas: Picture, random: np.random.Generator) -> None:
    """Print and bars on a plain ground."""
    canvas[:] = _colour(random)
    for left in np.cumsum(random.integers(2, 9, 24)):
        cv2.line(canvas, (int(left), 8), (int(left), 60), _colour(random), int(random.integers(1, 4)))
    for _ in range(6):
        _print(canvas, random)


def _print(canvas: Picture, random: np.random.Generator) -> None:
    """A line of letters and digits somewhere."""
    text = "".join(random.choice(list("ABCDEFGHKLMNPRSTUVXYZ0123456789 ./-"), int(random.integers(4, 14))))
    place = tuple(int(part) for part in random.uniform(0.1, 0.8, 2) * canvas.shape[0])
    cv2.putText(
        canvas, text, place, cv2.FONT_HERSHEY_SIMPLEX, random.uniform(0.3, 1.6), _colour(random), 1, cv2.LINE_AA
    )


def _exposed(canvas: Picture, random: np.random.Generator) -> Picture:
    """The canvas as a camera sees it."""
    side_px = canvas.shape[0]
    slope = np.linspace(random.uniform(0.6, 1), random.uniform(0.8, 1.2), side_px, dtype=np.float32)
    lit = cv2.GaussianBlur(canvas, (0, 0), random.uniform(0.4, 1.6)) * slope[:, None, None]
    noisy = lit + random.normal(0, random.uniform(1, 8), canvas.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)


def _between(start: npt.NDArray[np.float32], end: npt.NDArray[np.float32], share: float) -> npt.NDArray[np.float32]:
    return start + (end - start) * np.float32(share)


def _colour(random: np.random.Generator) -> tuple[int, int, int]:
    """Any colour, greys and near-whites as often as the loud ones."""
    grey = int(random.integers(0, 256))
    spread = random.choice([4, 20, 90])
    blue, green, red = (int(part) for part in np.clip(random.normal(grey, spread, 3), 0, 255))
    return blue, green, red


SUBJECTS: tuple[Draw, ...] = (_carton, _bottle, _surface, _label)
