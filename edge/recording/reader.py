"""Reads a recording; what is damaged, edited, cut off or of another version is refused before it is replayed."""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from pydantic import ValidationError

from edge.core.errors import MalformedMessage, RecordingRefused
from edge.core.frames import MAX_PIXEL_BYTES
from edge.core.messages import Image
from edge.core.topics import SCHEMA, TABLE
from edge.core.wire import decode
from edge.recording.lines import FORMAT, FRAMES, HEAD, HEADS, LINES, LONGEST_LINE, SETTINGS, TAPE, Head, Line, ToldFrame

LONGEST_HEAD = 16 * 2**20
PNG_BEGINS, PNG_HEADER_BYTES = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", 26
CHANNELS = {0: 1, 2: 3}  # of the PNG colour types that a frame can have
TOPICS = {topic.name: topic for topic in TABLE}
RESTORE = "restore it from a copy, or record anew"


class Recording:
    """A recording that is whole."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            RecordingRefused: it is missing, damaged, or of another version.
        """
        self.folder = folder
        self.head = _head(folder / HEAD)
        self.settings = folder / SETTINGS
        if self.head.ended:
            for name, sha256 in self.head.ended.sha256.items():
                _demand(folder, name, sha256)

    def demand_end(self) -> None:
        """Refuse one that was cut off.

        Raises:
            RecordingRefused: it was not brought to its end.
        """
        if self.head.ended is None:
            raise RecordingRefused(
                f"{self.folder}: the recording was cut off (killed, or the power failed): "
                "add --as-far-as-it-goes to replay what there is."
            )

    def lines(self) -> Iterator[Line]:
        """Turn by turn, in the order of their times; what was cut off ends with its last whole line.

        Raises:
            RecordingRefused: a line breaks the format.
        """
        last_ns = 0
        for number, text in enumerate(self._texts(), 1):
            line = self._line(number, text)
            if list(line.instants_ns) != sorted(line.instants_ns) or line.instants_ns[0] < last_ns:
                raise self._refusal(number, "its times run backwards")
            last_ns = line.instants_ns[-1]
            yield line

    def picture(self, frame: ToldFrame) -> Image:
        """What a frame showed, read-only.

        Raises:
            RecordingRefused: its file is missing, or another.
        """
        path = self.folder / FRAMES / f"{frame.sha256}.png"
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RecordingRefused(f"{path}: {error.strerror}: {RESTORE}.") from error
        if hashlib.sha256(content).hexdigest() != frame.sha256 or not _is_frame(content):
            raise RecordingRefused(f"{path}: this is not the picture that was recorded: {RESTORE}.")
        image = np.asarray(cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED), np.uint8)
        image.flags.writeable = False
        return image

    def _texts(self) -> Iterator[bytes]:
        path = self.folder / TAPE
        try:
            with gzip.open(path) as tape:
                while text := tape.readline(LONGEST_LINE):
                    yield text
        except (OSError, EOFError, zlib.error) as error:
            if self.head.ended is not None:
                raise RecordingRefused(f"{path}: cannot be read ({error}): {RESTORE}.") from error

    def _line(self, number: int, text: bytes) -> Line:
        try:
            line = LINES.validate_json(text)
            for name, said in line.said.items():
                for _, fields in said:
                    decode(TOPICS[name], json.dumps({**fields, "schema": SCHEMA}).encode())
        except ValidationError as error:
            raise self._refusal(number, str(error.errors()[0]["msg"])) from error
        except (MalformedMessage, KeyError, ValueError, RecursionError) as error:
            raise self._refusal(number, f"what was said breaks the protocol: {str(error)[:80]}") from error
        return line

    def _refusal(self, number: int, why: str) -> RecordingRefused:
        return RecordingRefused(f"{self.folder / TAPE}: line {number} is no turn of a loop ({why}): {RESTORE}.")


def _head(path: Path) -> Head:
    try:
        with path.open("rb") as file:
            table = json.loads(file.read(LONGEST_HEAD))
        if isinstance(table, dict) and table.get("format") != FORMAT:
            raise RecordingRefused(
                f"{path}: format {str(table.get('format'))[:20]}, this version reads {FORMAT}: "
                f"replay it with the tunnel-edge that made it ({str(table.get('made_by'))[:20]})."
            )
        return HEADS.validate_python(table)
    except OSError as error:
        raise RecordingRefused(f"{path}: {error.strerror}: name a folder that `tunnel-edge record` made.") from error
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        raise RecordingRefused(f"{path}: {place}: {fault['msg']}: {RESTORE}.") from error
    except (ValueError, RecursionError) as error:
        raise RecordingRefused(f"{path}: no JSON ({str(error)[:80]}): {RESTORE}.") from error


def _demand(folder: Path, name: str, sha256: str) -> None:
    if name not in (TAPE, SETTINGS):
        raise RecordingRefused(f"{folder / HEAD}: names a strange file: {RESTORE}.")
    try:
        with (folder / name).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise RecordingRefused(f"{folder / name}: {error.strerror}: {RESTORE}.") from error
    if found != sha256:
        raise RecordingRefused(f"{folder / name}: was changed since it was recorded: {RESTORE}.")


def _is_frame(content: bytes) -> bool:
    """A PNG of 8 bits a channel, mono or BGR, that is no larger than a frame may be."""
    head = content[:PNG_HEADER_BYTES]
    if len(head) < PNG_HEADER_BYTES or not head.startswith(PNG_BEGINS) or head[24] != 8 or head[25] not in CHANNELS:
        return False
    width, height = (int.from_bytes(head[at : at + 4], "big") for at in (16, 20))
    return 0 < width * height * CHANNELS[head[25]] <= MAX_PIXEL_BYTES
