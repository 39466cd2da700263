"""A whole simulated site from nothing to verified: steps, what the technician does, minutes of machine time.

`python -m bench.whole_site [--sites A:B] [--cameras N] [--json FILE]`: the guide's own steps, with a technician who
shows at once what is asked for, enters what is true, and places a tote again when told to.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from calibration.making import Maker
from calibration.normals import drawn_normals
from calibration.order import ELSEWHERE, ORDER, Stage, stages
from calibration.session import Session, now
from calibration.sites.site import FLOOR_MM, WALL_MM, Site, drawn
from calibration.steps import Ask, Found, Question, Shot
from calibration.supply import SimulatedSupply, Supply
from calibration.threshold_step import ThresholdStep
from calibration.walk import Answer, GivenUp, walked
from edge.calibrations import Shelf, new_key
from edge.signing import public

REFUSALS = 6  # of one step, or of one type of tote, before the technician gives it up
OVERKILL_PERCENT = "1"
S_PER_MINUTE = 60.0


@dataclass(slots=True)
class Technician:
    """Does all that is asked for, and counts it."""

    site: Site
    totes: list[int]  # types that are still to be learnt
    refused: int = 0
    keys: int = 0  # times Enter was pressed
    placements: int = 0  # of board, chart, sheet, belt or tote
    said: list[str] = field(default_factory=list)  # what was refused

    def shows(self, ask: Ask) -> None:
        """As `Technician.shows`."""
        self.keys += 1
        self.placements += 1

    def enters(self, question: Question) -> Mapping[str, str]:
        """As `Technician.enters`: what is true."""
        self.keys += len(question.fields)
        kind = self.site.totes[self.totes[0] if self.totes else 0]
        measured = {"height_mm": kind.size_mm[2], "wall_mm": WALL_MM, "floor_mm": FLOOR_MM}
        told = {name: f"{value:g}" for name, value in measured.items()}
        return {"name": kind.name, "overkill_percent": OVERKILL_PERCENT, **told}

    def hears(self, words: str) -> None:
        """As `Technician.hears`."""

    def is_refused(self, words: str) -> None:
        """As `Technician.is_refused`."""
        self.refused += 1
        self.said.append(words)
        if self.refused > REFUSALS:
            raise GivenUp

    def begins_anew(self) -> bool:
        """As `Technician.begins_anew`."""
        self.keys += 1
        return True

    def judges(self, stage: Stage, found: Found) -> Answer:
        """As `Technician.judges`."""
        self.keys += 1
        return Answer.ACCEPT

    def has_another(self) -> bool:
        """As `Technician.has_another`."""
        self.keys += 1
        self.next_tote()
        return bool(self.totes)

    def next_tote(self) -> None:
        """Take the next type in hand."""
        self.totes, self.refused = self.totes[1:], 0


@dataclass(slots=True)
class Timed:
    """A supply whose own time is not the machine's: it draws what a camera would deliver."""

    supply: Supply
    drew_s: float = 0.0

    @property
    def serial(self) -> str:
        """As `Supply.serial`."""
        return self.supply.serial

    @property
    def hint(self) -> str:
        """As `Supply.hint`."""
        return self.supply.hint

    def take(self, ask: Ask) -> Sequence[Shot]:
        """As `Supply.take`."""
        started = time.perf_counter()
        shots = self.supply.take(ask)
        self.drew_s += time.perf_counter() - started
        return shots


@dataclass(slots=True)
class Score:
    """What one site came to."""

    site: int
    steps: int = 0  # of them those that were accepted; the gate's is measured elsewhere
    accepted: int = 0
    totes: int = 0  # types that were learnt, of
    types: int = 0
    keys: int = 0
    placements: int = 0
    refusals: int = 0
    machine_min: float = 0.0
    said: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)  # steps that came to nothing


def main(arguments: Sequence[str] | None = None) -> int:
    """Print a row a site, and the sums."""
    options = _options(arguments)
    cv2.setNumThreads(1)
    console = Console()
    first, after = (int(one) for one in options.sites.split(":"))
    scores = [_score(seed, options.cameras) for seed in track(range(first, after), "sites", console=console)]
    console.print(_table(scores))
    for score in scores:
        for words in (*score.said, *(f"left: {name}" for name in score.left)):
            console.print(f"site {score.site}: {words}", highlight=False, soft_wrap=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(one) for one in scores], indent=1, ensure_ascii=False) + "\n")
    return int(any(score.left for score in scores))


def _score(seed: int, cameras: int) -> Score:
    site, chance, score = drawn(seed), np.random.default_rng(seed), Score(seed)
    supplies = {f"camera{n}": Timed(SimulatedSupply(site, chance, n)) for n in range(cameras)}
    technician = Technician(site, list(range(len(site.totes))))
    with TemporaryDirectory() as folder:
        session = _session(Path(folder), supplies)
        maker = Maker(session, {}, lambda: ThresholdStep(drawn_normals(seed), "overkill"))
        started = time.perf_counter()
        for stage in _stages(list(supplies)):
            score.steps += 1
            technician.refused = 0
            held = _gone_through(stage, maker, session, technician)
            score.accepted += held
            score.left += [] if held else [stage.title]
        took_s = time.perf_counter() - started
        score.totes, score.types = len(session.totes("camera0")), len(site.totes)
    score.keys, score.placements = technician.keys, technician.placements
    score.said, score.refusals = technician.said, len(technician.said)
    score.machine_min = (took_s - sum(one.drew_s for one in supplies.values())) / S_PER_MINUTE
    return score


def _gone_through(stage: Stage, maker: Maker, session: Session, technician: Technician) -> bool:
    """A step; of totes every type in turn, also after one that could not be learnt."""
    held = walked(stage, maker, session, technician)
    while stage.step == "totes" and technician.totes:
        technician.next_tote()
        held = bool(technician.totes) and walked(stage, maker, session, technician)
    return held


def _stages(cameras: Sequence[str]) -> Iterator[Stage]:
    return (stage for stage in stages(cameras, cameras[0], ORDER) if stage.step not in ELSEWHERE)


def _session(folder: Path, supplies: Mapping[str, Supply]) -> Session:
    key = new_key(folder / "key.pem")
    shelf = Shelf(folder / "lane", {public(key)})
    return Session("lane1", "bench", now() + timedelta(days=1), shelf, key, supplies, folder)


def _table(scores: Sequence[Score]) -> Table:
    table = Table("site", "steps accepted", "tote types", "placements", "keys", "refusals", "machine, min")
    for one in scores:
        steps, totes = f"{one.accepted} of {one.steps}", f"{one.totes} of {one.types}"
        counts = (str(count) for count in (one.placements, one.keys, one.refusals))
        table.add_row(str(one.site), steps, totes, *counts, f"{one.machine_min:.2f}")
    return table


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A whole simulated site from nothing to verified.")
    parser.add_argument("--sites", default="0:3", help="first:after the last, seeds (default: %(default)s)")
    parser.add_argument("--cameras", type=int, default=2, help="of the lane (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    raise SystemExit(main())
