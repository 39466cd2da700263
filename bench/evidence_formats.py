"""In which format evidence is kept: bytes and time of each, and whether the models say the same of what is read again.

`python -m bench.evidence_formats [--data FOLDER] [--most N] [--json FILE]`

Without --data drawn labels alone. What counts is the last columns: an anomaly score that moves, a defect score that
moves (in log-odds), a print that reads otherwise. Photographs that are JPEG files already flatter every format alike.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.core.labels import Field
from edge.core.messages import Expected, Frame, Image, Item, Sighting
from edge.inspection import features
from edge.inspection.assembly import Sessions, text_check
from edge.inspection.crop import Check, Crop
from edge.inspection.defects import DefectHead, Examples
from edge.inspection.locate import whole
from edge.inspection.references import References
from edge.inspection.session import Session
from edge.pictures import read_picture
from edge.settings import ROOT
from edge.simulator.draw import normals
from edge.simulator.products import PRODUCTS

MS = 1000.0
LEARNT = 40  # pictures that references are made of; of each class for the defect head
PRINTED = (Field.EXPIRY, Field.LOT, Field.SERIAL)
FORMATS: Mapping[str, tuple[str, tuple[int, ...]]] = {
    **{f"JPEG {q}": (".jpg", (cv2.IMWRITE_JPEG_QUALITY, q)) for q in (75, 85, 92)},
    "JPEG 85, progressive": (
        ".jpg",
        (cv2.IMWRITE_JPEG_QUALITY, 85, cv2.IMWRITE_JPEG_OPTIMIZE, 1, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
    ),
    **{f"WebP {q}": (".webp", (cv2.IMWRITE_WEBP_QUALITY, q)) for q in (75, 85, 92)},
    "WebP lossless": (".webp", (cv2.IMWRITE_WEBP_QUALITY, 101)),
    **{f"AVIF {q}": (".avif", (cv2.IMWRITE_AVIF_QUALITY, q, cv2.IMWRITE_AVIF_SPEED, 9)) for q in (60, 75, 85)},
    "AVIF 75, slower": (".avif", (cv2.IMWRITE_AVIF_QUALITY, 75, cv2.IMWRITE_AVIF_SPEED, 6)),
    "PNG": (".png", (cv2.IMWRITE_PNG_COMPRESSION, 1)),
}
SIGHTED = Item("i", 0, 0, None, Expected("w", "0", "o"))

Answer = Callable[[Image], Any]
"""What a model says of a crop: a score, or what it reads."""


@dataclass(frozen=True, slots=True)
class Crops:
    """Pictures, and who says something of them."""

    name: str
    images: Sequence[Image]
    answer: Answer


def main() -> int:
    """Every set in every format."""
    options = _options()
    console, found = Console(width=150), {}
    cv2.setNumThreads(1)
    sessions = Sessions(ROOT / "models")
    for crops in _sets(options.data, sessions, options.most):
        found[crops.name] = _measured(crops)
        console.print(_table(crops.name, found[crops.name]))
    if options.json:
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _sets(data: Path | None, sessions: Sessions, most: int) -> Iterator[Crops]:
    drawn = [one for product in PRODUCTS for one in normals(product.gtin, most // len(PRODUCTS) + 1, 5)]
    reads = partial(_read, text_check(sessions, PRINTED, date.today))
    yield Crops("drawn labels, read", [one["side"] for one in drawn][:most], reads)
    if data is None:
        return
    yield _anomalies(data / "bottle", sessions.of("backbone"), most)
    yield _defects(data / "packages", sessions.of("backbone"), most)
    yield Crops("packages, read", _pictures((data / "packages/intact/side").glob("*.jpg"), most), reads)
    yield Crops("labels, read", _pictures((data / "dates/labels_uk").rglob("*.*"), most), reads)


def _anomalies(folder: Path, session: Session, most: int) -> Crops:
    learnt = [whole(image) for image in _pictures((folder / "train/good").iterdir(), LEARNT)]
    references = References.build(learnt, session)
    tested = _pictures((folder / "test").rglob("*.*"), most)
    return Crops("bottles, anomaly score", tested, partial(_unusual, references, session))


def _defects(folder: Path, session: Session, most: int) -> Crops:
    kinds = {"": folder / "intact/side", "damaged": folder / "damaged/side"}
    paths = {kind: sorted(place.iterdir()) for kind, place in kinds.items()}
    some = [(kind, read_picture(path)) for kind, found in paths.items() for path in found[:LEARNT]]
    rows = np.array([_pooled(image, session) for _, image in some])
    head = DefectHead.fit(Examples(rows, tuple(kind for kind, _ in some), ("",) * len(some)), session.manifest.sha256)
    tested = [read_picture(path) for found in paths.values() for path in found[LEARNT:]][:most]
    return Crops("packages, log-odds of damage", tested, lambda image: head.opinion(_pooled(image, session)).log_odds)


def _measured(crops: Crops) -> dict[str, dict[str, float]]:
    usual = [crops.answer(image) for image in track(crops.images, crops.name, transient=True)]
    return {name: _in_format(crops, usual, *how) for name, how in track(FORMATS.items(), crops.name, transient=True)}


def _in_format(crops: Crops, usual: Sequence[Any], ending: str, how: Sequence[int]) -> dict[str, float]:
    """Means over all crops; what the models say of them, beside what they said."""
    began_s = time.perf_counter()
    files = [cv2.imencode(ending, image, how)[1] for image in crops.images]
    written_s = time.perf_counter()
    again = [np.asarray(cv2.imdecode(one, cv2.IMREAD_COLOR), np.uint8) for one in files]
    read_s = time.perf_counter()
    count = len(files)
    pairs = list(zip(crops.images, again, strict=True))
    return {
        "kB": sum(len(one) for one in files) / count / 1000,
        "encode_ms": (written_s - began_s) / count * MS,
        "decode_ms": (read_s - written_s) / count * MS,
        "psnr_db": float(np.mean([min(99.0, cv2.PSNR(*pair)) for pair in pairs])),
        "ssim": float(np.mean([_ssim(*pair) for pair in pairs])),
        **_moved(usual, [crops.answer(image) for image in again]),
    }


def _moved(usual: Sequence[Any], now: Sequence[Any]) -> dict[str, float]:
    """How far scores moved (median, most); of print, what share reads otherwise, is vouched for no more, or newly."""
    if isinstance(usual[0], tuple):
        said = [pair for then, again in zip(usual, now, strict=True) for pair in zip(then, again, strict=True)]
        return {
            "otherwise": float(np.mean([None not in pair and pair[0] != pair[1] for pair in said])),
            "no_longer": float(np.mean([now is None and then is not None for then, now in said])),
            "newly": float(np.mean([then is None and now is not None for then, now in said])),
        }
    moved = np.abs(np.subtract(usual, now))
    return {"moved_p50": float(np.median(moved)), "moved_most": float(moved.max())}


def _unusual(references: References, session: Session, image: Image) -> float:
    crop = whole(image)
    return references.compare(features.patches(crop, session), features.inside(crop, session)).score


def _pooled(image: Image, session: Session) -> Any:
    crop: Crop = whole(image)
    return features.pooled(features.patches(crop, session), features.inside(crop, session))


def _read(check: Check, image: Image) -> tuple[str | None, ...]:
    """What is vouched for."""
    sighting = Sighting(Frame("side", "f", 0, 0.0, image), SIGHTED, 2**62)
    return tuple(one.reading if one.valid else None for one in check.inspect(whole(image), sighting))


def _pictures(paths: Any, most: int) -> list[Image]:
    """Evenly chosen."""
    found = sorted(path for path in paths if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    chosen = np.linspace(0, len(found) - 1, min(most, len(found))).astype(int)
    return [read_picture(found[number]) for number in chosen]


def _ssim(one: Image, other: Image) -> float:
    """Structural similarity of the luminance (Wang et al. 2004), by a Gaussian of 1.5 px."""
    a, b = (cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.float32) for image in (one, other))
    blurred = partial(cv2.GaussianBlur, ksize=(11, 11), sigmaX=1.5)
    mean_a, mean_b = blurred(a), blurred(b)
    var_a, var_b = blurred(a * a) - mean_a**2, blurred(b * b) - mean_b**2
    both = blurred(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    alike = (2 * mean_a * mean_b + c1) * (2 * both + c2) / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))
    return float(alike.mean())


def _table(name: str, found: Mapping[str, Mapping[str, float]]) -> Table:
    table = Table("format", *next(iter(found.values())), title=name)
    for what, figures in found.items():
        table.add_row(what, *(f"{one:.3g}" for one in figures.values()))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Formats of evidence: bytes, time, and what the models say of them.")
    parser.add_argument("--data", type=Path, help="folder of photographs, with bottle, packages and dates in it")
    parser.add_argument("--most", type=int, default=40, help="pictures of a set (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
