"""A lane's cameras as its settings name them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import zmq

from edge.cameras.cameras import AllCameras
from edge.cameras.gige import Chunks, GigeSource
from edge.cameras.grabber import Grabber
from edge.cameras.health import Health, View
from edge.cameras.node import NodeCameras
from edge.cameras.opencv import FolderSource, OpenCvSource
from edge.cameras.source import Source
from edge.config import CameraSettings
from edge.core.belt import Geometry
from edge.core.errors import CameraFault

FOLDER_RATE = 10.0  # pictures a second, where nothing is said


def all_cameras(
    cameras: Iterable[CameraSettings], context: zmq.Context[zmq.Socket[bytes]], geometry: Geometry
) -> AllCameras:
    """Those of nodes and those on this box.

    Raises:
        CameraFault: what a camera needs is not installed.
        ReferencesRefused: a view is missing or damaged.
    """
    nodes: defaultdict[str, list[str]] = defaultdict(list)
    grabbers = []
    for camera in cameras:
        if camera.node:
            nodes[camera.node].append(camera.name)
        else:
            silent_after_s = 0.0 if camera.triggered else camera.silent_after_s
            health = Health(View.load(camera.view), geometry.counts(geometry.view_mm) / 2) if camera.view else None
            grabbers.append(Grabber(camera.name, source(camera), silent_after_s, health))
    return AllCameras(
        [NodeCameras(context, node, names) for node, names in nodes.items()],
        grabbers,
        geometry.counts(geometry.tolerance_mm),
    )


def demand(camera: CameraSettings) -> None:
    """Open a camera of this box with all its settings, and close it again.

    Raises:
        CameraFault: all that it refuses.
        ReferencesRefused: its view is missing or damaged.
    """
    if camera.view:
        View.load(camera.view)
    if not camera.node:
        with opened(camera):
            pass


@contextmanager
def opened(camera: CameraSettings) -> Iterator[Source]:
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


def source(camera: CameraSettings) -> Source:
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
