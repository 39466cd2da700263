"""The stock of references: `tunnel-edge references build | add | inspect | prune | undo`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np
from rich import box
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge import disk, sealed, teach
from edge.core.errors import ConfigError, ReferencesRefused
from edge.inspection.assembly import Sessions, locator
from edge.inspection.contact_sheet import contact_sheet
from edge.inspection.crop import Crop
from edge.inspection.growth import confirmed, pruned, taught
from edge.inspection.promise import remember
from edge.inspection.references import GTIN, SIZE, Normal, References, normal
from edge.inspection.second_look import SIZE as SECOND_SIZE
from edge.inspection.second_look import SUFFIX
from edge.inspection.session import Session
from edge.plain import plain_console
from edge.settings import ROOT

PREVIOUS = ".previous"  # added to a file's name: what was there before the last change
FIRST = ".npz"
COLUMNS = ("product", "camera", "stage", "pictures", "left out", "patches", "kB", "largest / usual", "written", "name")
WIDTH = 150  # of the table, at least
STAGES = {FIRST: ("backbone", SIZE), SUFFIX: ("second-stage", SECOND_SIZE)}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of references."""

    path: Path
    stage: str  # a suffix of STAGES
    session: Session

    @property
    def gtin(self) -> str:
        """The product."""
        return self.path.parent.name

    @property
    def camera(self) -> str:
        """The camera that took the pictures."""
        return self.path.name.removesuffix(self.stage)

    @property
    def previous(self) -> Path:
        """Where the last version is kept."""
        return self.path.with_name(self.path.name + PREVIOUS)

    def load(self) -> References:
        """What is in it.

        Raises:
            ReferencesRefused: damaged, or made by another model.
        """
        return References.load(self.path, self.session)

    def change(self, references: References) -> None:
        """Write anew; what was there can be had back."""
        disk.written(self.previous, self.path.read_bytes())
        references.save(self.path)

    @property
    def size(self) -> int:
        """How many patches are kept."""
        return STAGES[self.stage][1]

    def normal(self, crop: Crop) -> Normal:
        """What is learnt from a crop."""
        return normal(crop, self.session)


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge references VERB`."""
    if arguments[:1] == ["build"]:
        return teach.build_references(arguments)
    options = _parser().parse_args(arguments)
    console = plain_console(stderr=options.verb != "inspect")
    entries = list(_entries(options))
    if not entries:
        raise ConfigError(f"{options.out}: no such references: make them with `tunnel-edge references build`.")
    VERBS[options.verb](entries, options, console)
    return 0


def add(entries: Sequence[Entry], options: argparse.Namespace, console: Console) -> None:
    """Learn more normal pictures of one product and camera; suspicious ones are told, and left out."""
    find, paths = locator(options.belts), teach.pictures(options.pictures)
    named = [(path, find(options.camera, image)) for path, image in teach.readable(paths, console)]
    for entry in entries:
        known = entry.load()
        items = [entry.normal(crop) for _, crop in track(named, entry.path.name, console=console, transient=True)]
        if options.confirmed_by:
            more, suspects = confirmed(known, items, entry.size), tuple[int, ...]()
        else:
            more, suspects = taught(known, items, entry.size)
        entry.change(more)
        for index in suspects:
            console.print(f"left out of {entry.path.name}, unlike the others: {named[index][0]}: is it sound?")
        console.print(
            f"{entry.path}: {len(named) - len(suspects)} more pictures, {len(more.held_out)} in all{_by(options)}"
        )
        if entry.stage == FIRST:
            remember(options.out, entry.gtin, entry.camera, more.sound, entry.session.manifest.sha256)
            scores = [known.score(one.lying) for one in items]
            _draw(options.sheet, [crop for _, crop in named], scores, known, suspects)


def inspect(entries: Sequence[Entry], options: argparse.Namespace, console: Console) -> None:
    """A row for each file; a damaged one is told, not hidden."""
    table, damaged = Table(box=box.SIMPLE), []
    for column in COLUMNS:
        table.add_column(column, no_wrap=True)
    for entry in track(entries, "reading", console=plain_console(stderr=True), transient=True):
        try:
            table.add_row(*_told(entry))
        except ReferencesRefused as error:
            damaged.append(str(error))
    console.width = max(console.width, WIDTH)
    console.print(table)
    console.print(*damaged, sep="\n", style="red", soft_wrap=True)


def prune(entries: Sequence[Entry], options: argparse.Namespace, console: Console) -> None:
    """Keep the first patches of each: they were chosen the farthest first, so that the rest add least."""
    saved = 0
    for entry in track(entries, "pruning", console=console, transient=True):
        known, before = entry.load(), entry.path.stat().st_size
        if len(known.coreset) > options.size:
            entry.change(pruned(known, options.size))
            saved += before - entry.path.stat().st_size
    console.print(f"{saved / 1e6:.1f} MB less (the versions before are kept beside: `undo` brings them back)")


def undo(entries: Sequence[Entry], options: argparse.Namespace, console: Console) -> None:
    """Bring the version before the last change back; a second undo undoes the first."""
    for entry in entries:
        if entry.previous.exists():
            now = entry.path.read_bytes()
            entry.previous.replace(entry.path)
            disk.written(entry.previous, now)
            console.print(f"{entry.path}: as it was before")


VERBS = {"add": add, "inspect": inspect, "prune": prune, "undo": undo}


def _told(entry: Entry) -> Iterator[str]:
    known, file = entry.load(), entry.path.stat()
    yield from (entry.gtin, entry.camera, STAGES[entry.stage][0])
    yield from (str(len(known.held_out)), str(len(known.suspects)), str(len(known.coreset)))
    yield from (f"{file.st_size / 1000:.0f}", f"{known.held_out[-1] / np.median(known.held_out):.2f}")
    yield f"{datetime.fromtimestamp(file.st_mtime).astimezone():%Y-%m-%d %H:%M}"
    yield sealed.named(entry.path)


def _by(options: argparse.Namespace) -> str:
    return f", all confirmed by {options.confirmed_by}" if options.confirmed_by else ""


def _draw(
    sheet: Path | None, crops: Sequence[Crop], scores: Sequence[float], known: References, suspects: Sequence[int]
) -> None:
    if sheet and crops:
        picture = contact_sheet(crops, scores, float(np.median(known.held_out)), suspects)
        sheet.write_bytes(cv2.imencode(".png", picture)[1].tobytes())


def _entries(options: argparse.Namespace) -> Iterator[Entry]:
    """The files that are meant, by product and camera where they are named."""
    sessions = Sessions(options.models)
    for path in sorted(options.out.glob(f"{options.gtin or '*'}/*{FIRST}")):
        stage = next((suffix for suffix in (SUFFIX, FIRST) if path.name.endswith(suffix)), "")
        if "." in path.name.removesuffix(stage) or not GTIN.fullmatch(path.parent.name):
            continue  # a defect head, or nothing of ours
        entry = Entry(path, stage, sessions.of(STAGES[stage][0]))
        if options.camera in (None, entry.camera):
            yield entry


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tunnel-edge references", description="The stock of references.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, function in VERBS.items():
        told = (function.__doc__ or "").splitlines()[0]
        command = verbs.add_parser(verb, help=told, description=told)
        command.add_argument("--out", type=Path, required=True, help="folder of references, as [inspection] references")
        command.add_argument("--gtin", required=verb == "add", help="one product, 8 to 14 digits")
        command.add_argument("--camera", required=verb == "add", help="one camera")
        command.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models")
        if verb == "prune":
            command.add_argument("--size", type=int, default=SIZE // 2, help="patches kept (default: %(default)s)")
        if verb == "add":
            command.add_argument("--belts", type=Path, help="folder of belt colours, as [inspection] belt_colours")
            command.add_argument("--sheet", type=Path, help="draw the pictures there (PNG), the most unusual first")
            command.add_argument("--confirmed-by", help="who says that they are all sound: a new artwork, a sticker")
            command.add_argument("pictures", type=Path, nargs="+", help="pictures, or folders of them")
    verbs.add_parser("build", help="build a product's references from pictures of sound items (see `build --help`)")
    return parser
