"""Write the two networks of totes: their graphs, manifests and cards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge.inspection.tote_networks import ITEMS, OUTLINE, STRIDE_PX
from models.make import manifest

VERSION = "2.0.0"
FOLDER = Path(__file__).resolve().parent.parent


def write_outline(graph: bytes, measured: Mapping[str, float]) -> None:
    """measured: what the network was worth on frames that it was not taught."""
    _write(OUTLINE, graph, (3, 2), measured, OUTLINE_CARD)


def write_items(graph: bytes, measured: Mapping[str, float]) -> None:
    """The same of the other."""
    _write(ITEMS, graph, (11, 3), measured, ITEMS_CARD)


def _write(name: str, graph: bytes, planes: tuple[int, int], measured: Mapping[str, float], card: str) -> None:
    described = {
        "check": name,
        "version": VERSION,
        "origin": "taught on drawn scenes by models/make/totes.py",
        "licence": "Apache-2.0",
        "input": {"frame": [1, planes[0], "height", "width"]},
        "output": {"seen": [1, planes[1], "height", "width"]},
        "normalisation": {"mean": [0, 0, 0], "std": [1, 1, 1], "channels": "BGR"},
        "measured": {"set": "drawn scenes that it was not taught", **measured},
        "extra": {"stride_px": STRIDE_PX[name]},
    }
    rows = "".join(f"| {what.replace('_', ' ')} | {value} |\n" for what, value in measured.items())
    table = f"\n| on drawn scenes that it was not taught | |\n|---|---|\n{rows}"
    manifest.write(FOLDER / name / VERSION, graph, described, card + table)


MADE = """
**Made by** `make tote-models`, from nothing: `models/make/tote_scenes.py` draws scenes of four frames (half of them
simulated sites, from seed 1000 on; half wilder: other sizes, colours, labels, mouldings, belts, light, JPEG; lone small
things, touching and stacked boxes, bags; shades of any sharpness across three frames in ten), `models/make/totes.py`
teaches at the same time, with noise, blur, gain and swapped colours, 64 frames a step. Sites 0 to 999 were never drawn.
The shipped one was taught with `TOTE_MINUTES=8` on one H100 with 16 processor cores; without a GPU it takes a day or
more; each run gives other numbers. No photograph was used.

**Float32:** INT8 (QDQ) took 0.75 of version 1's time and changed {changed} % of a mask; most of a
frame's time is elsewhere.
"""

OUTLINE_CARD = f"""# Outline of totes {VERSION}

A U-shaped network of 0.45 million weights. In: a frame in half its size (about 3.6 mm a pixel), BGR,
ln((value + 8) / 128), sides multiples of {STRIDE_PX[OUTLINE]}. Out: log odds that a pixel lies within the outer, and
within the inner edge of an open tote's rim, whatever hides the rim.

**For:** where a tote stands, to some millimetres; its edges are then looked for there. **Not for:** what lies in it.
{MADE.format(changed=0.1)}"""

ITEMS_CARD = f"""# Items in totes {VERSION}

A U-shaped network of 0.57 million weights. In, about 1.8 mm a pixel, sides multiples of {STRIDE_PX[ITEMS]}: the part of
a frame that shows a tote (three planes, BGR, ln((value + 8) / 128)); the same less how that tote looks when it is
empty, as it was learnt at the site (three planes); floor, walls and rim (three planes of 0 and 1); how wide, across and
down, a side as high as the tote is deep is seen there (two planes, 8 pixels of half the size being 1). Out: log odds
that a pixel shows an item, the border between two, an item that sticks out.

**For:** what lies in a tote whose type and place are known. A new site or type needs no training: only another look.
**Not for:** naming items; whether an item sticks out, which it tells little better than by chance.
{MADE.format(changed="0.8 to 2.5")}"""
