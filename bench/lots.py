"""How soon a bad lot is held and how seldom a good one, beside theory and beside a fixed count of rejects.

`python -m bench.lots [--lots N] [--plot FILE.svg] [--json FILE]`. Simulated lots: usual shares of 0.1 to 1 % rejects,
bad lots of 5 to 50 %. Items let through before the hold stand beside Wald's bound for a test that knows the bad share,
`log(1/α) / KL(share, usual)`; false holds of lots of 2000 beside Ville's α. The fixed rule holds a lot at its k-th
reject, the smallest k that holds no more than α of good lots of that length: it has to be told how long a lot is.
Then what 100,000 open lots cost: bytes and time an item.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.lot_chart import Good, Row, chart
from edge.core.belt import Geometry
from edge.core.lots import LotLimits, Lots, log_evidence
from edge.core.messages import (
    Agreement,
    BeltReading,
    Compared,
    Disposition,
    End,
    Expected,
    Item,
    ItemEnd,
    LotGroup,
    Verdict,
)
from edge.core.recovery import Known
from edge.core.statistics import Z95, wilson

USUAL, BAD = (0.001, 0.003, 0.01), (0.05, 0.1, 0.2, 0.3, 0.5)
GOOD_LOT = 2000  # items of a good lot
LONGEST = 4000  # items of a bad one: longer than any rule needs
OPEN, ITEMS_OF_EACH = 100_000, 10
BLOCK = 1000  # lots that are simulated at a time
TODAY = BeltReading(0, 0.0, 500.0, today=date(2026, 11, 26))
GEOMETRY = Geometry(10, {}, 400, 1500, 1700, 1750, 0, 100, 30, 60, 300, 200)
LOT = LotGroup("lot", "g", "l")


def main() -> int:
    """Print both tables and what open lots cost; draw the chart."""
    options, console = _options(), Console()
    chance = np.random.default_rng(options.seed)
    limits = [LotLimits(usual) for usual in USUAL]
    good = [_good(one, options.lots, chance) for one in track(limits, "good lots", console=console, transient=True)]
    pairs = [(one, bad) for one in limits for bad in BAD]
    rows = [
        _bad(one, bad, options.lots, chance) for one, bad in track(pairs, "bad lots", console=console, transient=True)
    ]
    _tell(good, rows, console)
    cost = _cost(console)
    console.print("{open} open lots, {of_each} items of each: {bytes_a_lot:.0f} bytes a lot".format(**cost))
    console.print("{us_an_item:.1f} µs an item counted, {us_a_look:.2f} µs to ask whether one is held".format(**cost))
    if options.plot:
        options.plot.write_text(chart(rows, good))
    if options.json:
        told = {"good": [asdict(one) for one in good], "bad": [asdict(one) for one in rows], "cost": cost}
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    return 0


def _good(limits: LotLimits, lots: int, chance: np.random.Generator) -> Good:
    most, held = (
        fixed_count(limits),
        np.zeros(3),
    )  # by the test; by a count; by a count, of lots longer than it was told
    for rejects in _blocks(limits.usual_share, lots, 4 * GOOD_LOT, chance):
        counts = [one.sum(axis=1) >= most for one in (rejects[:, :GOOD_LOT], rejects)]
        by_test = np.isfinite(held_at(rejects[:, :GOOD_LOT], limits))
        held += [one.sum() for one in (by_test, *counts)]
    shares = [(float(count) / lots, *wilson(float(count) / lots, lots)) for count in held]
    return Good(limits.usual_share, shares[0], shares[1], shares[2], limits.false_holds)


def _bad(limits: LotLimits, share: float, lots: int, chance: np.random.Generator) -> Row:
    most = fixed_count(limits)
    found, counted = [], []
    for rejects in _blocks(share, lots, LONGEST, chance):
        found.append(held_at(rejects, limits))
        counted.append(np.argmax(np.cumsum(rejects, axis=1, dtype=np.int32) >= most, axis=1) + 1.0)
    means = [_mean(np.concatenate(one)) for one in (found, counted)]
    return Row(limits.usual_share, share, *means[0], wald(limits, share), *means[1], most)


def _mean(items: npt.NDArray[np.float64]) -> tuple[float, float]:
    """And half its interval of 95 %."""
    return float(items.mean()), Z95 * float(items.std()) / math.sqrt(len(items))


def _blocks(share: float, lots: int, items: int, chance: np.random.Generator) -> Iterator[npt.NDArray[np.bool_]]:
    """Lots × items, true where one is rejected; some lots at a time."""
    for begin in range(0, lots, BLOCK):
        yield np.asarray(chance.random((min(BLOCK, lots - begin), items), np.float32) < share)


def held_at(rejects: npt.NDArray[np.bool_], limits: LotLimits) -> npt.NDArray[np.float64]:
    """The item at which each lot (lots × items) is held by the product's own test; inf: it never is."""
    rejected = np.cumsum(rejects, axis=1, dtype=np.int32)
    wanted = (_least_rejects(items, limits.usual_share) for items in range(1, rejects.shape[1] + 1))
    least = np.array(list(wanted))
    crossed = rejected >= least
    return np.where(crossed.any(axis=1), np.argmax(crossed, axis=1) + 1.0, np.inf)


