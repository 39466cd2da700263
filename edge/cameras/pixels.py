"""GenICam's pixel formats as pictures: what OpenCV takes as it is shares the buffer's memory."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from edge.core.errors import CameraFault
from edge.core.messages import Image

TO_BGR = {
    "BayerRG8": cv2.COLOR_BayerRGGB2BGR,
    "BayerGR8": cv2.COLOR_BayerGRBG2BGR,
    "BayerGB8": cv2.COLOR_BayerGBRG2BGR,
    "BayerBG8": cv2.COLOR_BayerBGGR2BGR,
    "RGB8": cv2.COLOR_RGB2BGR,
}
"""What OpenCV makes BGR of, in one pass."""
PLAIN = {"Mono8": 1, "BGR8": 3}
"""What it takes as it is, and how many channels that has."""
DEEP = {"Mono10": 10, "Mono12": 12, "Mono14": 14, "Mono16": 16}
"""Two bytes a pixel, and how many bits of them count; the upper eight are kept."""
FORMATS = (*PLAIN, *TO_BGR, *DEEP)


def decoded(pixels: npt.NDArray[np.uint8], shape: tuple[int, int], kind: str) -> Image:
    """A buffer of GenICam's PixelFormat `kind` as BGR or mono, read-only; what OpenCV takes as it is shares its memory.

    shape: height and width, px.

    Raises:
        CameraFault: the buffer is too small for that.
    """
    count = shape[0] * shape[1]
    if len(pixels) < count * bytes_of(kind):
        size = f"{shape[1]} × {shape[0]} px ({kind})"
        raise CameraFault(f"says that it sends {size}, but {len(pixels)} bytes come: set its Width and Height anew")
    if kind in DEEP:
        deep = pixels[: 2 * count].view("<u2").reshape(shape)
        image: cv2.typing.MatLike = cv2.convertScaleAbs(deep, alpha=0.5 ** (DEEP[kind] - 8))
    elif kind in TO_BGR:
        channels = 3 if kind == "RGB8" else 1
        image = cv2.cvtColor(pixels[: channels * count].reshape(*shape, -1), TO_BGR[kind])
    else:
        image = pixels[: PLAIN[kind] * count].reshape(shape if PLAIN[kind] == 1 else (*shape, PLAIN[kind]))
    shown = np.asarray(image, np.uint8)
    shown.flags.writeable = False
    return shown


def bytes_of(kind: str) -> int:
    """Of a pixel, in the buffer."""
    return 2 if kind in DEEP else 3 if kind == "RGB8" else PLAIN.get(kind, 1)
