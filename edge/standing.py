"""How a lane's calibrations stand: its shelf, read at the start and watched by a thread; no loop waits for it."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from edge.calibrations import Shelf
from edge.core.calibration import STEPS, Calibration
from edge.core.errors import CalibrationRefused
from edge.core.in_force import NEVER_SEEN, SHELF, UNCALIBRATED, Here, Standing, standing
from edge.core.topics import MAX_LIST

POLL_S = 1.0
NAME = re.compile(rf"({'|'.join(STEPS)})(\.[A-Za-z0-9_-]{{1,64}})?")
STRANGE = "others"

Found = Mapping[str, Calibration | str]
"""By name: the newest version, or why it cannot be read."""

Signs = frozenset[tuple[str, int, int, int]]
"""Of each file: what changes with it."""

log = logging.getLogger(__name__)


def nobody_hears(_: Found) -> None:
    """Nobody asks what has come onto the shelf."""


def no_drift() -> Mapping[str, str]:
    """Nobody looks for it."""
    return {}


class WatchedShelf:
    """The calibrations of a lane as they stand just now."""

    def __init__(
        self,
        folder: Path,
        shelf: Shelf,
        here: Here,
        seen: Mapping[str, int] = NEVER_SEEN,
    ) -> None:
        """Take the shelf, and look at it; seen: the versions that were believed in earlier lives."""
        self.news: Callable[[Found], None] = nobody_hears  # told what has changed on the shelf, by its thread
        self.drift: Callable[[], Mapping[str, str]] = no_drift  # what cameras see otherwise than when calibrated
        self._folder, self._shelf, self._here = folder, shelf, here
        self._seen = dict(seen)
        self._signs: Signs | None = None
        self._found: Found = {}
        self._standing = UNCALIBRATED
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="calibrations", daemon=True)
        self.look(datetime.now(UTC))

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ending.set()
        self._thread.join()

    def beside(self, digest: str) -> Path:
        """Where what has this SHA-256 lies."""
        return self._shelf.beside(digest)

    def told(self) -> Standing:
        """As `Calibrations.told`."""
        return self._standing

    def believed(self, name: str) -> Calibration | None:
        """One that is believed just now."""
        one = self._found.get(name)
        return one if isinstance(one, Calibration) and name in self._standing.good else None

    def found(self) -> Found:
        """What lies there, believed or not."""
        return self._found

    def expiries(self) -> Mapping[str, float]:
        """Name → when it expires, seconds since 1970."""
        found = self._found
        return {name: one.until.timestamp() for name, one in found.items() if isinstance(one, Calibration)}

    def look(self, now: datetime) -> None:
        """See how they stand now; files are read again only where one of them has changed."""
        signs = _signs(self._folder)
        if signs != self._signs:
            before, self._found = self._found, dict(self._read())
            self._signs = signs
            self.news({name: one for name, one in self._found.items() if one != before.get(name)})
        told = standing(self._found, self._here, now, self._seen)
        told = replace(told, warned={**told.warned, **self._drifted()})
        self._seen |= {name: one.version for name, one in told.good.items()}
        if told != self._standing:
            self._standing = told

    def _run(self) -> None:
        while not self._ending.wait(POLL_S):
            try:
                self.look(datetime.now(UTC))
            except Exception:  # what was in force stays; the lane must run on
                log.exception("calibrations cannot be looked at: what is in force stays")

    def _drifted(self) -> Mapping[str, str]:
        try:
            return self.drift()
        except Exception:  # of pictures; calibrations are still to be looked at
            log.exception("what cameras see cannot be held against their calibrations")
            return {}

    def _read(self) -> Iterator[tuple[str, Calibration | str]]:
        try:
            names = self._shelf.names()
            any(self._folder.iterdir())
        except FileNotFoundError:
            return
        except OSError as error:
            yield SHELF, f"{self._folder}: {error.strerror}: let the daemon read it"
            return
        known = [name for name in names if NAME.fullmatch(name)]
        yield from ((name, self._newest(name)) for name in known[:MAX_LIST])
        if strange := [*(name for name in names if not NAME.fullmatch(name)), *known[MAX_LIST:]]:
            yield STRANGE, f"{len(strange)} more that are none of a lane's calibrations: take them off the shelf"

    def _newest(self, name: str) -> Calibration | str:
        try:
            faults = [*self._shelf.broken(name)]
            one = self._shelf.newest(name)
        except CalibrationRefused as refusal:
            return str(refusal)
        except OSError as error:
            return f"{error.filename}: {error.strerror}: let the daemon read it"
        return "; ".join(faults) or one or "no version of it can be found: restore it"


def _signs(folder: Path) -> Signs:
    """Of every file on the shelf; the time of its last change cannot be set back as that of its last writing can."""
    return frozenset(_sign(path) for path in (*folder.glob("*"), *folder.glob("files/*")))


def _sign(path: Path) -> tuple[str, int, int, int]:
    try:
        told = path.lstat()
    except OSError:
        return path.name, 0, 0, 0
    return path.name, told.st_ino, told.st_size, told.st_ctime_ns
