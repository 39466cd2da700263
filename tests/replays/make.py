"""Makes the recordings beside it anew: `make replays`, or `python -m tests.replays.make [FOLDER]` (a minute).

The real daemon, a real mosquitto, and the lane in software, on which things go wrong. The packages are drawn; their
pictures are made smaller and smoothed to eight levels, so that a recording is small.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console

from edge.broker import Address
from edge.core.topics import STATE
from edge.demo import stage
from edge.demo.main import teach
from edge.demo.scene import Scene, drawn
from edge.records.journal import latest
from edge.simulator import plc, run, warehouse
from edge.simulator.camera import Cameras
from edge.simulator.feed import Feed
from edge.simulator.mqtt import Party
from edge.simulator.plan import Geometry, Plan, PlannedItem

HERE = Path(__file__).parent
SITE, LANE = "site", "lane"
SPEED_MM_PER_S = 500.0
CHECKED = {"top": 400.0, "side": 500.0}
PLACES = Geometry(10, CHECKED, gate_mm=1500, confirm_mm=1700, exit_mm=1750, gate_ms=60, resync_mm=700)
PATIENCE = run.Patience(grace_s=4)
SEED = 3
NORMALS = 16  # of each product, to learn from
SCALE = 0.75  # of the pictures: what is printed can still be read
WAIT_S = 30
SETTINGS = """\
[lane]
site = "site"
name = "lane"
state = "state"
[broker]
port = {broker}
[belt]
counts_per_mm = 10
gate_mm = 1500
confirm_mm = 1700
exit_mm = 1750
scanner_mm = 300
resync_mm = 700
gap_min_mm = 60
full_speed_mm_per_s = 500
[inspection]
references = "references"
belt_colours = "belts"
date_orders = ["DMY"]
[metrics]
port = 0
[tap]
endpoint = "ipc://tap"
[recipe]
name = "replayed"
[[recipe.rule]]
check = "anomaly"
cameras = ["top"]
reject_at = 1.1
[[recipe.rule]]
check = "expiry"
cameras = ["side"]
agrees = "expiry"
[[recipe.rule]]
check = "lot"
cameras = ["side"]
required = false
agrees = "lot"
[[camera]]
name = "top"
place_mm = 400
node = "ipc://frames"
[[camera]]
name = "side"
place_mm = 500
node = "ipc://frames"
[[camera]]  # its pictures come so seldom that it counts as silent again and again
name = "slow"
place_mm = 600
opencv = "slow"
settings = {{ rate = 0.25 }}
"""


class Mishaps(run.Lane):
    """A lane on which items slip (by so many mm) or are taken off, both before the second eye."""

    def __init__(self, *parts, slips, taken):
        super().__init__(*parts)
        self.slips, self.taken = dict(slips), frozenset(taken)

    def turn(self, now_ns):
        events = super().turn(now_ns)
        for index in self._plant.between(610, 640):
            if index in self.taken:
                self._plant.take(index)
            elif index in self.slips:
                self._plant.slip(index, self.slips.pop(index))
        return events


def smoothed(path):
    """The picture at `path`, smaller and with few levels, as a PNG beside it."""
    image = cv2.resize(cv2.medianBlur(cv2.imread(str(path)), 3), None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
    new = path.with_suffix(".png")
    cv2.imwrite(str(new), (image & 0xE0) | 0x10)
    return new


def scene_in(folder: Path) -> Scene:
    """Drawn packages, their pictures smoothed; the day is fixed, so that they are the same ones every time."""
    scene = drawn(folder, 40, SEED, date(2026, 11, 26))
    pictured = [replace(one, pictures={c: smoothed(p) for c, p in one.pictures.items()}) for one in scene.items]
    normals = {key: [smoothed(path) for path in paths[:NORMALS]] for key, paths in scene.normals.items()}
    frames = {camera: [one.pictures[camera] for one in pictured] for camera in CHECKED}
    return replace(scene, items=tuple(pictured), normals=normals, frames=frames)


def chosen(scene: Scene, count: int) -> tuple[PlannedItem, ...]:
    """Good and bad in turn, and one that nothing can be read on."""
    bad = [one for one in scene.items if one.bad][: count // 3]
    good = [one for one in scene.items if not one.bad][: count - len(bad)]
    good[1] = replace(good[1], pictures={**good[1].pictures, "side": blank(good[1].pictures["side"])})
    return tuple(good.pop(0) if number % 3 < 2 and good else bad.pop(0) for number in range(count))


def blank(path: Path) -> Path:
    new = path.with_name("blank.png")
    cv2.imwrite(str(new), cv2.GaussianBlur(cv2.imread(str(path)), (0, 0), 40) & 0xF0)
    return new


def run_lane(items, folder: Path, port: int, slips=(), taken=()) -> None:
    """The lane in software, to its end."""
    plan = Plan(SITE, LANE, PLACES, items, SPEED_MM_PER_S, items_per_minute=75, seed=SEED)
    address, frames = Address("127.0.0.1", port, SITE, LANE), f"ipc://{folder}/frames"
    with ExitStack() as stack:
        cameras = stack.enter_context(Cameras(Feed(frames)))
        plc_party = stack.enter_context(Party("plc", address, plc.TOPICS))
        warehouse_party = stack.enter_context(Party("wms", address, warehouse.TOPICS))
        readiness = run.Readiness(stack.enter_context(Party("lane", address, [STATE])))
        lane = Mishaps(plan, cameras, plc_party, warehouse_party, time.monotonic_ns(), slips=slips, taken=taken)
        run._run(lane, run.Scans(lane, lambda *_: None, threading.Event()), readiness, PATIENCE)


def daemon(folder: Path, command: str, *words: str) -> subprocess.Popen[bytes]:
    """In `folder`, so that no path in the settings is of this machine."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent.parent)}
    with (folder / f"{command}.log").open("w") as log:
        return subprocess.Popen(
            stage.own_command(command, "lane.toml", *words), cwd=folder, env=environment, stderr=log
        )


