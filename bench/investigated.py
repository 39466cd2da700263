"""What `tunnel-edge investigate` says of sound and damaged items that all left: by the ledger, and looked at again.

`python -m bench.investigated --data FOLDER [--sets a,b] [--labels N] [--json FILE] [--pages FOLDER]`

Each set's held-out pictures run over a lane whose recipe lets everything pass (a limit that nothing reaches), so that
damaged items do leave; their crops are kept as evidence is. Before them run, as test pieces, those damaged ones that a
head is fitted on: they tell how far the checks of then see. Then each is asked about twice: by the ledger alone, and
looked at again with a recipe that knows more (a second look, and a head where the set has enough damaged items). Dates:
drawn labels, ordered as printed, or as 100 days later. Nothing that is asked about was learnt from.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import chain
from pathlib import Path
from shutil import copytree
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from bench.drawn_labels import drawn_label
from bench.sets import anomaly
from bench.sets.labelled import NORMALS
from bench.written import OUT, Written
from edge.config import Config, load
from edge.core.findings import Left
from edge.core.grounds import Facts
from edge.core.messages import Expected, Image
from edge.core.statistics import wilson
from edge.inspection.assembly import Sessions
from edge.inspection.defects import DAMAGED, SOUND
from edge.investigation.main import Eyes, investigated
from edge.investigation.page import page
from edge.pictures import read_picture
from edge.settings import ROOT
from edge.teach import Teacher, learn_belts

GTIN = "04000000000017"
LABELS = 20  # of each class, for a head
LATER_DAYS = 100  # a wrong order's date is so much later than what is printed
LABELS_DRAWN = 40
LANE = """
[lane]
site = "bench"
name = "bench"
state = "{folder}/state"
[belt]
counts_per_mm = 10
gate_mm = 1000
confirm_mm = 1100
exit_mm = 1150
{cameras}
[inspection]
references = "{folder}/{learnt}"
{belts}
[recipe]
name = "{learnt}"
"""
CAMERA = '[[camera]]\nname = "{name}"\nplace_mm = 300\nnode = "ipc://{folder}/frames"\n'
RULE = '[[recipe.rule]]\ncheck = "{check}"\ncameras = [{cameras}]\n{more}\n'
TOLD = {
    Left.SOUND: "sound",
    Left.NOTHING_FOUND: "nothing found",
    Left.DAMAGED_UNSEEN: "damaged",
    Left.DAMAGED_SEEN: "damaged",
    Left.UNDECIDED: "cannot say",
    Left.IN_DOUBT: "cannot say",
}
ANSWERS = ("sound", "nothing found", "cannot say", "damaged")
ASKED = ("then", "again")  # by the ledger alone; looked at again

Views = Mapping[str, Path]


@dataclass(slots=True)
class Goods:
    """A set's items, view by view."""

    name: str
    normals: Sequence[Views]  # learnt from
    labelled: Sequence[Views]  # damaged, for a head; none: there is none
    sound: Sequence[Views]  # asked about
    damaged: Sequence[Views]
    on_belt: bool = False

    @property
    def cameras(self) -> list[str]:
        """The views."""
        return list(self.normals[0])


@dataclass(slots=True)
class Tally:
    """What was answered to one kind of item."""

    told: Counter[str] = field(default_factory=Counter)

    def shares(self) -> dict[str, Any]:
        """Of each answer its count, and the interval of its share."""
        count = sum(self.told.values())
        return {
            one: [self.told[one], *(round(end, 3) for end in wilson(self.told[one] / count, count))] for one in ANSWERS
        }


def main() -> int:
    """Measure, print, write."""
    options = _options()
    cv2.setNumThreads(1)
    console = Console()
    wanted = set(options.sets.split(",")) if options.sets else None
    rows: list[dict[str, Any]] = []
    measured = (_measured(goods, options, console) for goods in _goods(options.data, options.labels, wanted))
    dates = (_dates(options, console) for _ in range(1) if wanted is None or "dates" in wanted)
    for row in chain(measured, dates):
        rows.append(row)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1) + "\n")
    _print(rows, console)
    return 0


def _goods(data: Path, labels: int, wanted: Container[str] | None) -> Iterator[Goods]:
    """Sets of sound and damaged items, each split once: what is learnt from, and what is asked about."""
    for folder in sorted(data.glob("*/")):
        if wanted is not None and folder.name not in wanted:
            continue
        if (folder / "intact").is_dir():
            yield _of_views(folder, labels)
        elif anomaly.fits(folder):
            yield _of_pictures(folder, labels)


