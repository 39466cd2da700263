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
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from edge.demo import stage
from edge.demo.main import teach
from edge.demo.scene import Scene, drawn
from edge.demo.score import Account, account
from edge.demo.settings import LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml, local
from edge.records.journal import outbox
from edge.simulator.plan import Plan, PlannedItem
from edge.simulator.run import Patience, simulate

DRAWN = 40  # packages, sent again and again under new names
ITEMS_A_MINUTE = 75.0
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
    scene = drawn(folder / "drawn", DRAWN, seed, date.today())
    teach(scene, folder, console)
    lane, ports = geometry(scene.frames), stage.free_ports()
    (folder / "lane.toml").write_text(lane_toml(scene, lane, folder, ports))
    (folder / "mosquitto.conf").write_text(stage.broker_settings(ports.broker))
    items = _many(scene, round(kills * sum(BETWEEN_S) / 2 * ITEMS_A_MINUTE / 60))
    plan = Plan(SITE, LANE, lane, items, SPEED_MM_PER_S, ITEMS_A_MINUTE, seed=seed)
    broker = Victim([stage.mosquitto(), "-c", str(folder / "mosquitto.conf")], folder / "mosquitto.log")
    stage.await_port(ports.broker)
    daemon = Victim(stage.own_command("run", str(folder / "lane.toml")), folder / "daemon.log")
    belt = threading.Thread(
        target=simulate,
        args=(plan, "127.0.0.1", ports.broker, local(ports.frames), folder / "truth.json"),
        kwargs={"patience": Patience(grace_s=8)},
    )
    belt.start()
    _kill(broker, daemon, belt, ports.broker, kills, seed, console)
    _await_answers(folder / "state")
    daemon.end()
    broker.end()
    return account(folder / "state", folder / "truth.json", scene)


def _kill(
    broker: Victim, daemon: Victim, belt: threading.Thread, port: int, kills: int, seed: int, console: Console
) -> None:
    chance = random.Random(seed)  # noqa: S311 - a reproducible draw
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("killing", total=kills)
        for _ in range(kills):
            time.sleep(chance.uniform(*BETWEEN_S))
            victim = broker if chance.random() < BROKER_SHARE else daemon
            victim.kill()
            time.sleep(chance.uniform(0, DOWN_S))
            victim.start()
            if victim is broker:
                stage.await_port(port)
            progress.advance(task)
    belt.join()


def _await_answers(state: Path) -> None:
    end_s = time.monotonic() + WAIT_S
    while time.monotonic() < end_s and None in outbox(state).values():
        time.sleep(0.2)


def _many(scene: Scene, count: int) -> tuple[PlannedItem, ...]:
    """The scene's items again and again, each an order of its own."""
    return tuple(
        replace(scene.items[n % len(scene.items)], wms_item=f"wms-{n:05d}", order_line=f"order-{n:05d}")
        for n in range(count)
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="kill -9 of the daemon and of the broker at random moments.")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
