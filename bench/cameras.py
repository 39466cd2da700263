"""Grabbing beside a bare loop, and what a camera that dies again and again does to the lane's loop.

`python -m bench.cameras [--seconds N] [--rounds N] [--kills N] [--json FILE]`, over the real protocol on loopback:
Aravis' fake GigE Vision camera (Debian's `aravis-tools`, at most 2048 × 2048 px), and ours (5 megapixels), mono.

Latency is from the exposure (of Aravis' camera: the frame's first packet) until whoever asks has the picture: for the
bare loop when Aravis hands its buffer over and the pixels have been copied out once, as its Python examples do; for
ours when the loop has the frame.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.cameras import genicam
from edge.cameras.cameras import AllCameras
from edge.cameras.gige import BUFFERS, GigeSource
from edge.cameras.grabber import Grabber
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.errors import ConfigError
from edge.core.messages import BeltReading
from edge.simulator.gige.device import OFFSET_NS

Figures = dict[str, float]
Features = dict[str, bool | int | float | str]

PROGRAM, SERIAL, ADDRESS = "arv-fake-gv-camera-0.8", "BENCH", "127.0.0.1"
FAKE = [PROGRAM, "-i", ADDRESS, "-s", SERIAL]
SIMULATED = [sys.executable, "-m", "edge.simulator.gige", "--address", ADDRESS, "--serial", SERIAL]
FEATURES: Features = {
    "Width": 2048,
    "Height": 2048,
    "PixelFormat": "Mono8",
    "AcquisitionFrameRate": 20.0,
}
SMALL = FEATURES | {"Width": 512, "Height": 512}
LARGE = FEATURES | {"Width": 2448, "GevSCPSPacketSize": 9000, "AcquisitionFrameRate": 10.0}
TURN_S = 0.001  # as the daemon's
SILENT_S = 1.0
DOWN_S, UP_S = 2.0, 5.0  # without power, and until it must be back


def main() -> int:
    """Print both tables."""
    options = _options()
    console = Console()
    if shutil.which(PROGRAM) is None:
        raise ConfigError(f"{PROGRAM} is not installed: run `make setup`.")
    latency = {
        "fake": _latency("Aravis' fake camera, 2048 × 2048", FAKE, FEATURES, options, console),
        "simulated": _latency("ours, 2448 × 2048, jumbo packets", _simulated(LARGE), LARGE, options, console),
    }
    kills = _kills(options.kills, console)
    if options.json:
        options.json.write_text(json.dumps({"latency": latency, "kills": kills}, indent=1) + "\n")
    return 0


@contextmanager
def camera(command: Sequence[str] = FAKE) -> Iterator[None]:
    """A camera with power."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while SERIAL not in [one["serial"] for one in genicam.found()]:
            time.sleep(0.05)
        try:
            yield
        finally:
            process.kill()


def _simulated(features: Features) -> list[str]:
    return [*SIMULATED, "--width", str(features["Width"]), "--height", str(features["Height"])]


def _latency(
    what: str, command: Sequence[str], features: Features, options: argparse.Namespace, console: Console
) -> dict[str, Figures]:
    """Both in turn, several times: what else goes on meets either."""
    spans: dict[str, list[float]] = {"bare loop": [], "ours": []}
    with camera(command):
        for _ in track(range(options.rounds), what, console=console, transient=True):
            spans["bare loop"] += _bare(features, options.seconds)
            spans["ours"] += _ours(features, options.seconds)
    figures = {name: _percentiles(found) for name, found in spans.items()}
    table = Table("mono", "frames", "p50 ms", "p99 ms", title=what)
    for name, row in figures.items():
        table.add_row(name, str(len(spans[name])), f"{row['p50_ms']:.2f}", f"{row['p99_ms']:.2f}")
    ratios = [figures["ours"][name] / figures["bare loop"][name] for name in ("p50_ms", "p99_ms")]
    table.add_row("ratio", "", *(f"{ratio:.2f}" for ratio in ratios))
    console.print(table)
    return figures


