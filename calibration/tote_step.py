"""The step `totes`: one type from empty ones, each time placed anew; its size, its look, and what is like it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calibration import tote_sheet
from calibration.frame_faults import demand_light, demand_still
from calibration.steps import Ask, Field, Found, Question, Shot, Shows, Step
from calibration.tote_tools import ToteTools, files_of
from calibration.totes import Ask as Entered
from calibration.totes import Lab, ambiguities, floor_lab
from edge.core.calibration import Value
from edge.core.errors import CalibrationRefused
from edge.core.messages import Image
from edge.core.plane import Plane
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import SeenTote

PLACED = 6  # times
STILL = 2  # frames each time: it must not move between them
AGAIN = 3  # times more where the frames do not agree; the oldest are forgotten
ABOUT = Question(
    "What the camera cannot see from above",
    (
        Field("name", "the type's name"),
        Field("height_mm", "height of the rim over the belt, mm", 20, 1000),
        Field("wall_mm", "thickness of the wall at the rim, mm", 1, 60, "14"),
        Field("floor_mm", "height of the floor inside over the belt, mm", 0, 200, "6"),
    ),
)


class ToteStep(Step):
    """What is entered, the empty tote placed anew until most frames agree."""

    def __init__(self, plane: Plane, camera: str, catalogue: Mapping[str, Lab]) -> None:
        """Take where the camera looks, and the items' colours as it sees them."""
        self._tools, self._camera, self._catalogue = ToteTools.of(plane), camera, catalogue
        self._entered: Entered | None = None
        self._frames: list[Image] = []
        self._tote: ToteType | None = None
        self._wanted = PLACED

    def asks(self) -> Ask | Question | None:
        """As `Step.asks`."""
        if self._entered is None:
            return ABOUT
        return Ask(Shows.TOTE, STILL, self._entered.name) if self._tote is None else None

    def enter(self, answers: Mapping[str, str]) -> str:
        """As `Step.enter`."""
        told = ABOUT.read(answers)
        height_mm, wall_mm, floor_mm = (float(told[name]) for name in ("height_mm", "wall_mm", "floor_mm"))
        if floor_mm >= height_mm:
            raise CalibrationRefused(f"a floor at {floor_mm:g} mm lies above a rim at {height_mm:g} mm: measure again")
        self._entered = Entered(str(told["name"]), height_mm, wall_mm, floor_mm)
        return f"{self._entered.name}: {height_mm:g} mm high, wall {wall_mm:g} mm, floor {floor_mm:g} mm"

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`; the type is learnt with the last placement, while the tote is at hand."""
        for shot in shots:
            demand_light(shot.image)
        demand_still(shots)
        self._frames.append(shots[-1].image)
        if len(self._frames) < self._wanted or self._entered is None:
            return f"placed {len(self._frames)} of {self._wanted} times"
        self._tote = self._learnt(self._entered)
        return f"placed {len(self._frames)} times: they agree on its size"

    def found(self) -> Found:
        """As `Step.found`."""
        if self._tote is None:
            raise CalibrationRefused("no tote was learnt yet: begin this step anew")
        tote, size = self._tote, self._tote.size
        seen = [self._tools.see(frame, [tote]) for frame in self._frames]
        sheet = tote_sheet.drawn(self._frames, seen, size, self._tools.plane)
        alike = ambiguities(tote, self._catalogue)
        values: dict[str, Value] = {
            "camera": self._camera,
            "length_mm": size.length_mm,
            "width_mm": size.width_mm,
            "height_mm": size.height_mm,
            "wall_mm": size.wall_mm,
            "floor_mm": size.floor_mm,
            "floor_lab": list(floor_lab(tote)),
            "alike": alike,
        }
        says = f"{tote.name}: {size.length_mm:.1f} × {size.width_mm:.1f} mm. {_agreement(seen)}"
        return Found(_quality(seen), values, sheet, "\n".join((says, *alike)), files_of(tote), subject=tote.name)

    def _learnt(self, entered: Entered) -> ToteType:
        try:
            return self._tools.learn(self._frames, entered)
        except CalibrationRefused:
            self._frames = self._frames[AGAIN:]
            self._wanted = len(self._frames) + AGAIN
            raise


def _quality(seen: Sequence[SeenTote]) -> dict[str, float]:
    """How many of the frames that it was learnt from show what they should: that type, and nothing in it."""
    return {
        "frames_known_again": sum(one.type_name is not None for one in seen) / len(seen),
        "frames_seen_empty": sum(bool(one.empty) for one in seen) / len(seen),
    }


def _agreement(seen: Sequence[SeenTote]) -> str:
    known, empty = (sum(map(bool, found)) for found in ([one.type_name for one in seen], [one.empty for one in seen]))
    return f"Known again in {known} of {len(seen)} frames, seen empty in {empty}"
