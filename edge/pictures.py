"""Reading picture files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from edge.core.errors import PictureUnreadable
from edge.core.messages import Image


def read_picture(path: Path) -> Image:
    """A picture file as BGR, height × width × 3.

    Raises:
        PictureUnreadable: missing, empty, or no picture.
    """
    try:
        content = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise PictureUnreadable(f"{path}: {error.strerror}: name a readable picture.") from error
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    if image is None:
        raise PictureUnreadable(f"{path}: no picture that OpenCV can read: replace it or leave it out.")
    return np.asarray(image, np.uint8)
