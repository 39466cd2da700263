"""What `verify` holds against fresh frames, one thing each: place, colours, light, belt, totes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from calibration import board, chart, light_step, tote_sheet
from calibration.belt_run import FEWEST_FRAMES, belt_run
from calibration.belt_step import passed_by
from calibration.camera_step import STILL, overlaid
from calibration.frame_faults import demand_light, demand_still
from calibration.known_camera import KnownCamera
from calibration.steps import Ask, Shot, Shows
from calibration.tote_tools import ToteTools
from edge.core.calibration import Value
from edge.core.messages import Image
from edge.inspection.tote_type import ToteType

MOST_MM = 3.0  # on the length of the board's diagonal
MOST_COLOUR = 4.0  # ΔE00, of the patch that changed most
MOST_LIGHT = 0.2  # by which share the light may have changed since it was measured
SHEET_FRAMES = 2
MOST_SCALE_PERCENT = 0.5
MOST_PLACE_MM = 5.0


@dataclass(frozen=True, slots=True)
class Told:
    """What one check came to."""

    quality: Mapping[str, float]
    says: str
    fault: str = ""  # what does not hold, and what to do
    pictures: Mapping[str, Image] = field(default_factory=dict)


class Check(Protocol):
    """One thing."""

    def asks(self) -> Ask:
        """What it is to be shown."""
        ...

    def told(self, shots: Sequence[Shot]) -> Told:
        """What the frames come to.

        Raises:
            CalibrationRefused: they will not do.
        """
        ...


@dataclass(frozen=True, slots=True)
class PlaceCheck:
    """The camera is where it was."""

    known: KnownCamera

    def asks(self) -> Ask:
        """As `Check.asks`."""
        return Ask(Shows.BOARD_ON_BELT, STILL)

    def told(self, shots: Sequence[Shot]) -> Told:
        """As `Check.told`."""
        laid = [board.find(shot.image) for shot in shots]
        board.still(laid)
        wide_px = board.edge_px(shots[-1].image, laid[-1])
        off_mm = _length_error_mm(self.known, laid[-1])
        fault = f"the board is {off_mm:.1f} mm off: the camera was moved, or its lens turned; do `camera` anew"
        picture = overlaid(shots[-1].image, self.known.plane, laid[-1])
        says = f"the board's diagonal is right to {off_mm:.2f} mm"
        return Told(
            {"length_error_mm": off_mm, "edge_px": wide_px}, says, fault if off_mm > MOST_MM else "", {"place": picture}
        )


@dataclass(frozen=True, slots=True)
class ColourCheck:
    """The colours are what they were."""

    known: KnownCamera

    def asks(self) -> Ask:
        """As `Check.asks`."""
        return Ask(Shows.CHART, STILL)

    def told(self, shots: Sequence[Shot]) -> Told:
        """As `Check.told`."""
        demand_still(shots)
        colours = chart.measure(shots[-1].image) @ self.known.to_srgb.T
        changed, apart = chart.differences(colours, self.known.patches), chart.differences(colours)
        most = float(changed.max())
        quality = {
            "colour_change_most": most,
            "colour_difference_mean": float(apart.mean()),
            "colour_difference_most": float(apart.max()),
        }
        fault = f"colours changed by ΔE00 {most:.1f}: lamp, exposure or white balance changed; do `camera` anew"
        says = f"colours changed by ΔE00 {most:.1f} at most"
        return Told(quality, says, fault if most > MOST_COLOUR else "")


@dataclass(frozen=True, slots=True)
class LightCheck:
    """It is as bright as it was."""

    values: Mapping[str, Value]  # of the step `light`

    def asks(self) -> Ask:
        """As `Check.asks`."""
        return Ask(Shows.SHEET, SHEET_FRAMES)

    def told(self, shots: Sequence[Shot]) -> Told:
        """As `Check.told`."""
        level = float(np.mean([light_step.levels(shot.image) for shot in shots]))
        change = level / float(str(self.values["level"])) - 1
        fault = f"the light changed by {change:+.0%}: clean or renew the lamps, then do `light` and `camera` anew"
        says = f"the light changed by {change:+.1%}"
        return Told({"light_change_percent": 100 * change}, says, fault if abs(change) > MOST_LIGHT else "")


@dataclass(frozen=True, slots=True)
class RideCheck:
    """The counts still tell where the belt is."""

    known: KnownCamera
    values: Mapping[str, Value]  # of the step `belt`

    def asks(self) -> Ask:
        """As `Check.asks`."""
        return Ask(Shows.BOARD_RIDING, FEWEST_FRAMES)

    def told(self, shots: Sequence[Shot]) -> Told:
        """As `Check.told`."""
        size_px = (shots[0].image.shape[1], shots[0].image.shape[0])
        run = belt_run(passed_by(shots), self.known.plane, size_px)
        scale = 100 * (run.counts_per_mm / float(str(self.values["counts_per_mm"])) - 1)
        quality = {"scale_change_percent": scale}
        faults = [f"a millimetre has {scale:+.2f} % counts: the encoder slips; see to it, do `belt` anew"]
        wrong = [abs(scale) > MOST_SCALE_PERCENT]
        if "place_mm" in self.values and not np.isnan(run.place_mm):
            moved_mm = run.place_mm - float(str(self.values["place_mm"]))
            quality["place_change_mm"] = moved_mm
            faults.append(f"the camera stands {moved_mm:+.1f} mm along the belt from where it was: do `belt` anew")
            wrong.append(abs(moved_mm) > MOST_PLACE_MM)
        fault = "; ".join(words for words, bad in zip(faults, wrong, strict=True) if bad)
        return Told(quality, f"the belt's scale changed by {scale:+.3f} %", fault)


@dataclass(frozen=True, slots=True)
class ToteCheck:
    """A type is known again, and seen empty."""

    tools: ToteTools
    types: Sequence[ToteType]
    name: str

    def asks(self) -> Ask:
        """As `Check.asks`."""
        return Ask(Shows.TOTE, STILL, self.name)

    def told(self, shots: Sequence[Shot]) -> Told:
        """As `Check.told`."""
        demand_light(shots[-1].image)
        demand_still(shots)
        seen = self.tools.see(shots[-1].image, self.types)
        known, empty = seen.type_name == self.name, bool(seen.empty)
        size = next(one.size for one in self.types if one.name == self.name)
        picture = tote_sheet.tile(shots[-1].image, seen, size, self.tools.plane)
        fault = "" if known else f"tote {self.name} is not known again ({seen.because}): do `totes` anew"
        says = (
            f"tote {self.name} {'is' if known else 'is not'} known again, and {'is' if empty else 'is not'} seen empty"
        )
        quality = {f"{self.name}_known_again": float(known), f"{self.name}_seen_empty": float(empty)}
        return Told(quality, says, fault, {f"tote {self.name}": picture})


def _length_error_mm(known: KnownCamera, laid: board.Seen) -> float:
    """Of the longest way between two corners that were seen."""
    here, there = known.plane.at_mm(laid.seen_px), laid.places_mm[:, :2]
    far = int(np.linalg.norm(there - there[0], axis=1).argmax())
    return abs(float(np.linalg.norm(here[far] - here[0])) - float(np.linalg.norm(there[far] - there[0])))
