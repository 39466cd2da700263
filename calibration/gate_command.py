"""`tunnel-calibrate gate`: what the daemon's last fire test comes to, looked at, accepted by name, and signed."""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from calibration.gate_step import GateStep
from calibration.report import PICTURE
from calibration.steps import Found
from edge.calibrations import Shelf, read_key
from edge.config import Config, load
from edge.core.bodies import body
from edge.core.calibration import Calibration
from edge.core.errors import CalibrationRefused
from edge.core.gate_lead import shot_of
from edge.core.messages import FireShot
from edge.core.topics import MOST_SHOTS
from edge.plain import plain_console
from edge.records.journal import fire_tests
from edge.signing import public

ACCEPT, ADJUST, ABORT = "accept", "adjust", "abort"
FRESH_NS = 24 * 3600 * 1_000_000_000  # an older test tells nothing of the gate as it is
KEPT = 2 * MOST_SHOTS  # entries that are read: the last test, and what was refused since
FIRE = "`tunnel-edge fire LANE.toml --by NAME`, the belt empty and running"


def main(arguments: Sequence[str]) -> int:
    """Show what was found until it is accepted (0) or given up (1); what was in force before stays so until then."""
    options = _options(arguments)
    config, console = load(options.config), plain_console()
    shelf = Shelf(options.folder, {public(read_key(options.key))})
    while True:
        try:
            shots = fired(config.lane.state, time.time_ns())
            found = _found(config, shots, console)
        except CalibrationRefused as refusal:
            console.print(str(refusal), style="red", highlight=False, soft_wrap=True)
            if _asked(f"{ADJUST}: look again, after {FIRE}", (ADJUST, ABORT)) == ABORT:
                return 1
            continue
        answer = _asked("What shall it be?", (ACCEPT, ADJUST, ABORT))
        if answer == ACCEPT:
            kept = _keep(_calibration(config, options, found, shots), found, options, shelf)
            console.print(f"kept as {kept.name}, version {kept.version}, until {kept.until:%Y-%m-%d}")
        if answer != ADJUST:
            return int(answer != ACCEPT)


def fired(state: Path, now_wall_ns: int) -> list[FireShot]:
    """The shots of the last fire test in a lane's journal.

    Raises:
        CalibrationRefused: there was none, it was aborted, or it is of another day.
    """
    told = fire_tests(state, KEPT)
    results = [(at_ns, one) for at_ns, kind, one in told if kind == "FireResult" and one["outcome"] != "refused"]
    if not results:
        raise CalibrationRefused(f"{state}: the daemon has fired no test: {FIRE}")
    at_ns, result = results[-1]
    if result["outcome"] != "fired":
        raise CalibrationRefused(f"the last fire test was {result['outcome']}: {result['because']}; then {FIRE}")
    if now_wall_ns - at_ns > FRESH_NS:
        raise CalibrationRefused(f"the last fire test is more than a day old: {FIRE}")
    return [shot_of(one) for _, kind, one in told if kind == "FireShot" and one["test"] == result["test"]]


def _found(config: Config, shots: Sequence[FireShot], console: Console) -> Found:
    step = GateStep(config.belt.counts_per_mm, config.belt.margin_mm)
    console.print(step.take(shots), highlight=False)
    found = step.found()
    path = Path(f"{config.lane.name}.gate.png")
    cv2.imwrite(str(path), found.picture)
    table = Table("figure", "value")
    for figure, value in {**found.values, **found.quality}.items():
        table.add_row(figure, f"{value:.3f}")
    console.print(found.says, highlight=False, soft_wrap=True)
    console.print(table)
    console.print(f"[belt] lead_ms is {config.belt.lead_ms:g} in the settings", highlight=False, markup=False)
    console.print(f"look at {path}", highlight=False)
    return found


def _calibration(config: Config, options: argparse.Namespace, found: Found, shots: Sequence[FireShot]) -> Calibration:
    now = datetime.now(UTC).replace(microsecond=0)
    return Calibration(
        lane=config.lane.name,
        step="gate",
        subject="",
        serial="",
        version=1,
        by=options.by,
        made=now,
        until=now + timedelta(days=options.days),
        before="",
        frames=tuple(_digest(shot) for shot in shots),
        quality=dict(found.quality),
        values=dict(found.values),
        files={},
    )


def _keep(calibration: Calibration, found: Found, options: argparse.Namespace, shelf: Shelf) -> Calibration:
    picture = cv2.imencode(".png", found.picture)[1].tobytes()
    return shelf.write(calibration, read_key(options.key), {PICTURE: picture})


def _digest(shot: FireShot) -> str:
    """SHA-256 of a shot as the journal holds it."""
    return hashlib.sha256(json.dumps(body(shot), sort_keys=True).encode()).hexdigest()


def _asked(words: str, choices: Sequence[str]) -> str:
    """The answer; a terminal that is gone gives up."""
    try:
        return Prompt.ask(words, choices=list(choices), default=choices[0])
    except (EOFError, KeyboardInterrupt):
        return ABORT


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tunnel-calibrate gate", description="How long before its window the gate must be told."
    )
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--folder", type=Path, required=True, help="where the lane's calibrations lie")
    parser.add_argument("--by", required=True, help="your name")
    parser.add_argument("--key", type=Path, required=True, help="your key, by `tunnel-calibrate key`")
    parser.add_argument("--days", type=int, default=180, help="that it holds (default: %(default)s)")
    return parser.parse_args(arguments)
