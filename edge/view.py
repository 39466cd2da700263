"""`tunnel-edge cameras VERB`: what there is, what one sees, how it is set, how steadily they send."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from edge.cameras import genicam, usual
from edge.cameras.assembly import opened, source
from edge.cameras.grabber import Grabber
from edge.cameras.source import Shot, Source
from edge.config import load
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.errors import CameraFault, ConfigError
from edge.core.messages import Image
from edge.plain import plain_console
from edge.settings import CameraSettings
from edge.watch import half_blocks

V4L, NAMES = Path("/dev/v4l/by-id"), Path("/sys/class/video4linux")
POLL_S = 0.002
COLUMNS = 72  # of a picture in the terminal
PATIENCE_S = 10.0
WIDTH = 110


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge cameras VERB`."""
    options = _options(arguments)
    console = plain_console()
    console.width = max(console.width, WIDTH)
    return int(options.do(options, console))


def listed(_: argparse.Namespace, console: Console) -> int:
    """Every camera that answers on the network, and on USB."""
    table = Table("write in the settings", "what it is", "where")
    try:
        for one in genicam.found():
            about = f"{one['vendor']} {one['model']}, serial {one['serial']} ({one['protocol']})"
            table.add_row(f'gige = "{one["id"]}"', about, one["address"])
    except CameraFault as error:
        console.print(f"GenICam cameras are not looked for: a gige camera {error}", style="yellow")
    for path, name in _usb():
        table.add_row(f'opencv = "{path}"', name, str(path.resolve()))
    console.print(table if table.row_count else "no camera answers: check cables, power and the network's address")
    return 0


def preview(options: argparse.Namespace, console: Console) -> int:
    """One picture of a camera, saved, and shown as far as a terminal can."""
    camera = _camera(options)
    with opened(camera) as one:
        _show(_first(one, camera).image, camera, options, console)
    return 0


def tried(options: argparse.Namespace, console: Console) -> int:
    """Set what is given, and show a picture taken so; without, all there is to set."""
    camera = _camera(options)
    where = "features" if camera.gige else "settings"
    given = getattr(camera, where) | dict(options.given)
    with opened(camera.model_copy(update={where: given})) as one:
        if not options.given:
            console.print(_settings(one))
            return 0
        _show(_first(one, camera).image, camera, options, console)
    words = ", ".join(f"{name} = {json.dumps(value)}" for name, value in given.items())
    told = f"to keep it, write under camera '{camera.name}' in {options.config}: {where} = {{ {words} }}"
    console.print(told, highlight=False, soft_wrap=True)
    return 0


def _settings(one: Source) -> Table:
    table = Table("setting", "is", "takes")
    for name, (value, takes) in one.settings().items():
        table.add_row(name, value, takes)
    return table


def _show(image: Image, camera: CameraSettings, options: argparse.Namespace, console: Console) -> None:
    out = options.out or Path(f"{camera.name}.png")
    cv2.imwrite(str(out), image)
    console.print(half_blocks(_in_colour(image), COLUMNS))
    console.print(f"{out}: {image.shape[1]} × {image.shape[0]}, mean {image.mean():.0f} of 255", highlight=False)


def learn(options: argparse.Namespace, console: Console) -> int:
    """What a camera usually shows, from ordinary frames of the running belt, to be held against later.

    Raises:
        ConfigError: the settings name no file for it.
    """
    camera = _camera(options)
    if camera.view is None:
        raise ConfigError(f"camera '{camera.name}' has no `view` in {options.config}: name a file there.")
    with opened(camera) as one:
        steps = track(range(options.frames), "looking", console=console, transient=True)
        looks = [usual.Look.of(_spaced(one, camera).image) for _ in steps]
        view = usual.View.learn(looks)
    view.save(camera.view)
    limits = (("whether it was moved", view.tells.moved), ("dirt", view.tells.covered))
    told = [what for what, limit in limits if np.isinf(limit)]
    untold = f"; too much changes in view to tell {' and '.join(told)}" if told else ""
    console.print(f"{camera.view}: learnt from {len(looks)} frames{untold}", highlight=False, soft_wrap=True)
    return 0


def measure(options: argparse.Namespace, console: Console) -> int:
    """How steadily the cameras of a lane send, all at once."""
    grabbers = [Grabber(one.name, source(one)) for one in load(options.config).camera if one.node is None]
    for grabber in grabbers:
        grabber.start()
    shots = _grabbed(grabbers, options.seconds, console)
    table = Table(
        "camera", "frames", "a second", "period ms, p50 / p99", "to hand-over ms, p50 / p99", "dropped", "lost", ""
    )
    for grabber in grabbers:
        table.add_row(
            grabber.name, *_figures(shots[grabber.name]), str(grabber.dropped), str(grabber.lost), grabber.fault
        )
    for grabber in grabbers:
        grabber.stop()
    console.print(table)
    return 0 if all(shots.values()) else 1


