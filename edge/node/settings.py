"""The settings of one camera node, from one TOML file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from edge import config
from edge.core.aim import Direction, Lens
from edge.core.nodes import MAX_CAMERAS
from edge.settings import LocalCamera, Section


class ListenSettings(Section):
    """Where the node listens, who it is, and whom it lets in."""

    listen: Annotated[str, Field(pattern=r"^tcp://.+:\d+$")]
    """Address and port; this port, and no other, is to be open to the network of the box."""
    key: Path
    """Its own secret key, by `tunnel-edge node keys`."""
    boxes: Annotated[tuple[Path, ...], Field(min_length=1, max_length=8)]
    """Public keys of those who may ask; one box is served at a time."""


class NodeCamera(LocalCamera):
    """A camera of this node, and how it sees the belt: give one of gige and opencv."""

    sees_mm: Annotated[float, Field(gt=0, le=10_000)] | None = None
    """Length of belt from one edge of the picture to the other; left out: frames are sent whole."""
    belt_runs: Direction = "right"
    """Which way things move in the picture."""
    margin_mm: Annotated[float, Field(ge=0, le=1000)] = 40
    """Kept at either end of an item: for parallax, slip, and the speed of the belt changing."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.gige is None) == (self.opencv is None):
            raise ValueError("give one of gige and opencv")
        return self

    @property
    def lens(self) -> Lens:
        """How it sees the belt."""
        return Lens(self.sees_mm, self.belt_runs, self.margin_mm)


class NodeConfig(Section):
    """The whole file of a node."""

    node: ListenSettings
    camera: Annotated[tuple[NodeCamera, ...], Field(min_length=1, max_length=MAX_CAMERAS)]

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        if len({camera.name for camera in self.camera}) < len(self.camera):
            raise ValueError("two cameras have the same name")
        return self


def load(path: Path) -> NodeConfig:
    """Read a node's settings.

    Raises:
        ConfigError: as `config.read`.
    """
    return config.read(path, NodeConfig, "tunnel-edge node check")
