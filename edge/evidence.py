"""`tunnel-edge evidence LANE.toml find | show | export | check`: what a lane saw of which items, years later."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.table import Table

from edge import explain
from edge.config import Config, load
from edge.core.errors import EvidenceGone, ItemUnknown
from edge.core.messages import Disposition, End
from edge.plain import plain_console
from edge.records.evidence import archive
from edge.records.evidence.index import items, of_item
from edge.records.journal import story

NS_PER_S = 1_000_000_000
FOUND, EXPORTED = 100, 10_000  # items, where nothing is said
SHOWN = ("order_line", "gtin", "lot", "seller")


def main(arguments: Sequence[str]) -> int:
    """Run a verb."""
    options = _options(arguments)
    return VERBS[options.verb](load(options.config), options)


def find(config: Config, options: argparse.Namespace) -> int:
    """List items, the newest first."""
    rows = [_summary(config.lane.state, item) for item in _found(config.lane.state, options)]
    if options.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))  # noqa: T201 - its own voice
        return 0
    table = Table("item", "when", *(name.replace("_", " ") for name in SHOWN), "verdict", "end", "pictures")
    for row in rows:
        table.add_row(*(str(value) for value in row.values()))
    console = plain_console()
    console.width = max(console.width, 40 + 16 * len(table.columns)) if not console.is_terminal else console.width
    console.print(table)
    return 0


def show(config: Config, options: argparse.Namespace) -> int:
    """Tell one item's story: what was read and decided, with which versions, and what was seen."""
    state = config.lane.state
    account = explain.account_of(state, explain.meant(state, options.item))
    if options.json:
        told = {"item": account.item, "versions": account.versions, "story": [asdict(line) for line in account.lines]}
        told["pictures"] = [asdict(one) for one in of_item(state, account.item)]
        print(json.dumps(told, ensure_ascii=False, indent=1))  # noqa: T201 - its own voice
    else:
        explain.show(account, options.columns, plain_console())
    if options.html:
        options.html.write_text(explain.page(account), encoding="utf-8")
    return 0


def export(config: Config, options: argparse.Namespace) -> int:
    """Write the evidence of one item, or of all that are found, as one archive (ZIP)."""
    state = config.lane.state
    found = [explain.meant(state, options.item)] if options.item else _found(state, options)
    if not found:
        raise ItemUnknown("no item is found so: try the same words with `tunnel-edge evidence … find`.")
    asked = {name: value for name, value in _asked(options).items() if value is not None}
    lane = {"site": config.lane.site, "lane": config.lane.name, "made": datetime.now().astimezone().isoformat()}
    try:
        pictures = archive.write(options.out, state, found, {**lane, "asked": asked, "items": len(found)})
    except OSError as error:
        raise EvidenceGone(f"{options.out}: cannot be written: {error}") from error
    print(f"{options.out}: {len(found)} items, {pictures} pictures")  # noqa: T201 - its own voice
    return 0


def check(config: Config, options: argparse.Namespace) -> int:
    """Say whether an archive is as it was written; 1 where it is not."""
    found = archive.faults(options.archive)
    print("\n".join(found) or f"{options.archive}: whole")  # noqa: T201 - its own voice
    return 1 if found else 0


VERBS = {"find": find, "show": show, "export": export, "check": check}


def _asked(options: argparse.Namespace) -> dict[str, Any]:
    return {name: getattr(options, name) for name in (*SHOWN, "from_ns", "to_ns", "end", "disposition")}


def _found(state: Path, options: argparse.Namespace) -> list[str]:
    return items(state, **_asked(options), most=options.most)


def _summary(state: Path, item: str) -> dict[str, Any]:
    """An item in a line."""
    said: dict[str, Mapping[str, Any]] = {}
    first_ns = 0
    for wall_ns, kind, body in story(state, item):
        first_ns = first_ns or wall_ns
        said[kind] = body
    expected = said.get("Item", {}).get("expected") or {}
    return {
        "item": item,
        "when": datetime.fromtimestamp(first_ns / NS_PER_S).astimezone().isoformat(" ", "seconds"),
        **{name: expected.get(name) or "" for name in SHOWN},
        "verdict": said.get("Verdict", {}).get("disposition", ""),
        "end": said.get("ItemEnd", {}).get("end", ""),
        "pictures": sum(not one.gone for one in of_item(state, item)),
    }


def _wall_ns(words: str) -> int:
    """A day or an hour, by this machine's clock."""
    return int(datetime.fromisoformat(words).astimezone().timestamp()) * NS_PER_S


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge evidence", description="What a lane saw of which items.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    verbs = parser.add_subparsers(dest="verb", required=True)
    made = {
        name: verbs.add_parser(name, help=(verb.__doc__ or "").splitlines()[0], description=verb.__doc__)
        for name, verb in VERBS.items()
    }
    _add_search(made["find"], FOUND)
    _add_search(made["export"], EXPORTED)
    made["export"].add_argument("item", nargs="?", help="one item: its name, the end of it, its order line")
    made["export"].add_argument("--out", type=Path, required=True, metavar="FILE.zip", help="the archive")
    made["show"].add_argument("item", help="its name, the end of it, its order line, or the warehouse's name for it")
    made["show"].add_argument("--columns", type=int, default=72, help="width of the pictures, 0 for none (default: 72)")
    made["show"].add_argument("--html", type=Path, metavar="FILE", help="write it as one page, with the pictures in it")
    for name in ("find", "show"):
        made[name].add_argument("--json", action="store_true", help="for a program, instead of the table")
    made["check"].add_argument("archive", type=Path, metavar="FILE.zip", help="that was exported")
    return parser.parse_args(arguments)


def _add_search(parser: argparse.ArgumentParser, most: int) -> None:
    """What narrows a search: all of it has to apply."""
    for name in SHOWN:
        parser.add_argument(f"--{name.replace('_', '-')}", help="as ordered")
    for name, told in (("from", "on the belt since: 2026-11-26, or 2026-11-26T08:00"), ("to", "and before")):
        parser.add_argument(f"--{name}", dest=f"{name}_ns", type=_wall_ns, metavar="WHEN", help=told)
    parser.add_argument("--end", choices=[str(one) for one in End], help="what became of them")
    parser.add_argument("--disposition", choices=[str(one) for one in Disposition], help="what the judge said")
    parser.add_argument("--most", type=int, default=most, help="items at the most (default: %(default)s)")
