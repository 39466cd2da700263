"""`tunnel-edge explain`: one item's whole story, in the order in which it happened, with its pictures."""

from __future__ import annotations

import argparse
import base64
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader
from rich.console import Console
from rich.table import Table

from edge.config import load
from edge.core.errors import ItemUnknown
from edge.core.story import NS_PER_S, Line, Told, lines
from edge.pictures import read_picture
from edge.records.journal import commanded, items_like, story
from edge.records.outbox import answers
from edge.records.sinks import PICTURES
from edge.watch import half_blocks

MOST = 10  # items that are named where one was not told apart
TEMPLATE = "explain.html"


def main(arguments: Sequence[str]) -> int:
    """Tell the story; 0 when there is one.

    Raises:
        ItemUnknown: none, or several, of the journal's items are meant.
    """
    options = _options(arguments)
    state = load(options.config).lane.state
    item = _meant(state, options.item)
    told = list(lines(_told(state, item)))
    pictures = sorted((state / PICTURES / item).glob("*.jpg"))
    if options.json:
        print(json.dumps([asdict(line) for line in told], ensure_ascii=False, indent=1))  # noqa: T201 - its own voice
    else:
        _print(item, told, pictures, options.columns, Console())
    if options.html:
        options.html.write_text(_page(item, told, pictures), encoding="utf-8")
    return 0


def _meant(state: Path, words: str) -> str:
    """The item that is meant by its name, the end of it, its order line or the warehouse's name for it."""
    try:
        found = items_like(state, words, MOST)
    except sqlite3.Error as error:
        raise ItemUnknown(
            f"{state}: no journal can be read there ({error}): is this the lane's own machine?"
        ) from error
    if len(found) == 1:
        return found[0]
    if not found:
        raise ItemUnknown(f"'{words}': no item of that name or order line in {state}: `tunnel-edge watch` shows names.")
    raise ItemUnknown(f"'{words}' may mean several items: {', '.join(found)}: name one in full.")


def _told(state: Path, item: str) -> Iterator[Told]:
    """All that the journal says of an item; what PLC and warehouse answered to it, too."""
    answered = answers(state, item)
    acks = commanded(state, item)
    for wall_ns, kind, body in story(state, item):
        yield wall_ns, kind, body | {"answer": answered.get(body.get("request_id", ""))}
        if kind == "DivertCommand":
            yield from ((ack_ns, "DivertAck", ack) for ack_ns, ack in acks.get(body["command_id"], ()))


def _print(item: str, told: Sequence[Line], pictures: Sequence[Path], columns: int, console: Console) -> None:
    table = Table("s", "written", "what", "", title=item)
    for line in told:
        table.add_row(_since(line), _written(line), line.what, line.words)
    console.print(table)
    for path in pictures:
        console.print(path, highlight=False, soft_wrap=True)
        if columns and console.color_system:
            console.print(half_blocks(read_picture(path), min(columns, console.width)))


def _page(item: str, told: Sequence[Line], pictures: Sequence[Path]) -> str:
    """One page that needs nothing beside it."""
    template = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template(TEMPLATE)
    rows = [(_since(line), _written(line), line.what, line.words) for line in told]
    shown = [(path.stem, base64.b64encode(path.read_bytes()).decode()) for path in pictures]
    return template.render(item=item, rows=rows, pictures=shown)


def _since(line: Line) -> str:
    return "" if line.since_ns is None else f"{line.since_ns / NS_PER_S:+.3f}"


def _written(line: Line) -> str:
    return datetime.fromtimestamp(line.wall_ns / NS_PER_S).astimezone().isoformat(" ", "milliseconds")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge explain", description="Tell one item's whole story.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("item", help="its name, the end of it, its order line, or the warehouse's name for it")
    parser.add_argument("--columns", type=int, default=72, help="width of the pictures, 0 for none (default: 72)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as one page, with the pictures in it")
    parser.add_argument("--json", action="store_true", help="for a program, instead of the table")
    return parser.parse_args(arguments)
