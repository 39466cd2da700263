"""A GigE Vision camera in software, to practise with: `python -m edge.simulator.gige --address A --serial S`."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
import time
from collections.abc import Sequence
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import TunnelEdgeError
from edge.core.messages import Image
from edge.pictures import read_picture
from edge.simulator.gige.description import FORMATS
from edge.simulator.gige.device import GigeCamera, Scene, fitted

NOISES = 8  # different pictures, where none are given
COUNTS_PER_S = 5000  # of its encoder: a belt that runs evenly
NS_PER_S = 1_000_000_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer until SIGTERM or SIGINT."""
    options = _options(arguments)
    size_px = options.width, options.height
    scene = _scene(_pictures(options.pictures, size_px, options.pixels))
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    try:
        with GigeCamera(options.address, options.serial, size_px, options.pixels, scene, options.lost):
            ending.wait()
    except TunnelEdgeError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the command's own voice
        return 1
    return 0


def _pictures(folder: Path | None, size_px: tuple[int, int], pixels: str) -> list[Image]:
    if folder is None:
        shape = (*size_px[::-1], 3) if FORMATS[pixels] >> 16 & 0xFF == 24 else size_px[::-1]
        chance = np.random.default_rng(0)
        return [chance.integers(0, 256, shape, dtype=np.uint8) for _ in range(NOISES)]
    colour = [fitted(read_picture(path), size_px) for path in sorted(folder.iterdir())]
    if pixels == "BGR8":
        return colour
    how = cv2.COLOR_BGR2RGB if pixels == "RGB8" else cv2.COLOR_BGR2GRAY
    return [np.asarray(cv2.cvtColor(one, how), np.uint8) for one in colour]


def _scene(pictures: Sequence[Image]) -> Scene:
    """One picture after the other, over a belt that runs evenly."""
    shown, begun_ns = cycle(pictures), time.monotonic_ns()
    return lambda: (next(shown), (time.monotonic_ns() - begun_ns) * COUNTS_PER_S // NS_PER_S)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edge.simulator.gige", description="A GigE Vision camera.")
    parser.add_argument("--address", default="127.0.0.1", help="of this machine (default: %(default)s)")
    parser.add_argument("--serial", default="SIM01", help="(default: %(default)s)")
    parser.add_argument("--width", type=int, default=640, help="px (default: %(default)s)")
    parser.add_argument("--height", type=int, default=480, help="px (default: %(default)s)")
    parser.add_argument("--pixels", choices=sorted(FORMATS), default="Mono8", help="(default: %(default)s)")
    parser.add_argument("--pictures", type=Path, help="folder of what it sees (default: noise)")
    parser.add_argument("--lost", type=float, default=0.0, help="share of packets that get lost (default: none)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
