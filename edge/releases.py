"""Releases beside one another in /opt/tunnel-edge: which of them runs, and the way back to the one before.

/opt/tunnel-edge/VERSION is a release; `current` points at the one that runs, `previous` at the one that ran before.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import time
from collections.abc import Sequence, Set
from pathlib import Path
from tempfile import TemporaryDirectory

from edge import disk
from edge.core.errors import ReleaseRefused

FOLDER = Path("/opt/tunnel-edge")
UNIT_FILES = Path("/usr/local/lib/systemd/system")
UNIT_MODE = 0o644
CURRENT, PREVIOUS = "current", "previous"
RUNNING = ("tunnel-edge@*.service", "tunnel-edge-sentinel@*.service", "tunnel-edge-node@*.service")
LANE = "tunnel-edge@"
READY_S = 60.0
POLL_S = 0.2


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge releases list | activate VERSION`."""
    parser = argparse.ArgumentParser(prog="tunnel-edge releases", description="Releases that are installed.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="all of them, and which one runs")
    verbs.add_parser("activate", help="run another one; the former comes back if it fails").add_argument("version")
    options = parser.parse_args(arguments)
    return _list() if options.verb == "list" else _told(activate(options.version))


def rollback(arguments: Sequence[str]) -> int:
    """`tunnel-edge rollback`: run the release again that ran before.

    Raises:
        ReleaseRefused: there is none, or it does not run either.
    """
    argparse.ArgumentParser(prog="tunnel-edge rollback", description="Back to the release before.").parse_args(
        arguments
    )
    version = _pointed(PREVIOUS)
    if not version:
        raise ReleaseRefused("there is no release before this one: `tunnel-edge releases list` tells which there are.")
    return _told(take_over(version))


def activate(version: str) -> str:
    """Have a release run, if its models answer as those of the one that runs.

    Raises:
        ReleaseRefused: they do not; or as `take_over`.
    """
    _demand_there(version)
    former = _pointed(CURRENT)
    if former and former != version:
        _demand_parity(former, version)
    return take_over(version)


def take_over(version: str) -> str:
    """Have a release run: every unit that runs now is proved with it, or the former release runs again.

    Raises:
        ReleaseRefused: it is not there, or did not stand the proof.
    """
    _demand_there(version)
    former, units = _pointed(CURRENT), _running()
    _switch(version, units)
    try:
        _prove(units)
    except ReleaseRefused as refused:
        raise ReleaseRefused(f"{version}: {refused} {_back(former, units)}") from refused
    if former and former != version:
        _point(PREVIOUS, former)
    _prune({version, _pointed(PREVIOUS)})
    return version


def _demand_there(version: str) -> None:
    if not (FOLDER / version / "bin" / "tunnel-edge").is_file():
        raise ReleaseRefused(f"{FOLDER / version}: no release: `tunnel-edge releases list` tells which there are.")


def _demand_parity(former: str, version: str) -> None:
    """The models that both have answer alike on this box; asked while the lanes still run, and after them.

    Raises:
        ReleaseRefused: they do not. A former release that cannot be asked is not compared with.
    """
    with TemporaryDirectory() as folder:
        kept = Path(folder) / "answers.npz"
        if _asked(former, "keep", kept).returncode:
            print(f"{former} cannot be asked what its models answer: not compared")  # noqa: T201
            return
        compared = _asked(version, "compare", kept)
    if compared.returncode:
        raise ReleaseRefused(f"{version}: {compared.stderr.strip()} {former} runs on.")


def _asked(version: str, verb: str, kept: Path) -> subprocess.CompletedProcess[str]:
    words = ("nice", "-n", "5", FOLDER / version / "bin" / "tunnel-edge", "parity", verb, kept)
    return subprocess.run(words, capture_output=True, text=True, check=False)


def _switch(version: str, units: Sequence[str]) -> None:
    """The unit files of a release come with it; all of it is on the disk before it is pointed at."""
    os.sync()  # while the lane runs
    if units:
        _systemctl("stop", *units)
    _point(CURRENT, version)
    _put_unit_files(FOLDER / version / "share/tunnel-edge/systemd")
    _systemctl("daemon-reload")


def _put_unit_files(source: Path) -> None:
    """Each in one step, and then those go that it has no longer: a power cut leaves no box without."""
    disk.made(UNIT_FILES)
    files = {file.name: file for file in source.glob("tunnel-edge*")}
    for name, file in files.items():
        disk.written(UNIT_FILES / name, file.read_bytes(), UNIT_MODE)
    for former in UNIT_FILES.glob("tunnel-edge*.*"):
        if former.is_file() and former.name not in files:  # drop-ins are people's
            former.unlink()


def _prove(units: Sequence[str]) -> None:
    """Each lane passes its check, then every unit is ready.

    Raises:
        ReleaseRefused: with what failed, and where to read why.
    """
    for lane in (unit.removeprefix(LANE) for unit in units if unit.startswith(LANE)):
        _demand(_done(f"tunnel-edge-check@{lane}"), f"tunnel-edge-check@{lane}", "does not pass")
    _start(units)
    for unit in units:
        _demand(_becomes_ready(unit), unit, "does not become ready")


def _prune(kept: Set[str]) -> None:
    """The one that runs and the one before it are enough."""
    for folder in _installed():
        if folder.name not in kept:
            shutil.rmtree(folder)


def _installed() -> list[Path]:
    return sorted(one for one in FOLDER.iterdir() if (one / "bin").is_dir() and not one.is_symlink())


def _back(former: str, units: Sequence[str]) -> str:
    """What became of the way back."""
    if not former:
        return "There is no release before it."
    _switch(former, units)
    _start(units)
    return f"{former} runs again."


def _start(units: Sequence[str]) -> None:
    if units:
        _systemctl("reset-failed", *units)
        _systemctl("start", "--no-block", *units)


def _done(unit: str) -> bool:
    """Whether a unit that ends by itself ended well."""
    return subprocess.run(("systemctl", "start", unit), check=False).returncode == 0


def _becomes_ready(unit: str) -> bool:
    """In time; one that starts, waits for its turn or starts again may still become it, one that failed may not."""
    end_s = time.monotonic() + READY_S
    while (state := _systemctl("is-active", unit)) not in ("active", "failed") and time.monotonic() < end_s:
        time.sleep(POLL_S)
    return state == "active"


def _demand(good: bool, unit: str, amiss: str) -> None:  # noqa: FBT001 - a fact, no switch
    if not good:
        raise ReleaseRefused(f"{unit} {amiss} (`journalctl -u {unit}` says why).")


def _running() -> list[str]:
    """Units that run, or try to."""
    asked = ("list-units", "--plain", "--no-legend", "--state=active,activating", *RUNNING)
    return [line.split()[0] for line in _systemctl(*asked).splitlines()]


def _systemctl(*words: str) -> str:
    """What it answers; empty where there is no systemd."""
    try:
        return subprocess.run(("systemctl", *words), capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _point(name: str, version: str) -> None:
    """In one step: who looks sees the old one or the new one."""
    fresh = FOLDER / f".{name}"
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(version)
    fresh.replace(FOLDER / name)
    disk.synced(FOLDER)


def _pointed(name: str) -> str:
    """The version that a link points at; empty: none."""
    link = FOLDER / name
    return link.readlink().name if link.is_symlink() else ""


def _list() -> int:
    marks = {_pointed(PREVIOUS): "ran before", _pointed(CURRENT): "runs"}
    for folder in _installed():
        print(f"{folder.name:<24}{marks.get(folder.name, '')}".rstrip())  # noqa: T201 - the command's own voice
    return 0


def _told(version: str) -> int:
    print(f"{version} runs")  # noqa: T201 - the command's own voice
    return 0
