"""Gathers all that is known of an item: from the ledger, its evidence, and what persons have said of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import EvidenceGone, PictureUnreadable
from edge.core.grounds import Cited, Facts, Label, Shot
from edge.core.messages import Image
from edge.inspection.references import CAMERA, GTIN
from edge.investigation.named import named
from edge.learn import DECLINED
from edge.records.cited import Row, Snapshot, snapshot
from edge.records.evidence.index import Kept, of_item, outlines, picture
from edge.records.outbox import answers

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture of an item, as it was kept."""

    kept: Kept
    content: bytes  # of the file
    outline: object = None  # of the item in it, as the journal tells it; None: it does not

    def image(self) -> Image:
        """What it shows: uint8, height × width × 3 (BGR).

        Raises:
            PictureUnreadable: it is no picture.
        """
        image = cv2.imdecode(np.frombuffer(self.content, np.uint8), cv2.IMREAD_COLOR) if self.content else None
        if image is None:
            raise PictureUnreadable(f"picture {self.kept.sha256}: cannot be decoded: look at the disk.")
        return np.asarray(image, np.uint8)


def gathered(state: Path, item: str, cameras: Iterable[str]) -> tuple[Facts, list[Photo]]:
    """What is known of an item, and its pictures that are still kept.

    Raises:
        sqlite3.Error: the ledger cannot be read.
    """
    with snapshot(state) as journal:
        entries = tuple(_cited(row) for row in journal.of_item(item))
        first = entries[0].entry if entries else 0
        kept = [(one, *_content(state, one)) for one in of_item(state, item)]
        facts = Facts(
            item,
            entries,
            journal.read_to,
            tuple(cameras),
            tuple(_shot(one, gone) for one, _, gone in kept),
            tuple(_cited(row) for row in journal.in_force(first)),
        )
        facts = _with_persons(facts, state, journal)
    told = outlines(state, item)
    return facts, [Photo(one, content, told.get(one.sha256)) for one, content, gone in kept if not gone]


def _with_persons(facts: Facts, state: Path, journal: Snapshot) -> Facts:
    """With what customers, the warehouse and the site's own people said."""
    order_line = facts.order.get("order_line")
    return replace(
        facts,
        named=named(facts, journal, _cited),
        disputes=tuple(_cited(row) for row in journal.complaints(facts.item_id, order_line)),
        answers=tuple(answers(state, facts.item_id).items()),
        labels=tuple(_labels(state, facts.item_id, facts.gtin)),
    )


def _content(state: Path, kept: Kept) -> tuple[bytes, str]:
    """A picture's file; or nothing, and why."""
    try:
        content = picture(state, kept.sha256)
    except EvidenceGone as error:
        return b"", str(error)
    return (b"", f"{kept.sha256}: was removed by the rule '{kept.gone}'.") if kept.gone else (content, "")


def _shot(kept: Kept, gone: str) -> Shot:
    return Shot(kept.what, kept.camera, kept.check, kept.sha256, written(kept.kept_wall_ns), gone)


def _cited(row: Row) -> Cited:
    return Cited(row.entry, written(row.wall_ns), row.wall_ns, row.kind, row.body)


def _labels(state: Path, item: str, gtin: str) -> Iterator[Label]:
    """Pictures of the item that a person has declined: `references decline`."""
    if GTIN.fullmatch(gtin):
        for folder in sorted((state / DECLINED / gtin).glob("*/")):
            path = folder / Path(f"{item}.png").name
            if CAMERA.fullmatch(folder.name) and path.is_file():
                yield Label(folder.name, hashlib.sha256(path.read_bytes()).hexdigest())


def written(wall_ns: int) -> str:
    """A moment as a person reads it, by this machine's zone."""
    return datetime.fromtimestamp(wall_ns / NS_PER_S).astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
