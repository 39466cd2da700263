"""Teaching the appliance from pictures: what the belt looks like, what normal looks like, what damage looks like."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress

from edge.core.errors import ConfigError, PictureUnreadable
from edge.core.messages import Image
from edge.inspection import features
from edge.inspection.assembly import locator
from edge.inspection.belt import BeltColour
from edge.inspection.crop import Crop
from edge.inspection.defects import DAMAGED, SOUND, DefectHead, Examples
from edge.inspection.promise import remember
from edge.inspection.references import SIZE, References
from edge.inspection.second_look import SIZE as SECOND_SIZE
from edge.inspection.second_look import SUFFIX
from edge.inspection.session import Session, Tensor, newest
from edge.pictures import read_picture
from edge.plain import plain_console
from edge.settings import ROOT

BELT_FRAMES = 24  # more teach nothing new about a belt
WORDS_FOR_GOOD = frozenset({"good", "normal", "intact", "0"})
WORDS_FOR_BAD = frozenset({"bad", "anomaly", "damaged", "defective", "1"})

Key = tuple[str, str]
"""GTIN and camera."""


def learn_belts(frames: Mapping[str, Sequence[Path]], folder: Path, console: Console) -> None:
    """Learn each camera's belt from some of its ordinary frames, into `folder/<camera>.npz`.

    Raises:
        PictureUnreadable: none of the frames can be read.
    """
    for camera, paths in frames.items():
        some = paths[:: max(1, len(paths) // BELT_FRAMES)][:BELT_FRAMES]
        BeltColour.learn([image for _, image in readable(some, console)]).save(folder / f"{camera}.npz")


def readable(paths: Iterable[Path], console: Console) -> Iterator[tuple[Path, Image]]:
    """The pictures among the files; the others are told, and left out."""
    for path in paths:
        try:
            yield path, read_picture(path)
        except PictureUnreadable as error:
            console.print(f"left out: {error}", style="yellow", highlight=False, soft_wrap=True)


class Teacher:
    """Makes references and heads; items are found on the belts learnt before, where there are any."""

    def __init__(
        self, session: Session, references: Path, belts: Path | None, progress: Progress, second: Session | None = None
    ) -> None:
        """Take the backbone, the folders, and the second stage's model where references are to be made for it too."""
        self._session = session
        self._second = second
        self._folder = references
        self._locate = locator(belts)
        self._progress = progress

    def build_references(self, normals: Mapping[Key, Sequence[Path]], size: int = SIZE) -> None:
        """Build `<gtin>/<camera>.npz`, and `.second.npz` for the second stage, from pictures of sound items.

        Those that look too unlike the others are told, and left out.

        Raises:
            ReferencesRefused: too few of them can be read.
        """
        for (gtin, camera), paths in normals.items():
            named = [(path, self._locate(camera, image)) for path, image in readable(paths, self._progress.console)]
            sound = self._build(named, self._session, size, self._folder / gtin / f"{camera}.npz")
            remember(self._folder, gtin, camera, sound, self._session.manifest.sha256)
            if self._second:
                self._build(named, self._second, SECOND_SIZE, self._folder / gtin / f"{camera}{SUFFIX}")

    def _build(self, named: Sequence[tuple[Path, Crop]], session: Session, size: int, path: Path) -> Tensor:
        """Build and save references of one stage; returns the scores for promises."""
        task = self._progress.add_task(f"learning what normal looks like: {path.name}", total=len(named))
        crops = [crop for _, crop in named]
        references = References.build(crops, session, size, lambda *_: self._progress.advance(task))
        references.save(path)
        for index in references.suspects:
            told = f"left out of {path.name}, unlike the others: {named[index][0]}: is it sound?"
            self._progress.console.print(told, style="yellow", highlight=False, soft_wrap=True)
        return references.sound

    def fit_heads(self, labelled: Mapping[Key, Sequence[tuple[Path, str]]]) -> None:
        """Fit `<gtin>/<camera>.head.npz` on pictures and the kind of damage they show (SOUND: none).

        Raises:
            ReferencesRefused: too few of a class can be read.
        """
        task = self._progress.add_task("learning what damage looks like", total=sum(map(len, labelled.values())))
        for (gtin, camera), examples in labelled.items():
            kinds, rows = dict(examples), {}
            for path, image in readable(kinds, self._progress.console):
                rows[path] = self._pooled(self._locate(camera, image))
                self._progress.advance(task)
            named = tuple(path.stem for path in rows)
            learnt = Examples(np.array(list(rows.values())), tuple(kinds[path] for path in rows), named)
            head = DefectHead.fit(learnt, self._session.manifest.sha256)
            head.save(self._folder / gtin / f"{camera}.head.npz")

    def _pooled(self, crop: Crop) -> Tensor:
        return features.pooled(features.patches(crop, self._session), features.inside(crop, self._session))


