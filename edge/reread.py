"""Told to read its settings again (SIGHUP), a daemon says what has changed in them; a restart makes it count.

A lane is never laid out anew under its items by a file alone: what may change while it runs is calibrated, signed, and
comes into force while the lane is Held (decision 36). Stopping finishes what is at the gate: a restart loses nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edge.config import Config, load
from edge.core.errors import ConfigError
from edge.started import differing

READ = "SettingsRead"
MOST = 20  # keys that are named

log = logging.getLogger(__name__)


def nobody_notes(_kind: str, _body: Mapping[str, Any]) -> None:
    """There is no journal yet."""


class Reread:
    """What runs, and the file that it was read from."""

    def __init__(self, path: Path, running: Config) -> None:
        self.note: Callable[[str, Mapping[str, Any]], None] = nobody_notes
        self._path, self._running = path, running

    def __call__(self, *_: object) -> None:
        """A signal's handler: reading takes longer than a turn of the loop may, and has a thread of its own."""
        threading.Thread(target=self._say, name="settings", daemon=True).start()

    def told(self) -> str:
        """What the file has come to."""
        try:
            new = load(self._path)
        except ConfigError as error:
            return f"what runs goes on as it is, and would not start again: {error}"
        changed = sorted(differing(self._running.model_dump(), new.model_dump()))
        if not changed:
            return f"{self._path}: nothing has changed"
        more = f" and {len(changed) - MOST} more" if len(changed) > MOST else ""
        return f"{self._path}: needs restart, for it changed in {', '.join(changed[:MOST])}{more}"

    def _say(self) -> None:
        told = self.told()
        log.warning("%s", told)
        self.note(READ, {"by": "SIGHUP", "told": told})
