"""`tunnel-edge watch`: the tap's verdicts live in the terminal, with small pictures."""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

import cv2
import numpy as np
import zmq
from rich.color import Color
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.text import Text

from edge.core.messages import Image
from edge.plain import plain_console

COLOURS = {"pass": "green", "reject": "bold red", "no_decision": "yellow"}
UPPER_HALF = "▀"

Tap = zmq.Socket[bytes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Show verdicts until Ctrl-C, or until `--count` of them."""
    parser = argparse.ArgumentParser(prog="tunnel-edge watch", description="Show a lane's verdicts as they fall.")
    parser.add_argument("--tap", default="tcp://127.0.0.1:5580", help="the lane's tap (default: %(default)s)")
    parser.add_argument("--count", type=int, default=0, help="end after so many verdicts (default: never)")
    parser.add_argument(
        "--columns", type=int, default=72, help="width of the picture, 0 for none (default: %(default)s)"
    )
    options = parser.parse_args(arguments)
    console = plain_console()
    console.print(f"watching {options.tap} (Ctrl-C ends)", style="dim", highlight=False)
    with contextlib.suppress(KeyboardInterrupt), tapped(options.tap) as tap:
        told = 0
        while not options.count or told < options.count:
            fields, picture = receive(tap)
            show(fields, picture, console, options.columns)
            told += 1
    return 0


@contextlib.contextmanager
def tapped(endpoint: str) -> Iterator[Tap]:
    """A socket on a lane's tap."""
    with zmq.Context() as context, context.socket(zmq.SUB) as tap:
        tap.setsockopt(zmq.SUBSCRIBE, b"verdict")
        tap.setsockopt(zmq.LINGER, 0)
        tap.connect(endpoint)
        yield tap


def receive(tap: Tap) -> tuple[dict[str, Any], bytes]:
    """The next verdict's fields, and its picture as JPEG (empty where there is none)."""
    _, fields, picture = tap.recv_multipart()
    return json.loads(fields), picture


def show(fields: dict[str, Any], picture: bytes, console: Console, columns: int) -> None:
    """Print a verdict and, where the terminal has colours, its picture."""
    console.print(line(fields), no_wrap=True, overflow="ellipsis")
    if columns and picture and console.color_system:
        image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        console.print(half_blocks(np.asarray(image, np.uint8), min(columns, console.width)))


def line(fields: dict[str, Any]) -> Text:
    """One verdict in one line: the item's number, what was decided, how long it took, why, for which order."""
    disposition = fields["disposition"]
    text = Text(f"{fields['item'].rpartition('-')[2]}  ")
    text.append(f"{disposition.replace('_', ' '):<11}", style=COLOURS.get(disposition, ""))
    text.append(f"{fields['latency_ms']:6.0f} ms  ")
    text.append("; ".join(fields["reasons"]), style="dim" if disposition == "pass" else "")
    return text.append(f"  [{fields.get('order_line') or 'not announced'}]", style="dim")


def half_blocks(image: Image, columns: int) -> Segments:
    """A picture in text: each character shows two pixels, one over the other."""
    rows = max(1, round(image.shape[0] * columns / image.shape[1] / 2))
    small = cv2.cvtColor(cv2.resize(image, (columns, 2 * rows), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    segments: list[Segment] = []
    for upper, lower in zip(small[0::2], small[1::2], strict=True):
        segments += [Segment(UPPER_HALF, _style(top, bottom)) for top, bottom in zip(upper, lower, strict=True)]
        segments.append(Segment.line())
    return Segments(segments)


def _style(top: Sequence[int], bottom: Sequence[int]) -> Style:
    return Style(color=Color.from_rgb(*map(int, top)), bgcolor=Color.from_rgb(*map(int, bottom)))
