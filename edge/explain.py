"""`tunnel-edge explain`: one item's whole story, in the order in which it happened, with its pictures."""

from __future__ import annotations

import argparse
import base64
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from rich.console import Console
from rich.table import Table

from edge.config import load
from edge.core.errors import EvidenceGone, ItemUnknown
from edge.core.story import NS_PER_S, Line, Told, lines
from edge.pictures import decoded
from edge.plain import plain_console
from edge.records.evidence.index import newest_of_item, picture
from edge.records.journal import commanded, in_force, items_like, story
from edge.records.outbox import answers
from edge.watch import half_blocks

MOST = 10  # items that are named where one was not told apart
TEMPLATE = "explain.html"


@dataclass(frozen=True, slots=True)
class Account:
    """All that the ledger and the evidence tell of an item."""

    item: str
    lines: tuple[Line, ...]
    pictures: tuple[tuple[str, str, bytes], ...]  # caption, SHA-256, the file
    gone: tuple[str, ...]  # caption and why of those that are there no longer
    versions: Mapping[str, Any]  # in force when it came: of the daemon, the models, the calibrations


def main(arguments: Sequence[str]) -> int:
    """Tell the story; 0 when there is one.

    Raises:
        ItemUnknown: none, or several, of the journal's items are meant.
    """
    options = _options(arguments)
    state = options.state or load(options.config).lane.state
    account = account_of(state, meant(state, options.item))
    if options.json:
        print(json.dumps([asdict(line) for line in account.lines], ensure_ascii=False, indent=1))  # noqa: T201 - its own voice
    else:
        show(account, options.columns, plain_console())
    if options.html:
        options.html.write_text(page(account), encoding="utf-8")
    return 0


def meant(state: Path, words: str) -> str:
    """The item that is meant by its name, the end of it, its order line or the warehouse's name for it.

    Raises:
        ItemUnknown: none, or several, of the journal's items are meant.
    """
    try:
        found = items_like(state, words, MOST)
    except sqlite3.Error as error:
        raise ItemUnknown(
            f"{state}: no journal can be read there ({error}): is this the lane's own machine?"
        ) from error
    if len(found) == 1:
        return found[0]
    if not found:
        raise ItemUnknown(
            f"'{words}': no item of that name or order line in {state}: `tunnel-edge watch` shows names."
            " Days that were put away are in the ledger's archive: `tunnel-edge ledger restore`."
        )
    raise ItemUnknown(f"'{words}' may mean several items: {', '.join(found)}: name one in full.")


def account_of(state: Path, item: str) -> Account:
    """All that is told of an item; of each check and camera the last picture."""
    pictures, gone = [], []
    for one in newest_of_item(state, item):
        try:
            pictures.append((one.caption, one.sha256, picture(state, one.sha256)))
        except EvidenceGone as error:
            gone.append(f"{one.caption}: {error}")
    return Account(item, tuple(lines(_told(state, item))), tuple(pictures), tuple(gone), in_force(state, item))


def _told(state: Path, item: str) -> Iterator[Told]:
    """All that the journal says of an item; what PLC and warehouse answered to it, too."""
    answered = answers(state, item)
    acks = commanded(state, item)
    for wall_ns, kind, body in story(state, item):
        yield wall_ns, kind, body | {"answer": answered.get(body.get("request_id", ""))}
        if kind == "DivertCommand":
            yield from ((ack_ns, "DivertAck", ack) for ack_ns, ack in acks.get(body["command_id"], ()))


def show(account: Account, columns: int, console: Console) -> None:
    """In the terminal; columns: width of the pictures, 0 for none."""
    table = Table("s", "written", "what", "", title=account.item)
    for line in account.lines:
        table.add_row(_since(line), _written(line), line.what, line.words)
    console.print(table)
    for what, told in account.versions.items():
        console.print(f"{what}: {told}", style="dim", highlight=False, soft_wrap=True)
    for caption, sha256, content in account.pictures:
        console.print(f"{caption}: {sha256}", highlight=False, soft_wrap=True)
        if columns and console.color_system:
            console.print(half_blocks(decoded(content, caption), min(columns, console.width)))
    for told in account.gone:
        console.print(told, style="yellow", highlight=False, soft_wrap=True)


def page(account: Account) -> str:
    """One HTML page that needs nothing beside it."""
    template = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template(TEMPLATE)
    rows = [(_since(line), _written(line), line.what, line.words) for line in account.lines]
    shown = [(caption, base64.b64encode(content).decode()) for caption, _, content in account.pictures]
    return template.render(account=account, rows=rows, pictures=shown)


def _since(line: Line) -> str:
    return "" if line.since_ns is None else f"{line.since_ns / NS_PER_S:+.3f}"


def _written(line: Line) -> str:
    return datetime.fromtimestamp(line.wall_ns / NS_PER_S).astimezone().isoformat(" ", "milliseconds")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge explain", description="Tell one item's whole story.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("item", help="its name, the end of it, its order line, or the warehouse's name for it")
    parser.add_argument(
        "--state", type=Path, metavar="FOLDER", help="another than the settings name: of `tunnel-edge ledger restore`"
    )
    parser.add_argument("--columns", type=int, default=72, help="width of the pictures, 0 for none (default: 72)")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write it as one page, with the pictures in it")
    parser.add_argument("--json", action="store_true", help="for a program, instead of the table")
    return parser.parse_args(arguments)
