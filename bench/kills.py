"""Whether the books hold when daemon and broker are killed (`kill -9`) at random moments with items on the belt.

`python -m bench.kills [--kills N] [--seed S] [--json FILE]`: the real daemon, a real mosquitto, the lane in software in
real time, drawn packages. Reckoned from the journal and from what really happened on the lane.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.site import ITEMS_A_MINUTE, laid_out
from edge.demo import stage
from edge.demo.score import Account

BETWEEN_S = (3.0, 7.0)
BROKER_SHARE = 0.3  # of the kills
DOWN_S = 0.5
WAIT_S = 30.0


class Victim:
    """A process that is killed and started anew."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._command, self._log = command, log
        self.start()

    def start(self) -> None:
        """Begin."""
        with self._log.open("a") as words:
            self._running = subprocess.Popen(self._command, stdout=words, stderr=words)

    def kill(self) -> None:
        """As a power cut would."""
        self.end(signal.SIGKILL)

    def tell(self, what: signal.Signals) -> None:
        """Send one, and go on."""
        self._running.send_signal(what)

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send a signal and wait for the end."""
        self._running.send_signal(how)
        self._running.wait(WAIT_S)


def main() -> int:
    """Kill, then reckon; 0 when nothing was lost, doubled or hit wrongly."""
    options = _options()
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        run = _run(Path(name), options.kills, options.seed, console)
    measured = reckon(run) | {"kills": options.kills, "seed": options.seed}
    table = Table("figure", "value", title="kill -9 of daemon and broker")
    for key, value in measured.items():
        table.add_row(key.replace("_", " "), str(value))
    console.print(table)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0 if not (measured["violations"] or measured["on_belt"] or measured["wrong_item_diverts"]) else 1


def reckon(run: Account) -> dict[str, Any]:
    """What must be nought, and what it cost."""
    ends = Counter((one.end or {"end": "never born"})["end"] for one in run.stories)
    ordered = {one.truth["item"] for one in run.stories if one.command}
    off = [one for one in run.stories if one.truth["went"] == "reject"]
    return {
        "items": len(run.stories),
        "inducted": run.conservation["inducted"],
        "violations": run.conservation["violations"],
        "on_belt": run.conservation["on_belt"],
        "never_born": ends["never born"],
        "ends": {key: value for key, value in run.conservation.items() if key not in ("inducted", "violations")},
        "diverted_without_an_order": sum(one.truth["item"] not in ordered for one in off),  # the gate's safe side
        "wrong_item_diverts": sum(_is_neighbour_hit(one.truth, ordered) for one in off),
        "bad_on_the_good_lane": sum(one.truth["bad"] and one.truth["went"] == "good" for one in run.stories),
        "bad_on_the_good_lane_as_passed": sum(
            one.truth["bad"] and (one.end or {}).get("end") == "passed" for one in run.stories
        ),
        "replacements_owed": len(run.owed),
        "replacements_unanswered": sum(answer is None for answer in run.owed.values()),
    }


def _is_neighbour_hit(truth: dict[str, Any] | Any, ordered: set[str]) -> bool:
    """Diverted inside a window that was another's: the safe side has no window."""
    return truth["gate_window"] is not None and truth["item"] not in ordered


def _run(folder: Path, kills: int, seed: int, console: Console) -> Account:
    site = laid_out(folder, seed, console)
    broker = Victim(site.broker, folder / "mosquitto.log")
    stage.await_port(site.ports.broker)
    daemon = Victim(site.daemon, folder / "daemon.log")
    belt = site.belt(round(kills * sum(BETWEEN_S) / 2 * ITEMS_A_MINUTE / 60), seed)
    belt.start()
    _kill(broker, daemon, site.ports.broker, kills, seed, console)
    belt.join()
    site.await_answers()
    daemon.end()
    broker.end()
    return site.account()


def _kill(broker: Victim, daemon: Victim, port: int, kills: int, seed: int, console: Console) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw
    with Progress(console=console, transient=True) as progress:
        for _ in progress.track(range(kills), description="killing"):
            time.sleep(chance.uniform(*BETWEEN_S))
            victim = broker if chance.random() < BROKER_SHARE else daemon
            victim.kill()
            time.sleep(chance.uniform(0, DOWN_S))
            victim.start()
            if victim is broker:
                stage.await_port(port)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="kill -9 of the daemon and of the broker at random moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
