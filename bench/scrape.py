"""What being scraped costs the lane: the loop's turns with and without it, side by side, and how long a scrape takes.

`python -m bench.scrape [--items N] [--every S]`

The daemon's own loop and parts in this process, a real mosquitto and the lane in software beside it, drawn packages;
another process scrapes for five seconds, rests for five, and so on. Prometheus asks every 15 s as a rule: here the
default is once a second.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from bisect import bisect
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.table import Table

from bench.record import NS_PER_MS, RATE
from edge.app import SWITCH_S, TURN_S
from edge.assembly import lane
from edge.config import load
from edge.demo import stage
from edge.demo.main import simulator_command, teach
from edge.demo.scene import drawn
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml
from edge.simulator.plan import Plan, write_plan

PHASE_S = 5.0
SCRAPER = """
import sys, time, urllib.request
url, every_s, phase_s = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
while True:
    end_s = time.monotonic() + phase_s
    print("phase", time.monotonic_ns(), flush=True)
    while time.monotonic() < end_s:
        began_ns = time.monotonic_ns()
        size = len(urllib.request.urlopen(url).read())
        print("scrape", time.monotonic_ns() - began_ns, size, flush=True)
        time.sleep(every_s)
    print("phase", time.monotonic_ns(), flush=True)
    time.sleep(phase_s)
"""


def main() -> int:
    """One run of the lane, in phases."""
    options = _options()
    console = Console()
    cv2.setNumThreads(1)
    sys.setswitchinterval(SWITCH_S)
    with tempfile.TemporaryDirectory() as name:
        turns, said = _run(Path(name), options.items, options.every, console)
    phases = [int(words[1]) for words in said if words[0] == "phase"]
    spans_ms: dict[bool, list[float]] = {False: [], True: []}
    for began_ns, span_ms in turns:
        spans_ms[bisect(phases, began_ns) % 2 == 1].append(span_ms)
    scrapes = [(int(words[1]) / NS_PER_MS, int(words[2])) for words in said if words[0] == "scrape"]
    _print(spans_ms, scrapes, console)
    return 0


def _run(folder: Path, items: int, every_s: float, console: Console) -> tuple[list[tuple[int, float]], list[list[str]]]:
    """Each turn's beginning (ns) and time (ms), and what the scraper said."""
    scene = drawn(folder / "drawn", items, 1, date.today())
    teach(scene, folder, console)
    ports, places = stage.free_ports(), geometry(scene.frames)
    write_plan(folder / "plan.json", Plan(SITE, LANE, places, scene.items, SPEED_MM_PER_S, RATE))
    (folder / "lane.toml").write_text(lane_toml(scene, places, folder, ports))
    url = f"http://127.0.0.1:{ports.metrics}/metrics"
    words = [sys.executable, "-c", SCRAPER, url, str(every_s), str(PHASE_S)]
    turns: list[tuple[int, float]] = []
    with (
        stage.broker(folder, ports.broker),
        lane(load(folder / "lane.toml")) as parts,
        stage.process(simulator_command(folder, ports), folder / "lane.log") as simulator,
        subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as scraper,
    ):
        while simulator.poll() is None:
            began_ns = time.monotonic_ns()
            parts.turn(began_ns)
            turns.append((began_ns, (time.monotonic_ns() - began_ns) / NS_PER_MS))
            time.sleep(TURN_S)
        scraper.terminate()
        said = scraper.stdout.read() if scraper.stdout else ""
    stage.demand_success(simulator, "the lane", folder / "lane.log")
    return turns, [line.split() for line in said.splitlines()]


def _print(spans_ms: dict[bool, list[float]], scrapes: list[tuple[float, int]], console: Console) -> None:
    table = Table("the loop's turn", "count", "p50 ms", "p99 ms", "p99.9 ms", "most ms")
    for scraped, name in ((False, "left alone"), (True, "scraped")):
        spans = spans_ms[scraped]
        figures = (*np.percentile(spans, (50, 99, 99.9)), max(spans))
        table.add_row(name, f"{len(spans)}", *(f"{one:.3f}" for one in figures))
    console.print(table)
    p50, p99 = np.percentile([took_ms for took_ms, _ in scrapes], (50, 99))
    console.print(f"{len(scrapes)} scrapes: p50 {p50:.1f} ms, p99 {p99:.1f} ms, {scrapes[-1][1]} bytes")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The loop's turns while it is scraped and while it is not.")
    parser.add_argument("--items", type=int, default=120, help="on the belt (default: %(default)s)")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between scrapes (default: %(default)s)")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
