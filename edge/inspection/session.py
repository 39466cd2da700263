"""Models: a folder with `model.onnx` and `manifest.toml`, verified before it may judge."""

from __future__ import annotations

import hashlib
import logging
import threading
import time
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

from edge.core.errors import ModelRefused
from edge.inspection.runtime import OPENVINO, SHIPPED, Chosen, Runtime

log = logging.getLogger(__name__)

WARM_UP = 3  # runs at the start: the first ones lay out memory and choose kernels
FREE_PX = 320  # a side that the graph leaves open, while it is warmed

Tensor = npt.NDArray[np.float32]

_LEVELS = np.arange(256, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model's folder says of it."""

    check: str
    version: str
    sha256: str  # of model.onnx: by it, references and heads know what they were made with
    graphs: Mapping[str, str]  # file → SHA-256: model.onnx, and the float32 one where it is shipped beside it
    tolerance: Mapping[str, float]  # how far another way to run it may be off, by measure (`edge.select`)
    origin: str
    licence: str
    mean: tuple[float, float, float]  # in 0…255, channel order as `channels`
    std: tuple[float, float, float]
    channels: str  # RGB or BGR: what the graph expects
    extra: Mapping[str, Any]  # the check's own keys: feature layers, vocabulary file, …

    def batch(self, picture: npt.NDArray[np.uint8]) -> Tensor:
        """A picture (height × width × 3, channels as the graph expects) as 1 × 3 × height × width, normalised."""
        batch = np.empty((1, 3, *picture.shape[:2]), np.float32)
        for channel, (mean, std) in enumerate(zip(self.mean, self.std, strict=True)):
            normalised = (_LEVELS - np.float32(mean)) / np.float32(std)
            cv2.LUT(np.ascontiguousarray(picture[..., channel]), normalised, dst=batch[0, channel])
        return batch


class Session:
    """A verified model, warm, in ONNX Runtime; safe to share between workers."""

    def __init__(self, manifest: Manifest, session: onnxruntime.InferenceSession) -> None:
        self.manifest = manifest
        self._session = session
        self._input = session.get_inputs()[0].name
        self._spent = threading.local()

    @classmethod
    def load(cls, folder: Path, chosen: Chosen = MappingProxyType({})) -> Self:
        """Open the model in `folder`, and warm it up.

        chosen: how models run on this box, as measured; what it does not know runs as shipped.

        Raises:
            ModelRefused: no manifest, another hash than the manifest's, or a graph that ONNX Runtime refuses.
        """
        manifest = read_manifest(folder)
        if chosen and manifest.sha256 not in chosen:
            log.warning("%s was never measured on this box: run `tunnel-edge models select`", folder)
        return cls.open(folder, manifest, chosen.get(manifest.sha256, SHIPPED))

    @classmethod
    def open(cls, folder: Path, manifest: Manifest, runtime: Runtime) -> Self:
        """Open one of a model's graphs in one way.

        Raises:
            ModelRefused: there is no such graph, it has another hash than the manifest's, or ONNX Runtime refuses it.
        """
        if runtime.graph not in manifest.graphs:
            raise ModelRefused(f"{folder}: the manifest knows no {runtime.graph}: run `tunnel-edge models select`.")
        model = verified_bytes(folder / runtime.graph, manifest.graphs[runtime.graph])
        try:
            session = onnxruntime.InferenceSession(model, _options(runtime), providers=_providers(runtime))
        except Exception as error:
            raise ModelRefused(f"{folder}: ONNX Runtime refuses the graph ({error}): run `make models`.") from error
        _warm(session)
        return cls(manifest, session)

    def run(self, batch: Tensor) -> list[Tensor]:
        """Run the graph on `batch` (float32, N × 3 × H × W, normalised); returns its outputs in order."""
        start_ns = time.perf_counter_ns()
        outputs: list[Tensor] = self._session.run(None, {self._input: batch})
        self._spent.ns = self.spent_ns + time.perf_counter_ns() - start_ns
        return outputs

    @property
    def spent_ns(self) -> int:
        """Time this thread has spent inside `InferenceSession.run`."""
        spent: int = getattr(self._spent, "ns", 0)
        return spent


def newest(models: Path, check: str) -> Path:
    """The folder of the highest version of a check's model.

    Raises:
        ModelRefused: there is none.
    """
    versions = [folder for folder in (models / check).glob("*") if (folder / "manifest.toml").is_file()]
    if not versions:
        raise ModelRefused(f"{models / check}: no model here: run `make models`, or set [inspection] models.")
    return max(versions, key=lambda folder: tuple(int(part) for part in folder.name.split(".")))


def read_manifest(folder: Path) -> Manifest:
    """Read `manifest.toml`.

    Raises:
        ModelRefused: it is missing, no TOML, or lacks a key.
    """
    path = folder / "manifest.toml"
    try:
        table = tomllib.loads(path.read_text())
        return Manifest(
            check=table["check"],
            version=table["version"],
            sha256=table["sha256"],
            graphs=_graphs(table),
            tolerance=table.get("tolerance", {}),
            origin=table["origin"],
            licence=table["licence"],
            mean=tuple(table["normalisation"]["mean"]),
            std=tuple(table["normalisation"]["std"]),
            channels=table["normalisation"]["channels"],
            extra=table.get("extra", {}),
        )
    except (OSError, KeyError, tomllib.TOMLDecodeError) as error:
        raise ModelRefused(f"{path}: unreadable manifest ({error!r}): run `make models`.") from error


def verified_bytes(path: Path, sha256: str) -> bytes:
    """The file's bytes, if their hash is `sha256`.

    Raises:
        ModelRefused: it is missing, or another file than the manifest speaks of.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelRefused(f"{path}: cannot be read ({error.strerror}): run `make models`.") from error
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ModelRefused(
            f"{path}: its SHA-256 is {found[:12]}…, the manifest says {sha256[:12]}…: "
            "the file was changed or damaged; restore it, or run `make models`."
        )
    return content


def _graphs(table: Mapping[str, Any]) -> dict[str, str]:
    graphs = {"model.onnx": table["sha256"]}
    return graphs | {table["float32"]["file"]: table["float32"]["sha256"]} if "float32" in table else graphs


def _options(runtime: Runtime) -> onnxruntime.SessionOptions:
    """No spinning: two sessions that spin on two cores slow each other threefold."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = runtime.threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    return options


def _providers(runtime: Runtime) -> list[tuple[str, dict[str, str]]]:
    """OpenVINO counts its threads itself."""
    if runtime.provider == OPENVINO:
        return [(OPENVINO, {"device_type": "CPU", "num_of_threads": str(runtime.threads)})]
    return [(runtime.provider, {})]


def _warm(session: onnxruntime.InferenceSession) -> None:
    """The item that comes first is not to wait longer than the others."""
    entry = session.get_inputs()[0]
    shape = [side if isinstance(side, int) else FREE_PX for side in entry.shape[1:]]
    batch = np.zeros((1, *shape), np.float32)
    for _ in range(WARM_UP):
        session.run(None, {entry.name: batch})
