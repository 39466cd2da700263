"""What the lake costs: entries exported a second, bytes an item, memory, queries, and what the ledger's writer feels.

`python -m bench.lake [--entries N] [--folder FOLDER] [--json FILE]`

A journal is made through `Journal.append`, of records as a lane of two cameras writes them, with made-up sellers and
lots; then exported by a process of its own, verified, asked with the queries of docs/lake.md by DuckDB, and exported
again and again while this process appends as a lane does, by turns with and without.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.core.bodies import body
from edge.core.messages import (
    Agreement,
    Compared,
    Conservation,
    Disposition,
    DivertCommand,
    DivertOutcome,
    End,
    Evidence,
    Expected,
    Item,
    ItemEnd,
    LotGroup,
    LotHold,
    ReplacementRequest,
    Result,
    Verdict,
)
from edge.core.ports import Record
from edge.records.journal import Journal
from edge.records.ledger_file import FILE, Entry
from edge.settings import ROOT

MB, NS_PER_MS = 1e6, 1e6
APPENDED, EVERY_S, PHASE_S, PHASES = 10, 0.05, 8.0, 6  # a batch as a lane of two items a second writes it
MADE = 2_000  # entries in one transaction, while the journal is made
PITCH_NS = 500_000_000
BAD, HELD = 0.03, 0.0005  # shares of items: rejected, lots that are held
EXPORTER = """
import json, os, pathlib, resource, sys, time
os.nice(10)
from edge.lake.export import Lane, export
from edge.lake.store import at
from edge.lake.verify import verify
lane, store = Lane("site", "lane", pathlib.Path(sys.argv[2])), at(sys.argv[3])
began_s = time.monotonic()
for _ in (export if sys.argv[1] == "export" else verify)(lane, store):
    pass
took_s = time.monotonic() - began_s
most_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"s": took_s, "cpu_s": time.process_time(), "most_mb": most_mb}))
"""
Figures = dict[str, float]


def main() -> int:
    """Make it, export it, ask it, and append beside it."""
    options = _options()
    console = Console()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        state, lake = Path(name) / "state", Path(name) / "lake"
        items = _make(state, options.entries, console)
        exported = _told("export", state, lake)
        measured = {
            "export": {"entries_per_s": options.entries / exported["s"], **exported},
            "verify": _told("verify", state, lake),
            "bytes an item": _sizes(state, lake, items),
            "queries, s": _asked(lake),
            **_beside(state, Path(name)),
        }
    for what, figures in measured.items():
        console.print(_table(what, figures))
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def _make(state: Path, count: int, console: Console) -> int:
    """So many entries, about; how many items they are of."""
    journal, said, items = Journal(state), _said(random.Random(1)), 0  # noqa: S311 - reproducible
    for _ in track(range(count // MADE), "making a journal", console=console, transient=True):
        batch = [next(said) for _ in range(MADE)]
        items += sum(kind == "ItemEnd" for kind, _, _ in batch)
        journal.append(batch, [])
    journal.close()
    return items


def _said(chance: random.Random) -> Iterator[Entry]:
    """What a lane writes, without end."""
    number = 0
    while True:
        number += 1
        for record in _records(f"lane-{number:012d}", number, chance):
            yield type(record).__name__, getattr(record, "item_id", None), body(record)


def _records(name: str, number: int, chance: random.Random) -> Iterator[Record]:
    """One item's way."""
    product, bad = chance.randrange(200), chance.random() < BAD
    gtin, expiry = f"0401234{product:07d}", date(2027, 1, 1) + timedelta(product)
    order = Expected(f"w-{number}", gtin, f"o-{number}", f"L{number // 500}", expiry, f"seller-{product % 40}")
    item = Item(name, number * PITCH_NS, number, edge_seq=number)
    yield item
    yield replace(item, length_mm=182.5, expected=order)
    looks = tuple(_looks(item, expiry - timedelta(90 if bad else 0), chance.random()))
    verdict = _verdict(item, order, looks)
    yield from looks
    yield verdict
    if bad:
        yield DivertCommand(f"{name}-divert", name, number, number + 9, item.born_ns, verdict.reasons[0])
        yield DivertOutcome(f"{name}-divert", name, Result.CONFIRMED, number, "seen", "confirm")
        yield ReplacementRequest(f"site-{name}", name, order.order_line, gtin, verdict.reasons)
    yield ItemEnd(name, End.DIVERTED if bad else End.PASSED, number, item.born_ns, "exit", number)
    yield Conservation(number, ((End.PASSED, number),), 3, 0)
    if chance.random() < HELD:
        group = LotGroup("lot", gtin, order.lot or "")
        yield LotHold(f"site-hold-{number}", group, "too many", 40, 9, 0.01, 1e-4, (), 0, (), item.born_ns)


