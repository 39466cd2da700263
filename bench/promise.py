"""Whether the overkill rate that a site asks for is kept: random splits of sound pictures, learnt and tested apart.

`python -m bench.promise --data FOLDER [--sets a,b] [--splits N] [--json FILE]`

In each split half of a product's sound pictures are learnt from, and the others are judged by p-values: by those of the
product's own held-out scores where they are enough, else by the pool that the other products make up, where they are
enough. A set is one product; of a set of photographs in shops (`seen/PRODUCT`) each folder is one.
"""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.sets.anomaly import Patches, Picture, fits, sound_pictures
from edge.core.conformal import Scores, finest, needed, pooled
from edge.inspection.assembly import Sessions
from edge.inspection.promise import PRODUCTS, Promise
from edge.inspection.references import Normal, References
from edge.settings import ROOT

RATES = (0.01, 0.05)
EVERY = 8  # patches of a picture: one in so many, for time's sake
FEWEST = 16  # sound pictures of a set


Learnt = tuple[Scores, list[float]]
"""Scores for promises of what was learnt from, and scores of the other sound pictures."""


@dataclass(slots=True)
class Tally:
    """How many sound items a rate cost, split by split."""

    rejected: list[int] = field(default_factory=list)
    tested: list[int] = field(default_factory=list)

    def figures(self, rate: float) -> dict[str, Any]:
        """The share over all splits, and how many splits lie within the binomial interval of the rate asked for."""
        within = [_low(n, rate) <= k <= _high(n, rate) for k, n in zip(self.rejected, self.tested, strict=True)]
        below = [k <= _high(n, rate) for k, n in zip(self.rejected, self.tested, strict=True)]
        share = sum(self.rejected) / max(1, sum(self.tested))
        return {
            "realised": round(share, 5),
            "splits": len(within),
            "within_95": round(float(np.mean(within)), 4) if within else None,
            "not_above_95": round(float(np.mean(below)), 4) if below else None,
        }


def main() -> int:
    """Measure, print a table, write the figures."""
    options = _options()
    cv2.setNumThreads(1)
    console = Console()
    patches = Patches({"first": Sessions(ROOT / "models").of("backbone")})
    sets = _sets(options)
    for picture in track([one for of_set in sets.values() for one in of_set], "features", console=console):
        patches.of("first", picture)
    measured = measure(sets, patches, options.splits, console)
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(
    sets: Mapping[str, Sequence[Picture]], patches: Patches, splits: int, console: Console
) -> list[dict[str, Any]]:
    """A row for each set, rate and source of the promise."""
    tallies: dict[tuple[str, str, float], Tally] = {}
    split_by = partial(_split, sets, patches)
    for learnt in track(_in_processes(split_by, splits), "splits", splits, console=console):
        for name, (sound, scores) in learnt.items():
            others = [one for other, (one, _) in learnt.items() if other != name]
            pool = pooled(others) if len(others) >= PRODUCTS else np.empty(0)
            for rate in RATES:
                source = "own" if finest(sound) <= rate else "pool"
                tally = tallies.setdefault((name.partition("/")[0], source, rate), Tally())
                _count(tally, Promise(rate, pool), sound, scores)
    return [
        {"set": name, "source": source, "asked": rate, **tally.figures(rate)}
        for (name, source, rate), tally in tallies.items()
    ]


def _split(sets: Mapping[str, Sequence[Picture]], patches: Patches, split: int) -> dict[str, Learnt]:
    return {name: _learnt(pictures, patches, split) for name, pictures in sets.items()}


def _in_processes(split_by: Callable[[int], dict[str, Learnt]], splits: int) -> Iterator[dict[str, Learnt]]:
    """Splits in their order, one process a core; the pictures' patches are shared, not copied (fork)."""
    with get_context("fork").Pool(os.cpu_count(), _SPLIT_BY.append, (split_by,)) as processes:
        yield from processes.imap(_in_process, range(splits))


def _in_process(split: int) -> dict[str, Learnt]:
    return _SPLIT_BY[0](split)


_SPLIT_BY: list[Callable[[int], dict[str, Learnt]]] = []
"""What a process splits: one function, that it was begun with."""


def _count(tally: Tally, promise: Promise, held_out: Scores, scores: Sequence[float]) -> None:
    """Judge the sound items of one split, where there is enough to promise anything."""
    values = [promise.p_value(score, held_out) for score in scores]
    if all(value is not None for value in values):
        tally.rejected.append(sum(value is not None and value <= promise.overkill for value in values))
        tally.tested.append(len(values))


def _learnt(pictures: Sequence[Picture], patches: Patches, split: int) -> Learnt:
    """Scores for promises of the half that is learnt from, in rising order, and the scores of the other half."""
    order = np.random.default_rng(split).permutation(len(pictures))
    normals = [patches.normal("first", pictures[one]) for one in order]
    some = [Normal(*(rows[split % EVERY :: EVERY] for rows in normal if rows is not None)) for normal in normals]
    half = len(some) // 2
    references = References.learn(some[:half], "bench")
    return references.sound, [references.score(one.lying) for one in some[half:]]


def _sets(options: argparse.Namespace) -> dict[str, list[Picture]]:
    wanted = set(options.sets.split(",")) if options.sets else None
    folders = [one for one in sorted(options.data.glob("*/")) if wanted is None or one.name in wanted]
    sound = {folder.name: sound_pictures(folder) for folder in folders if fits(folder)}
    sound |= {
        f"{one.parent.parent.name}/{one.name}": _all_of(one) for folder in folders for one in folder.glob("seen/*/")
    }
    return {name: pictures for name, pictures in sound.items() if len(pictures) >= FEWEST}


def _all_of(folder: Path) -> list[Picture]:
    """The photographs of one product, all of them sound."""
    return [Picture(path, bad=False, mask=None) for path in sorted(folder.glob("*.jpg"))]


def _low(tested: int, rate: float) -> int:
    """The lower end of the central 95 % of a binomial distribution."""
    return _quantile(tested, rate, 0.025)


def _high(tested: int, rate: float) -> int:
    """Its upper end."""
    return _quantile(tested, rate, 0.975)


def _quantile(tested: int, rate: float, share: float) -> int:
    """The least count whose cumulated binomial probability reaches the share."""
    total = 0.0
    for count in range(tested + 1):
        total += math.comb(tested, count) * rate**count * (1 - rate) ** (tested - count)
        if total >= share:
            return count
    return tested


def _print(measured: Sequence[Mapping[str, Any]], console: Console) -> None:
    table = Table("set", "by", "asked", "realised", "splits", "within its 95 %", "not above it")
    for row in measured:
        shares = ("–" if row[name] is None else f"{row[name]:.1%}" for name in ("within_95", "not_above_95"))
        table.add_row(
            row["set"], row["source"], f"{row['asked']:.0%}", f"{row['realised']:.2%}", str(row["splits"]), *shares
        )
    console.print(table)
    console.print(f"a promise takes {', '.join(f'{needed(rate)} pictures for {rate:.0%}' for rate in RATES)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Whether the overkill rate asked for is kept.")
    parser.add_argument("--data", type=Path, required=True, help="folder of sets, one folder each")
    parser.add_argument("--sets", help="names of sets, with commas between (default: all that fit)")
    parser.add_argument("--splits", type=int, default=200, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
