"""The power is cut after every call that changes a file: the ledger opens, and all that was acknowledged is there.

`python -m bench.powercut [--lives N] [--items N] [--points N] [--seed S] [--processes P] [--json FILE]`. A lane in
software writes through some lives, every second one killed; its calls are watched, its disk is laid out anew as it may
lie there when the power is gone, and opened with the appliance's own code. Then the same with faults planted: each must
be found.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.powercut.cuts import FOLDERS_UNSYNCED, Found, Watched, cut_by_many, points, without_folders, written
from bench.powercut.endings import ENDINGS
from bench.powercut.writer import PLANTED

TELL_S = 10.0  # between lines of how far it is
PLANTED_POINTS = 200  # cuts that a planted fault must be found by
PLANTED_LIVES, PLANTED_ITEMS = 2, 20


def main() -> int:
    """Cut, count, print; 0 when nothing was wrong, and every planted fault was found."""
    options = _options()
    console = Console()
    started_s = time.perf_counter()
    seen = written(options.lives, options.items)
    found = _cut(seen, options.points or len(seen.calls), options, console, "as it is")
    console.print(_told(seen, found))
    planted = _planted(options, console)
    console.print(_table_of(planted))
    if options.json:
        options.json.write_text(json.dumps(_fields(seen, found, planted), indent=1) + "\n")
    console.print(f"{time.perf_counter() - started_s:.0f} s")
    return 0 if not found.faults and all(one.faults for one in planted.values()) else 1


def _planted(options: argparse.Namespace, console: Console) -> dict[str, Found]:
    """What is found of each fault that is planted."""
    runs = {name: written(PLANTED_LIVES, PLANTED_ITEMS, name) for name in PLANTED}
    runs[FOLDERS_UNSYNCED] = without_folders(written(PLANTED_LIVES, PLANTED_ITEMS))
    return {name: _cut(seen, PLANTED_POINTS, options, console, name) for name, seen in runs.items()}


def _cut(seen: Watched, most: int, options: argparse.Namespace, console: Console, what: str) -> Found:
    at, started_s, told_s = points(seen.calls, most, options.seed), time.perf_counter(), -TELL_S

    def show(found: Found) -> None:
        nonlocal told_s
        now_s = time.perf_counter() - started_s
        if now_s >= told_s + TELL_S:
            told_s = now_s
            console.print(_so_far(found, len(at), now_s, what), highlight=False, soft_wrap=True)

    return cut_by_many(seen, at, options.seed, options.processes, show)


def _so_far(found: Found, points: int, took_s: float, what: str) -> str:
    left_s = took_s / found.points * (points - found.points)
    cuts = f"{found.points:,} of {points:,} cuts, {found.disks.total():,} disks, {found.different:,} of them different"
    return f"{what}: {cuts}, {found.faults.total():,} faults; about {left_s:.0f} s left"


def _told(seen: Watched, found: Found) -> Table:
    title = (
        f"{len(seen.final.journal)} entries in {len(seen.calls)} calls and promises; the power cut after {found.points}"
        f" calls; {found.different} of {found.disks.total()} disks were different"
    )
    table = Table("what lies on the disk", "disks", "wrong", title=title)
    for ending in ENDINGS:
        wrong = Counter({fault: count for (name, fault), count in found.faults.items() if name == ending})
        table.add_row(ending, str(found.disks[ending]), _words(wrong))
    return table


def _table_of(planted: dict[str, Found]) -> Table:
    table = Table("fault that was planted", "disks", "found")
    for name, found in planted.items():
        table.add_row(name, str(found.disks.total()), _words(_by_fault(found)))
    return table


def _by_fault(found: Found) -> Counter[str]:
    total: Counter[str] = Counter()
    for (_, fault), count in found.faults.items():
        total[fault] += count
    return total


def _words(wrong: Counter[str]) -> str:
    return "\n".join(f"{count} × {fault}" for fault, count in wrong.most_common()) or "nothing"


def _fields(seen: Watched, found: Found, planted: dict[str, Found]) -> dict[str, Any]:
    return {
        "calls": len(seen.calls),
        "entries": len(seen.final.journal),
        "points": found.points,
        "disks": dict(found.disks),
        "different": found.different,
        "faults": _by_fault(found),
        "planted": {name: _by_fault(one) for name, one in planted.items()},
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.powercut", description="The power cut at every write.")
    parser.add_argument("--lives", type=int, default=3, help="of the lane, one after another; every second is killed")
    parser.add_argument("--items", type=int, default=80, help="in each life")
    parser.add_argument(
        "--points", type=int, default=0, help="cut so often only, drawn by lot (default: at every call)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
