"""Who did what when, from a journal: entries with a name to them, and what a life of the daemon ran with."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from edge.records.ledger_file import OF_ACTS, PUT_AWAY, reading

OF_PUT_AWAY = f"kind = '{PUT_AWAY}'"
ACTED = (  # each part by an index of its own
    "SELECT entry, wall_ns, kind, item, body FROM journal WHERE {some}"
    " AND wall_ns >= IFNULL(?, wall_ns) AND wall_ns <= IFNULL(?, wall_ns)"
)


def acted(
    folder: Path, kinds: Sequence[str] | None = None, since_ns: int | None = None, until_ns: int | None = None
) -> Iterator[tuple[int, int, str, str | None, dict[str, Any]]]:
    """Entry, wall clock ns, kind, item and body, oldest first; kinds: those and no others."""
    parts = [f"kind IN ({', '.join('?' * len(kinds))})"] if kinds else [OF_ACTS, OF_PUT_AWAY]
    asked = " UNION ALL ".join(ACTED.format(some=some) for some in parts) + " ORDER BY entry"
    values = (*(kinds or ()), since_ns, until_ns) * len(parts)
    with reading(folder) as base:
        for *said, body in base.execute(asked, values):
            yield (*said, json.loads(body))
