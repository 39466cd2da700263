"""The step `verify`: fresh frames against all that was accepted; it changes nothing but that it was verified."""

from __future__ import annotations

from collections.abc import Sequence

from calibration.steps import Ask, Found, Shot, Step
from calibration.verify_checks import Check, Told
from edge.core.errors import CalibrationRefused


class VerifyStep(Step):
    """One check after the other."""

    def __init__(self, checks: Sequence[Check]) -> None:
        """Take what is to be checked; the first of them draws the step's picture."""
        self._checks = checks
        self._told: list[Told] = []

    def asks(self) -> Ask | None:
        """As `Step.asks`."""
        return self._checks[len(self._told)].asks() if len(self._told) < len(self._checks) else None

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`; what does not hold is told at once, and again at the end, with all the rest."""
        told = self._checks[len(self._told)].told(shots)
        self._told.append(told)
        return told.fault or told.says

    def found(self) -> Found:
        """As `Step.found`."""
        faults = [one.fault for one in self._told if one.fault]
        pictures = {what: picture for one in self._told for what, picture in one.pictures.items()}
        if faults or not pictures:
            raise CalibrationRefused("\n".join(faults) or "nothing was shown yet: begin this step anew")
        first, *_ = pictures.values()
        quality = {name: value for one in self._told for name, value in one.quality.items()}
        says = "; ".join(one.says for one in self._told)
        return Found(quality, {"passed": 1}, first, says, more=dict(list(pictures.items())[1:]))