def end(running: subprocess.Popen[bytes]) -> None:
    running.terminate()
    running.wait(WAIT_S)


def ends(folder: Path) -> int:
    return sum(kind == "ItemEnd" for kind, _ in latest(folder / "state", 10_000))


def record_day(scene: Scene, folder: Path, port: int) -> None:
    """Twelve items: good, bad, unreadable, one that slips, one that somebody takes off."""
    running = daemon(folder, "record", "--out", "day")
    run_lane(chosen(scene, 12), folder, port, slips={4: 30.0}, taken={6})
    end(running)


def record_restart(scene: Scene, folder: Path, port: int) -> None:
    """The daemon is killed and started with some on the belt. Only the second life is recorded."""
    first = daemon(folder, "run")
    lane = threading.Thread(target=run_lane, args=(chosen(scene, 13), folder, port))
    lane.start()
    while ends(folder) < 1:
        time.sleep(0.1)
    first.kill()
    first.wait(WAIT_S)
    second = daemon(folder, "record", "--out", "restart")
    lane.join()
    end(second)


def make(target: Path) -> None:
    """Both recordings, and what they were judged by."""
    console = Console()
    with tempfile.TemporaryDirectory(prefix="replays-") as name:
        folder, ports = Path(name), stage.free_ports()
        scene = scene_in(folder / "drawn")
        teach(scene, folder, console)
        (folder / "slow").mkdir()
        cv2.imwrite(str(folder / "slow/picture.png"), np.full((24, 32, 3), 90, np.uint8))
        (folder / "lane.toml").write_text(SETTINGS.format(broker=ports.broker))
        with stage.broker(folder, ports.broker):
            record_day(scene, folder, ports.broker)
            shutil.rmtree(folder / "state")
            record_restart(scene, folder, ports.broker)
        for made in ("references", "belts", "day", "restart"):
            shutil.rmtree(target / made, ignore_errors=True)
            shutil.copytree(folder / made, target / made)


if __name__ == "__main__":
    make(Path(sys.argv[1]) if sys.argv[1:] else HERE)
