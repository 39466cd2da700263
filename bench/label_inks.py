"""Print of seven technologies, as pictures: laser, ink jet, dot matrix, embossed, curved, vertical, low contrast.

Letters come from the fonts that fontconfig knows; the dots of a dot matrix are drawn one by one.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from edge.core.labels import folded
from edge.core.messages import Image

Random = np.random.Generator
Mask = npt.NDArray[np.float32]
"""Ink, 0 to 1, height × width."""

TECHNOLOGIES = ("laser", "inkjet", "dot matrix", "embossed", "curved", "vertical", "low contrast")
LATIN = ("DejaVu Sans", "DejaVu Sans Mono", "DejaVu Sans:bold", "Liberation Sans", "Liberation Mono", "Noto Sans")
FONTS: Mapping[str, Sequence[str]] = {
    "Latin": LATIN,
    "Greek": ("DejaVu Sans", "DejaVu Sans Mono", "Noto Sans"),
    "Cyrillic": ("DejaVu Sans", "DejaVu Sans Mono", "Noto Sans"),
    "Kana, Han": ("Noto Sans CJK JP",),
    "Han": ("Noto Sans CJK SC",),
    "Hangul": ("Noto Sans CJK KR",),
    "Thai": ("Noto Sans Thai", "Noto Serif Thai"),
    "Arabic": ("Noto Sans Arabic", "Noto Naskh Arabic"),
    "Hebrew": ("Noto Sans Hebrew",),
    "Devanagari": ("Noto Sans Devanagari",),
}
ONE_SCRIPT = ("Thai", "Arabic", "Hebrew", "Devanagari")  # fonts without Latin letters
FROM_THE_RIGHT = ("Arabic", "Hebrew")
FIRST_OWN = 0x300  # what comes before is Latin
FALLBACK = "DejaVu Sans"  # for digits and Latin letters in fonts of one script
COLUMNS = (
    "0:3e4141413e 1:00427f4000 2:4261514946 3:2141454b31 4:1814127f10 5:2745454539 6:3c4a494930 7:0171090503 "
    "8:3649494936 9:064949291e A:7e1111117e B:7f49494936 C:3e41414122 D:7f4141221c E:7f49494941 F:7f09090901 "
    "G:3e4149497a H:7f0808087f I:00417f4100 J:2040413f01 K:7f08142241 L:7f40404040 M:7f020c027f N:7f0408107f "
    "O:3e4141413e P:7f09090906 Q:3e4151215e R:7f09192946 S:4649494931 T:01017f0101 U:3f4040403f V:1f2040201f "
    "W:3f4038403f X:6314081463 Y:0708700807 Z:6151494543 .:0060600000 /:2010080402 -:0808080808 ::0036360000"
)
"""Letter → five columns of seven dots, the least significant bit on top: the usual 5 × 7 of matrix printers."""
MATRIX = {one[0]: tuple(int(one[2 + 2 * k : 4 + 2 * k], 16) for k in range(5)) for one in COLUMNS.split()}
MATRIX[" "] = (0,) * 5
SHIFT = 4  # bits of a pixel's fractions, for OpenCV
RASTER_PX = 15  # of other scripts: dots from an en to the foot of a letter


@cache
def font_file(family: str) -> str | None:
    """The file of a font, or None where this machine has none."""
    told = subprocess.run(["fc-list", family, "file", "index"], capture_output=True, text=True, check=False).stdout
    files = sorted(line.partition(":")[0] for line in told.splitlines() if line)
    plain = [one for one in files if "Regular" in one or one.endswith(("DejaVuSans.ttf", "DejaVuSansMono.ttf"))]
    return next(iter(plain or files), None)


def missing_fonts() -> dict[str, Sequence[str]]:
    """Scripts for which this machine has no font, and the fonts that would do."""
    return {script: names for script, names in FONTS.items() if not any(map(font_file, names))}


@cache
def _font(family: str, size_px: int) -> ImageFont.FreeTypeFont:
    path = font_file(family)
    if path is None:
        raise FileNotFoundError(f"no font {family}")
    return ImageFont.truetype(path, size_px, index=_index(path, family))


@cache
def _index(path: str, family: str) -> int:
    """Of the family in a collection."""
    if not path.endswith(".ttc"):
        return 0
    names = (ImageFont.truetype(path, 12, index=one).getname()[0] for one in range(20))
    return next((index for index, name in enumerate(names) if name == family.partition(":")[0]), 0)


def letters(text: str, script: str, height_px: int, random: Random) -> Mask:
    """Text in one of the script's fonts; where a font has no Latin letters or digits, these come from another."""
    family = str(random.choice([one for one in FONTS[script] if font_file(one)]))
    pieces = [(piece, family if own else FALLBACK) for piece, own in _runs(text, script)]
    return _beside([_set(piece, _font(name, height_px)) for piece, name in pieces])


