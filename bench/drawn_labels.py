"""Labels drawn with known truth: 28 languages, seven technologies, seen aslant, blurred, under glare, in noise.

Label `i` is the same for the same seed, whatever else is drawn: a run can be taken up again, a failure drawn anew.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bench.label_inks import TECHNOLOGIES, Mask, dots, letters, missing_fonts, printed
from bench.label_texts import LANGUAGES, Wording, wording
from edge.core.messages import Image

Random = np.random.Generator
FRAME_PX = (400, 640)  # height, width
MARGIN_PX = 24
SEED = 27


@dataclass(frozen=True, slots=True)
class DrawnLabel:
    """A label as a camera sees it."""

    number: int
    technology: str
    wording: Wording
    image: Image  # BGR, the frame; the label fills most of it


def drawn_label(number: int, seed: int = SEED) -> DrawnLabel:
    """The label of this number; languages and technologies take turns."""
    random = np.random.default_rng([seed, number])
    codes = languages()
    code, technology = codes[number % len(codes)], TECHNOLOGIES[number // len(codes) % len(TECHNOLOGIES)]
    words = wording(code, random)
    flat = _flat(words, technology, random)
    return DrawnLabel(number, technology, words, _seen(flat, technology, random))


def languages() -> list[str]:
    """Those for whose scripts there are fonts here."""
    missing = missing_fonts()
    return [code for code, one in LANGUAGES.items() if one.script not in missing]


def _flat(words: Wording, technology: str, random: Random) -> Image:
    """The label lying flat: ground and rows of print."""
    ink = _rows(words, technology, random)
    margin = MARGIN_PX + int(random.integers(0, 30))
    ink = np.pad(ink, margin)
    return printed(np.asarray(ink, np.float32), _ground(ink.shape[:2], random), technology, random)


def _rows(words: Wording, technology: str, random: Random) -> Mask:
    script = LANGUAGES[words.language].script
    height_px = int(random.integers(24, 40))
    set_in = dots if technology == "dot matrix" else letters
    mark = str(random.choice((":", "", " :")))
    lines = [set_in(f"{keyword}{mark} {value}", script, height_px, random) for keyword, value in words.rows]
    width_px = max(line.shape[1] for line in lines)
    padded = [np.pad(line, ((0, 4), (0, width_px - line.shape[1]))) for line in lines]
    return np.vstack(padded)


def _ground(shape: tuple[int, ...], random: Random) -> Image:
    """Paper, film or carton: a pale colour with a slow shade and some grain."""
    level = random.uniform(150, 240) + random.normal(0, 8, 3)
    height, width = shape
    shade = np.add.outer(
        np.linspace(0, random.uniform(-25, 25), height), np.linspace(0, random.uniform(-25, 25), width)
    )
    grain = cv2.GaussianBlur(random.normal(0, 6, (height, width)), (0, 0), float(random.uniform(0.6, 2.0)))
    return np.clip(level + (shade + grain)[..., None], 0, 255).astype(np.uint8)


def _seen(flat: Image, technology: str, random: Random) -> Image:
    """The label through a lens: bent, aslant, blurred, under glare, in noise."""
    if technology == "curved":
        flat = _bent(flat, random)
    if technology == "vertical":
        flat = np.ascontiguousarray(np.rot90(flat, int(random.choice((1, 3)))))
    framed = _aslant(flat, random)
    if random.random() < 0.25:
        framed = _glaring(framed, random)
    blurred = cv2.GaussianBlur(framed, (0, 0), float(random.uniform(0.3, 2.0)))
    noisy = blurred + random.normal(0, float(random.uniform(1, 12)), blurred.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _bent(flat: Image, random: Random) -> Image:
    """Print round a can: sides squeezed, lines sagging."""
    height, width = flat.shape[:2]
    reach, sag = float(random.uniform(0.7, 1.15)), float(random.uniform(0.05, 0.2)) * width / 4
    turn = np.linspace(-1, 1, width) * np.sin(reach)
    columns = (np.arcsin(turn) / reach + 1) / 2 * (width - 1)
    rows = np.add.outer(np.arange(height), -sag * (1 - turn**2) + sag / 2)
    across = np.broadcast_to(columns, (height, width))
    bent = cv2.remap(
        flat, across.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(bent, np.uint8)


def _aslant(flat: Image, random: Random) -> Image:
    """Fitted into the frame and seen from a little aside."""
    (height, width), (tall, wide) = flat.shape[:2], FRAME_PX
    fitting = min((wide - 2 * MARGIN_PX) / width, (tall - 2 * MARGIN_PX) / height, 1.2)
    scale = fitting * float(random.uniform(0.5, 1.0))
    corners = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32)
    placed = (corners - (width / 2, height / 2)) * scale
    angle = np.radians(random.normal(0, 4))
    turn = np.array(((np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))))
    jitter = random.uniform(-0.05, 0.05, (4, 2)) * (width * scale, height * scale)
    target = (placed @ turn.T + jitter + (wide / 2, tall / 2)).astype(np.float32)
    ground = tuple(float(level) for level in np.median(flat.reshape(-1, 3), axis=0) * float(random.uniform(0.3, 0.8)))
    warp = cv2.getPerspectiveTransform(corners, target)
    return np.asarray(cv2.warpPerspective(flat, warp, (wide, tall), flags=cv2.INTER_AREA, borderValue=ground), np.uint8)


def _glaring(image: Image, random: Random) -> Image:
    """A soft bright spot."""
    height, width = image.shape[:2]
    centre = random.uniform((0.1, 0.1), (0.9, 0.9)) * (height, width)
    down, across = np.ogrid[:height, :width]
    spread = float(random.uniform(40, 110))
    spot = np.exp(-((down - centre[0]) ** 2 + (across - centre[1]) ** 2) / (2 * spread**2))
    return np.asarray(np.clip(image + float(random.uniform(40, 180)) * spot[..., None], 0, 255), np.uint8)
