"""The item path on one thread, stage by stage: how long, and how much of it outside `InferenceSession.run`.

`python -m bench.inspection [--items N] [--data FOLDER] [--json FILE]`; without a folder, packages are drawn. Figures
are of this machine in this run: compare shares and ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress, track
from rich.table import Table

from edge.config import ROOT, InspectionSettings
from edge.core.frames import decode_frame, encode_frame
from edge.core.messages import Expected, Frame, Item, Sighting
from edge.demo.scene import Scene, drawn, photographed
from edge.inspection.assembly import Sessions, questions
from edge.inspection.crop import Question
from edge.inspection.locate import BeltColour, locate
from edge.inspection.session import Session
from edge.pictures import read_picture
from edge.teach import Teacher, learn_belts

NS_PER_MS = 1e6
WARM_UP = 3  # frames not counted
FAR_NS = 2**62
Given = TypeVar("Given")


@dataclass(slots=True)
class Stage:
    """Times of one stage, one entry a call."""

    total_ns: list[int] = field(default_factory=list)
    inside_ns: list[int] = field(default_factory=list)  # of it, inside InferenceSession.run

    def row(self, whole_ns: int) -> dict[str, float]:
        """Calls, quantiles and shares of the whole path."""
        total_ms = np.array(self.total_ns) / NS_PER_MS
        return {
            "calls": len(self.total_ns),
            "p50_ms": float(np.percentile(total_ms, 50)),
            "p99_ms": float(np.percentile(total_ms, 99)),
            "share_of_path": sum(self.total_ns) / whole_ns,
            "share_outside_run": 1 - sum(self.inside_ns) / sum(self.total_ns),
        }


class Clock:
    """Times stages, and what the models took of them."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self.stages: dict[str, Stage] = {}
        self._sessions = sessions

    def time(self, name: str, call: Callable[[], Given]) -> Given:
        """Run a call as a part of a stage."""
        inside_ns, start_ns = self._inside_ns(), time.perf_counter_ns()
        given = call()
        stage = self.stages.setdefault(name, Stage())
        stage.total_ns.append(time.perf_counter_ns() - start_ns)
        stage.inside_ns.append(self._inside_ns() - inside_ns)
        return given

    def table(self) -> dict[str, dict[str, float]]:
        """Every stage, and the whole path."""
        whole = Stage([sum(stage.total_ns) for stage in self.stages.values()])
        whole.inside_ns = [sum(stage.inside_ns) for stage in self.stages.values()]
        whole_ns = sum(whole.total_ns)
        return {name: stage.row(whole_ns) for name, stage in self.stages.items()} | {
            "whole path": whole.row(whole_ns) | {"calls": len(self.stages["decode"].total_ns)}
        }

    def _inside_ns(self) -> int:
        return sum(session.spent_ns for session in self._sessions)


def main() -> int:
    """Print the table; the last line is the share outside `InferenceSession.run`."""
    options = _options()
    cv2.setNumThreads(1)
    console = Console()
    with tempfile.TemporaryDirectory() as name:
        scene = _scene(options, Path(name))
        measured = measure(scene, options.items, Path(name), console)
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def measure(scene: Scene, count: int, folder: Path, console: Console) -> dict[str, dict[str, float]]:
    """Run the frames of `count` items through decoding, locating and every check of the scene."""
    sessions = Sessions(ROOT / "models")
    learn_belts(scene.frames, folder / "belts", console)
    with Progress(console=console, transient=True) as progress:
        teacher = Teacher(sessions.of("backbone"), folder / "references", folder / "belts", progress)
        teacher.build_references(scene.normals)
        teacher.fit_heads(scene.labelled)
    belts = {camera: BeltColour.load(folder / "belts" / f"{camera}.npz") for camera in scene.frames}
    asked = questions(InspectionSettings(references=folder / "references"), scene.rules, sessions)
    frames = list(_frames(scene, count))
    for camera, gtin, parts in frames[:WARM_UP]:
        _look(Clock([]), camera, gtin, parts, belts[camera], asked[camera])
    clock = Clock(sessions.loaded())
    for camera, gtin, parts in track(frames, "measuring", console=console, transient=True):
        _look(clock, camera, gtin, parts, belts[camera], asked[camera])
    return clock.table()


def _look(
    clock: Clock, camera: str, gtin: str, parts: list[bytes], belt: BeltColour, asked: Iterable[Question]
) -> None:
    """One frame's way from the wire to its evidence."""
    frame = clock.time("decode", lambda: decode_frame(parts))
    crop = clock.time("locate", lambda: locate(frame.image, belt))
    sighting = Sighting(frame, Item("i", 0, 0, None, Expected("w", gtin, "o")), FAR_NS)
    for one in asked:
        clock.time(f"{one} ({camera})", lambda one=one: one.check.inspect(crop, sighting))  # type: ignore[misc]


def _frames(scene: Scene, count: int) -> Iterator[tuple[str, str, list[bytes]]]:
    """Camera, GTIN and the frame as it comes over the wire."""
    for item in scene.items[:count]:
        for camera, path in item.pictures.items():
            yield camera, item.gtin, encode_frame(Frame(camera, item.wms_item, 0, 0.0, read_picture(path)))


def _print(measured: dict[str, dict[str, float]], console: Console) -> None:
    table = Table("stage", "calls", "p50 ms", "p99 ms", "share of path", "outside run", title="Item path, one thread")
    for name, row in measured.items():
        milliseconds = (f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}") if name != "whole path" else ("", "")
        shares = (f"{row['share_of_path']:.0%}", f"{row['share_outside_run']:.1%}")
        table.add_row(name, f"{row['calls']:.0f}", *milliseconds, *shares)
    console.print(table)
    console.print(f"share of time outside InferenceSession.run: {measured['whole path']['share_outside_run']:.1%}")


def _scene(options: argparse.Namespace, folder: Path) -> Scene:
    if options.data:
        return photographed(options.data, None, options.seed)
    return drawn(folder / "drawn", options.items, options.seed, date.today())


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time the item path on one thread, stage by stage.")
    parser.add_argument("--data", type=Path, help="folder of labelled photographs (default: packages are drawn)")
    parser.add_argument("--items", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
