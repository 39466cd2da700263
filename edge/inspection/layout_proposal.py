"""What a handful of photographs says of a product's print, put before a person: what is found, what is open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from edge.core.date_forms import Extra
from edge.core.date_habits import Habit
from edge.core.dates import SHELF_LIFE_DAYS, Profile
from edge.core.errors import ConfigError
from edge.core.labels import segments
from edge.inspection.cuts import cut_out
from edge.inspection.layout import Layout
from edge.inspection.layout_lesson import (
    KINDS,
    Found,
    Kinds,
    Shot,
    dates_of,
    lines_in_common,
    printed_line,
    settled,
)
from edge.inspection.tesseract import LINE_PX, Foreign, foreign

REACH = 0.9  # of a line's length: how far to its left a keyword may stand that our recognisers cannot read
LATIN = "Latin"


@dataclass(frozen=True, slots=True)
class Proposal:
    """What was learnt, and what is to be said before anybody can accept it."""

    shots: Sequence[Shot]
    found: Sequence[Found]
    habits: Mapping[int, Habit]  # by number of the line, from 1
    profile: Profile
    scripts: Mapping[int, Foreign]  # number of a line → the print beside it, where only Tesseract can read that

    @property
    def contested(self) -> tuple[str, ...]:
        """What only a person can say, each with the option that says it."""
        return tuple(self._open())

    def told(self) -> Iterator[str]:
        """Line by line, for a person."""
        for number, one in enumerate(self.found, 1):
            yield self._told(number, one)
            if number in self.scripts:
                near = self.scripts[number]
                yield f'   beside it {near.script.language} ({near.script.name}, by Tesseract): "{near.text}"'
        orders = " or ".join(sorted(self.profile.orders))
        yield f"dates: {orders}, {self.profile.calendar.value} years"
        yield from (f"CONTESTED: {one}" for one in self.contested)

    def named(self, kinds: Kinds) -> Proposal:
        """With what a person says of lines, by their numbers.

        Raises:
            ConfigError: there is no such line.
        """
        strange = sorted(set(kinds) - set(range(1, len(self.found) + 1)))
        if strange:
            raise ConfigError(f"there is no line {strange[0]}: see the drawing.")
        found = [replace(one, field=kinds.get(number, one.field)) for number, one in enumerate(self.found, 1)]
        return replace(self, found=found)

    def accepted(self, gtin: str, camera: str, by: str) -> Layout:
        """The layout, in the name of who accepts it.

        Raises:
            ConfigError: nothing was found, or something is still open.
        """
        if self.contested or not self.found:
            told = "; ".join(self.contested) or "no keyword or date is on most of the pictures: take them nearer"
            raise ConfigError(f"not accepted: {told}.")
        usual, aspect = _posture(self.shots)
        scripts = [near.script.name for near in self.scripts.values()]
        return Layout(
            gtin=gtin,
            camera=camera,
            accepted_by=by,
            accepted_on=date.today(),
            pictures=len(self.shots),
            script=scripts[0] if scripts else LATIN,
            orders=tuple(sorted(self.profile.orders)),
            calendar=self.profile.calendar,
            extras=tuple(self.profile.extras),
            shelf_life_days=self.profile.shelf_life_days,
            aspect=aspect,
            quarter_turns=usual,
            line=tuple(printed_line(one, self._form(number)) for number, one in enumerate(self.found, 1)),
        )

    def _form(self, number: int) -> str:
        return self.habits[number].form if number in self.habits else ""

    def _told(self, number: int, one: Found) -> str:
        what = f"{one.field.value}, " if one.field else "a date without a keyword, "
        form = f"{self._form(number)}, " if number in self.habits else ""
        values = ", ".join(f'"{f"{row.keyword} {row.value}".strip()}"' for row in one.rows.values())
        return f"{number}: {what}{form}on {len(one.rows)} of {len(self.shots)}: {values}"

    def _open(self) -> Iterator[str]:
        orders = " or ".join(sorted(self.profile.orders))
        prints = dict.fromkeys(one for habit in self.habits.values() for one in habit.contested)
        if prints and len(self.profile.orders) > 1:
            yield f"{', '.join(prints)} may be {orders}: say which with --order"
        if Extra.YEARLESS in self.profile.extras and self.profile.shelf_life_days == SHELF_LIFE_DAYS:
            yield "dates without a year: say how long the product lasts with --shelf-life-days"
        for number, one in enumerate(self.found, 1):
            if one.field is None:
                yield f"line {number}: a date of which kind? Say with --kind {number}=expiry (or production)"


def proposed(shots: Sequence[Shot], today: date, known: Profile) -> Proposal:
    """What the photographs settle; `known` is what a person has said of the dates."""
    found = lines_in_common(shots, today, known)
    bare = {number: one for number, one in enumerate(found, 1) if one.field is None}
    scripts = {number: near for number, one in bare.items() if (near := _beside(one))}
    found = [_named_by(one, scripts.get(number)) for number, one in enumerate(found, 1)]
    habits = dates_of(found, today, known)
    profile = settled(list(habits.values()))
    return Proposal(shots, found, habits, replace(known, orders=profile.orders, extras=profile.extras), scripts)


def _posture(shots: Sequence[Shot]) -> tuple[int, float]:
    """How the crops are turned until their print is upright, most of them, and the sides of those."""
    turns = [shot.quarter_turns for shot in shots]
    usual = max(turns, key=turns.count)
    alike = [shot.aspect for shot in shots if (shot.quarter_turns - usual) % 2 == 0]
    return usual, round(float(np.median(alike)), 4)


def _beside(one: Found) -> Foreign | None:
    """The print on a date's line, and to its left, in a script that only Tesseract knows."""
    for number, row in one.rows.items():
        corners = row.source.box.corners()
        corners[[0, 3]] -= REACH * (corners[[1, 2]] - corners[[0, 3]])
        near = foreign(cut_out(one.shots[number].crop.image, corners.astype(np.float32), LINE_PX))
        if near:
            return near
    return None


def _named_by(one: Found, near: Foreign | None) -> Found:
    """What the keyword says that Tesseract read; the technician sees from whom it comes."""
    texts = (near.text, near.text.replace(" ", "")) if near else ()  # Tesseract puts spaces between Thai letters
    known = [segment.field for text in texts for segment in segments(text) if segment.field in KINDS]
    return replace(one, field=known[0]) if known else one
