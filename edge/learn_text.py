"""Print on photographs: `tunnel-edge text learn | read`.

Of `learn` a person accepts what was learnt, or nobody does; `read` says which expiry a product in a picture bears.
"""

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
from rich.table import Table

from edge import teach
from edge.core.calendars import Calendar
from edge.core.date_forms import Order
from edge.core.dates import SHELF_LIFE_DAYS, Profile
from edge.core.errors import ConfigError
from edge.core.labels import Field
from edge.inspection.assembly import Sessions, date_reader, locator, student
from edge.inspection.layout import SUFFIX
from edge.inspection.layout_lesson import KINDS, Shot
from edge.inspection.layout_proposal import Proposal, proposed
from edge.inspection.layout_sheet import sheet
from edge.inspection.tesseract import SCRIPTS, lacking
from edge.plain import plain_console
from edge.settings import ROOT

PICTURES_MIN = 3
WIDTH = 100  # of a table
QUESTION = "Is this what the line is to read on this product?"


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge text VERB`."""
    options, console = _options(arguments), plain_console(stderr=True, soft_wrap=True, highlight=False)
    return int(options.do(options, console))


def read(options: argparse.Namespace, console: Console) -> int:
    """The expiry on each photograph of a whole product, in a table; every day that its print may mean."""
    reader = date_reader(Sessions(options.models), date.today, Profile(frozenset(options.order or Order)))
    paths = list(teach.pictures(options.pictures))
    table = Table("picture", "expiry", "printed", "probability")
    for path, image in teach.readable(track(paths, "reading", console=console), console):
        found = reader.anywhere(image)
        days = " or ".join(str(one.day) for one in found) or "none that would be vouched for"
        surest = max((one.probability for one in found), default=0.0)
        table.add_row(path.name, days, found[0].text if found else "", f"{surest:.2f}" if found else "")
    plain_console(width=max(console.width, WIDTH)).print(table)
    return 0


def learn(options: argparse.Namespace, console: Console) -> int:
    """Propose a layout, show it, and keep it where a person accepts it."""
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
    top = argparse.ArgumentParser(prog="tunnel-edge text", description="Print on photographs.")
    verbs = top.add_subparsers(required=True)
    reading = verbs.add_parser("read", help="the expiry on photographs of whole products")
    reading.set_defaults(do=read)
    learning = verbs.add_parser("learn", help="where a product's print is, from photographs of several items")
    learning.set_defaults(do=learn)
    for verb in (reading, learning):
        _add_common(verb)
    learning.add_argument("--gtin", required=True, help="the product, 8 to 14 digits")
    learning.add_argument("--camera", required=True, help="the camera that took the pictures")
    learning.add_argument("--out", type=Path, required=True, help="folder of layouts, as [inspection] layouts")
    learning.add_argument("--belts", type=Path, help="folder of belt colours, as [inspection] belt_colours")
    learning.add_argument("--kind", type=_kind, action="append", default=[], metavar="N=KIND", help="what line N is")
    learning.add_argument("--calendar", type=Calendar, default=Calendar.COMMON, help="of years: common, Buddhist, …")
    learning.add_argument(
        "--shelf-life-days", type=int, default=SHELF_LIFE_DAYS, help="gives dates without a year theirs"
    )
    learning.add_argument("--accept", action="store_true", help="accept what is proposed")
    learning.add_argument("--by", help="who accepts it")
    options = top.parse_args(arguments)
    if options.do is learn and options.accept and not options.by:
        learning.error("--accept needs --by NAME")
    return options


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pictures", type=Path, nargs="+", help="photographs, or folders of them")
    parser.add_argument(
        "--order", type=Order, action="append", help="DMY, MDY or YMD, where the pictures leave it open"
    )
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
