"""Cameras as the settings of a lane, or of a node, name them."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import zmq

from edge.cameras.cameras import AllCameras, spacing
from edge.cameras.drift import Calibrated
from edge.cameras.feed import FeedCameras
from edge.cameras.gige import Chunks, GigeSource
from edge.cameras.grabber import Grabber
from edge.cameras.health import Health
from edge.cameras.line import Context, Peer, ask
from edge.cameras.node import NodeCameras
from edge.cameras.opencv import FolderSource, OpenCvSource
from edge.cameras.source import Source
from edge.cameras.usual import View
from edge.config import Config
from edge.core.belt import Geometry
from edge.core.calibration import Calibration
from edge.core.errors import CameraFault, ConfigError, ReferencesRefused
from edge.core.plane import Plane
from edge.keys import own, public
from edge.settings import CameraSettings, LocalCamera, NodesSettings

VIEW = "view.npz"  # beside a calibration: what was seen then, as `tunnel-edge cameras learn` writes it
FOLDER_RATE = 10.0  # pictures a second, where nothing is said

log = logging.getLogger(__name__)


def all_cameras(config: Config, geometry: Geometry, context: Context) -> AllCameras:
    """Those of nodes and feeds, and those on this box.

    geometry: that of the settings, or of the calibrations in force.

    Raises:
        CameraFault: what a camera needs is not installed.
        ConfigError: a key cannot be used.
        ReferencesRefused: a view is missing or damaged.
    """
    nodes: defaultdict[Peer, list[str]] = defaultdict(list)
    feeds: defaultdict[str, list[str]] = defaultdict(list)
    grabbers = []
    for camera in config.camera:
        if camera.node_key:
            nodes[peer(camera, config.nodes)].append(camera.name)
        elif camera.node:
            feeds[camera.node].append(camera.name)
        else:
            grabbers.append(grabber(camera, spacing(geometry)))
    return AllCameras(
        [FeedCameras(context, endpoint, names) for endpoint, names in feeds.items()],
        grabbers,
        [NodeCameras(context, one, names, geometry) for one, names in nodes.items()],
        geometry.counts(geometry.tolerance_mm),
    )


def grabber(camera: LocalCamera, spaced_counts: float) -> Grabber:
    """A camera at this machine, with its thread.

    spaced_counts: how far the belt must have run between two frames that are held against its view.

    Raises:
        CameraFault: what it needs is not installed.
        ReferencesRefused: its view is missing or damaged.
    """
    silent_after_s = 0.0 if camera.triggered else camera.silent_after_s
    health = Health(View.load(camera.view), spaced_counts) if camera.view else None
    return Grabber(camera.name, source(camera), silent_after_s, health)


def peer(camera: CameraSettings, nodes: NodesSettings | None) -> Peer:
    """The node of a camera.

    Raises:
        ConfigError: a key cannot be used.
    """
    if nodes is None or camera.node_key is None or camera.node is None:
        raise ConfigError(f"camera '{camera.name}' is at no node with keys: give node, node_key and [nodes] key.")
    return Peer(camera.node, public(camera.node_key), own(nodes.key))


def demand(camera: LocalCamera) -> None:
    """Open a camera of this machine with all its settings, and close it again.

    Raises:
        CameraFault: all that it refuses.
        ReferencesRefused: its view is missing or damaged.
    """
    if camera.view:
        View.load(camera.view)
    with opened(camera):
        pass


def demand_node(camera: CameraSettings, nodes: NodesSettings | None) -> None:
    """Ask a camera's node how it is; a feed cannot be asked.

    Raises:
        CameraFault: the node does not answer, or something is wrong with the camera.
        ConfigError: a key cannot be used.
    """
    where, asked = f"camera '{camera.name}' (node {camera.node})", peer(camera, nodes)
    with zmq.Context() as context:
        try:
            cameras = ask(context, asked).cameras
        except CameraFault as error:
            raise CameraFault(f"{where} {error}") from error
    if camera.name not in cameras:
        raise CameraFault(f"{where} is unknown there: the node has {', '.join(cameras)}")
    if cameras[camera.name].fault:
        raise CameraFault(f"{cameras[camera.name].fault} (node {camera.node})")
    if cameras[camera.name].triggered != camera.triggered:
        raise CameraFault(f"{where} has triggered = {camera.triggered} here, and not there: say the same in both")


@contextmanager
def opened(camera: LocalCamera) -> Iterator[Source]:
    """A camera of this box that sends, and is closed in the end; its faults are told by its name.

    Raises:
        CameraFault: all that it refuses, or what goes wrong while it is open.
    """
    one = source(camera)
    try:
        one.open()
        yield one
    except CameraFault as error:
        raise CameraFault(f"camera '{camera.name}' ({one.about}) {error}") from error
    finally:
        one.close()


def source(camera: LocalCamera) -> Source:
    """A camera on this box.

    Raises:
        CameraFault: what it needs is not installed.
    """
    if camera.gige:
        return GigeSource(camera.gige, camera.features, Chunks(camera.chunks.encoder, camera.chunks.timestamp))
    where = str(camera.opencv)
    if Path(where).is_dir():
        return FolderSource(Path(where), float(camera.settings.get("rate", FOLDER_RATE)))
    settings = {str(name): value for name, value in camera.settings.items()}
    return OpenCvSource(where, settings, live=not Path(where).is_file())


class CalibratedCameras:
    """What each camera of this box was calibrated to: its calibration that is believed, and its view."""

    def __init__(
        self, config: Config, believed: Callable[[str], Calibration | None], beside: Callable[[str], Path]
    ) -> None:
        """Take whom to ask for a calibration by name, and where what lies beside one is, by its SHA-256."""
        self._views = {camera.name: camera.view for camera in config.camera}
        self._believed, self._beside = believed, beside
        self._known: dict[str, tuple[int, Calibrated | None]] = {}  # with the version

    def __call__(self, camera: str) -> Calibrated | None:
        """None: it has no calibration or no view, or these cannot be used."""
        one = self._believed(f"camera.{camera}")
        if one is None:
            return None
        version, known = self._known.get(camera, (0, None))
        if version != one.version:
            known = self._read(camera, one)
            self._known[camera] = one.version, known
        return known

    def _read(self, camera: str, one: Calibration) -> Calibrated | None:
        """What was seen when it was calibrated goes before the camera's view."""
        digest = one.files.get(VIEW)
        path = self._beside(digest) if digest else self._views.get(camera)
        if path is None:
            return None
        try:
            to_srgb = np.array(one.values["to_srgb"], float).reshape(3, 3)
            np.linalg.inv(to_srgb)
            return Calibrated(one.version, Plane.of(one.values), to_srgb, View.load(path))
        except (KeyError, ValueError, TypeError, ReferencesRefused) as error:
            log.warning("%s version %d: its drift cannot be watched (%s)", one.name, one.version, error)
            return None
