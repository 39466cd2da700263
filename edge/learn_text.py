"""Teaching where a product's print is: `tunnel-edge text learn`. A person accepts what was learnt, or nobody does."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import cv2
from rich.console import Console
from rich.progress import track
from rich.prompt import Confirm, Prompt

from edge import teach
from edge.config import ROOT
from edge.core.calendars import Calendar
from edge.core.date_forms import Order
from edge.core.dates import SHELF_LIFE_DAYS, Profile
from edge.core.errors import ConfigError
from edge.core.labels import Field
from edge.inspection.assembly import Sessions, locator, student
from edge.inspection.layout import SUFFIX
from edge.inspection.layout_lesson import KINDS, Shot
from edge.inspection.layout_proposal import Proposal, proposed
from edge.inspection.layout_sheet import sheet
from edge.inspection.tesseract import SCRIPTS, lacking

PICTURES_MIN = 3
QUESTION = "Is this what the line is to read on this product?"


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge text learn`."""
    options, console = _options(arguments), Console(stderr=True, soft_wrap=True, highlight=False)
    known = Profile(frozenset(options.order or Order), options.calendar, (), options.shelf_life_days)
    proposal = proposed(_shots(options, console), date.today(), known).named(dict(options.kind))
    path = options.out / options.gtin / f"{options.camera}{SUFFIX}"
    _show(proposal, path.with_suffix(".png"), console)
    by = options.by if options.accept else _asked(proposal)
    if not by:
        console.print("not accepted: look at the drawing, then say it again with --accept --by NAME", markup=False)
        return 0
    proposal.accepted(options.gtin, options.camera, by).save(path)
    console.print(f"{path}: accepted by {by}", markup=False)
    return 0


def _shots(options: argparse.Namespace, console: Console) -> list[Shot]:
    """Each photograph read in full."""
    eager, find = student(Sessions(options.models)), locator(options.belts)
    paths = list(teach.pictures(options.pictures))
    pictures = teach.readable(track(paths, "reading all print", console=console), console)
    shots = [eager.study(find(options.camera, image), image) for _, image in pictures]
    if len(shots) < PICTURES_MIN:
        raise ConfigError(f"{len(shots)} pictures are too few: give {PICTURES_MIN} or more, of several items.")
    return shots


def _show(proposal: Proposal, drawing: Path, console: Console) -> None:
    """In words and as a picture."""
    told = list(proposal.told())
    drawing.parent.mkdir(parents=True, exist_ok=True)
    drawing.write_bytes(cv2.imencode(".png", sheet(proposal.shots, proposal.found, told))[1].tobytes())
    missing = [lacking(SCRIPTS)] if any(one.field is None for one in proposal.found) else []
    for line in (*told, *filter(None, missing), f"drawn in {drawing}"):
        console.print(line, markup=False)


def _asked(proposal: Proposal) -> str:
    """Who accepts it, where somebody sits at the terminal; empty: nobody does."""
    if proposal.contested or not proposal.found or not sys.stdin.isatty():
        return ""
    return Prompt.ask("Who accepts it?") if Confirm.ask(QUESTION, default=False) else ""


def _kind(text: str) -> tuple[int, Field]:
    number, _, kind = text.partition("=")
    if not number.isdigit() or kind not in {field.value for field in KINDS}:
        raise argparse.ArgumentTypeError(f"{text!r}: say NUMBER=KIND, as 1=expiry")
    return int(number), Field(kind)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge text", description="Learn where a product's print is.")
    parser.add_argument("verb", choices=["learn"])
    parser.add_argument("pictures", type=Path, nargs="+", help="photographs of sound items, or folders of them")
    parser.add_argument("--gtin", required=True, help="the product, 8 to 14 digits")
    parser.add_argument("--camera", required=True, help="the camera that took the pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder of layouts, as [inspection] layouts")
    parser.add_argument("--belts", type=Path, help="folder of belt colours, as [inspection] belt_colours")
    parser.add_argument(
        "--order", type=Order, action="append", help="DMY, MDY or YMD, where the pictures leave it open"
    )
    parser.add_argument("--kind", type=_kind, action="append", default=[], metavar="N=KIND", help="what line N is")
    parser.add_argument("--calendar", type=Calendar, default=Calendar.COMMON, help="of years: common, Buddhist, …")
    parser.add_argument(
        "--shelf-life-days", type=int, default=SHELF_LIFE_DAYS, help="gives dates without a year theirs"
    )
    parser.add_argument("--accept", action="store_true", help="accept what is proposed")
    parser.add_argument("--by", help="who accepts it")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    options = parser.parse_intermixed_args(arguments)
    if options.accept and not options.by:
        parser.error("--accept needs --by NAME")
    return options
