"""`tunnel-edge ledger status | put-away | restore`: how large a ledger is, and where its old days are."""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from edge.config import load
from edge.core.errors import ArchiveRefused, LedgerRefused
from edge.plain import plain_console
from edge.records import audit_key, exported, segments
from edge.records.archiving import Wanted
from edge.records.ledger_file import FILE
from edge.records.put_away import done, is_due, put_away
from edge.records.restored import restore
from edge.records.size import Size, size
from edge.started import who

NS_PER_S, S_PER_DAY = 1_000_000_000, 86_400
BYTES_PER_MB = 1_000_000
MOST_DAYS = 36_500
DONE, WAITS = 0, 3  # exit codes


def main(arguments: Sequence[str]) -> int:
    """Tell, put away, or bring back; 3 where something is due and waits for the lake.

    Raises:
        ArchiveRefused: nobody said where, or the archive or the ledger does not bear it.
    """
    options = _options(arguments)
    return int(options.run(options))


def status(options: argparse.Namespace) -> int:
    """How large the ledger is, how fast it grows, and what of it was put away."""
    config = load(options.config)
    state = config.lane.state
    try:
        known = size(state)
    except (sqlite3.Error, ValueError) as error:
        raise LedgerRefused(f"{state / FILE}: cannot be read ({error}): is this the lane's own machine?") from error
    _say("\n".join(_told(known, state, config.ledger.archive)))
    return DONE


def put(options: argparse.Namespace) -> int:
    """Put the ledger's old days away: into the archive, read back and proven, and then out of the ledger."""
    config = load(options.config)
    archive = options.to or config.ledger.archive
    if archive is None:
        raise ArchiveRefused(f"{options.config}: say where to: `archive` in [ledger], or --to FOLDER.")
    state, days = config.lane.state, options.keep_days or config.ledger.keep_days
    key = audit_key.known(state, config.audit.key)
    before_ns = time.time_ns() - int(days * S_PER_DAY * NS_PER_S)
    wanted = Wanted(archive, f"{config.lane.site}/{config.lane.name}", options.by, key, before_ns)
    until = exported.position(state, config.lake.to) - 1 if config.lake.to else None  # the lake asks for its last one
    for bridge in put_away(state, replace(wanted, until=until)):
        _say(f"{bridge.file}: up to entry {bridge.to}; {bridge.kept} entries stay")
    if is_due(state, wanted):
        _say("the rest waits for the lake: has `tunnel-edge lake export` run?")
        return WAITS
    _say("all that is due was put away")
    done(state)
    return DONE


def bring_back(options: argparse.Namespace) -> int:
    """Make a state of segments, for `explain`, `investigate` and `audit` to read."""
    paths = [path for one in options.segments for path in _segments(one)]
    try:
        first, last = restore(paths, options.to)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveRefused(f"{options.to}: cannot be written ({error}): make room, and name a new folder.") from error
    _say(f"{options.to}: entries {first} to {last}; name it to `audit`, and to `explain` and `investigate` as --state")
    return DONE


def _say(told: str) -> None:
    """As it is: a name in brackets is no markup."""
    plain_console().print(told, highlight=False, soft_wrap=True)


def _segments(named: Path) -> list[Path]:
    """A file, or all segments in a folder, which are of one ledger."""
    return [path for path in named.iterdir() if segments.NAME.fullmatch(path.name)] if named.is_dir() else [named]


def _told(known: Size, state: Path, archive: Path | None) -> list[str]:
    free = shutil.disk_usage(state).free
    told = [f"{known.entries} entries, {known.bytes / BYTES_PER_MB:.1f} MB in {state / FILE}"]
    told += [f"{known.free_bytes / BYTES_PER_MB:.1f} MB of that are free, and are written to before it grows"]
    if known.entries:
        told += [f"every entry since {_day(known.oldest_wall_ns)} is there ({known.days:.1f} days)"]
        grows = known.bytes_per_day
        lasts = f": with nothing put away the disk lasts {free / grows:,.0f} days more" if grows else ""
        told += [f"{grows / BYTES_PER_MB:.1f} MB are written a day{lasts}"]
    if known.bridge:
        stay = f"{known.bridge.kept} of them stay here"
        told += [f"entries 1 to {known.bridge.to} were put away, the last into {known.bridge.file}; {stay}"]
    return [*told, f"archive: {archive}" if archive else "nothing is put away by itself: [ledger] names no archive"]


def _days(told: str) -> float:
    days = float(told)
    if not 0 < days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"{told}: more than 0, at most {MOST_DAYS}")
    return days


def _day(wall_ns: int) -> str:
    return datetime.fromtimestamp(wall_ns / NS_PER_S, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge ledger", description="A lane's ledger, and its old days.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    told = verbs.add_parser("status", help="how large it is, how fast it grows, what was put away")
    putting = verbs.add_parser("put-away", help=str(put.__doc__))
    for one in (told, putting):
        one.add_argument("config", type=Path, help="the lane's settings (TOML)")
    putting.add_argument("--to", type=Path, metavar="FOLDER", help="the archive (default: [ledger] in the settings)")
    putting.add_argument("--keep-days", type=_days, metavar="N", help="default: [ledger] in the settings")
    putting.add_argument("--by", default=who(), help="your name: it is kept in the journal (default: %(default)s)")
    back = verbs.add_parser("restore", help=str(bring_back.__doc__))
    back.add_argument("segments", type=Path, nargs="+", help="an archive's folder, or files that follow each other")
    back.add_argument("--to", type=Path, required=True, metavar="STATE", help="a new folder")
    for one, run in ((told, status), (putting, put), (back, bring_back)):
        one.set_defaults(run=run)
    return parser.parse_args(arguments)