@cache
def _least_rejects(items: int, usual_share: float) -> int:
    """Rejects among so many items from which on the lot is held: the evidence grows with them."""
    limits = LotLimits(usual_share)
    if items < limits.least_items:
        return items + 1
    tried = range(items + 1)
    evidence = (log_evidence(items, rejected, usual_share) for rejected in tried)
    return next((n for n, one in zip(tried, evidence, strict=True) if one >= limits.enough(LOT)), items + 1)


def wald(limits: LotLimits, share: float) -> float:
    """The fewest items on average that any test with these false holds needs, if it knows the bad share (Wald 1945)."""
    usual = limits.usual_share
    apart = share * math.log(share / usual) + (1 - share) * math.log((1 - share) / (1 - usual))
    return math.log(1 / limits.false_holds) / apart


def fixed_count(limits: LotLimits) -> int:
    """The smallest k so that no more than the allowed share of good lots of that length has k rejects (binomial)."""
    chance, tail, rejects = (1 - limits.usual_share) ** GOOD_LOT, 1.0, 0
    while tail > limits.false_holds:
        tail -= chance
        chance *= (GOOD_LOT - rejects) / (rejects + 1) * limits.usual_share / (1 - limits.usual_share)
        rejects += 1
    return rejects


def _cost(console: Console) -> dict[str, float]:
    """What the appliance's own class keeps and takes, with every lot open."""
    tracemalloc.start()
    kept = Lots(LotLimits(0.01), GEOMETRY, Known(), "bench")
    list(_rounds(kept, console))
    held_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    lots = Lots(LotLimits(0.01), GEOMETRY, Known(), "bench")
    item_s = float(np.mean(list(_rounds(lots, console))))
    if (kept.open, lots.open) != (OPEN, OPEN):
        raise RuntimeError(f"{lots.open} lots are open, not {OPEN}")
    return {
        "open": OPEN,
        "of_each": ITEMS_OF_EACH,
        "bytes_a_lot": held_bytes / OPEN,
        "us_an_item": 1e6 * item_s,
        "us_a_look": 1e6 * _look_s(lots),
    }


def _rounds(lots: Lots, console: Console) -> Iterator[float]:
    """An item of each lot, all passed, round by round: seconds of a processor that one takes on average."""
    for one in track(range(ITEMS_OF_EACH), "open lots", console=console, transient=True):
        told = [_decided(lot, one) for lot in range(OPEN)]
        began_s = time.process_time()
        for item, verdict, end in told:
            lots.update(TODAY, (verdict,), {item.item_id: item})
            lots.forget((end,))
        yield (time.process_time() - began_s) / OPEN


def _look_s(lots: Lots) -> float:
    """Seconds of a processor to ask whether an item is held, while another lot is."""
    item, verdict, _ = _decided(OPEN, 0)
    sure = Compared("expiry", Agreement.EXPIRED, "2020-01-01", probability=1.0)
    lots.update(TODAY, (replace(verdict, disposition=Disposition.REJECT, compared=(sure,)),), {item.item_id: item})
    probe = _decided(0, 0)[0]
    began_s = time.process_time()
    for _ in range(OPEN):
        lots.held(probe)
    return (time.process_time() - began_s) / OPEN


def _order(lot: int, one: int) -> Expected:
    return Expected("w", "04012345678901", f"order-{lot:06d}-{one:02d}", lot=f"L{lot:06d}")


def _decided(lot: int, one: int) -> tuple[Item, Verdict, ItemEnd]:
    order, name = _order(lot, one), f"lane-{lot:06d}-{one}"
    verdict = Verdict(
        name, order.order_line, 0, Disposition.PASS, (), (), (), "r", 0, None, 0, 0, order.gtin, order.lot
    )
    return Item(name, 0, 0, 200.0, order), verdict, ItemEnd(name, End.PASSED, 0, 0, "exit", 1)


def _tell(good: Sequence[Good], rows: Sequence[Row], console: Console) -> None:
    table = Table(
        "usual", "held (95 %)", "by a count", "by it, lots 4 × as long", title=f"Good lots of {GOOD_LOT} held"
    )
    for one in good:
        shares = (one.held, one.held_by_count, one.held_by_count_longer)
        table.add_row(f"{one.usual:.1%}", *(f"{m:.3%} ({a:.3%} to {b:.3%})" for m, a, b in shares))
    console.print(table, f"allowed: {good[0].allowed:.1%}", highlight=False)
    table = Table(
        "usual", "bad", "items", "Wald", "times", "by a count", "k", title="Items of a bad lot until the hold"
    )
    for row in rows:
        shown = (f"{row.items:.1f} ± {row.items_95:.1f}", f"{row.wald:.1f}", f"{row.items / row.wald:.2f}")
        fixed = (f"{row.fixed:.1f} ± {row.fixed_95:.1f}", str(row.fixed_rejects))
        table.add_row(f"{row.usual:.1%}", f"{row.bad:.0%}", *shown, *fixed)
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How soon a bad lot is held, and how seldom a good one.")
    parser.add_argument("--lots", type=int, default=20_000, help="of each kind (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="draw it")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
