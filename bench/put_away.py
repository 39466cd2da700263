"""A ledger whose old days are put away: whether it stops growing, what that costs, and whether tampering is found.

Days are stretches of entries as a lane of one camera writes them (11 an item); the clock is the real one, and what is
old is told by when each day was written. The writer beside is a process of its own, as the daemon is.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import numpy as np
from rich.console import Console
from rich.table import Table

from bench import tampering_put_away
from bench.audit import FEW, MEMORY, ROW, dump, lane, tried
from bench.tampering_put_away import ARCHIVE
from edge.records.archiving import Wanted
from edge.records.audit_key import PUBLIC, own
from edge.records.journal import Journal
from edge.records.ledger_file import opened
from edge.records.life import Life
from edge.records.proof import prove
from edge.records.put_away import put_away
from edge.records.seals import add_seal
from edge.records.size import size

KINDS = ("Item", *("Evidence",) * 5, "Verdict", "DivertCommand", "DivertOutcome", "ItemEnd", "Item")  # of one item
STAY = 50  # one item in so many is disputed, and stays
SEALED = 1000  # entries
LANE = "site/lane"
REST_S = 3.0  # between two segments
WRITER = "from bench.put_away import write_beside; import sys; write_beside(sys.argv[1])"
PAUSE_S = 0.02

console = Console(soft_wrap=True)


def main() -> None:
    """All three."""
    parser = argparse.ArgumentParser(prog="python -m bench.put_away", description=__doc__)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--keep-days", type=int, default=10)
    parser.add_argument("--items", type=int, default=700, help="a day")
    parser.add_argument("--segments", type=int, default=8, help="that are put away beside a writer")
    parser.add_argument("--tamperings", type=int, default=1000, help="that are to be found")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as copies:
        growth(Path(folder) / "growth", options.days, options.keep_days, options.items)
        beside(Path(folder) / "beside", options.segments)
        tamperings(Path(copies), options.tamperings, options.seed)


def growth(folder: Path, days: int, keep_days: int, items: int) -> None:
    """The ledger's size day by day, with its old days put away and without."""
    archive = folder / ARCHIVE
    archive.mkdir(parents=True)
    state, ends_ns = folder / "state", list[int]()
    key = own(state, None)
    table = Table("day", "entries written", "ledger, MB", "of them free", "entries stay", "archive, MB")
    for day in range(1, days + 1):
        _day(state, f"d{day}", items)
        ends_ns.append(time.time_ns())
        if day > keep_days:
            wanted = Wanted(archive, LANE, "bench", key, ends_ns[day - keep_days - 1], segment=5000, restart=5000)
            list(put_away(state, wanted))
        if day % max(1, days // 12) == 0:
            known, away = size(state), sum(path.stat().st_size for path in archive.iterdir())
            stay = known.bridge.kept if known.bridge else 0
            written = day * items * len(KINDS)
            megabytes = (f"{one / 1e6:.1f}" for one in (known.bytes, known.free_bytes))
            table.add_row(str(day), f"{written:,}", *megabytes, str(stay), f"{away / 1e6:.1f}")
    console.print(table)
    to = known.bridge.to if known.bridge else 0
    a_item = away / max(1, to) * len(KINDS)
    console.print(f"in the archive {a_item:.0f} B an item, in the ledger {_bytes_an_item(folder, items):.0f} B")
    _verified(state, archive)


def _verified(state: Path, archive: Path) -> None:
    """How long it takes to verify, without the archive and with it."""
    key = (state / PUBLIC).read_text().strip()
    for at_hand in (None, archive):
        began_s = time.perf_counter()
        proof = prove(state, [key], archive=at_hand)
        assert not proof.breaks, proof.breaks[:3]
        took_s = time.perf_counter() - began_s
        console.print(
            f"verified {'with' if at_hand else 'without'} the archive: {took_s:.1f} s, {proof.entries} entries"
        )


def _bytes_an_item(folder: Path, items: int) -> float:
    """Of a ledger of which nothing was put away."""
    _day(folder / "alone", "d", 10 * items)
    return size(folder / "alone").bytes / (10 * items)


def _day(state: Path, name: str, items: int) -> None:
    """Entries of so many items, with their seals."""
    with closing(Journal(state)) as journal, closing(opened(state)) as base:
        key = own(state, None)
        for number in range(items):
            item = f"lane-0a1b2c3d-{name}-{number:06}"
            told = [(kind, item, _body(kind, item)) for kind in KINDS]
            disputed = [("Disputed", item, {"item_id": item, "by": "Ann", "why": "torn"})] if number % STAY == 0 else []
            journal.append([*told, *disputed], [])
            if number * len(KINDS) % SEALED < len(KINDS):
                add_seal(base, state, LANE, key, "entries")


def _body(kind: str, item: str) -> dict[str, object]:
    """About as long as a lane's are."""
    expected = {"order_line": f"order-{item}", "gtin": "04000000000017", "lot": "L1", "seller": "s-1"}
    more = {"expected": expected} if kind == "Item" else {"reasons": ["anomaly (top): 0.62 of the largest normal"] * 5}
    return {"item_id": item, "end": "passed", "disposition": "pass", "born_ns": 123456789012345, **more}


def beside(folder: Path, segments: int) -> None:
    """How long an append of ten entries takes while a segment of full size is put away, and between two, turn about."""
    state, archive = folder / "state", folder / ARCHIVE
    archive.mkdir(parents=True)
    _day(state, "d", (segments + 2) * 20_000 // len(KINDS))
    spans: list[tuple[float, float]] = []
    took_s: list[tuple[float, float]] = []
    with _writer(state, folder / "waits") as waits:
        run = put_away(state, Wanted(archive, LANE, "bench", own(state, None), time.time_ns()))
        while len(spans) < segments:
            time.sleep(REST_S)
            began_s, began_cpu_s = time.time(), time.process_time()
            if next(run, None) is None:
                break
            spans.append((began_s, time.time()))
            took_s.append((time.time() - began_s, time.process_time() - began_cpu_s))
        time.sleep(REST_S)
    at_s, waited_ms = np.loadtxt(waits).T
    within = np.any([(at_s >= first) & (at_s <= last) for first, last in spans], axis=0)
    clock_s, cpu_s = np.median(took_s, axis=0)
    console.print(f"{len(spans)} segments of 20,000 entries: {clock_s:.1f} s each ({cpu_s:.1f} s of the processor)")
    for told, which in (("while one is put away", within), ("between", ~within)):
        p50, p99, most = (float(np.percentile(waited_ms[which], share)) for share in (50, 99, 100))
        console.print(f"append {told}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {most:.0f} ms ({which.sum()})")


@contextmanager
def _writer(state: Path, waits: Path) -> Iterator[Path]:
    """A process that appends all the while; its waits are in the file once it has ended."""
    with waits.open("w") as file, subprocess.Popen([sys.executable, "-c", WRITER, str(state)], stdout=file) as writer:
        try:
            yield waits
        finally:
            writer.terminate()


def write_beside(state: str) -> None:
    """Append ten entries, again and again, and tell when that was and how long it took, ms."""
    with closing(Journal(Path(state))) as journal:
        while True:
            began_s = time.perf_counter()
            journal.append([("Verdict", None, _body("Verdict", "lane-0a1b2c3d-x"))] * 10, [])
            print(time.time(), 1e3 * (time.perf_counter() - began_s), flush=True)
            time.sleep(PAUSE_S)


def tamperings(folder: Path, count: int, seed: int) -> None:
    """A lane whose first days were put away: what is found without its archive, and with it."""
    whole = folder / "whole"
    lane(whole)
    archive = whole / ARCHIVE
    archive.mkdir()
    key, chance = (whole / PUBLIC).read_text().strip(), Random(seed)  # noqa: S311 - a reproducible draw
    with closing(Journal(whole)) as journal:
        disputed = [("Disputed", f"i-0-{n}7", {"item_id": f"i-0-{n}7", "by": "Ann"}) for n in range(14)]
        journal.append(disputed, [])
    bridges = list(put_away(whole, Wanted(archive, LANE, "bench", own(whole, None), 2**62, segment=150, restart=300)))
    life = Life(whole, "lane", own(whole, None), {"by": "bench", "settings": {}}, 60, 10_000)
    life.start()
    life.stop()
    before = dump(whole)
    assert not prove(whole, [key], also=("file", "pictures"), archive=archive).breaks
    console.print(f"{len(bridges)} segments put away, up to entry {bridges[-1].to}; {bridges[-1].kept} entries stay")
    console.print(ROW.format("tampering", "tried", "no change", "found", "not found", "told as"))
    found, by_archive = tampering_put_away.FOUND, tampering_put_away.BY_THE_ARCHIVE
    for kinds, at_hand in ((found, ""), (found, ARCHIVE), (by_archive, ""), (by_archive, ARCHIVE)):
        for name, tamper in kinds.items():
            told = f"{name}, with the archive" if at_hand else name
            tries = -(-count // (len(found) + len(by_archive))) if at_hand or kinds is found else FEW
            console.print(
                ROW.format(told, *tried(whole, tamper, tries, key, (), before, chance, at_hand)), highlight=False
            )


if __name__ == "__main__":
    main()
