"""`tunnel-edge demo`: draw or read the items, teach the appliance, run the lane, tell what it came to."""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from edge.demo import film, report, score, stage
from edge.demo.scene import Scene, drawn, photographed
from edge.demo.settings import FILM, LANE, SITE, SPEED_MM_PER_S, geometry, lane_toml, local, stations
from edge.inspection.session import Session, newest
from edge.pictures import read_picture
from edge.plain import plain_console
from edge.records.outbox import outbox
from edge.settings import ROOT
from edge.simulator.plan import Geometry, Plan, write_plan
from edge.teach import Teacher, learn_belts
from edge.watch import line, receive, tapped

SETTLE_S = 20.0  # for the last replacement to be acknowledged
POLL_MS = 100
ADDRESS = "127.0.78.{}"  # of a GigE Vision camera: they answer at a fixed port, so each needs one
START_S = 60.0  # until the last item is through, beside the items' own time
S_PER_MINUTE = 60

Process = subprocess.Popen[bytes]


def main(arguments: Sequence[str]) -> int:
    """Run a demo; 0 when the books balance and every item that ran has its verdict and its end."""
    options = _options(arguments)
    console = plain_console()
    with tempfile.TemporaryDirectory(prefix="tunnel-edge-demo-") as name:
        folder = Path(name)
        scene = _scene(options, folder, console)
        for note in scene.notes:
            console.print(note, style="dim")
        teach(scene, folder, console)
        lane = geometry(scene.frames)
        _run(scene, lane, options, folder, console)
        run = score.account(folder / "state", folder / "truth.json", scene)
        result = score.figures(run)
        state = folder / "state"
        page = report.write(options.report, scene.title, scene.notes, run, result, stations(lane), state)
    _tell(result, run, page, options.json, console)
    return 0 if run.complete else 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-edge demo", description="Show a whole lane on this machine, over a real broker."
    )
    parser.add_argument("--data", type=Path, help="folder of labelled photographs (default: packages are drawn)")
    parser.add_argument(
        "--labels",
        type=Path,
        help="labelled examples for the defect heads: CSV item,label, or a folder laid out like the data "
        "(default: 20 items of each class of the data, where it has no training split)",
    )
    parser.add_argument("--items", type=int, default=60, help="how many to draw (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of all that is drawn by lot (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=75, help="items per minute (default: %(default)s)")
    parser.add_argument(
        "--gige", action="store_true", help="the cameras speak GigE Vision (needs `gige`), and one more plays a film"
    )
    parser.add_argument("--report", type=Path, default=Path("demo-report"), help="folder of the HTML report")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args(arguments)


def _scene(options: argparse.Namespace, folder: Path, console: Console) -> Scene:
    if options.data:
        return photographed(options.data, options.labels, options.seed)
    with console.status("drawing packages"):
        return drawn(folder / "drawn", options.items, options.seed, date.today())


def teach(scene: Scene, folder: Path, console: Console) -> None:
    """Belts, references and heads, as a technician would have them made."""
    learn_belts(scene.frames, folder / "belts", console)
    with Progress(console=console, transient=True) as progress:
        session = Session.load(newest(ROOT / "models", "backbone"))
        teacher = Teacher(session, folder / "references", folder / "belts", progress)
        teacher.build_references(scene.normals)
        teacher.fit_heads(scene.labelled)


def _run(scene: Scene, lane: Geometry, options: argparse.Namespace, folder: Path, console: Console) -> None:
    """Broker, daemon and lane, until the last item is through and the warehouse has answered."""
    ports = stage.free_ports()
    if options.gige:
        ports = replace(ports, cameras={name: ADDRESS.format(n) for n, name in enumerate(sorted(scene.frames), 1)})
        seconds = START_S + len(scene.items) * S_PER_MINUTE / options.rate
        film.shoot(map(read_picture, scene.frames[min(scene.frames)]), seconds, folder / FILM)
    plan = Plan(SITE, LANE, lane, scene.items, SPEED_MM_PER_S, options.rate, seed=options.seed)
    write_plan(folder / "plan.json", plan)
    (folder / "lane.toml").write_text(lane_toml(scene, lane, folder, ports))
    run = stage.own_command("run", str(folder / "lane.toml"))
    with (
        stage.broker(folder, ports.broker),
        stage.process(run, folder / "daemon.log") as daemon,
        stage.process(simulator_command(folder, ports), folder / "lane.log") as simulator,
    ):
        follow(simulator, daemon, ports.tap, len(scene.items), folder, console)
        _await_answers(folder / "state")


def simulator_command(folder: Path, ports: stage.Ports) -> list[str]:
    """Runs the lane in `folder/plan.json`, and writes `folder/truth.json`."""
    wire = ["--gige", *(f"{name}={address}" for name, address in ports.cameras.items())]
    frames = wire if ports.cameras else ["--frames", local(ports.frames)]
    broker = ["--broker", f"127.0.0.1:{ports.broker}", *frames]
    files = ["--plan", str(folder / "plan.json"), "--truth", str(folder / "truth.json")]
    return stage.own_command("simulate", *broker, *files)


def follow(simulator: Process, daemon: Process, tap_port: int, total: int, folder: Path, console: Console) -> None:
    """Print each verdict as it falls, until the lane has run empty.

    Raises:
        DemoFailed: the daemon or the lane ended badly.
    """
    columns = (TextColumn("verdicts"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with tapped(local(tap_port)) as tap, Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("verdicts", total=total)
        while simulator.poll() is None:
            stage.demand_life(daemon, "the daemon", folder / "daemon.log")
            if tap.poll(POLL_MS):
                console.print(line(receive(tap)[0]), no_wrap=True, overflow="ellipsis")
                progress.advance(task)
    stage.demand_success(simulator, "the lane", folder / "lane.log")


def _await_answers(state: Path) -> None:
    """Give the warehouse time to acknowledge the last replacements."""
    end_s = time.monotonic() + SETTLE_S
    while time.monotonic() < end_s and None in outbox(state).values():
        time.sleep(0.1)


def _tell(result: Mapping[str, Any], run: score.Account, page: Path, json_path: Path | None, console: Console) -> None:
    """The table, the books, and where to look further."""
    table = Table("figure", "value", title="What it came to")
    for name, value in report.rows(result):
        table.add_row(name, value)
    console.print(table)
    console.print(f"report: {page}", highlight=False)
    if json_path:
        json_path.write_text(json.dumps(result, indent=1) + "\n")
    console.print(score.conservation_line(run.conservation), highlight=False, soft_wrap=True)
