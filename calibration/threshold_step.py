"""The step `thresholds`: which share of sound items a site bears to lose, seen on its own normal items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from calibration import overkill_plot
from calibration.overkill import Cost, Normals, costs
from calibration.steps import Field, Found, Question, Shot, Step
from edge.core.errors import CalibrationRefused

CHECK = "anomaly"  # the one that keeps a promise (decision 16)
LEAST_PERCENT, MOST_PERCENT = 0.05, 50.0  # as `overkill` in a rule
PERCENT = 100.0


class ThresholdStep(Step):
    """Tells what rates cost, asks which is borne, draws it."""

    def __init__(self, normals: Normals, limit: str) -> None:
        """Take the scores of the lane's normal items, and what its rule is limited by: `overkill` or `reject_at`."""
        self._normals = normals
        self._limit = limit
        self._costs: list[Cost] = []
        self._chosen: Cost | None = None

    def asks(self) -> Question | None:
        """As `Step.asks`."""
        if self._chosen is not None:
            return None
        self._costs = self._costs or costs(self._normals)
        field = Field("overkill_percent", "percent of sound items that may be rejected", LEAST_PERCENT, MOST_PERCENT)
        told = "\n".join(("Which overkill does the site bear? On its own normal items:", *map(_line, self._costs)))
        return Question(told, (field,))

    def enter(self, answers: Mapping[str, str]) -> str:
        """As `Step.enter`."""
        question = self.asks()
        if question is None:
            raise CalibrationRefused("it was entered before")
        rate = float(question.read(answers)["overkill_percent"]) / PERCENT
        (cost,) = costs(self._normals, [rate])
        if not cost.judged:
            raise CalibrationRefused(
                f"no product has enough normal pictures to promise {rate:.2%}: {cost.needed} of one, or ask for more"
            )
        self._chosen = cost
        return _line(cost)

    def take(self, shots: Sequence[Shot]) -> str:
        """As `Step.take`."""
        raise CalibrationRefused("no frame is wanted here")

    def found(self) -> Found:
        """As `Step.found`."""
        if self._chosen is None:
            raise CalibrationRefused("nothing was entered yet: begin this step anew")
        cost = self._chosen
        shown = sorted({*self._costs, cost}, key=lambda one: one.asked)
        quality = {
            "asked_percent": PERCENT * cost.asked,
            "measured_percent": PERCENT * cost.measured,
            "measured_low_percent": PERCENT * cost.low,
            "measured_high_percent": PERCENT * cost.high,
            "normals_tested": float(cost.tested),
            "judged": cost.judged / cost.of,
        }
        picture = overkill_plot.drawn(shown, cost.asked)
        value = cost.asked if self._limit == "overkill" else cost.reject_at
        says = f"{_line(cost)}\n{self._limit} = {value:.4g} in the rule of {CHECK}"
        return Found(quality, {f"{self._limit}.{CHECK}": value}, picture, says)


def _line(cost: Cost) -> str:
    if not cost.judged:
        return f"{cost.asked:6.2%}: nothing can be promised; it takes {cost.needed} normal pictures of a product"
    lacking = cost.of - cost.judged
    few = f"; {lacking} of {cost.of} products and cameras have too few of {cost.needed} normals" if lacking else ""
    return f"{cost.asked:6.2%}: {cost.measured:.2%} measured ({cost.low:.2%} to {cost.high:.2%}){few}"
