"""`tunnel-calibrate guide`: a technician goes through a site's steps; nothing counts until it is accepted."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import numpy as np

from calibration.item_colours import item_colours
from calibration.making import Maker
from calibration.normals import drawn_normals, limit_of, normals_of
from calibration.order import ELSEWHERE, ORDER, Stage, stages
from calibration.recorded import RecordedSupply
from calibration.session import Session, now
from calibration.sites.site import drawn
from calibration.supply import CameraSupply, SimulatedSupply, Supply
from calibration.terminal import Terminal
from calibration.threshold_step import ThresholdStep
from calibration.walk import walked
from edge.calibrations import Shelf, read_key
from edge.config import Config, load
from edge.core.errors import ConfigError
from edge.plain import plain_console
from edge.signing import public


def main(arguments: Sequence[str]) -> int:
    """Go through the steps that are wanted; 0 when all were accepted."""
    options = _options(arguments)
    config = load(options.config)
    session = _session(options, config)
    terminal = Terminal(plain_console(), session.folder, options.pictures)
    maker = Maker(session, item_colours(config.inspection.products), partial(_thresholds, options, config))
    wanted = _wanted(options, session)
    left = [stage for stage in wanted if not (options.resume and session.holds(stage))]
    for stage in left:
        terminal.console.rule(f"step {wanted.index(stage) + 1} of {len(wanted)}: {stage.title}")
        if not _done(stage, maker, session, terminal):
            terminal.hears("the rest is left as it was; `--resume` goes on from here")
            return 1
    _end(wanted, left, session, terminal)
    return 0


def _end(wanted: Sequence[Stage], left: Sequence[Stage], session: Session, terminal: Terminal) -> None:
    """Say what stands, and what is done by another command."""
    open_still = [stage.title for stage in wanted if not session.holds(stage)]
    said = "every step that was wanted holds" if left else "nothing to do: every step holds"
    terminal.hears(f"still to be done: {', '.join(open_still)}" if open_still else said)


def _done(stage: Stage, maker: Maker, session: Session, terminal: Terminal) -> bool:
    """One step; those with a command of their own are only told."""
    if stage.step in ELSEWHERE:
        terminal.hears(f"{'holds' if session.holds(stage) else 'not measured yet'}: {ELSEWHERE[stage.step]}")
        return True
    if stage.step == "totes" and (hint := session.supplies[stage.camera].hint):
        terminal.hears(hint)
    return walked(stage, maker, session, terminal)


def _wanted(options: argparse.Namespace, session: Session) -> list[Stage]:
    cameras = list(session.supplies)
    return list(stages(cameras, options.totes_by or cameras[0], options.steps or ORDER))


def _thresholds(options: argparse.Namespace, config: Config) -> ThresholdStep:
    normals = normals_of(config) if options.simulate is None else drawn_normals(options.simulate)
    return ThresholdStep(normals, limit_of(config))


def _supplies(options: argparse.Namespace, config: Config) -> Mapping[str, Supply]:
    """Of each camera that is meant: the lane's on this box, or those of a simulated site."""
    named = [camera for camera in config.camera if options.camera in (None, camera.name)]
    if options.simulate is not None:
        site, chance = drawn(options.simulate), np.random.default_rng(options.simulate)
        return {camera.name: SimulatedSupply(site, chance, number) for number, camera in enumerate(named)}
    own: dict[str, Supply] = {camera.name: CameraSupply(camera) for camera in named if camera.node is None}
    if options.recording:
        own = {name: RecordedSupply(supply, options.recording, name) for name, supply in own.items()}
    if not own or options.totes_by not in (None, *own):
        raise ConfigError(
            f"{options.config}: no such camera on this box: name one of its own, or calibrate at its node."
        )
    return own


def _session(options: argparse.Namespace, config: Config) -> Session:
    key = read_key(options.key)
    return Session(
        lane=config.lane.name,
        by=options.by,
        until=now() + timedelta(days=options.days),
        shelf=Shelf(options.folder, {public(key), *config.calibration.trusted}),
        key=key,
        supplies=_supplies(options, config),
        folder=Path(),
    )


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-calibrate guide", description="Calibrate a site, step by step.")
    parser.add_argument("config", type=Path, help="the lane's settings (TOML)")
    parser.add_argument("--camera", help="one camera there (default: all that are on this box)")
    parser.add_argument("--totes-by", metavar="CAMERA", help="the camera that sees the totes (default: the first)")
    parser.add_argument("--folder", type=Path, required=True, help="where the lane's calibrations lie")
    parser.add_argument("--by", required=True, help="your name")
    parser.add_argument("--key", type=Path, required=True, help="your key, by `tunnel-calibrate key`")
    parser.add_argument("--days", type=int, default=180, help="that it holds (default: %(default)s)")
    parser.add_argument("--steps", nargs="+", choices=ORDER, help="(default: all)")
    parser.add_argument("--resume", action="store_true", help="leave out what was accepted before and still holds")
    parser.add_argument("--recording", type=Path, help="of the lane while the board rode past, for the step `belt`")
    parser.add_argument("--simulate", type=int, metavar="SITE", help="practise on a simulated site, by its number")
    parser.add_argument("--no-pictures", dest="pictures", action="store_false", help="draw none in the terminal")
    return parser.parse_args(arguments)
