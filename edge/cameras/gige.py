"""GenICam cameras (GigE Vision, USB3 Vision) through Aravis: found, set by their own features, read without a copy."""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import importlib
import time
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from edge.cameras.source import READ_S, Shot
from edge.core.errors import CameraFault
from edge.core.messages import Image

BUFFERS = 16  # in memory: what the loop and the inspection hold, and what the next frames are written to
ALIVE_AFTER_S = 1.0  # of silence: then a register is read, which fails where the camera is gone
US_PER_S = 1e6
TOLERANCE = 0.01  # of a number that is read back: cameras round
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

Feature = bool | int | float | str


class GigeSource:
    """One camera, by its id (`Vendor-Model-Serial`), serial number or address."""

    def __init__(self, which: str, features: Mapping[str, Feature]) -> None:
        """Take its name and the GenICam features to set, in their order."""
        self.about = which
        self._features = features
        self._aravis = aravis()
        self._camera: Any = None
        self._stream: Any = None
        self._memory: dict[Any, ctypes.Array[ctypes.c_uint8]] = {}  # buffer → what it writes to
        self._format = ""
        self._heard_s = 0.0

    def open(self) -> None:
        """As `Source.open`."""
        try:
            self._camera = self._aravis.Camera.new(self._device_id())
            if faults := list(self._refused()):
                raise CameraFault("; ".join(faults))
            self._begin()
        except _gobject_error() as error:
            there = ", ".join(one["id"] for one in found()) or "none"
            raise CameraFault(f"cannot be opened ({error}); cameras that answer: {there}") from error
        self._heard_s = time.monotonic()

    def read(self) -> Shot | None:
        """As `Source.read`."""
        buffer = self._stream.timeout_pop_buffer(round(READ_S * US_PER_S))
        if buffer is None:
            self._demand_life()
            return None
        self._heard_s = time.monotonic()
        if buffer.get_status() != self._aravis.BufferStatus.SUCCESS:
            self._stream.push_buffer(buffer)
            return None
        late_ns = time.time_ns() - buffer.get_system_timestamp()
        return Shot(self._image(buffer), time.monotonic_ns() - max(late_ns, 0), buffer.get_frame_id())

    def lost(self) -> int:
        """Frames with missing packets, and those for which no memory was free."""
        if self._stream is None:
            return 0
        _, failed, without_memory = self._aravis.Stream.get_statistics(self._stream)  # a GvStream counts packets
        return int(failed + without_memory)

    def close(self) -> None:
        """As `Source.close`; frames that somebody still holds keep their memory."""
        if self._camera is not None:
            with contextlib.suppress(_gobject_error()):  # it may be gone
                self._camera.stop_acquisition()
        self._stream = None  # ours is the only reference: its thread ends here, before the memory goes it writes to
        self._camera = None
        self._memory = {}

    def _device_id(self) -> str:
        """The id of the camera that is meant; what is unknown may be an address, which Aravis asks itself."""
        return next((one["id"] for one in found() if one["serial"] == self.about), self.about)

    def _refused(self) -> Iterator[str]:
        """Set all features, and read each back."""
        device = self._camera.get_device()
        for name, value in self._features.items():
            if not device.is_feature_available(name):
                near = difflib.get_close_matches(name, list(_names(device.get_genicam())), 1)
                yield f"has no feature {name}" + (f": did you mean {near[0]}?" if near else "")
            elif fault := _set(device, name, value):
                yield fault
        self._format = str(self._camera.get_pixel_format_as_string())
        if self._format not in FORMATS:
            yield f"sends {self._format}, which is not known here: set PixelFormat to one of {', '.join(FORMATS)}"

    def _begin(self) -> None:
        self._stream = self._camera.create_stream(None, None)
        size = self._camera.get_payload()
        for _ in range(BUFFERS):
            memory = (ctypes.c_uint8 * size)()
            buffer = self._aravis.Buffer.new(size, ctypes.addressof(memory))
            self._memory[buffer] = memory
            self._stream.push_buffer(buffer)
        self._camera.start_acquisition()

    def _demand_life(self) -> None:
        """A camera that waits for triggers is silent; one that is gone, or was restarted, is not heard again."""
        device = self._camera.get_device()
        if not getattr(device, "is_controller", lambda: True)():  # the heartbeat found that it obeys us no longer
            raise CameraFault("was restarted, or another program has taken it: check its power")
        if time.monotonic() - self._heard_s < ALIVE_AFTER_S:
            return
        try:
            self._camera.get_payload()
        except _gobject_error() as error:
            raise CameraFault(f"does not answer ({error}): check cable and power") from error
        self._heard_s = time.monotonic()

    def _image(self, buffer: Any) -> Image:
        """The buffer as a picture; it goes back to the camera when nobody holds its memory any longer."""
        pixels = np.frombuffer(memoryview(self._memory[buffer]).cast("B"), np.uint8)
        weakref.finalize(pixels, _give_back, weakref.ref(self._stream), buffer)
        shape = buffer.get_image_height(), buffer.get_image_width()
        return decoded(pixels, shape, self._format)


