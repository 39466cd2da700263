"""`tunnel-edge lake export | verify`: what the command line says, and what it tells."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from edge.config import Config, load
from edge.core.errors import LakeRefused
from edge.lake.export import Lane, export
from edge.lake.store import Store, at
from edge.lake.verify import verify
from edge.plain import plain_console
from edge.records.exported import note

NICE = 10  # the lane's daemon goes first
TOLD = 20  # faults


def main(arguments: Sequence[str]) -> int:
    """Export, or verify; 0 when all of the journal is in the lake, or what is there is right.

    Raises:
        LakeRefused: nobody said where, or the store or the journal does not bear it.
    """
    options = _options(arguments)
    config = load(options.config)
    place = options.to or config.lake.to
    lane, store = _opened(options, config, place)
    console = plain_console()
    return _export(lane, store, place, console) if options.verb == "export" else _verify(lane, store, console)


def _opened(options: argparse.Namespace, config: Config, place: str) -> tuple[Lane, Store]:
    """The lane, and the store that the command or else the settings name."""
    endpoint_url = options.endpoint_url or ("" if options.to else config.lake.endpoint_url)
    if not place:
        raise LakeRefused(f"{options.config}: say where to: `to` in [lake], or --to FOLDER or s3://BUCKET/PREFIX.")
    with suppress(PermissionError):  # a unit's sandbox forbids it: there systemd has seen to it
        os.nice(NICE)
    return Lane(config.lane.site, config.lane.name, config.lane.state), at(place, endpoint_url)


def _export(lane: Lane, store: Store, place: str, console: Console) -> int:
    """Bring the lake up to the journal."""
    counts: Counter[str] = Counter()
    last = 0
    with _progress(console) as progress:
        task = progress.add_task("entries", total=None)
        for done in export(lane, store):
            counts += done.rows
            last = done.span.last
            note(lane.state, place, last)
            progress.update(task, completed=last, total=done.head)
    told = ", ".join(f"{count} {name}" for name, count in sorted(counts.items())) or "nothing new"
    console.print(f"{store.root}: {told}" + (f"; up to entry {last}" if last else ""), highlight=False, soft_wrap=True)
    return 0


def _verify(lane: Lane, store: Store, console: Console) -> int:
    """Tell what is wrong; 1 if anything is."""
    faults: list[str] = []
    rows = last = head = 0
    with _progress(console) as progress:
        task = progress.add_task("entries", total=None)
        for checked in verify(lane, store):
            faults += checked.faults
            rows, last, head = rows + checked.rows, checked.last, checked.head
            progress.update(task, completed=last, total=head)
    for fault in faults[:TOLD]:
        console.print(fault, style="red", highlight=False, markup=False, soft_wrap=True)
    more = f", {len(faults)} faults" if faults else ", as the journal has it"
    waits = f"; {head - last} entries wait for the next export" if head > last else ""
    console.print(f"{rows} rows of entries up to {last}{more}{waits}", highlight=False, soft_wrap=True)
    return 1 if faults else 0


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-edge lake", description="A lane's ledger as Parquet tables, for DuckDB, Spark and the like."
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, what in (
        ("export", "bring what is new in the journal into the lake, exactly once"),
        ("verify", "hold the lake against the journal: nothing missing, changed or twice"),
    ):
        one = verbs.add_parser(verb, help=what, description=what)
        one.add_argument("config", type=Path, help="the lane's settings (TOML)")
        where = "a folder, or s3://BUCKET/PREFIX (default: [lake] in the settings); credentials from the environment"
        one.add_argument("--to", metavar="PLACE", help=where)
        one.add_argument("--endpoint-url", default="", metavar="URL", help="of an S3-compatible store that is not AWS")
    return parser.parse_args(arguments)
