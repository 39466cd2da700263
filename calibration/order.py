"""A site's steps in their order: each camera's own, then the belt, the light, the totes, and what the lane bears."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

OF_EACH_CAMERA = ("camera", "belt", "light", "verify")
OF_THE_LANE = ("gate", "thresholds")
ORDER = ("camera", "belt", "light", "totes", "gate", "thresholds", "verify")
ELSEWHERE = {"gate": "only the daemon moves the gate: `tunnel-calibrate gate` measures its lead from fire tests"}
"""Steps with a command of their own, and why."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One step for one camera, or for the lane."""

    step: str
    camera: str  # empty: the lane's own

    @property
    def subject(self) -> str:
        """Of its calibration; totes are named by their type, once it is known."""
        return self.camera if self.step in OF_EACH_CAMERA else ""

    @property
    def name(self) -> str:
        """Of its calibration; of totes: how all of theirs begin."""
        return f"{self.step}.{self.subject}" if self.subject else self.step

    @property
    def title(self) -> str:
        """For a person."""
        return f"{self.step}, camera {self.camera}" if self.camera else self.step


def stages(cameras: Sequence[str], totes_by: str, wanted: Collection[str]) -> Iterator[Stage]:
    """Those of the steps that are wanted; totes_by: the camera that sees the totes."""
    for step in (one for one in ORDER if one in wanted):
        if step in OF_EACH_CAMERA:
            yield from (Stage(step, camera) for camera in cameras)
        else:
            yield Stage(step, "" if step in OF_THE_LANE else totes_by)