def _runs(text: str, script: str) -> list[tuple[str, bool]]:
    """The text in pieces of one font each, from left to right; True: the script's own."""
    if script not in ONE_SCRIPT:
        return [(text, True)]
    runs: list[tuple[str, bool]] = []
    for character in text:
        own = runs[-1][1] if character in " :" and runs else ord(character) >= FIRST_OWN
        if runs and runs[-1][1] == own:
            runs[-1] = (runs[-1][0] + character, own)
        else:
            runs.append((character, own))
    return runs[::-1] if script in FROM_THE_RIGHT else runs


def _set(text: str, font: ImageFont.FreeTypeFont) -> Mask:
    """One run on a canvas whose base line lies at the same place for all fonts."""
    size = round(font.size)
    canvas = Pillow.new("L", (max(1, round(font.getlength(text))) + 2, 2 * size), 0)
    ImageDraw.Draw(canvas).text((1, round(1.4 * size)), text, fill=255, font=font, anchor="ls")
    return (np.asarray(canvas) / 255).astype(np.float32)


def _beside(pieces: Sequence[Mask]) -> Mask:
    return np.ascontiguousarray(np.hstack(pieces))


def dots(text: str, script: str, height_px: int, random: Random) -> Mask:
    """Text as a matrix of round dots: 5 × 7 for Latin capitals and digits, a coarse raster for other scripts."""
    matrix = _matrix(text) if all(one in MATRIX for one in _capitals(text)) else _raster(text, script, random)
    pitch = max(2.0, height_px / (7 if len(matrix) == 7 else RASTER_PX))
    radius = pitch * float(random.uniform(0.32, 0.52))
    canvas = np.zeros((round((len(matrix) + 4) * pitch), round((matrix.shape[1] + 2) * pitch)), np.uint8)
    for row, column in np.argwhere(matrix):
        place = np.array(((column + 1.5) * pitch, (row + 2.5) * pitch)) + random.normal(0, 0.06 * pitch, 2)
        centre = np.rint(place * 2**SHIFT).astype(int).tolist()
        cv2.circle(canvas, centre, round(radius * 2**SHIFT), (255,), cv2.FILLED, cv2.LINE_AA, SHIFT)
    return (canvas / 255).astype(np.float32)


def _capitals(text: str) -> str:
    return folded(text).upper()


def _matrix(text: str) -> npt.NDArray[np.bool_]:
    columns = [column for one in _capitals(text) for column in (*MATRIX[one], 0)]
    return np.array([[bool(column >> row & 1) for column in columns] for row in range(7)])


def _raster(text: str, script: str, random: Random) -> npt.NDArray[np.bool_]:
    drawn = letters(text, script, RASTER_PX, random) > 0.45
    rows = np.flatnonzero(drawn.any(axis=1))
    return np.asarray(drawn[rows[0] : rows[-1] + 1] if len(rows) else drawn[:8], np.bool_)


def printed(ink: Mask, ground: Image, technology: str, random: Random) -> Image:
    """The ink on its ground, by its technology."""
    if technology == "embossed":
        return _embossed(ink, ground, random)
    if technology == "inkjet":
        ink = _bled(ink, random)
    level = float(random.integers(10, 80))
    if technology == "low contrast":
        level = float(ground.mean()) + float(random.choice((-1.0, 1.0))) * float(random.uniform(12, 40))
    colour = np.clip(level + random.normal(0, 12, 3), 0, 255)
    mixed = ground * (1 - ink[..., None]) + colour * ink[..., None]
    return np.clip(mixed, 0, 255).astype(np.uint8)


def _bled(ink: Mask, random: Random) -> Mask:
    """Drops that spread and sit a little astray, and ink that fades along the line."""
    speckle = cv2.GaussianBlur(random.normal(0, 1, ink.shape).astype(np.float32), (0, 0), 1.2)
    spread = cv2.GaussianBlur(ink, (0, 0), float(random.uniform(0.8, 1.6))) + 0.35 * speckle * (ink > 0.02)
    fading = np.linspace(1.0, float(random.uniform(0.6, 1.0)), ink.shape[1], dtype=np.float32)
    return np.asarray(np.clip((spread - 0.25) * 2.2, 0, 1) * fading, np.float32)


def _embossed(ink: Mask, ground: Image, random: Random) -> Image:
    """Letters pressed into the carton: a lit edge and one in shade, no ink."""
    soft = cv2.GaussianBlur(ink, (0, 0), 1.0)
    light = np.asarray(cv2.Sobel(soft, cv2.CV_32F, 1, 0) + cv2.Sobel(soft, cv2.CV_32F, 0, 1), np.float32)
    depth = float(random.uniform(10, 45))
    return np.clip(ground + depth * light[..., None] - 6 * soft[..., None], 0, 255).astype(np.uint8)
