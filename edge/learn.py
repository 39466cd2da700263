"""Learning from what ran: `tunnel-edge references changes | accept | decline | grow`, and `tunnel-edge complaint`.

A person decides about what changed. What was shipped long enough ago, without complaint, is learnt by itself: run
`grow` by a timer, beside the daemon.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge import stock
from edge.config import Config, load
from edge.core.changed import ALIKE
from edge.core.errors import ConfigError
from edge.core.messages import End
from edge.inspection import features
from edge.inspection.assembly import Sessions
from edge.inspection.changes import Unusual, group
from edge.inspection.contact_sheet import contact_sheet
from edge.inspection.crop import Crop, seen_again
from edge.inspection.growth import changed, grown, limit
from edge.inspection.references import CAMERA, GTIN, Normal, References
from edge.inspection.session import Session
from edge.plain import plain_console
from edge.records.candidates import CANDIDATES, KEPT, PASSED, UNUSUAL, oldest_first
from edge.records.evidence.index import items
from edge.records.journal import Journal, entries, story
from edge.started import note, who
from edge.stock import FIRST, STAGES, Entry

COMPLAINT, DISPUTED, CHANGED = "Complaint", "Disputed", "ReferencesChanged"
DECLINED = "declined"  # a folder beside the candidates': what a person has seen, and takes for damage
BATCH = 200  # candidates that one run of `grow` learns from
S_PER_DAY, NS_PER_S = 86_400, 1_000_000_000

Teach = Callable[[References, Sequence[Normal], int], References]
"""References, with items learnt, that were built with so many patches."""


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge references VERB`: the verbs of this module, else those of the stock."""
    if not arguments or arguments[0] not in VERBS:
        return stock.main(arguments)
    options = _options(arguments)
    return VERBS[options.verb](load(options.config), options, plain_console())


def complaint(arguments: Sequence[str]) -> int:
    """`tunnel-edge complaint`: what was shipped with this order line is never learnt from, and its evidence kept."""
    parser = argparse.ArgumentParser(prog="tunnel-edge complaint", description="Note a customer's complaint.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--order-line", required=True, help="that the customer complains of")
    parser.add_argument("--by", required=True, help="your name: it is kept in the journal")
    parser.add_argument("--why", required=True, help="the customer's words")
    options = parser.parse_args(arguments)
    state = load(options.config).lane.state
    said = {"order_line": options.order_line, "by": options.by, "why": options.why}
    with closing(Journal(state)) as journal:
        disputed = [(DISPUTED, item, {"item_id": item, **said}) for item in items(state, order_line=options.order_line)]
        journal.append([(COMPLAINT, None, said), *disputed], [])
    print(f"{options.order_line}: noted; items whose evidence is kept longest: {len(disputed)}")  # noqa: T201 - its voice
    return 0


def changes(config: Config, options: argparse.Namespace, console: Console) -> int:
    """List products whose unusual items are unusual alike, and draw these."""
    table = Table("product", "camera", "unusual", "alike", "drawn")
    for entry, paths in track(list(_offers(config, options, UNUSUAL)), "comparing", transient=True):
        alike, known = _alike(entry, paths, config), entry.load()
        if alike:
            sheet, usual = paths[0].parent / "changes.jpg", float(np.median(known.held_out)) / known.scale
            cv2.imwrite(str(sheet), contact_sheet([_crop(path) for path in alike], list(alike.values()), usual, ()))
            table.add_row(entry.gtin, entry.camera, str(len(paths)), str(len(alike)), str(sheet))
    console.width = max(console.width, stock.WIDTH)
    console.print(table if table.row_count else "no product has changed")
    return 0


def accept(config: Config, options: argparse.Namespace, console: Console) -> int:
    """Teach a change: those of a product's unusual items that are alike are sound, a named person says."""
    for first, candidates in _offers(config, options, UNUSUAL):
        paths = list(_alike(first, candidates, config))
        console.print(f"{first.gtin}: {len(paths)} of {len(candidates)} unusual items are unusual alike")
        _note(config, options.confirmed_by, "accept", first, paths)
        _teach(first, paths, config, console, changed, f"confirmed by {options.confirmed_by}")
    return 0


def decline(config: Config, options: argparse.Namespace, console: Console) -> int:
    """What looks alike is damage: keep the pictures, which `defects fit` can learn from, and offer them no more."""
    for entry, candidates in _offers(config, options, UNUSUAL):
        paths = _alike(entry, candidates, config)
        _note(config, options.by, "decline", entry, paths)
        folder = _declined(config, entry)
        folder.mkdir(parents=True, exist_ok=True)
        for path in paths:
            path.replace(folder / path.name)
        console.print(f"{folder}: {len(paths)} pictures, declined by {options.by}")
    return 0


def grow(config: Config, options: argparse.Namespace, console: Console) -> int:
    """Learn from what was shipped long enough ago, without complaint."""
    complained = {body["order_line"] for _, kind, _, body in entries(config.lane.state) if kind == COMPLAINT}
    due_ns = time.time_ns() - int(config.inspection.learn_after_days * S_PER_DAY * NS_PER_S)
    left = BATCH
    for first, paths in _offers(config, options, PASSED):
        due = [path for path in paths if _is_due(config.lane.state, path.stem, due_ns, complained)][:left]
        left -= len(due)
        sound = list(_sound(first, due, console))
        _note(config, who(), "grow", first, sound)
        _teach(first, sound, config, console, grown, "shipped without complaint")
    return 0