def build_references(arguments: Sequence[str]) -> int:
    """`tunnel-edge references build`."""
    parser = _parser("references", "build", "Build a product's references from pictures of sound items.")
    parser.add_argument("--size", type=int, default=SIZE, help="patches kept (default: %(default)s)")
    parser.add_argument("pictures", type=Path, nargs="+", help="pictures, or folders of them")
    options = parser.parse_args(arguments)
    with Progress(console=plain_console(stderr=True)) as progress:
        paths = list(pictures(options.pictures))
        _teacher(options, progress).build_references({(options.gtin, options.camera): paths}, options.size)
    return 0


def fit_defects(arguments: Sequence[str]) -> int:
    """`tunnel-edge defects fit`."""
    parser = _parser("defects", "fit", "Fit a product's defect head on labelled pictures.")
    parser.add_argument(
        "labels",
        type=Path,
        help="CSV with the columns picture,label (good or bad) and, if you like, type (dented, torn, …)",
    )
    options = parser.parse_args(arguments)
    with Progress(console=plain_console(stderr=True)) as progress:
        labelled = {(options.gtin, options.camera): list(_labelled(options.labels))}
        _teacher(options, progress).fit_heads(labelled)
    return 0


def _parser(command: str, verb: str, what: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"tunnel-edge {command}", description=what)
    parser.add_argument("verb", choices=[verb])
    parser.add_argument("--gtin", required=True, help="the product, 8 to 14 digits")
    parser.add_argument("--camera", required=True, help="the camera that took the pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of references, as [inspection] references")
    parser.add_argument("--belts", type=Path, help="folder of belt colours, as [inspection] belt_colours")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    return parser


def _teacher(options: argparse.Namespace, progress: Progress) -> Teacher:
    backbone, second = (Session.load(newest(options.models, check)) for check in ("backbone", "second-stage"))
    return Teacher(backbone, options.out, options.belts, progress, second)


def pictures(paths: Iterable[Path]) -> Iterable[Path]:
    """Each file, and each picture of each folder."""
    for path in paths:
        found = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        yield from (one for one in found if path == one or cv2.haveImageReader(str(one)))


def _labelled(labels: Path) -> list[tuple[Path, str]]:
    """The pictures that a CSV names; relative paths are looked for beside it."""
    return [(labels.parent / picture, kind) for picture, kind in read_labels(labels, "picture")]


def read_labels(path: Path, column: str) -> list[tuple[str, str]]:
    """A CSV of names, in `column`, and what they show: SOUND where `label` says good, else `type`, else DAMAGED.

    Raises:
        ConfigError: unreadable, without these columns, or with a label that is neither good nor bad.
    """
    try:
        rows = csv.DictReader(path.read_text().splitlines())
        named = [(row[column], row["label"], row.get("type")) for row in rows]
    except (OSError, UnicodeDecodeError, KeyError) as error:
        raise ConfigError(f"{path}: no labels ({error!r}): give a CSV with the columns {column},label.") from error
    strange = sorted({str(label) for _, label, _ in named} - WORDS_FOR_GOOD - WORDS_FOR_BAD)
    if strange or not named:
        raise ConfigError(f"{path}: labels {', '.join(strange[:5]) or '(none)'} are not known: say good or bad.")
    return [(name, (kind or DAMAGED) if label in WORDS_FOR_BAD else SOUND) for name, label, kind in named]
