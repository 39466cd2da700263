"""Who did what when, from a journal: entries with a name to them, and what a life of the daemon ran with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.records.ledger_file import OF_ACTS, reading


def acted(
    folder: Path, kinds: Sequence[str] | None = None, since_ns: int | None = None, until_ns: int | None = None
) -> Iterator[tuple[int, int, str, str | None, dict[str, Any]]]:
    """Entry, wall clock ns, kind, item and body, oldest first; kinds: those and no others."""
    some = f"kind IN ({', '.join('?' * len(kinds))})" if kinds else OF_ACTS
    asked = (
        f"SELECT entry, wall_ns, kind, item, body FROM journal WHERE {some}"  # noqa: S608 - our own words
        " AND wall_ns >= IFNULL(?, wall_ns) AND wall_ns <= IFNULL(?, wall_ns) ORDER BY entry"
    )
    with reading(folder) as base:
        for *said, body in base.execute(asked, (*(kinds or ()), since_ns, until_ns)):
            yield (*said, json.loads(body))