def _grabbed(grabbers: Sequence[Grabber], seconds: float, console: Console) -> dict[str, list[tuple[int, int]]]:
    """Camera → when each frame was exposed, and when it was handed over, ns."""
    shots: dict[str, list[tuple[int, int]]] = {grabber.name: [] for grabber in grabbers}
    for _ in track(range(round(seconds / POLL_S)), "grabbing", console=console, transient=True):
        for grabber in grabbers:
            shots[grabber.name] += [(shot.exposed_ns, time.monotonic_ns()) for shot in grabber.shots()]
        time.sleep(POLL_S)
    return shots


def _figures(shots: Sequence[tuple[int, int]]) -> Iterator[str]:
    yield str(len(shots))
    if len(shots) < 3:
        yield from ("–", "–", "–")
        return
    exposed_ns, handed_ns = np.array(shots, np.int64).T
    yield f"{(len(shots) - 1) * NS_PER_S / (exposed_ns[-1] - exposed_ns[0]):.1f}"
    for spans_ns in (np.diff(exposed_ns), handed_ns - exposed_ns):
        p50_ms, p99_ms = np.percentile(spans_ns, (50, 99)) / NS_PER_MS
        yield f"{p50_ms:.1f} / {p99_ms:.1f}"


def _first(one: Source, camera: CameraSettings) -> Shot:
    """The first exposure that comes."""
    begun_s = time.monotonic()
    while time.monotonic() - begun_s < PATIENCE_S:
        if shot := one.read():
            return shot
    waits = ": is it triggered?" if camera.triggered else ""
    raise CameraFault(f"sent nothing for {PATIENCE_S:.0f} s{waits}")


def _spaced(one: Source, camera: CameraSettings) -> Shot:
    """The next exposure that is far enough from the last."""
    due_ns = time.monotonic_ns() + usual.SPACED_NS
    while (shot := _first(one, camera)).exposed_ns < due_ns:
        pass
    return shot


def _camera(options: argparse.Namespace) -> CameraSettings:
    cameras = {one.name: one for one in load(options.config).camera if one.node is None}
    if options.camera not in cameras:
        raise ConfigError(f"no camera '{options.camera}' on this box: there is {', '.join(cameras) or 'none'}.")
    return cameras[options.camera]


def _assigned(text: str) -> tuple[str, bool | float | str]:
    """NAME=VALUE: true, false, a number, or a word."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"'{text}' is no NAME=VALUE")
    try:
        known = json.loads(value)
    except ValueError:
        return name, value
    return name, known if isinstance(known, bool | int | float) else value


def _usb() -> Iterator[tuple[Path, str]]:
    """USB cameras by a path that stays, and their names."""
    for path in sorted(V4L.glob("*-index0")) if V4L.is_dir() else ():
        name = NAMES / path.resolve().name / "name"
        yield path, name.read_text().strip() if name.is_file() else ""


def _in_colour(image: Image) -> Image:
    return image if image.ndim == 3 else np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8)


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tunnel-edge cameras", description="A lane's cameras.")
    verbs = parser.add_subparsers(required=True)
    one = verbs.add_parser("list", help="what answers on the network and on USB")
    one.set_defaults(do=listed)
    one = verbs.add_parser("preview", help="one picture of a camera")
    one.add_argument("config", type=Path, help="the lane's settings (TOML)")
    one.add_argument("camera", help="its name there")
    one.add_argument("--out", type=Path, help="file for the picture (default: NAME.png)")
    one.set_defaults(do=preview)
    one = verbs.add_parser("set", help="set features or settings, and see what comes of it; without any, list them")
    one.add_argument("config", type=Path, help="the lane's settings (TOML)")
    one.add_argument("camera", help="its name there")
    one.add_argument("given", nargs="*", type=_assigned, metavar="NAME=VALUE", help="in this order")
    one.add_argument("--out", type=Path, help="file for the picture (default: NAME.png)")
    one.set_defaults(do=tried)
    one = verbs.add_parser("learn", help="what a camera usually shows: its content is held against it")
    one.add_argument("config", type=Path, help="the lane's settings (TOML)")
    one.add_argument("camera", help="its name there")
    one.add_argument("--frames", type=int, default=200, help="half a second apart or more (default: %(default)s)")
    one.set_defaults(do=learn)
    one = verbs.add_parser("measure", help="rate, jitter, delay, and what was lost, of all cameras at once")
    one.add_argument("config", type=Path, help="the lane's settings (TOML)")
    one.add_argument("--seconds", type=float, default=5.0, help="(default: %(default)s)")
    one.set_defaults(do=measure)
    return parser.parse_args(arguments)
