"""Makes each step from what was accepted before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from calibration.belt_step import BeltStep
from calibration.camera_step import CameraStep
from calibration.known_camera import KnownCamera
from calibration.light_step import LightStep
from calibration.order import Stage
from calibration.session import Session
from calibration.steps import Step
from calibration.tote_step import ToteStep
from calibration.tote_tools import ToteTools, tote_of
from calibration.totes import Lab
from calibration.verify_checks import Check, ColourCheck, LightCheck, PlaceCheck, RideCheck, ToteCheck
from calibration.verify_step import VerifyStep


class Maker:
    """Takes what was accepted from the session."""

    def __init__(self, session: Session, colours: Mapping[str, Lab], thresholds: Callable[[], Step]) -> None:
        """Take the session, the items' colours (CIE Lab, D65), and what makes the step `thresholds`."""
        self._session = session
        self._colours = colours
        self._thresholds = thresholds

    def step(self, stage: Stage) -> Step:
        """The step of a stage, at its beginning.

        Raises:
            CalibrationRefused: what it needs was not calibrated, or does not hold.
        """
        match stage.step:
            case "camera":
                return CameraStep()
            case "light":
                return LightStep()
            case "belt":
                return BeltStep(self._camera(stage).plane)
            case "totes":
                return self._tote_step(stage)
            case "thresholds":
                return self._thresholds()
        return VerifyStep(list(self._checks(stage)))

    def _camera(self, stage: Stage) -> KnownCamera:
        why = f"{stage.step} takes what camera '{stage.camera}' sees"
        return KnownCamera.of(self._session.demanded(f"camera.{stage.camera}", stage.camera, why))

    def _tote_step(self, stage: Stage) -> ToteStep:
        known = self._camera(stage)
        colours = {name: known.as_seen(colour) for name, colour in self._colours.items()}
        return ToteStep(known.plane, stage.camera, colours)

    def _checks(self, stage: Stage) -> Iterator[Check]:
        """All that was calibrated with this camera."""
        known, camera = self._camera(stage), stage.camera
        yield PlaceCheck(known)
        yield ColourCheck(known)
        if light := self._session.known(f"light.{camera}", camera):
            yield LightCheck(light.values)
        if belt := self._session.known(f"belt.{camera}", camera):
            yield RideCheck(known, belt.values)
        if kept := self._session.totes(camera):
            types = [tote_of(self._session.files(one)) for one in kept]
            yield from (ToteCheck(ToteTools.of(known.plane), types, one.name) for one in types)
