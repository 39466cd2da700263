"""Evidence of items as one archive that a claims team can open, and check without this program: a ZIP file.

`items/ITEM/item.json` tells what the journal says of an item, with which versions it was judged, and which pictures
are beside it; `SHA256SUMS` is what `sha256sum -c` reads; `manifest.json` says what was asked for, where and when.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from edge.core.errors import EvidenceGone
from edge.records.evidence.index import Kept, of_item, picture
from edge.records.journal import in_force, story

FORMAT = 1
SUMS, MANIFEST, README = "SHA256SUMS", "manifest.json", "README.txt"
UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
ENDINGS = {"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "image/avif": ".avif"}
PIECE, LONGEST = 1 << 20, 120  # bytes read at a time; letters of a name
NO_ARCHIVE = (OSError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, RuntimeError, NotImplementedError)
MOST_SUMS = 1 << 26  # bytes: an archive with a longer list is none of ours
TOLD = """What a lane saw of items, what it read and decided, and with which versions.

manifest.json       what was asked for, and of which lane
items/ITEM/         item.json: what the journal says, entry by entry; beside it the pictures that are still kept.
                    Where the item is in a crop its entry EvidenceKept says: "outline", corner by corner, px
SHA256SUMS          of every file but itself; to check them: sha256sum -c SHA256SUMS
                    or: tunnel-edge evidence LANE.toml check ARCHIVE.zip
"""


class _Archive:
    """An archive that is being written; what it holds is noted as it is put in, in a file, not in memory."""

    def __init__(self, archive: zipfile.ZipFile, sums: IO[bytes]) -> None:
        self._archive, self._sums = archive, sums

    def put(self, name: str, content: bytes) -> None:
        """A picture is as small as it gets; all else is packed."""
        packed = zipfile.ZIP_STORED if Path(name).suffix in ENDINGS.values() else zipfile.ZIP_DEFLATED
        self._archive.writestr(name, content, packed)
        self._sums.write(f"{hashlib.sha256(content).hexdigest()}  {name}\n".encode())

    def end(self) -> None:
        """The list of all that is in it."""
        self._sums.seek(0)
        with self._archive.open(SUMS, "w") as listed:
            shutil.copyfileobj(self._sums, listed)


def write(path: Path, state: Path, items: Iterable[str], asked: Mapping[str, Any]) -> int:
    """Write what is known of items into a new archive; returns how many pictures are in it.

    asked: for `manifest.json`: the lane, and what was asked for.

    Raises:
        OSError: it cannot be written, or there is one already.
    """
    if path.exists():
        raise FileExistsError(f"{path}: is there already: name another file.")
    part, count = path.with_name(f".{path.name}.{os.getpid()}"), 0
    try:
        with zipfile.ZipFile(part, "w") as archive, TemporaryFile() as sums:
            written = _Archive(archive, sums)
            written.put(README, TOLD.encode())
            written.put(MANIFEST, _json({"format": FORMAT, **asked}))
            for item in items:
                count += _put_item(written, state, item)
            written.end()
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return count


def faults(path: Path) -> list[str]:
    """What of an archive is not as it was written; none: it is whole.

    Raises:
        EvidenceGone: it is no archive of ours.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            listed = _listed(archive)
            found = Counter(one.filename for one in archive.infolist() if one.filename != SUMS)
            both = listed.keys() & found.keys()
            return [
                *(f"{name}: stands there {count} times" for name, count in found.items() if count > 1),
                *(f"{name}: is missing" for name in listed.keys() - both),
                *(f"{name}: was added" for name in found.keys() - both),
                *(f"{name}: was changed" for name in both if not _is(archive, name, listed[name])),
            ]
    except NO_ARCHIVE as error:
        raise EvidenceGone(f"{path}: cannot be read as an archive of evidence ({error}): ask for it again.") from error


def _put_item(archive: _Archive, state: Path, item: str) -> int:
    """What the journal says of an item, and the pictures that are still there; returns how many."""
    folder, pictures, count = f"items/{_safe(item)}", [], 0
    for number, one in enumerate(of_item(state, item)):
        name = f"{number:03d}-{_safe(one.caption)}{ENDINGS.get(one.media_type, '')}"
        content, told = _content(state, one)
        if content is not None:
            archive.put(f"{folder}/{name}", content)
            count += 1
        pictures.append({**asdict(one), "file": name if content is not None else None, "gone": told})
    said = [{"wall_ns": wall_ns, "kind": kind, "body": body} for wall_ns, kind, body in story(state, item)]
    archive.put(
        f"{folder}/item.json",
        _json({"item": item, "versions": in_force(state, item), "pictures": pictures, "journal": said}),
    )
    return count


def _content(state: Path, one: Kept) -> tuple[bytes | None, str]:
    """A picture, or why it is there no longer."""
    try:
        return picture(state, one.sha256), ""
    except EvidenceGone as error:
        return None, str(error)


def _listed(archive: zipfile.ZipFile) -> dict[str, str]:
    """Name → SHA-256, as the archive itself has it."""
    if archive.getinfo(SUMS).file_size > MOST_SUMS:
        raise ValueError(f"{SUMS} is too long")
    lines = archive.read(SUMS).decode().splitlines()
    return {name: sha256 for sha256, name in (line.split("  ", 1) for line in lines)}


def _is(archive: zipfile.ZipFile, name: str, sha256: str) -> bool:
    """Whether a file in an archive is the one that was written; read piece by piece."""
    hashed = hashlib.sha256()
    try:
        with archive.open(name) as file:
            while piece := file.read(PIECE):
                hashed.update(piece)
    except (zipfile.BadZipFile, zlib.error):
        return False
    return hashed.hexdigest() == sha256


def _safe(name: str) -> str:
    """As a file may be called anywhere."""
    return UNSAFE.sub("_", name)[:LONGEST] or "_"


def _json(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, indent=1).encode()
