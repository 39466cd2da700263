"""A film of the lane's items, for a camera that plays a file: as a site would try one beside its real cameras."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path

import cv2

from edge.core.errors import DemoFailed
from edge.core.messages import Image

CAMERA = "film"
RATE = 10.0  # frames a second
SIZE_PX = (320, 240)


def shoot(pictures: Iterable[Image], seconds: float, path: Path) -> None:
    """Write one picture after the other, over and over, as a film (MJPG, `.avi`).

    Raises:
        DemoFailed: OpenCV cannot write it.
    """
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), RATE, SIZE_PX)
    if not film.isOpened():
        raise DemoFailed(f"{path}: OpenCV writes no film there.")
    small = [cv2.resize(picture, SIZE_PX, interpolation=cv2.INTER_AREA) for picture in pictures]
    for picture in islice(cycle(small), round(seconds * RATE)):
        film.write(picture)
    film.release()
