"""`tunnel-calibrate key | board | list | diff | revert`: keys, the print, and what was calibrated by whom."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import cv2
from rich.table import Table

from calibration import board
from edge.calibrations import Shelf, new_key, read_key
from edge.core.calibration import against, differences
from edge.core.errors import CalibrationRefused
from edge.plain import plain_console
from edge.signing import public

DOTS_PER_INCH = 300
WIDTH = 150  # of a table


def key(arguments: Sequence[str]) -> int:
    """Make a technician's key, and say what the settings are to name."""
    parser = argparse.ArgumentParser(prog="tunnel-calibrate key", description="Make your key.")
    parser.add_argument("path", type=Path, help="the file")
    made = new_key(parser.parse_args(arguments).path)
    plain_console().print(
        f'to be trusted it is named in the lane\'s settings: trusted = ["{public(made)}"]', soft_wrap=True
    )
    return 0


def printed(arguments: Sequence[str]) -> int:
    """The board, to be printed at full size."""
    parser = argparse.ArgumentParser(prog="tunnel-calibrate board", description="The board to be printed.")
    parser.add_argument("path", type=Path, help="the picture (PNG)")
    path = parser.parse_args(arguments).path
    cv2.imwrite(str(path), board.drawn(DOTS_PER_INCH))
    width_mm, height_mm = board.SIZE_MM
    how = f"print it on A3 at {DOTS_PER_INCH} dots an inch, unscaled"
    told = f"{path}: {how}; by a ruler it is {width_mm:.0f} × {height_mm:.0f} mm"
    plain_console().print(told, highlight=False, soft_wrap=True)
    return 0


def listed(arguments: Sequence[str]) -> int:
    """What is in force, and what is wrong with it; 1 when anything is."""
    options = _options("list", "What is calibrated.", arguments)
    shelf, now = _shelf(options), datetime.now(UTC)
    table, wrong = Table("what", "version", "by", "made", "until", "figures", "fault"), 0
    for name in shelf.names():
        try:
            one = shelf.newest(name)
            faults = [*shelf.broken(name), *(against(one, one.lane, "", now) if one else ())]
        except CalibrationRefused as refusal:
            table.add_row(name, "", "", "", "", "", str(refusal))
            wrong += 1
            continue
        if one:
            figures = ", ".join(f"{figure} {value:.3g}" for figure, value in one.quality.items())
            row = (name, str(one.version), one.by, f"{one.made:%Y-%m-%d}", f"{one.until:%Y-%m-%d}", figures)
            table.add_row(*row, "; ".join(faults))
            wrong += bool(faults)
    console = plain_console()
    console.width = max(console.width, WIDTH)
    console.print(table if table.row_count else f"{options.folder}: nothing is calibrated yet")
    return int(wrong > 0)


def diff(arguments: Sequence[str]) -> int:
    """What one version changed beside another."""
    options = _options("diff", "What a version changed.", arguments, "name", "one", "other")
    shelf = _shelf(options)
    table = Table(options.name, f"version {options.one}", f"version {options.other}")
    for what, here, there in differences(
        shelf.read(options.name, options.one), shelf.read(options.name, options.other)
    ):
        table.add_row(what, str(here), str(there))
    plain_console().print(table)
    return 0


def revert(arguments: Sequence[str]) -> int:
    """An older version again, as a new one, signed by who brings it back."""
    options = _options("revert", "Bring an older version back.", arguments, "name", "one", "by")
    shelf = _shelf(options)
    old = shelf.read(options.name, options.one)
    now = datetime.now(UTC).replace(microsecond=0)
    if old.until <= now:
        raise CalibrationRefused(f"{options.name}: version {options.one} has expired: calibrate anew.")
    kept = shelf.write(replace(old, by=options.by, made=now), read_key(options.key))
    plain_console().print(f"{kept.name}: version {options.one} again, as version {kept.version}")
    return 0


def _shelf(options: argparse.Namespace) -> Shelf:
    return Shelf(options.folder, {*options.trusted, *([public(read_key(options.key))] if options.key else [])})


def _options(verb: str, what: str, arguments: Sequence[str], *wanted: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"tunnel-calibrate {verb}", description=what)
    parser.add_argument("folder", type=Path, help="where the lane's calibrations lie")
    if "name" in wanted:
        parser.add_argument("name", help="what, as `list` names it")
    for version in ("one", "other"):
        if version in wanted:
            parser.add_argument(version, type=int, help="a version")
    parser.add_argument("--key", type=Path, required="by" in wanted, help="your key")
    if "by" in wanted:
        parser.add_argument("--by", required=True, help="your name")
    parser.add_argument("--trusted", nargs="*", default=[], help="public keys that count beside yours")
    return parser.parse_args(arguments)
