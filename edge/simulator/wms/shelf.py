"""What a warehouse remembers of requests, on disk: each id once, whatever comes how often."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS requests (
    request TEXT PRIMARY KEY, body TEXT NOT NULL, status TEXT NOT NULL, why TEXT NOT NULL,
    ready_wall_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS arrivals (request TEXT NOT NULL, wall_ns INTEGER NOT NULL, transport TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS of_request ON arrivals (request);
"""
ANOTHER_BODY = "another_body"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a warehouse says to a request; the same however often it is asked."""

    status: str
    why: str
    ready_wall_ns: int  # from then on it says so


class Shelf:
    """One file; threads share it."""

    def __init__(self, path: Path, decide: Callable[[Mapping[str, Any]], Decided]) -> None:
        """decide: asked once for each id."""
        self._decide = decide
        self._lock = threading.Lock()
        self._base = sqlite3.connect(path, check_same_thread=False)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        self._base.close()

    def take(self, fields: Mapping[str, Any], transport: str) -> Decided:
        """Note that a request came, decide if it is new, and say what was decided; on disk before it is said."""
        request = fields["request"]
        body = json.dumps({name: value for name, value in fields.items() if name != "seq"}, sort_keys=True)
        with self._lock, self._base:
            self._base.execute("INSERT INTO arrivals VALUES (?, ?, ?)", (request, time.time_ns(), transport))
            row = self._base.execute(
                "SELECT body, status, why, ready_wall_ns FROM requests WHERE request = ?", (request,)
            ).fetchone()
            if row and row[0] != body:
                return Decided(ANOTHER_BODY, "this id was used for another request", 0)
            if row:
                return Decided(*row[1:])
            said = self._decide(fields)
            known = (request, body, said.status, said.why, said.ready_wall_ns)
            self._base.execute("INSERT INTO requests VALUES (?, ?, ?, ?, ?)", known)
            return said


def taken(path: Path) -> dict[str, tuple[dict[str, Any], int]]:
    """Each id that ever came: its fields, and how often it came."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        times = dict(base.execute("SELECT request, COUNT(*) FROM arrivals GROUP BY request"))
        return {
            name: (json.loads(body), times[name]) for name, body in base.execute("SELECT request, body FROM requests")
        }


def statuses(path: Path) -> dict[str, str]:
    """What was decided of each id."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        return dict(base.execute("SELECT request, status FROM requests"))


def arrivals(path: Path) -> list[tuple[str, int]]:
    """Each coming of a request, and when (wall clock ns), oldest first."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as base:
        return base.execute("SELECT request, wall_ns FROM arrivals ORDER BY rowid").fetchall()
