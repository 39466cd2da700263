"""Several frames or cameras that read the date of one item, weighed together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from edge.core.agreement import CODE
from edge.core.date_votes import RIVAL_SHARE, VOUCH_FROM, together
from edge.core.messages import Evidence


def weighed(view: Sequence[Evidence]) -> list[Evidence]:
    """The same evidence, but for the prints that were read: those are one, the last."""
    prints = [one for one in view if _speaks(one)]
    if len(prints) < 2:
        return list(view)
    return [one for one in view if not _speaks(one)] + [_weighed(prints)]


def _speaks(one: Evidence) -> bool:
    """Whether it tells how likely each reading is; not where something else stands against it, as a cut line does."""
    return one.source != CODE and bool(one.rivals) and (one.valid or (bool(one.kind) and not _settled(one.rivals)))


def _settled(readings: Sequence[tuple[str, float]]) -> bool:
    """Whether one reading stands alone, and is likelier than not."""
    best = max(probability for _, probability in readings)
    return best >= VOUCH_FROM and sum(probability >= RIVAL_SHARE * best for _, probability in readings) == 1


def _weighed(prints: Sequence[Evidence]) -> Evidence:
    shares = together([{date.fromisoformat(day): share for day, share in one.rivals} for one in prints])
    ranked = sorted(shares.items(), key=lambda one: (-one[1], one[0]))
    readings = tuple((day.isoformat(), share) for day, share in ranked)
    best, probability = readings[0]
    surest = max(prints, key=lambda one: dict(one.rivals).get(best, 0.0))
    settled = _settled(readings)
    return replace(
        surest,
        reading=best if settled else None,
        rivals=readings,
        probability=probability,
        because=f"{surest.because}; {len(prints)} looks together: {_told(readings)}",
        valid=settled,
    )


def _told(readings: Sequence[tuple[str, float]]) -> str:
    standing = [one for one in readings if one[1] >= RIVAL_SHARE * readings[0][1]]
    return " or ".join(f"{reading} ({probability:.2f})" for reading, probability in standing)
