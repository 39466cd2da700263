"""What OpenCV opens: USB cameras (V4L2), RTSP, video files, GStreamer pipelines; and folders of pictures."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from pathlib import Path

import cv2
import numpy as np

from edge.cameras.source import READ_S, Shot
from edge.core.belt import NS_PER_MS, NS_PER_S
from edge.core.errors import CameraFault, PictureUnreadable
from edge.core.messages import Image
from edge.pictures import read_picture

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff"})
PROPERTIES = {
    "width": cv2.CAP_PROP_FRAME_WIDTH,
    "height": cv2.CAP_PROP_FRAME_HEIGHT,
    "rate": cv2.CAP_PROP_FPS,
    "exposure": cv2.CAP_PROP_EXPOSURE,
    "auto_exposure": cv2.CAP_PROP_AUTO_EXPOSURE,
    "gain": cv2.CAP_PROP_GAIN,
    "white_balance": cv2.CAP_PROP_WB_TEMPERATURE,
    "focus": cv2.CAP_PROP_FOCUS,
}
"""Settings by name, in the driver's own units, and in the order in which they are set."""
FORMAT = "format"  # four letters: MJPG, YUYV, GREY
TOLERANCE = 0.01  # of a setting: drivers round
DEVICE = "/dev/"
OPEN_MS, READ_MS = 5000, 2000  # of a stream over the network
OLDEST_NS = 2 * NS_PER_S  # a driver's time of exposure that is older, or yet to come, is none

Setting = float | str


class OpenCvSource:
    """Anything that `cv2.VideoCapture` opens."""

    def __init__(self, where: str, settings: Mapping[str, Setting], *, live: bool = True) -> None:
        """Take a device, an address, a file or a pipeline, and what to set; live: it sets the pace itself."""
        self.about = where
        self._settings = settings
        self._live = live
        self._capture = cv2.VideoCapture()
        self._number = 0
        self._due_ns = 0

    def open(self) -> None:
        """As `Source.open`."""
        self._number, self._due_ns = 0, time.monotonic_ns()
        if not self._open():
            raise CameraFault("cannot be opened: is it there, and free? `tunnel-edge cameras list` shows what there is")
        if faults := list(self._refused()):
            raise CameraFault("; ".join(faults))

    def read(self) -> Shot | None:
        """As `Source.read`; blocks as long as the driver does."""
        there, image = self._capture.read()
        if not there:
            raise CameraFault("sends no more: check cable and power" if self._live else "has come to its end")
        if not self._live:
            self._pace()
        self._number += 1
        shown = np.asarray(image, np.uint8)
        shown.flags.writeable = False
        return Shot(shown, self._exposed_ns(), self._number)

    def lost(self) -> int:
        """OpenCV does not tell."""
        return 0

    def packets(self) -> Mapping[str, int]:
        """OpenCV does not tell."""
        return {}

    def settings(self) -> Mapping[str, tuple[str, str]]:
        """As `Source.settings`; what a driver takes is not told."""
        there = {name: self._capture.get(number) for name, number in PROPERTIES.items()}
        letters = _spelled(FORMAT, self._capture.get(cv2.CAP_PROP_FOURCC))
        return {FORMAT: (letters, "")} | {name: (f"{value:g}", "") for name, value in there.items() if value > 0}

    def close(self) -> None:
        """As `Source.close`."""
        self._capture.release()

    def _open(self) -> bool:
        if self.about.startswith(DEVICE):
            return self._capture.open(self.about, cv2.CAP_V4L2)
        if "!" in self.about:
            return self._capture.open(self.about, cv2.CAP_GSTREAMER)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, OPEN_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC, READ_MS]
        return self._capture.open(self.about, cv2.CAP_FFMPEG, limits)

    def _refused(self) -> Iterator[str]:
        """Set all there is to set, and read it back."""
        if FORMAT in self._settings:
            yield from self._set(FORMAT, cv2.CAP_PROP_FOURCC, _four_letters(self._settings[FORMAT]))
        for name, number in PROPERTIES.items():
            if name in self._settings:
                yield from self._set(name, number, float(self._settings[name]))

    def _set(self, name: str, number: int, value: float) -> Iterator[str]:
        self._capture.set(number, value)
        given = self._capture.get(number)
        if abs(given - value) > TOLERANCE * abs(value):
            yield f"does not take {name} = {self._settings[name]}: it stays at {_spelled(name, given)}"

    def _exposed_ns(self) -> int:
        """V4L2 tells when the driver got the frame, on the monotonic clock; else it is now."""
        now_ns = time.monotonic_ns()
        told_ns = round(self._capture.get(cv2.CAP_PROP_POS_MSEC) * NS_PER_MS)
        return told_ns if self._live and now_ns - OLDEST_NS < told_ns <= now_ns else now_ns

    def _pace(self) -> None:
        """A recording plays at its own rate."""
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._due_ns += round(NS_PER_S / rate) if rate > 0 else 0
        time.sleep(max(0.0, (self._due_ns - time.monotonic_ns()) / NS_PER_S))


class FolderSource:
    """The pictures of a folder one after the other, over and over, at `rate` a second."""

    def __init__(self, folder: Path, rate: float) -> None:
        self.about = str(folder)
        self._folder = folder
        self._rate = rate
        self._images: Iterator[Image] = iter(())
        self._number = 0

    def open(self) -> None:
        """As `Source.open`; all pictures are read, so that none is missed later."""
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.suffix.lower() in PICTURES)
            images = [read_picture(path) for path in paths]
        except (OSError, PictureUnreadable) as error:
            raise CameraFault(f"cannot be read: {error}") from error
        if not images:
            raise CameraFault("holds no picture: put some there, or name another folder")
        for image in images:
            image.flags.writeable = False
        self._images, self._number = cycle(images), 0
        self._due_ns = time.monotonic_ns()

    def read(self) -> Shot | None:
        """As `Source.read`."""
        left_s = (self._due_ns - time.monotonic_ns()) / NS_PER_S
        time.sleep(min(max(left_s, 0.0), READ_S))
        if left_s > READ_S:
            return None
        self._due_ns += round(NS_PER_S / self._rate)
        self._number += 1
        return Shot(np.asarray(next(self._images)), time.monotonic_ns(), self._number)

    def lost(self) -> int:
        """None: they are files."""
        return 0

    def packets(self) -> Mapping[str, int]:
        """There are none."""
        return {}

    def settings(self) -> Mapping[str, tuple[str, str]]:
        """Its rate."""
        return {"rate": (f"{self._rate:g}", "")}

    def close(self) -> None:
        """Let the pictures go."""
        self._images = iter(())


def _four_letters(name: Setting) -> float:
    return float(int.from_bytes(str(name).encode()[:4], "little"))


def _spelled(name: str, value: float) -> str:
    if name != FORMAT:
        return f"{value:g}"
    return int(value).to_bytes(4, "little", signed=False).decode("ascii", "replace")
