"""`tunnel-calibrate guide`: a technician goes through the steps; nothing counts until it is accepted."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

from calibration.belt_step import BeltStep
from calibration.camera_step import CameraStep
from calibration.light_step import LightStep
from calibration.report import PICTURE
from calibration.sites.site import drawn
from calibration.steps import Found, Step
from calibration.supply import CameraSupply, SimulatedSupply, Supply
from calibration.verify_step import VerifyStep
from edge.calibrations import Shelf, public, read_key
from edge.config import load
from edge.core.calibration import Calibration
from edge.core.errors import CalibrationRefused, CameraFault, ConfigError
from edge.core.plane import Plane

ACCEPT, ADJUST, ABORT = "accept", "adjust", "abort"
ORDER = ("camera", "light", "belt", "verify")


@dataclass
class Session:
    """One technician at one camera."""

    lane: str
    camera: str
    by: str
    until: datetime
    shelf: Shelf
    key_path: Path
    supply: Supply
    console: Console
    digests: list[str] = field(default_factory=list)  # of the frames of the present step


def main(arguments: Sequence[str]) -> int:
    """Go through the steps that are wanted; 0 when all were accepted."""
    options = _options(arguments)
    session = _session(options)
    if not (wanted := _wanted(options, session)):
        session.console.print("nothing to do: every step was accepted before")
    return 0 if all(_stepped(name, session) for name in wanted) else 1


def _stepped(name: str, session: Session) -> bool:
    """One step until it is accepted or given up; what was in force before stays so until then."""
    session.console.rule(name)
    while True:
        try:
            found = _gone_through(_step(name, session), session)
        except CalibrationRefused as refusal:
            session.console.print(f"[red]{refusal}[/red]", highlight=False)
            if _asked("Begin this step anew?", (ADJUST, ABORT), ADJUST) == ABORT:
                return False
            continue
        except KeyboardInterrupt:
            session.console.print(f"given up: {name} stays as it was")
            return False
        _show(name, found, session)
        answer = _asked("What shall it be?", (ACCEPT, ADJUST, ABORT), ACCEPT)
        if answer == ACCEPT:
            kept = _keep(name, found, session)
            session.console.print(f"kept as {kept.name}, version {kept.version}, until {kept.until:%Y-%m-%d}")
        if answer != ADJUST:
            return answer == ACCEPT


def _gone_through(step: Step, session: Session) -> Found:
    session.digests.clear()
    while ask := step.asks():
        words = f"Show {ask.shows}. Enter takes {ask.frames} frame{'s' if ask.frames > 1 else ''}, 'abort' gives up"
        if _asked(words, ("", ABORT), "") == ABORT:
            raise KeyboardInterrupt
        try:
            shots = session.supply.take(ask)
            session.console.print(f"  {step.take(shots)}", highlight=False)
            session.digests += [shot.digest for shot in shots]
        except (CalibrationRefused, CameraFault) as refusal:
            session.console.print(f"  [yellow]{refusal}[/yellow]", highlight=False)
    return step.found()


def _show(name: str, found: Found, session: Session) -> None:
    """The picture in a file, the figures in a table."""
    path = Path(f"{session.camera}.{name}.png")
    cv2.imwrite(str(path), found.picture)
    table = Table("figure", "value")
    for figure, value in found.quality.items():
        table.add_row(figure, f"{value:.3f}")
    session.console.print(found.says, highlight=False, soft_wrap=True)
    session.console.print(table)
    session.console.print(f"look at {path}", highlight=False)


def _keep(name: str, found: Found, session: Session) -> Calibration:
    calibration = Calibration(
        lane=session.lane,
        step=name,
        subject=session.camera,
        serial=session.supply.serial,
        version=1,
        by=session.by,
        made=datetime.now(UTC).replace(microsecond=0),
        until=session.until,
        before="",
        frames=tuple(session.digests),
        quality=dict(found.quality),
        values=dict(found.values),
        files={},
    )
    picture = cv2.imencode(".png", found.picture)[1].tobytes()
    return session.shelf.write(calibration, read_key(session.key_path), {PICTURE: picture, **found.files})


def _step(name: str, session: Session) -> Step:
    if name == "camera":
        return CameraStep()
    if name == "light":
        return LightStep()
    known = session.shelf.newest(f"camera.{session.camera}")
    if known is None:
        raise CalibrationRefused(f"{name} takes what camera '{session.camera}' sees: do its step `camera` first")
    if name == "belt":
        return BeltStep(plane_of(known))
    return VerifyStep(plane_of(known), np.array(known.values["to_srgb"], float))


def plane_of(calibration: Calibration) -> Plane:
    """Where a camera looks, from its step."""
    parts = (np.array(calibration.values[name], float) for name in ("matrix", "bent", "turn", "shift_mm"))
    return Plane(*parts)


def _wanted(options: argparse.Namespace, session: Session) -> list[str]:
    """All steps, or from where an earlier session ended."""
    if options.steps:
        return [name for name in ORDER if name in options.steps]
    if not options.resume:
        return list(ORDER)
    return [name for name in ORDER if session.shelf.newest(f"{name}.{session.camera}") is None]


def _asked(words: str, choices: Sequence[str], usual: str) -> str:
    return Prompt.ask(
        words, choices=list(choices), default=usual, show_choices=any(choices[:1]), show_default=bool(usual)
    )


def _session(options: argparse.Namespace) -> Session:
    config = load(options.config)
    camera = next((one for one in config.camera if one.name == options.camera and one.node is None), None)
    if camera is None and options.simulate is None:
        raise ConfigError(f"{options.config}: no camera '{options.camera}' on this box: name one of its own.")
    chance = np.random.default_rng(options.simulate)
    simulated = SimulatedSupply(drawn(options.simulate), chance) if options.simulate is not None else None
    supply: Supply = simulated or CameraSupply(camera)  # type: ignore[arg-type]  # one of them is there
    trusted = {public(read_key(options.key))}
    return Session(
        lane=config.lane.name,
        camera=options.camera,
        by=options.by,
        until=datetime.now(UTC).replace(microsecond=0) + timedelta(days=options.days),
        shelf=Shelf(options.folder, trusted),
        key_path=options.key,
        supply=supply,
        console=Console(),
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-calibrate guide", description="Calibrate a camera and its belt.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--camera", required=True, help="its name there")
    parser.add_argument("--folder", type=Path, required=True, help="where the lane's calibrations lie")
    parser.add_argument("--by", required=True, help="your name")
    parser.add_argument("--key", type=Path, required=True, help="your key, by `tunnel-calibrate key`")
    parser.add_argument("--days", type=int, default=180, help="that it holds (default: %(default)s)")
    parser.add_argument("--steps", nargs="+", choices=ORDER, help="(default: all)")
    parser.add_argument("--resume", action="store_true", help="leave out what was accepted before")
    parser.add_argument("--simulate", type=int, metavar="SITE", help="practise on a simulated site, by its number")
    return parser.parse_args(arguments)
