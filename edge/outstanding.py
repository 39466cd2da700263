"""`tunnel-edge orders`: what is owed to the warehouse, and what a named person does of it."""

from __future__ import annotations

import argparse
import json
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from rich.table import Table
from rich.text import Text

from edge.config import load
from edge.core.errors import LedgerRefused
from edge.plain import plain_console
from edge.records.journal import story
from edge.records.ledger_file import FILE
from edge.records.outbox import LedgerOutbox
from edge.records.outbox_list import Listed, counted, listed, shown

MOST = 50
ALL = "all"  # that were given up
STATES = {
    "next": "owed",
    "behind": "owed, after another of its order line",
    "aside": "given up",
    "answered": "answered",
    "closed": "closed",
}
NS_PER_S, S_PER_MINUTE = 1_000_000_000, 60


def main(arguments: Sequence[str]) -> int:
    """List, show, or have a named person revive or close; 0 when that was done.

    Raises:
        LedgerRefused: there is no such request, or nothing to be done of it.
    """
    options = _options(arguments)
    state = load(options.config).lane.state
    try:
        if options.verb == "list":
            _list(state, options.most)
        elif options.verb == "show":
            _show(state, options.request)
        else:
            _see_to(state, options)
    except sqlite3.Error as error:
        raise LedgerRefused(
            f"{state / FILE}: cannot be read ({error}): is this the lane's own machine, and may you read it?"
        ) from error
    return 0


def _list(state: Path, most: int) -> None:
    console, counts = plain_console(), counted(state)
    table = Table("request", "state", "order line", "tries", "for", "why")
    for one in listed(state, most):
        cells = (one.request, STATES[one.state], one.line, str(one.attempts), _age(one), one.why)
        table.add_row(*map(Text, cells))
    console.print(table)
    told = ", ".join(f"{count} {STATES[name]}" for name, count in sorted(counts.items())) or "nothing was ever owed"
    console.print(told, highlight=False)


def _show(state: Path, request: str) -> None:
    """All that is known of one request, and the journal's entries about it."""
    one, console = _named(state, request), plain_console()
    console.print(f"{one.request}: {STATES[one.state]}, sent {one.attempts} times", highlight=False, soft_wrap=True)
    if one.answer or one.why:
        console.print(f"answer: {one.answer or 'none'}; {one.why}", highlight=False, soft_wrap=True, markup=False)
    console.print_json(json.dumps(dict(one.fields)))
    for wall_ns, kind, body in story(state, str(one.fields.get("item", ""))):
        if request in (body.get("request"), body.get("request_id")):
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(wall_ns / NS_PER_S))
            console.print(f"{when} {kind} {json.dumps(body)}", highlight=False, soft_wrap=True, markup=False)


def _see_to(state: Path, options: argparse.Namespace) -> None:
    """Of one request, or of all that were given up.

    Raises:
        LedgerRefused: nothing could be done of the one that was named.
    """
    console, given_up = plain_console(), options.request == ALL
    names = [one.request for one in listed(state, counted(state).get("aside", 0))] if given_up else [options.request]
    with closing(LedgerOutbox(state)) as outbox:
        for name in names:
            if options.verb == "retry":
                done = outbox.revived(name, options.by)
            else:
                done = outbox.closed(name, options.by, options.why)
            if not done and not given_up:
                raise LedgerRefused(f"{name}: {STATES[_named(state, name).state]}: there is nothing to {options.verb}.")
    what = "sent again" if options.verb == "retry" else "closed"
    console.print(f"{what} by {options.by}: {len(names)} request(s)", highlight=False, markup=False)


def _named(state: Path, request: str) -> Listed:
    one = shown(state, request)
    if one is None:
        raise LedgerRefused(f"'{request}': no such request: `tunnel-edge orders LANE.toml list` names them.")
    return one


def _age(one: Listed) -> str:
    return f"{max(0, time.time_ns() - one.written_wall_ns) / NS_PER_S / S_PER_MINUTE:.0f} min"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-edge orders", description="Replacement orders and holds that are owed to the warehouse."
    )
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    whole = verbs.add_parser("list", help="what was given up, and what is owed")
    whole.add_argument("--most", type=int, default=MOST, help="so many (default: %(default)s)")
    verbs.add_parser("show", help="all that is known of one").add_argument("request")
    retry = verbs.add_parser("retry", help="send one that was given up again, by its old id")
    close = verbs.add_parser("close", help="say that one has been seen to otherwise: it is not sent again")
    for verb in (retry, close):
        verb.add_argument("request", help=f"its id, or `{ALL}`: of those that were given up")
        verb.add_argument("--by", required=True, help="your name: it is kept in the journal")
    close.add_argument("--why", required=True, help="what was done instead: it is kept in the journal")
    return parser.parse_args(arguments)
