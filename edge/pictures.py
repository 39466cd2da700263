"""Reading picture files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import PictureUnreadable
from edge.core.messages import Image


def read_picture(path: Path) -> Image:
    """A picture file: uint8, height × width × 3, BGR.

    Raises:
        PictureUnreadable: missing, empty or no picture.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error
    return decoded(content, path)


def decoded(content: bytes, name: Path | str) -> Image:
    """A picture file's content: uint8, height × width × 3, BGR; name: what to call it.

    Raises:
        PictureUnreadable: empty or no picture.
    """
    try:
        image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:  # what OpenCV says of an empty file
        raise _unreadable(name, "empty") from error
    if image is None:
        raise _unreadable(name, "no picture")
    return np.asarray(image, np.uint8)


def _unreadable(path: Path | str, why: str) -> PictureUnreadable:
    return PictureUnreadable(f"{path}: {why}: put a picture there, or leave it out.")
