"""How far a lane's journal is in the lake, as the exporter notes it beside the ledger: so far its old days may go."""

from __future__ import annotations

import json
from pathlib import Path

from edge.disk import written

FILE = "exported.json"  # in OWN
OWN = "lake"  # folder in the lane's state


def note(state: Path, place: str, last: int) -> None:
    """All entries up to this one are in the lake at that place.

    Raises:
        OSError: it cannot be written.
    """
    written(state / OWN / FILE, json.dumps({"place": place, "last": last}).encode())


def position(state: Path, place: str) -> int:
    """The last entry that is in the lake at a place; 0: none is known to be."""
    try:
        said = json.loads((state / OWN / FILE).read_text())
        return int(said["last"]) if said["place"] == place else 0
    except (OSError, ValueError, TypeError, KeyError):
        return 0