def _looks(item: Item, printed: date, score: float) -> Iterator[Evidence]:
    """What two cameras saw of it."""
    best, frame = printed.isoformat(), f"side-{item.edge_seq}"
    where, unlike = ((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), "differs from 40 normal items most at lower right"
    yield Evidence(item.item_id, frame, "top", "anomaly", score, where=where, because=unlike, valid=True)
    read = Evidence(item.item_id, frame, "side", "expiry", reading=best, probability=0.98, source="print", valid=True)
    yield replace(read, kind="best_before", rivals=((best, 0.98), ("2027-01-01", 0.01)), because='read "BEST BEFORE"')
    yield replace(read, check="lot", reading=f"L{item.edge_seq // 500}", because='read "LOT"')


def _verdict(item: Item, order: Expected, looks: tuple[Evidence, ...]) -> Verdict:
    printed, wanted = looks[1].reading or "", str(order.expiry)
    bad = printed < wanted
    agreement = Agreement.SHORT_DATED if bad else Agreement.MATCH
    return Verdict(
        item_id=item.item_id,
        order_line=order.order_line,
        leading_edge_counts=item.leading_edge_counts,
        disposition=Disposition.REJECT if bad else Disposition.PASS,
        reasons=("expiry (side): 12 days left, 30 are asked for" if bad else "anomaly (top): fine",),
        skipped=(),
        evidence=looks,
        recipe="standard",
        born_ns=item.born_ns,
        exposed_ns=item.born_ns,
        deadline_ns=item.born_ns + 10**9,
        decided_ns=item.born_ns + 10**8,
        gtin=order.gtin,
        lot=order.lot,
        compared=(Compared("expiry", agreement, printed, wanted, probability=0.98),),
    )


def _told(verb: str, state: Path, lake: Path) -> Figures:
    """What a process of its own says of its work."""
    ran = subprocess.run(
        [sys.executable, "-c", EXPORTER, verb, state, lake], check=True, capture_output=True, text=True
    )
    said: Figures = json.loads(ran.stdout)
    return said


def _sizes(state: Path, lake: Path, items: int) -> Figures:
    files = list(lake.rglob("*.parquet"))
    told = {"items": items, "ledger": (state / FILE).stat().st_size / items}
    return told | {"lake": sum(path.stat().st_size for path in files) / items, "files": len(files)}


def _asked(lake: Path) -> Figures:
    """How long DuckDB takes for each query of the page, the second time."""
    page = (ROOT / "docs" / "lake.md").read_text()
    views = re.findall(r"```sql\n(CREATE VIEW.*?)```", page, re.DOTALL)
    queries = re.findall(r"### ([^\n]+)\n\n```sql\n(.*?)```", page, re.DOTALL)
    with duckdb.connect() as base:
        base.execute(views[0].replace("LAKE", str(lake)))
        return {title: min(_took_s(base, query) for _ in range(2)) for title, query in queries}


def _took_s(base: duckdb.DuckDBPyConnection, query: str) -> float:
    began_s = time.monotonic()
    base.execute(query).fetchall()
    return time.monotonic() - began_s


def _beside(state: Path, folder: Path) -> dict[str, Figures]:
    """How long an append takes while nothing is exported, and while all of it is, by turns."""
    spans_ms: dict[str, list[float]] = {"append, alone": [], "append, beside an export": []}
    journal, said = Journal(state), _said(random.Random(2))  # noqa: S311
    for phase in range(PHASES):
        lake = folder / f"again-{phase}"
        if phase % 2:
            words = [sys.executable, "-c", EXPORTER, "export", str(state), str(lake)]
            with subprocess.Popen(words, stdout=subprocess.DEVNULL) as exporter:
                time.sleep(2)  # until it reads
                spans_ms["append, beside an export"] += _appended(journal, said)
                exporter.kill()
            shutil.rmtree(lake, ignore_errors=True)
        else:
            spans_ms["append, alone"] += _appended(journal, said)
    journal.close()
    return {what: _percentiles(spans) for what, spans in spans_ms.items()}


def _appended(journal: Journal, said: Iterator[Entry]) -> list[float]:
    """Batches at the pace of a lane: what each took, ms."""
    found, end_s = [], time.monotonic() + PHASE_S
    while time.monotonic() < end_s:
        batch = [next(said) for _ in range(APPENDED)]
        began_ns = time.monotonic_ns()
        journal.append(batch, [])
        found.append((time.monotonic_ns() - began_ns) / NS_PER_MS)
        time.sleep(EVERY_S)
    return found


def _percentiles(spans_ms: list[float]) -> Figures:
    p50, p99 = (float(one) for one in np.percentile(spans_ms, (50, 99)))
    return {"count": len(spans_ms), "p50_ms": p50, "p99_ms": p99, "most_ms": max(spans_ms)}


def _table(what: str, figures: Figures) -> Table:
    table = Table(*figures, title=what, title_justify="left")
    table.add_row(*(f"{one:.4g}" if one < 10_000 else f"{one:.0f}" for one in figures.values()))
    return table


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="What the lake costs.")
    parser.add_argument("--entries", type=int, default=1_000_000, help="of the journal (default: %(default)s)")
    parser.add_argument(
        "--folder", type=Path, help="where journal and lake are made (default: the usual one for what is temporary)"
    )
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
