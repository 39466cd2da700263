"""Whether a flood of broken, oversized, misdirected, replayed and overtaken messages harms a running lane.

`python -m bench.fuzz [--messages N] [--rate N] [--seed S] [--json FILE]`: the real daemon, a real mosquitto, the lane
in software in real time. Every message is accounted for: what was sent, by kind, against what the daemon's own metrics
count, by topic and reason. Meanwhile its heart must not stop, and every item must go where its verdict says.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench.intruder import Fired, Intruder, bombard
from bench.shots import OLD, Counted, Shot, left_behind, shots
from bench.site import ITEMS_A_MINUTE, laid_out
from edge.broker import Address
from edge.demo import stage
from edge.demo.score import Account
from edge.demo.settings import LANE, SITE

BEAT_TIMEOUT_S = 1.0  # after so long a silence the PLC takes the gate to its safe side
READY_S = 60.0
QUIET_S = 0.5  # the counts are final when they have not changed for so long
REFUSED = "tunnel_messages_refused"
TURNS = "tunnel_loop_turn_seconds"
ENTERS_S = 15.0  # the belt runs so much longer than the fire


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole run."""

    fired: Fired
    counted: Counter[Counted]
    turns: int  # of the daemon's loop, under fire
    run: Account


def counted(port: int) -> Counter[Counted]:
    """What the daemon refused so far, by topic and reason, once it has read all."""
    found, before = _refused(port), None
    while found != before:
        time.sleep(QUIET_S)
        found, before = _refused(port), found
    return found


def turns(port: int) -> int:
    """How often the daemon's loop has turned."""
    return next(int(one.value) for one in _samples(port, TURNS) if one.name.endswith("_count"))


def _refused(port: int) -> Counter[Counted]:
    samples = [one for one in _samples(port, REFUSED) if one.name.endswith("_total")]
    found: Counter[Counted] = Counter()
    for one in samples:
        reason = one.labels["reason"]
        found[one.labels["topic"], OLD.get(reason, reason)] += int(one.value)
    return found


def _samples(port: int, name: str) -> Iterator[Any]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        told = answer.read().decode()
    for family in text_string_to_metric_families(told):
        if family.name == name:
            yield from family.samples


def differences(to_count: Counter[Counted], found: Counter[Counted]) -> dict[Counted, int]:
    """Counted less sent, where that is not nought."""
    return {key: found[key] - to_count[key] for key in found.keys() | to_count.keys() if found[key] != to_count[key]}


def lane_faults(run: Account) -> dict[str, int]:
    """What must be nought of the items that went by meanwhile."""
    told = [(one.truth["went"], (one.verdict or {}).get("disposition"), one.end) for one in run.stories]
    return {
        "violations": run.conservation["violations"],
        "on_belt": run.conservation["on_belt"],
        "not_born": len(run.stories) - run.conservation["inducted"],
        "without_verdict": sum(disposition is None for _, disposition, _ in told),
        "without_end": sum(end is None for *_, end in told),
        "wrong_way": sum((went == "good") != (disposition == "pass") for went, disposition, _ in told),
        "undecided": sum(disposition == "no_decision" for _, disposition, _ in told),
        "missed_or_lost": run.conservation["missed"] + run.conservation["lost"],
    }


def main() -> int:
    """Fire, then reckon; 0 when every message is accounted for, the heart never stopped and no item suffered."""
    options = _options()
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        outcome = _run(Path(name), options, console)
    _tell(outcome, console)
    measured = figures(outcome) | {"seed": options.seed}
    for key in (
        "messages",
        "messages_per_s",
        "turns_per_s",
        "longest_silence_s",
        "items",
        "lane_faults",
        "unexplained",
    ):
        console.print(f"{key.replace('_', ' ')}: {measured[key]}", highlight=False)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    harmed = measured["unexplained"] or any(measured["lane_faults"].values())
    alive = measured["turns_per_s"] and measured["longest_silence_s"] < BEAT_TIMEOUT_S
    return 0 if alive and not harmed else 1


def figures(outcome: Outcome) -> dict[str, Any]:
    """All the figures of a run, as JSON can hold them."""
    fired = outcome.fired
    return {
        "messages": fired.by_kind.total(),
        "messages_per_s": fired.by_kind.total() / fired.lasted_s,
        "by_kind": dict(fired.by_kind.most_common()),
        "counted": _told(outcome.counted),
        "unexplained": _told(differences(fired.to_count, outcome.counted)),
        "longest_silence_s": fired.longest_silence_s,
        "turns_per_s": outcome.turns / fired.lasted_s,
        "items": len(outcome.run.stories),
        "lane_faults": lane_faults(outcome.run),
    }


def _told(counts: Mapping[Counted, int]) -> dict[str, int]:
    return {f"{topic}: {reason}": count for (topic, reason), count in sorted(counts.items())}


def _run(folder: Path, options: argparse.Namespace, console: Console) -> Outcome:
    site = laid_out(folder, options.seed, console)
    address = Address("127.0.0.1", site.ports.broker, SITE, LANE)
    lasts_s = options.messages / options.rate + ENTERS_S
    belt = site.belt(round(lasts_s * ITEMS_A_MINUTE / 60), options.seed)
    with stage.broker(folder, site.ports.broker), Intruder(address) as intruder:
        waiting = bombard(intruder, left_behind(), options.rate)
        with stage.process(site.daemon, folder / "daemon.log"):
            with _running(belt, intruder):
                before = turns(site.ports.metrics)
                fired = bombard(intruder, _volley(intruder, options, console), options.rate)
                turned = turns(site.ports.metrics) - before
            site.await_answers()
            found = counted(site.ports.metrics)
    return Outcome(fired.after(waiting), found, turned, site.account())


@contextmanager
def _running(belt: threading.Thread, intruder: Intruder) -> Iterator[None]:
    """The belt runs from when the daemon is ready until its last item has left."""
    belt.start()
    if not intruder.ready.wait(READY_S):
        raise TimeoutError("the daemon is not ready: see its log")
    yield
    belt.join()


def _volley(intruder: Intruder, options: argparse.Namespace, console: Console) -> Iterator[Shot]:
    chance = random.Random(options.seed)  # noqa: S311 - a reproducible draw
    with Progress(console=console, transient=True) as progress:
        volley = shots(options.messages, chance, intruder.heard)
        yield from progress.track(volley, total=options.messages, description="firing")


def _tell(outcome: Outcome, console: Console) -> None:
    fired, found = outcome.fired, outcome.counted
    sent = Table("kind", "sent", title="What was sent")
    for kind, count in fired.by_kind.most_common():
        sent.add_row(kind, str(count))
    console.print(sent)
    table = Table("topic", "reason", "sent", "counted", title="What the daemon refused")
    for topic, reason in sorted(found.keys() | fired.to_count.keys()):
        wanted, count = fired.to_count[topic, reason], found[topic, reason]
        table.add_row(topic, reason, str(wanted), str(count), style="" if wanted == count else "bold red")
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fuzz a running lane's broker.")
    parser.add_argument("--messages", type=int, default=20_000)
    parser.add_argument("--rate", type=float, default=250.0, help="messages a second at most (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
