"""The recipe and the limits of a lane's settings: what to check, how strictly, and what is borne; as `settings`."""

from __future__ import annotations

from re import Pattern
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from edge.settings import CameraName, Name, Section

Check = Literal[
    "anomaly", "second_look", "defect", "identity", "colour", "code", "expiry", "lot", "serial", "size", "language",
    "tote_type", "contents", "over_rim",
]  # fmt: skip
MEASURES = ("anomaly", "second_look", "defect", "identity", "colour", "over_rim")
ENCODED = ("expiry", "lot", "serial")  # what a code may say as well as print
UsualShare = Annotated[float, Field(ge=0.0001, le=0.2)]  # of rejects
Gtin = Annotated[str, Field(pattern=r"^[0-9]{8,14}$")]
VALUE_REJECTS, VALUE_INFORMS = 10.0, 1.0  # a rule that may reject an item, and one that only informs


class RuleSettings(Section):
    """One rule of the recipe; without reject_at, overkill and agrees it only informs."""

    check: Check
    """What is looked at or read."""
    cameras: Annotated[tuple[CameraName, ...], Field(min_length=1, max_length=8)]
    """Names of the cameras that must all have seen the item."""
    required: bool = True
    """Without valid evidence an item is undecided; false: waited for until the deadline, then noted as skipped."""
    reject_at: Annotated[float, Field(allow_inf_nan=False)] | None = None
    """Reject from this score on, of several cameras the mean; left out: no score rejects [anomaly,
    second_look: times the largest normal; colour: ΔE; defect, identity: log-odds; over_rim: 1 is yes]."""
    overkill: Annotated[float, Field(ge=0.0005, le=0.5)] | None = None
    """Of anomaly, instead of reject_at: reject no more of the sound items than this [share]."""
    agrees: str | None = None
    """Reject what contradicts the order: the check's own name; left out: what is read is only noted."""
    least_days: Annotated[int, Field(ge=0, le=3650)] = 0
    """Of expiry: reject what has fewer days left; the order's attribute least_days goes before."""
    source: Literal["print", "code", "either", "both"] = "print"
    """Who has to vouch for an expiry, lot or serial; what the other one says may still contradict."""
    format: Pattern[str] | None = None
    """What a whole lot or serial looks like on this lane's products; other readings are not vouched for."""
    value: Annotated[float, Field(gt=0, le=1000)] | None = None
    """Its rank where time is short; left out: 10 where the rule may reject, 1 where it informs [no unit]."""

    @model_validator(mode="after")
    def _asks_what_the_check_can_say(self) -> Self:
        measures = self.check in MEASURES
        if self.reject_at is not None and not measures:
            raise ValueError(f"{self.check} reads and has no score: reject_at is for {' and '.join(MEASURES)}")
        if self.overkill is not None and (self.check != "anomaly" or self.reject_at is not None):
            raise ValueError("overkill is for anomaly, and takes the place of reject_at")
        if self.agrees is not None and (measures or self.agrees != self.check):
            raise ValueError(
                f"{self.check} cannot agree with '{self.agrees}': a check that reads agrees with its own field"
            )
        if self.least_days and self.agrees != "expiry":
            raise ValueError("least_days is for a rule of expiry that agrees")
        if self.source != "print" and self.check not in ENCODED:
            raise ValueError(f"source is for {', '.join(ENCODED)}: no code says {self.check}")
        return self

    @property
    def decides(self) -> bool:
        """Whether it can reject."""
        return any(limit is not None for limit in (self.reject_at, self.overkill, self.agrees))

    @property
    def worth(self) -> float:
        """What its answer is worth beside others; the planner puts required ones first in any case."""
        return self.value or (VALUE_REJECTS if self.decides else VALUE_INFORMS)


class RecipeSettings(Section):
    """What to check, and how strictly."""

    name: Name
    """What verdicts call the recipe."""
    divert_undecided: bool = True
    """An item that is undecided at its deadline goes to the reject lane; false: it passes the gate."""
    rule: Annotated[tuple[RuleSettings, ...], Field(min_length=1, max_length=64)]

    @model_validator(mode="after")
    def _can_say_no(self) -> Self:
        if not any(rule.required and rule.decides for rule in self.rule):
            raise ValueError("no required rule has reject_at, overkill or agrees: every item would pass unseen")
        return self


class LimitSettings(Section):
    """What a site bears before it is told, and before the belt is to stop."""

    misses_to_stop: Annotated[int, Field(ge=1, le=100)] = 1
    """In a row, and the belt is to stop [unconfirmed diverts]."""
    unexpected_to_stop: Annotated[int, Field(ge=1, le=100)] = 3
    """In a row on the reject lane that nobody sent there, and the belt is to stop: the gate is stuck open [items]."""
    reject_run: Annotated[int, Field(ge=2, le=1000)] = 10
    """Rejects in a row that are an alarm; twice as many: the belt is to stop [items]."""
    usual_reject_share: Annotated[float, Field(ge=0, le=0.5)] = 0
    """What is usually rejected, held against its control limits either way; 0: not."""
    window_items: Annotated[int, Field(ge=20, le=100_000)] = 200
    """How many of the last items that share is taken over."""
    slip_alarm_mm: Annotated[float, Field(gt=0, le=1000)] = 20
    """An item that is seen so far from where it was reckoned to be is an alarm."""
    challenge_every_s: Annotated[float, Field(ge=0, le=604_800)] = 0
    """Longest time between two good challenge tests; 0: none is due."""
    unwritten_stop_s: Annotated[int, Field(ge=1, le=3600)] = 60
    """So long without anything that is decided being written to the ledger, and the belt is to stop."""


class LotSettings(Section):
    """When the rest of a lot is to stop. Without this section no lot is counted, and none is held."""

    usual_share: UsualShare
    """Of a good lot's items, how many are rejected, sound ones by mistake among them; by `tunnel-edge lots … usual`."""
    products: dict[Gtin, UsualShare] = Field({}, max_length=100_000)
    """Products with a usual share of their own, by their GTIN [share]."""
    false_holds: Annotated[float, Field(ge=1e-6, le=0.05)] = 0.001
    """Of good lots no more are ever held by mistake, however long they run [share]."""
    weak_false_holds: Annotated[float, Field(ge=1e-9, le=0.05)] = 0.0001
    """The same of good groups that are no lots [share]."""
    least_items: Annotated[int, Field(ge=2, le=1000)] = 5
    """So many of a lot before its share of rejects is believed."""
    sure: Annotated[float, Field(ge=0.9, le=1)] = 0.99
    """From here on one reading of another date or lot than ordered is enough; two items always are [probability]."""
    groups: Annotated[tuple[Literal["lot", "pallet", "tote", "seller", "day"], ...], Field(min_length=1)] = (
        "lot",
        "pallet",
        "tote",
        "seller",
    )
    """What is counted; all but lot where the order names no lot, day where nothing else is known."""
    most_open: Annotated[int, Field(ge=100, le=1_000_000)] = 100_000
    """How many are counted at a time [lots and other groups]."""
