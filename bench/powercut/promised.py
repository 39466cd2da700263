"""Whether every picture that an entry on a disk promises can be had, and nothing else lies there once it is opened."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from pathlib import Path

from edge.core.errors import EvidenceGone
from edge.records.evidence.desk import MEDIA_TYPE
from edge.records.evidence.index import CROP, EVIDENCE, INCOMING, picture
from edge.records.evidence.store import KEPT, REMOVED, Picture, Store

AFTERWARDS = Picture("after-the-cut", CROP, "top", "", "f-0", 0, b"the lane goes on", MEDIA_TYPE, 1, 1)
MISSING, GONE = "a picture that was entered is not there whole", "opening has lost a picture that was entered"
LEFT, STRANGE = "what was half-written is not cleared away", "pictures are others than were entered"
UNKEPT = "a picture that is kept after the cut is not there"


def picture_faults(state: Path, told: Iterable[tuple[str, str]]) -> Iterator[str]:
    """What is wrong before the daemon opens its evidence, and after.

    told: kind and body of the journal's entries.
    """
    promised = _promised(told)
    if not _is_had(state, promised):
        yield MISSING
    with closing(Store(state)) as store:
        yield from _mended(state, promised, store)
        store.keep([AFTERWARDS])
    if not _is_had(state, [hashlib.sha256(AFTERWARDS.content).hexdigest()]):
        yield UNKEPT


def _mended(state: Path, promised: Collection[str], store: Store) -> Iterator[str]:
    """What the daemon's opening has left, and every folder was swept."""
    if any((state / EVIDENCE / INCOMING).iterdir()):
        yield LEFT
    for folder in _folders(state):
        store.sweep(int(folder.name, 16))
    if any(store.removed.values()) or not _is_had(state, promised):
        yield GONE
    if {path.name for folder in _folders(state) for path in folder.iterdir()} != promised:
        yield STRANGE


def _promised(told: Iterable[tuple[str, str]]) -> set[str]:
    """SHA-256 of what was kept, and not removed for every item that shares it."""
    count: Counter[str] = Counter()
    for kind, said in told:
        if kind in (KEPT, REMOVED):
            names = [one["sha256"] for one in json.loads(said)["pictures"]]
            count.update(names) if kind == KEPT else count.subtract(names)
    return {name for name, kept in count.items() if kept > 0}


def _is_had(state: Path, names: Iterable[str]) -> bool:
    """Whether each is served, whole."""
    try:
        return all(picture(state, name) for name in names)
    except EvidenceGone:
        return False


def _folders(state: Path) -> list[Path]:
    """Where pictures have their places."""
    return [path for path in (state / EVIDENCE).iterdir() if path.name != INCOMING]