def _of_views(folder: Path, labels: int) -> Goods:
    views = sorted(one.name for one in (folder / "intact").glob("*/"))
    names = {kind: sorted(one.name for one in (folder / kind / views[0]).iterdir()) for kind in ("intact", "damaged")}
    sound, damaged = (
        [{view: folder / kind / view / names[kind][one] for view in views} for one in _order(len(names[kind]))]
        for kind in ("intact", "damaged")
    )
    return Goods(folder.name, sound[:NORMALS], damaged[:labels], sound[NORMALS:], damaged[labels:], on_belt=True)


def _of_pictures(folder: Path, labels: int) -> Goods:
    split = next(iter(anomaly._splits(folder, 1)))
    bad = [one for one in split.tested if one.bad]
    bad = [bad[one] for one in _order(len(bad))]
    taken = labels if len(bad) >= 2 * labels else 0
    return Goods(
        folder.name,
        [{"top": one.path} for one in split.normals],
        [{"top": one.path} for one in bad[:taken]],
        [{"top": one.path} for one in split.tested if not one.bad],
        [{"top": one.path} for one in bad[taken:]],
    )


def _order(count: int) -> list[int]:
    return [int(one) for one in np.random.default_rng(0).permutation(count)]


def _measured(goods: Goods, options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Learn, let all of them leave, and ask about each."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        then, again = _lanes(goods, folder, console)
        written = Written(then, date.today())
        for number, one in enumerate(goods.labelled):
            written.sent_as_bad(_order_of(-number - 1), {view: read_picture(path) for view, path in one.items()})
        asked = [(False, one) for one in goods.sound] + [(True, one) for one in goods.damaged]
        truths = {
            written.ran(_order_of(number), {view: read_picture(path) for view, path in one.items()}, OUT): bad
            for number, (bad, one) in enumerate(track(asked, f"{goods.name}: on the belt", console=console))
        }
        written.close()
        return {"set": goods.name, **_asked(then, again, truths, options, goods.name, console)}


def _lanes(goods: Goods, folder: Path, console: Console) -> tuple[Config, Config]:
    """The lane of then, which lets everything pass, and that of now, which knows more."""
    keys = {(GTIN, camera): [one[camera] for one in goods.normals] for camera in goods.cameras}
    belts = folder / "belts" if goods.on_belt else None
    if belts:
        learn_belts({camera: paths for (_, camera), paths in keys.items()}, belts, console)
    sessions = Sessions(ROOT / "models")
    networks = sessions.of("backbone"), sessions.of("second-stage")
    with Progress(console=console, transient=True) as progress:
        Teacher(networks[0], folder / "then", belts, progress, networks[1]).build_references(keys)
        copytree(folder / "then", folder / "now")
        if goods.labelled:
            Teacher(networks[0], folder / "now", belts, progress).fit_heads(
                {
                    (GTIN, camera): [(one[camera], SOUND) for one in goods.normals[: len(goods.labelled)]]
                    + [(one[camera], DAMAGED) for one in goods.labelled]
                    for camera in goods.cameras
                }
            )
    cameras = ", ".join(f'"{one}"' for one in goods.cameras)
    each = [f'"{one}"' for one in goods.cameras]
    passing = [RULE.format(check="anomaly", cameras=one, more="reject_at = 1000") for one in each]
    knowing = [RULE.format(check="anomaly", cameras=one, more="reject_at = 1.5") for one in each]
    knowing += [RULE.format(check="second_look", cameras=one, more="reject_at = 1.0\nrequired = false") for one in each]
    if goods.labelled:
        knowing.append(RULE.format(check="defect", cameras=cameras, more="reject_at = 0.0"))
    return _lane(folder, "then", goods.cameras, passing, belts), _lane(folder, "now", goods.cameras, knowing, belts)


def _lane(folder: Path, learnt: str, cameras: Sequence[str], rules: Sequence[str], belts: Path | None) -> Config:
    path = folder / f"{learnt}.toml"
    listed = "".join(CAMERA.format(name=one, folder=folder) for one in cameras)
    belt = f'belt_colours = "{belts}"' if belts else ""
    path.write_text(LANE.format(folder=folder, cameras=listed, learnt=learnt, belts=belt) + "".join(rules))
    return load(path)


def _order_of(number: int, expiry: date | None = None) -> Expected:
    return Expected(f"w-{number}", GTIN, f"o-{number}", expiry=expiry)


def _dates(options: argparse.Namespace, console: Console) -> dict[str, Any]:
    """Drawn labels whose date is still to come, each ordered rightly and wrongly; nobody reads them then."""
    with tempfile.TemporaryDirectory() as name:
        folder, truths = Path(name), {}
        (folder / "then").mkdir()
        unable = RULE.format(check="anomaly", cameras='"top"', more="reject_at = 1000")  # there are no references
        comparing = RULE.format(check="expiry", cameras='"top"', more='agrees = "expiry"')
        then, again = (
            _lane(folder, one, ["top"], [rule], None)
            for one, rule in zip(("then", "now"), (unable, comparing), strict=True)
        )
        written = Written(then, date.today())
        for number, (expiry, image) in enumerate(track(list(_labels()), "dates: on the belt", console=console)):
            for late in (False, True):
                ordered = expiry + timedelta(days=LATER_DAYS if late else 0)
                truths[written.ran(_order_of(2 * number + late, ordered), {"top": image}, OUT)] = late
        written.close()
        return {"set": "dates", **_asked(then, again, truths, options, "dates", console)}


def _labels() -> Iterator[tuple[date, Image]]:
    """The first labels whose date is well ahead."""
    found = 0
    for number in range(100 * LABELS_DRAWN):
        label = drawn_label(number)
        if label.wording.expiry > date.today() + timedelta(days=30):
            found += 1
            yield label.wording.expiry, label.image
        if found == LABELS_DRAWN:
            return


def _asked(
    then: Config, again: Config, truths: Mapping[str, bool], options: argparse.Namespace, name: str, console: Console
) -> dict[str, Any]:
    """Ask about each item, twice; how long an answer takes, and how large its page is."""
    tallies = {(how, bad): Tally() for how in ASKED for bad in (False, True)}
    spent_s, bytes_of_page, eyes = [], [], Eyes.of(again)
    moved: list[float] = []
    for item, bad in track(truths.items(), f"{name}: asked about", console=console):
        [plain] = investigated(then, Path("lane.toml"), [item], None)
        tallies["then", bad].told[TOLD[plain.answer.left]] += 1
        begun_s = time.perf_counter()
        [looked] = investigated(again, Path("lane.toml"), [item], eyes)
        made = page(item, "", [looked], "now")
        spent_s.append(time.perf_counter() - begun_s)
        bytes_of_page.append(len(made))
        moved += _moved(looked.facts)
        tallies["again", bad].told[TOLD[looked.answer.left]] += 1
        if options.pages:
            options.pages.mkdir(parents=True, exist_ok=True)
            (options.pages / f"{name}-{'bad' if bad else 'sound'}-{item}.html").write_text(made)
    return {
        **{f"{how}, {'damaged' if bad else 'sound'}": tally.shares() for (how, bad), tally in tallies.items()},
        "reach": [plain.answer.reach.found, plain.answer.reach.named],
        "answer_s": [round(float(np.percentile(spent_s, one)), 2) for one in (50, 95)],
        "page_kb": [round(float(np.percentile(bytes_of_page, one)) / 1000) for one in (50, 95)],
        "moved": [round(float(np.percentile(moved, one)), 3) for one in (0, 5, 50, 95, 100) if moved],
    }


def _moved(facts: Facts) -> Iterator[float]:
    """How far each camera's anomaly score is from that of then, where the pictures are looked at again."""
    told = (one.body for one in facts.of("Evidence"))
    then = {one["camera"]: one["score"] for one in told if one["valid"] and one["check"] == "anomaly"}
    for one in facts.again.evidence if facts.again else ():
        if one.valid and one.check == "anomaly" and one.score is not None and one.camera in then:
            yield one.score - then[one.camera]


def _print(rows: Sequence[Mapping[str, Any]], console: Console) -> None:
    table = Table("set", "items", "asked", *(f"told {one}" for one in ANSWERS))
    for row in rows:
        for how in ASKED:
            for kind in ("sound", "damaged"):
                told = row[f"{how}, {kind}"]
                count = sum(one[0] for one in told.values())
                cells = (f"{one} ({low:.0%}–{high:.0%})" for one, low, high in told.values())
                table.add_row(row["set"], f"{count} {kind}", how, *cells)
    console.width = max(console.width, 120)
    console.print(table)
    for row in rows:
        console.print(f"{row['set']}: an answer takes {row['answer_s']} s (p50, p95), its page {row['page_kb']} kB")
        console.print(f"{row['set']}: the checks of then found {row['reach']} (of so many test pieces)")
        console.print(f"{row['set']}: looked at again, a score moves by {row['moved']} (least, p5, p50, p95, most)")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What is said of items that left.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, one folder each")
    parser.add_argument("--sets", help="names of sets, with commas between; `dates` are drawn (default: all)")
    parser.add_argument("--labels", type=int, default=LABELS, help="damaged items for a head (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--pages", type=Path, help="folder for every page that is made")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