def _teach(first: Entry, paths: Sequence[Path], config: Config, console: Console, teach: Teach, why: str) -> None:
    """Have every stage's references learn from candidates, which are then of no more use."""
    for entry in _stages(first, config) if paths else ():
        items = [entry.normal(_crop(path)) for path in track(paths, entry.path.name, transient=True)]
        entry.change(teach(entry.load(), items, entry.size))
        console.print(f"{entry.path}: {len(items)} pictures taught, {why}")
    for path in paths:
        path.unlink(missing_ok=True)


def _note(config: Config, by: str, what: str, entry: Entry, paths: Iterable[Path]) -> None:
    """Write into the journal, before it is done, who has the references changed, and by which items."""
    items = [path.stem for path in paths]
    if items:
        note(config, CHANGED, {"by": by, "what": what, "gtin": entry.gtin, "camera": entry.camera, "items": items})


def _sound(entry: Entry, paths: Sequence[Path], console: Console) -> Iterator[Path]:
    """Those that do not look suspicious; the others are told, and put to the unusual ones for a person to see."""
    known = entry.load()
    most = limit(known.held_out)
    for path in paths:
        if known.score(features.of_item(_crop(path), entry.session)) <= most:
            yield path
            continue
        kept = path.parent.parent / UNUSUAL / path.name
        kept.parent.mkdir(exist_ok=True)
        path.replace(kept)
        console.print(f"left out, unlike the others: {kept}: is it sound?", style="yellow", soft_wrap=True)


def _is_due(state: Path, item: str, due_ns: int, complained: set[str]) -> bool:
    """Whether an item went on to its customer before `due_ns`, who has not complained."""
    said = {kind: (wall_ns, body) for wall_ns, kind, body in story(state, item)}
    ended_ns, end = said.get("ItemEnd", (0, {}))
    _, born = said.get("Item", (0, {}))
    order_line = (born.get("expected") or {}).get("order_line")
    return end.get("end") == End.PASSED and ended_ns <= due_ns and order_line not in {None, *complained}


def _alike(entry: Entry, paths: Sequence[Path], config: Config) -> dict[Path, float]:
    """Those of the unusual items that are unusual in the same way, but for what a person has declined: their scores."""
    known = entry.load()
    items, declined = (
        [_unusual(_crop(path), entry.session, known) for path in some]
        for some in (paths, oldest_first(_declined(config, entry))[-KEPT:])
    )
    return {paths[place]: items[place].score for place in group(items, declined, ALIKE)}


def _unusual(crop: Crop, session: Session, known: References) -> Unusual:
    rows, shown = features.patches(crop, session), features.inside(crop, session)
    return Unusual.of(rows, shown, known.compare(rows, shown), known)


def _declined(config: Config, entry: Entry) -> Path:
    return config.lane.state / DECLINED / entry.gtin / entry.camera


def _offers(config: Config, options: argparse.Namespace, kind: str) -> Iterator[tuple[Entry, list[Path]]]:
    """Products and cameras with candidates of a kind, and references of the first stage that they can teach."""
    session = Sessions(config.inspection.models).of(STAGES[FIRST][0])
    chosen = f"{options.gtin or '*'}/{options.camera or '*'}/{kind}"
    for folder in sorted((config.lane.state / CANDIDATES).glob(chosen)):
        camera, gtin = folder.parent.name, folder.parent.parent.name
        path = config.inspection.references / gtin / f"{camera}{FIRST}"
        paths = oldest_first(folder)
        if paths and path.exists() and GTIN.fullmatch(gtin) and CAMERA.fullmatch(camera):
            yield Entry(path, FIRST, session), paths


def _stages(first: Entry, config: Config) -> Iterator[Entry]:
    """The entry, and those of other stages beside it."""
    sessions = Sessions(config.inspection.models)
    for suffix, (check, _) in STAGES.items():
        path = first.path.with_name(first.camera + suffix)
        if path.exists():
            yield Entry(path, suffix, first.session if suffix == FIRST else sessions.of(check))


def _crop(path: Path) -> Crop:
    """A candidate's crop.

    Raises:
        ConfigError: the file is damaged.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None or image.ndim != 3 or image.shape[2] != 4:
        raise ConfigError(f"{path}: no candidate's picture: remove it.")
    return seen_again(np.asarray(image, np.uint8))


VERBS = {"changes": changes, "accept": accept, "decline": decline, "grow": grow}


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge references", description="Learning from what ran.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, function in VERBS.items():
        told = (function.__doc__ or "").splitlines()[0]
        command = verbs.add_parser(verb, help=told, description=told)
        command.add_argument("config", type=Path, help="the lane's settings (TOML)")
        one = verb in ("accept", "decline")
        command.add_argument("--gtin", required=one, help="one product")
        command.add_argument("--camera", required=one, help="one camera")
        if one:
            name = "--confirmed-by" if verb == "accept" else "--by"
            command.add_argument(name, required=True, help="your name")
    return parser.parse_args(arguments)