def _bare(features: Features, seconds: float) -> list[float]:
    """The loop of Aravis' examples: pop, copy, push."""
    library = genicam.aravis()
    source: Any = library.Camera.new(ADDRESS)
    list(genicam.refused(source.get_device(), features))
    stream = source.create_stream(None, None)
    for _ in range(BUFFERS):
        stream.push_buffer(library.Buffer.new_allocate(source.get_payload()))
    source.start_acquisition()
    spans_ms, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        if (buffer := stream.timeout_pop_buffer(200_000)) is not None:
            np.frombuffer(buffer.get_data(), np.uint8)
            spans_ms.append((time.monotonic_ns() - _exposed_ns(buffer)) / NS_PER_MS)
            stream.push_buffer(buffer)
    source.stop_acquisition()
    return spans_ms


def _exposed_ns(buffer: Any) -> int:
    """By our camera's clock, whose offset is known here; else when the first packet came."""
    now_ns = time.monotonic_ns()
    taken_ns = int(buffer.get_timestamp()) - OFFSET_NS
    if 0 <= now_ns - taken_ns < NS_PER_S:
        return taken_ns
    return now_ns - (time.time_ns() - int(buffer.get_system_timestamp()))


def _ours(features: Features, seconds: float) -> list[float]:
    """The grabber's thread, and a loop that asks it each turn."""
    grabber = Grabber("bench", GigeSource(SERIAL, features))
    grabber.start()
    spans_ms, end_s = [], time.monotonic() + seconds
    while time.monotonic() < end_s:
        spans_ms += [(time.monotonic_ns() - shot.exposed_ns) / NS_PER_MS for shot in grabber.shots()]
        time.sleep(TURN_S)
    grabber.stop()
    return spans_ms


def _kills(kills: int, console: Console) -> dict[str, Figures]:
    """The camera's power is cut again and again; the loop turns on."""
    grabber = Grabber("bench", GigeSource(SERIAL, SMALL), SILENT_S)
    cameras = AllCameras([], [grabber])
    with camera():
        grabber.start()
        _turned(cameras, lambda: grabber.opened > 0, UP_S)
        undisturbed, _ = _turned(cameras, lambda: False, DOWN_S * kills)
    turns_ms, detected_s, back_s = [], [], []
    for _ in track(range(kills), "power cuts", console=console, transient=True):
        down, after_s = _turned(cameras, lambda: bool(grabber.fault), DOWN_S + UP_S)
        detected_s.append(after_s)
        begun_s = time.monotonic()
        with camera():
            up, _ = _turned(cameras, lambda: not grabber.fault, 2 * UP_S)
            back_s.append(time.monotonic() - begun_s)
            on, _ = _turned(cameras, lambda: False, 1.0)
        turns_ms += [*down, *up, *on]
    grabber.stop()
    figures = {"undisturbed": _percentiles(undisturbed), "with power cuts": _percentiles(turns_ms)}
    table = Table("turn of the loop", "turns", "p50 ms", "p99 ms", title=f"{kills} power cuts")
    for name, row in figures.items():
        table.add_row(name, str(round(row["count"])), f"{row['p50_ms']:.3f}", f"{row['p99_ms']:.3f}")
    console.print(table)
    for what, found in (("told after", detected_s), ("sends again after", back_s)):
        console.print(f"{what} {np.median(found):.1f} s, at most {max(found):.1f} s")
    return figures | {"seconds": {"told": float(np.median(detected_s)), "back": float(np.median(back_s))}}


def _turned(cameras: AllCameras, until: Any, most_s: float) -> tuple[list[float], float]:
    """Turn as the daemon's loop until something holds: the turns' times, ms, and how long it took, s."""
    spans_ms, begun_s = [], time.monotonic()
    while not until() and time.monotonic() - begun_s < most_s:
        started_ns = time.monotonic_ns()
        cameras.grab(BeltReading(started_ns, started_ns / NS_PER_S, 0.5))
        cameras.faults()
        spans_ms.append((time.monotonic_ns() - started_ns) / NS_PER_MS)
        time.sleep(TURN_S)
    return spans_ms, time.monotonic() - begun_s


def _percentiles(spans_ms: Sequence[float]) -> Figures:
    p50_ms, p99_ms = np.percentile(spans_ms, (50, 99))
    return {"count": float(len(spans_ms)), "p50_ms": float(p50_ms), "p99_ms": float(p99_ms)}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Grabbing beside a bare loop; a camera that dies again and again.")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each round (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=4, help="(default: %(default)s)")
    parser.add_argument("--kills", type=int, default=20, help="(default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
