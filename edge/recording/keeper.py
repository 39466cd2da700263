"""The files of a recording as they are written, piece by piece; whatever stops that, what is written stays good."""

from __future__ import annotations

import gzip
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import cv2

from edge.core.errors import RecordingRefused
from edge.core.messages import Frame, ItemEnd
from edge.core.topics import INDUCT
from edge.recording.lines import FRAMES, HEAD, JOURNAL, SETTINGS, TAPE, Ended, Head, line_of
from edge.recording.reference import lines_of
from edge.recording.tape import Turn
from edge.recording.taught import fingerprints

PIECE_BYTES = 32_768  # of the tape, before it is packed: what a kill can lose
QUICK = (cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_SUB)


def new_folder(folder: Path) -> Path:
    """An empty folder for a recording.

    Raises:
        RecordingRefused: it cannot be made, or holds something.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise RecordingRefused(f"{folder}: there is something in it already: name a new folder.")
    except OSError as error:
        raise RecordingRefused(f"{folder}: {error.strerror}: name a folder that can be made.") from error
    return folder


class Keeper:
    """Keeps turns in a folder."""

    def __init__(self, folder: Path, head: Head, settings: bytes, references: Path) -> None:
        """Begin.

        references: what the products are judged by; their fingerprints are kept.

        Raises:
            RecordingRefused: the folder cannot be written to.
        """
        self.bytes = 0  # written
        self.pictures = 0  # seen to
        self._folder, self._head, self._references = folder, head, references
        self._gtins: set[str] = set()
        self._turns = self._items = self._kept_turns = self._kept_items = 0
        self._lines: list[bytes] = []
        self._decided: list[bytes] = []
        self._tape_sha256 = hashlib.sha256()
        self._settings_sha256 = hashlib.sha256(settings).hexdigest()
        try:
            (folder / FRAMES).mkdir()
            (folder / SETTINGS).write_bytes(settings)
            self._write_head(None)
            self._tape, self._journal = ((folder / name).open("wb", buffering=0) for name in (TAPE, JOURNAL))
        except OSError as error:
            raise RecordingRefused(f"{folder}: {error.strerror}: make room, or name another folder.") from error

    def keep(self, turn: Turn) -> None:
        """Keep a turn: its pictures now, the rest with the next piece."""
        pictures = {
            number: self._picture(frame)
            for number, frame in enumerate(turn.frames)
            if (frame.camera, frame.frame_id) in turn.shown
        }
        self.pictures += len(turn.shown)
        self._lines.append(line_of(turn, pictures))
        told = lines_of(turn.records, turn.instants_ns[-1], self._head.start.began_ns)
        self._decided += (f"{line}\n".encode() for line in told)
        self._gtins.update(fields["gtin"] for _, fields in turn.said.get(INDUCT.name, ()))
        self._turns += len(turn.instants_ns)
        self._items += sum(isinstance(one, ItemEnd) for one in turn.records)
        if sum(map(len, self._lines)) >= PIECE_BYTES:
            self._write_piece()

    def close(self, because: str) -> None:
        """Write what is left, and how it ended."""
        if self._lines:
            self._write_piece()
        self._end(because)

    def give_up(self, because: str) -> None:
        """Say how it ended, if that can still be written; what is left is lost."""
        with suppress(OSError):
            self._end(because)

    def _end(self, because: str) -> None:
        for file in (self._tape, self._journal):
            file.close()
        sha256 = {TAPE: self._tape_sha256.hexdigest(), SETTINGS: self._settings_sha256}
        taught = fingerprints(self._references, self._gtins)
        ended = Ended(because=because, turns=self._kept_turns, items=self._kept_items, sha256=sha256, references=taught)
        self._write_head(ended)

    def _picture(self, frame: Frame) -> str:
        """Save it, once; the SHA-256 of its file."""
        content = cv2.imencode(".png", frame.image, QUICK)[1].tobytes()
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._folder / FRAMES / f"{sha256}.png"
        if not path.exists():
            path.write_bytes(content)
            self.bytes += len(content)
        return sha256

    def _write_piece(self) -> None:
        piece = gzip.compress(b"".join(self._lines), mtime=0)  # a file of several gzip pieces is a gzip file
        decided = b"".join(self._decided)
        places = {file: file.tell() for file in (self._tape, self._journal)}
        try:
            _write(self._journal, decided)  # first: what it says beyond the tape is left out in a replay
            _write(self._tape, piece)
        except OSError:
            with suppress(OSError):
                for file, place in places.items():
                    file.truncate(place)
            raise
        self._tape_sha256.update(piece)
        self.bytes += len(piece) + len(decided)
        self._kept_turns, self._kept_items = self._turns, self._items
        self._lines.clear()
        self._decided.clear()

    def _write_head(self, ended: Ended | None) -> None:
        """In one step: a reader sees the old one or the new one."""
        partial = self._folder / f"{HEAD}.part"
        partial.write_text(self._head.model_copy(update={"ended": ended}).model_dump_json(indent=1) + "\n")
        partial.replace(self._folder / HEAD)


def _write(file: BinaryIO, content: bytes) -> None:
    """All of it: a disk that is nearly full takes a part, and refuses the next."""
    while content:
        content = content[file.write(content) :]
