"""One life of the daemon in its journal: that it began and ended, and seals meanwhile, by a thread of its own."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.records.ledger_file import STARTED, Entry, end, enter, opened
from edge.records.seals import Seal, add_seal, is_open

STOPPED = "DaemonStopped"
POLL_S = 1.0

log = logging.getLogger(__name__)


class Life:
    """Begins before everything else that writes, and ends after it."""

    def __init__(
        self,
        state: Path,
        box: str,
        key: Ed25519PrivateKey,
        started: Mapping[str, Any],
        every_s: float,
        every_entries: int,
    ) -> None:
        """Take where the ledger lies, whose it is, what to sign with, what runs, and when to seal.

        Raises:
            LedgerRefused: as `opened`.
        """
        self.failures = 0  # to write or to seal
        self.sealed: Seal | None = None
        self.ending = "Aborted", "the daemon failed: see its log"
        self._state, self._box, self._key = state, box, key
        self._every_s, self._every_entries = every_s, every_entries
        self._base = opened(state)
        self._by = started["by"]
        self._to_say: deque[Entry] = deque([(STARTED, None, started)])
        self._sealed_s = time.monotonic()
        self._open_since_s: float | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="seals", daemon=True)

    def start(self) -> None:
        """Say that it has begun, and seal what was left open; a full disk keeps no lane from running."""
        self._seal("start")
        self._thread.start()

    def stop(self) -> None:
        """Say that it has ended, and seal everything."""
        self._ended.set()
        self._thread.join()
        state, why = self.ending
        self._to_say.append((STOPPED, None, {"by": self._by, "state": state, "why": why}))
        self._seal("stop")
        self._base.close()

    def note(self, kind: str, *bodies: Mapping[str, Any]) -> None:
        """Have entries written, from any thread; returns at once, and a full disk only delays them."""
        self._to_say.extend((kind, None, body) for body in bodies)

    def unsealed_s(self) -> float:
        """How long entries have waited for a seal."""
        since_s = self._open_since_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def _run(self) -> None:
        while not self._ended.wait(POLL_S):
            if because := self._due():
                self._seal(because)

    def _due(self) -> str:
        """Why it is time; empty: it is not."""
        try:
            self._say()
            if not is_open(self._base):
                return ""
            entries = end(self._base)[0] - (self.sealed.entry if self.sealed else 0)
        except sqlite3.Error:
            entries = 0  # sealing says what is wrong
        self._open_since_s = self._open_since_s or time.monotonic()
        if time.monotonic() - self._sealed_s >= self._every_s:
            return "time"
        return "entries" if entries >= self._every_entries else ""

    def _seal(self, because: str) -> None:
        """Try; what fails is tried again when the next seal is due."""
        self._sealed_s = time.monotonic()
        try:
            self._say()
            if seal := add_seal(self._base, self._state, self._box, self._key, because):
                self.sealed = seal
                log.info("sealed %d: head %d:%s", seal.seal, seal.entry, seal.hash)
            self._open_since_s = None
        except Exception:  # a thread that has ended seals nothing more
            self.failures += 1
            self._open_since_s = self._open_since_s or time.monotonic()
            log.exception("the journal could not be sealed: make room, or see to the disk; it is tried again")

    def _say(self) -> None:
        """What is still to be said."""
        if told := [*self._to_say]:
            with self._base:
                enter(self._base, told)
            for _ in told:
                self._to_say.popleft()
