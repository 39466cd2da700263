"""`tunnel-calibrate report`: what is in force on one page, with its pictures, to be signed off and filed."""

from __future__ import annotations

import argparse
import base64
import hashlib
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from calibration.pdf import printed
from edge.calibrations import Shelf, read_key
from edge.core.calibration import Calibration, against, differences
from edge.core.errors import CalibrationRefused
from edge.plain import plain_console
from edge.signing import public

PICTURE = "picture.png"  # among a calibration's files; others are named by what they show
DRAWN = ".png"
MOST_TEXT = 80  # of a value that is told
Part = dict[str, Any]


def main(arguments: Sequence[str]) -> int:
    """Write the page; 1 when anything on it does not hold."""
    options = _options(arguments)
    own = [public(read_key(options.key))] if options.key else []
    parts = list(_parts(options.folder, {*options.trusted, *own}, datetime.now(UTC)))
    if not parts:
        raise CalibrationRefused(f"{options.folder}: nothing is calibrated yet: `tunnel-calibrate guide`.")
    page = Environment(loader=FileSystemLoader(Path(__file__).parent), autoescape=True).get_template("report.html")
    lane = next((part["lane"] for part in parts if part.get("lane")), options.folder.name)
    options.out.write_text(page.render(lane=lane, now=f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC", parts=parts))
    faults = sum(bool(part["faults"]) for part in parts)
    console = plain_console()
    console.print(f"{options.out}: {len(parts)} parts, {faults} of them with faults", highlight=False, soft_wrap=True)
    if options.pdf:
        console.print(f"{options.pdf}: by {printed(options.out, options.pdf)}", highlight=False, soft_wrap=True)
    return int(faults > 0)


def _parts(folder: Path, trusted: Collection[str], now: datetime) -> Iterator[Part]:
    shelf = Shelf(folder, trusted)
    for name in shelf.names():
        version = shelf.versions(name)[-1]
        try:
            one = shelf.read(name, version)
            faults = [*shelf.broken(name), *against(one, one.lane, "", now)]
            digest = hashlib.sha256((folder / f"{name}.{version}.toml").read_bytes()).hexdigest()
            yield _part(one, shelf) | {"name": name, "version": version, "faults": faults, "digest": digest}
        except CalibrationRefused as refusal:
            yield {"name": name, "version": version, "faults": [str(refusal)]}


def _part(one: Calibration, shelf: Shelf) -> Part:
    before = shelf.read(one.name, one.version - 1) if one.version > 1 else None
    changed = differences(before, one) if before else ()
    return {
        "lane": one.lane,
        "by": one.by,
        "made": f"{one.made:%Y-%m-%d %H:%M} UTC",
        "until": f"{one.until:%Y-%m-%d}",
        "serial": one.serial,
        "before": one.before,
        "frames": len(one.frames),
        "files": sorted(one.files.items()),
        "quality": [(name.replace("_", " "), f"{value:.3f}") for name, value in one.quality.items()],
        "values": [(name.replace("_", " "), _short(value)) for name, value in one.values.items()],
        "changed": [
            (name, _short(here), _short(there)) for name, here, there in changed if not name.startswith("files")
        ],
        "pictures": list(_pictures(one, shelf)),
    }


def _pictures(one: Calibration, shelf: Shelf) -> Iterator[tuple[str, str]]:
    """What each shows, and the picture itself; the step's own first."""
    for name in sorted(one.files, key=lambda file: (file != PICTURE, file)):
        if name.endswith(DRAWN):
            shows = one.step if name == PICTURE else name.removesuffix(DRAWN)
            yield shows, base64.b64encode(shelf.beside(one.files[name]).read_bytes()).decode()


def _short(value: object) -> str:
    if isinstance(value, list):
        return _cut(", ".join(map(_short, value)))
    return _cut("none" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value))


def _cut(text: str) -> str:
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-calibrate report", description="What is in force, on one page.")
    parser.add_argument("folder", type=Path, help="where the lane's calibrations lie")
    parser.add_argument("--out", type=Path, default=Path("calibration.html"), help="(default: %(default)s)")
    parser.add_argument("--pdf", type=Path, help="as PDF too, by WeasyPrint or Chromium, whichever is installed")
    parser.add_argument("--key", type=Path, help="your key: what you signed counts")
    parser.add_argument("--trusted", nargs="*", default=[], help="public keys that count")
    return parser.parse_args(arguments)
