"""Never asked twice, never forgotten: replacements while warehouse, broker and daemon are killed, stopped and slowed.

`python -m bench.orders [--minutes M] [--kills N] [--transport http|mqtt] [--seed S] [--json FILE] [--html FILE]
[--keep FOLDER]`: the real daemon, a real mosquitto, the reference warehouse (its memory on disk), the lane in software
in real time at two items a second. Reckoned from what the warehouse has on its disk and what really left the lane.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import socket
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.kills import Victim
from bench.orders_chart import page
from bench.orders_reckoned import Sample, reckon
from bench.orders_site import OrderSite, laid_out
from edge.demo import stage
from edge.records.outbox import aside, owed

RATE, BAD = 2.0, 0.15  # items a second; share of them whose code is another product's
BEFORE_S, AFTER_S = 10.0, 20.0  # undisturbed
DOWN_S = {"daemon": (0.0, 0.5), "warehouse": (0.5, 15.0), "broker": (0.2, 4.0), "stopped": (1.0, 8.0)}
LONG_S = 75.0  # one outage of the warehouse in the middle, long enough for a queue
DRAINED_S, START_S = 180.0, 60.0
SAMPLE_S = 0.5


@dataclass(slots=True)
class Run:
    """The processes, and what was done to them."""

    site: OrderSite
    seed: int
    daemon: Victim
    broker: Victim
    warehouse: Victim
    done: list[tuple[float, str, float]] = field(
        default_factory=list
    )  # wall clock s, what, how long until it was back, s
    samples: list[Sample] = field(default_factory=list)

    def strike(self, what: str, down_s: float) -> None:
        """Kill or stop one, and have it back after so long."""
        began_s = time.time()
        if what == "stopped":
            self.warehouse.tell(signal.SIGSTOP)
            time.sleep(down_s)
            self.warehouse.tell(signal.SIGCONT)
        else:
            victim: Victim = getattr(self, what)
            victim.kill()
            time.sleep(down_s)
            victim.start()
            self._await(what)
        self.done.append((began_s, what, time.time() - began_s))

    def _await(self, what: str) -> None:
        """Until it listens again, where that can be told from outside: starting takes its time on a busy machine."""
        if what == "broker" or (what == "warehouse" and self.site.transport == "http"):
            port = self.site.ports.broker if what == "broker" else self.site.warehouse_port
            _until(lambda: _listens(port), START_S)

    def watch(self, ended: threading.Event) -> None:
        """Note what is owed, all along."""
        while not ended.wait(SAMPLE_S):
            state = self.site.folder / "state"
            with suppress(sqlite3.Error):  # there is none yet, or it is being made
                self.samples.append(Sample(time.time(), owed(state)[0], aside(state)))


def main() -> int:
    """Disturb, then reckon; 0 when nothing was lost, doubled or asked for in vain."""
    options = _options()
    with ExitStack() as stack:
        folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.mkdir(parents=True, exist_ok=True)
        run = run_for(folder, options.minutes, options.kills, options.transport, options.seed)
        measured = reckon(folder / "state", folder / "truth.json", run.site.shelf, run.done, run.samples)
    told = {"transport": options.transport, "minutes": options.minutes, "seed": options.seed, **measured}
    table = Table("figure", "value", title="never asked twice, never forgotten")
    for key, value in told.items():
        table.add_row(key.replace("_", " "), str(value))
    Console().print(table)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")
    if options.html:
        options.html.write_text(page(told, run.done, run.samples))
    return 0 if measured["good"] else 1


def run_for(
    folder: Path, minutes: float, kills: int, transport: str, seed: int, warehouse_kills: int | None = None
) -> Run:
    """One whole run; every process has ended when it returns."""
    site, ended = laid_out(folder, transport), threading.Event()
    broker = site.broker()
    stage.await_port(site.ports.broker)
    run = Run(site, seed, site.daemon(), broker, site.warehouse(seed))
    watching = threading.Thread(target=run.watch, args=(ended,))
    belt = site.belt(round(60 * minutes * RATE), RATE, BAD, seed)
    watching.start()
    belt.start()
    _disturb(run, 60 * minutes, kills, kills // 4 if warehouse_kills is None else warehouse_kills)
    belt.join()
    _until(lambda: not owed(folder / "state")[0], DRAINED_S)
    ended.set()
    watching.join()
    for one in (run.daemon, run.warehouse, run.broker):
        one.end()
    return run


def _disturb(run: Run, seconds: float, kills: int, warehouse_kills: int) -> None:
    """Each kind at random moments in a thread of its own, so that they come together, too."""
    threads = [
        threading.Thread(target=_strikes, args=(run, what, count, seconds))
        for what, count in (("daemon", kills), ("warehouse", warehouse_kills), ("broker", kills // 8))
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def _strikes(run: Run, what: str, count: int, seconds: float) -> None:
    """The warehouse is stopped as often as it is killed, and once, in the middle, is down for long."""
    chance = random.Random(f"{run.seed}-{what}")  # noqa: S311 - a reproducible draw
    begun_s = time.monotonic()
    moments = sorted(
        chance.uniform(BEFORE_S, seconds - AFTER_S) for _ in range(count * (2 if what == "warehouse" else 1))
    )
    middle = seconds / 2 if what == "warehouse" and seconds > 4 * LONG_S else None
    for at_s, kind, down_s in sorted(_planned(chance, what, moments, middle)):
        time.sleep(max(0.0, begun_s + at_s - time.monotonic()))
        run.strike(kind, down_s)


def _planned(
    chance: random.Random, what: str, moments: list[float], middle: float | None
) -> Iterator[tuple[float, str, float]]:
    for number, at_s in enumerate(moments):
        kind = "stopped" if what == "warehouse" and number % 2 else what
        yield at_s, kind, chance.uniform(*DOWN_S[kind])
    if middle:
        yield middle, what, LONG_S


def _until(holds: Callable[[], bool], limit_s: float) -> None:
    end_s = time.monotonic() + limit_s
    while time.monotonic() < end_s and not holds():
        time.sleep(0.2)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Replacements through kills of daemon, broker and warehouse.")
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--kills", type=int, default=100, help="of the daemon; a quarter as many of the warehouse")
    parser.add_argument("--transport", choices=("http", "mqtt"), default="http")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--html", type=Path, help="file for a page with the timeline")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep ledger, warehouse and logs there")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