def decoded(pixels: npt.NDArray[np.uint8], shape: tuple[int, int], kind: str) -> Image:
    """A buffer of GenICam's PixelFormat `kind` as BGR or mono, read-only; what OpenCV takes as it is shares its memory.

    shape: height and width, px.
    """
    count = shape[0] * shape[1]
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


def _give_back(stream: weakref.ref[Any], buffer: Any) -> None:
    if (alive := stream()) is not None:
        alive.push_buffer(buffer)


def aravis() -> Any:
    """The library.

    Raises:
        CameraFault: it is not installed.
    """
    try:
        import gi

        gi.require_version("Aravis", "0.8")
        return importlib.import_module("gi.repository.Aravis")
    except (ImportError, ValueError) as error:
        raise CameraFault(
            f"needs Aravis ({error}): install Debian's gir1.2-aravis-0.8, and `pip install 'tunnel-edge[gige]'`"
        ) from error


def found() -> list[dict[str, str]]:
    """The cameras that answer on the network and on USB: id, vendor, model, serial, address, protocol.

    Raises:
        CameraFault: the library is not installed.
    """
    library = aravis()
    library.update_device_list()
    asked = {
        "id": library.get_device_id,
        "vendor": library.get_device_vendor,
        "model": library.get_device_model,
        "serial": library.get_device_serial_nbr,
        "address": library.get_device_address,
        "protocol": library.get_device_protocol,
    }
    return [{name: str(ask(index)) for name, ask in asked.items()} for index in range(library.get_n_devices())]


def _set(device: Any, name: str, value: Feature) -> str:
    """Set a feature by the type of its node, and read it back; what is wrong, or empty."""
    kind = type(device.get_feature(name)).__name__
    try:
        if kind.startswith(("GcInteger", "GcFloat", "GcSwissKnife", "GcConverter")):
            return _set_number(device, name, float(value), "integer" if "Int" in kind else "float")
        if kind == "GcBoolean":
            device.set_boolean_feature_value(name, bool(value))
        elif kind == "GcEnumeration":
            entries = device.dup_available_enumeration_feature_values_as_strings(name)
            if str(value) not in entries:
                return f"does not take {name} = {value}: give one of {', '.join(entries)}"
            device.set_string_feature_value(name, str(value))
        else:
            device.set_string_feature_value(name, str(value))
    except (_gobject_error(), ValueError) as error:
        return f"does not take {name} = {value} ({error})"
    return ""


def _set_number(device: Any, name: str, value: float, kind: str) -> str:
    """Cameras are asked for the range first: some take what is beyond it, and send nothing."""
    least, most = getattr(device, f"get_{kind}_feature_bounds")(name)
    if not least <= value <= most:
        return f"does not take {name} = {value:g}: give {least:g} to {most:g}"
    given = int(value) if kind == "integer" else value
    getattr(device, f"set_{kind}_feature_value")(name, given)
    kept = getattr(device, f"get_{kind}_feature_value")(name)
    off = abs(kept - given) > TOLERANCE * abs(given)
    return f"does not take {name} = {value:g}: it stays at {kept:g}" if off else ""


def _names(genicam: Any, category: str = "Root") -> Iterator[str]:
    """Of all features, category by category."""
    node = genicam.get_node(category)
    if type(node).__name__ != "GcCategory":
        yield category
        return
    for name in node.get_features():
        yield from _names(genicam, str(name))


def _gobject_error() -> type[Exception]:
    error: type[Exception] = importlib.import_module("gi.repository.GLib").Error
    return error
