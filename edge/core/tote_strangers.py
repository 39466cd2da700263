"""A new type of tote is noticed on the line and proposed, not guessed: looks that come again and again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.core.colour_difference import delta_e_2000
from edge.core.messages import Evidence, Verdict

SAME_SIZE_MM, SAME_COLOUR = 15.0, 8.0  # ΔE00: the light over a belt is uneven
TOTE_TYPE = "tote_type"  # the check that meets them
ENOUGH = 8  # frames that look alike before a type is proposed
MOST = 12  # groups that are kept: beyond it the one seen least goes


@dataclass(frozen=True, slots=True)
class Stranger:
    """Looks of a tote of no known type."""

    length_mm: float  # as if it were as high as the others
    width_mm: float
    rim_lab: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Strangers that look alike: the middle of them, and how many."""

    looks: Stranger
    frames: int

    @property
    def says(self) -> str:
        """For a technician."""
        lightness, a, b = self.looks.rim_lab
        return (
            f"{self.frames} totes of no known type, about {self.looks.length_mm:.0f} × {self.looks.width_mm:.0f} mm, "
            f"rim L {lightness:.0f} a {a:.0f} b {b:.0f}: a new type? Place an empty one and learn it."
        )


@dataclass(frozen=True, slots=True)
class Strangers:
    """Groups of them, none of which is a type before a technician says so."""

    groups: tuple[Proposal, ...] = ()

    def seen(self, one: Stranger) -> tuple[Strangers, Proposal]:
        """With one more, and the group that it belongs to."""
        near = [number for number, group in enumerate(self.groups) if _alike(group.looks, one)]
        if not near:
            kept = sorted(self.groups, key=lambda group: -group.frames)[: MOST - 1]
            return Strangers((*kept, Proposal(one, 1))), Proposal(one, 1)
        grown = _grown(self.groups[near[0]], one)
        groups = tuple(grown if number == near[0] else group for number, group in enumerate(self.groups))
        return Strangers(groups), grown

    @property
    def proposals(self) -> Sequence[Proposal]:
        """Those that were seen often enough."""
        return [group for group in self.groups if group.frames >= ENOUGH]


def _alike(one: Stranger, other: Stranger) -> bool:
    off_mm = max(abs(one.length_mm - other.length_mm), abs(one.width_mm - other.width_mm))
    return off_mm <= SAME_SIZE_MM and float(delta_e_2000(np.array(one.rim_lab), np.array(other.rim_lab))) <= SAME_COLOUR


def _grown(group: Proposal, one: Stranger) -> Proposal:
    """The mean of all that were seen."""
    frames = group.frames + 1
    share = 1 / frames
    a, b = (np.array((each.length_mm, each.width_mm, *each.rim_lab)) for each in (group.looks, one))
    length_mm, width_mm, *lab = (float(value) for value in a + share * (b - a))
    return replace(group, looks=Stranger(length_mm, width_mm, (lab[0], lab[1], lab[2])), frames=frames)


def proposed(verdicts: Iterable[Verdict]) -> Iterator[str]:
    """What a person must be told: once for each group, when it has become large enough."""
    evidence = (one for verdict in verdicts for one in verdict.evidence)
    yield from (f"camera {one.camera}: {one.because}" for one in evidence if _is_news(one))


def _is_news(one: Evidence) -> bool:
    return one.check == TOTE_TYPE and one.alike == ENOUGH
