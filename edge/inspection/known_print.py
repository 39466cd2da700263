"""Print on products whose layout is known: read where it should be, and sought everywhere only where that fails."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from edge.core.dates import Profile
from edge.core.errors import ReferencesRefused
from edge.core.labels import CODES, Field
from edge.core.messages import Evidence, Sighting
from edge.inspection.crop import Check, Crop, answer
from edge.inspection.cuts import quarter_turned
from edge.inspection.detector import Finder
from edge.inspection.layout import Layout
from edge.inspection.layout_finder import LayoutFinder
from edge.inspection.references import Library

CLEARLY = 3  # times as near to the sides exchanged: an item nearly square, or seen aslant, may look so by itself

Make = Callable[[Finder, Collection[Field], Profile], Check]
"""A check of print that takes its lines from a finder, for these fields, with dates read like this."""


class KnownPrint:
    """One evidence per field, as `TextCheck` gives it; products without a layout are read as if this were not here."""

    def __init__(
        self, make: Make, detector: Finder, wanted: Collection[Field], profile: Profile, layouts: Library[Layout]
    ) -> None:
        """Take the maker of checks, the detector for what no layout shows, and the lane's own profile of dates."""
        self._make = make
        self._detector = detector
        self._wanted = frozenset(wanted)
        self._layouts = layouts
        self._unknown = make(detector, wanted, profile)

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """In the order of `Field`; a layout that is refused makes no evidence valid."""
        try:
            layout = self._layout(sighting)
        except ReferencesRefused as error:
            return [answer(field.value, sighting, str(error)) for field in Field if field in self._wanted]
        return self._by(*layout, crop, sighting) if layout else self._unknown.inspect(crop, sighting)

    def _layout(self, sighting: Sighting) -> tuple[Layout, str] | None:
        expected = sighting.item.expected
        return self._layouts.known(expected.gtin, sighting.frame.camera) if expected else None

    def _by(self, layout: Layout, name: str, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """What the layout's places give, and for what they do not, what the whole picture gives."""
        known = self._wanted & layout.fields
        lines = [line for line in layout.line if line.field in known]
        placed = self._make(LayoutFinder(lines), known, layout.profile).inspect(turned(crop, layout), sighting)
        found = {one.check: replace(one, learnt=name) for one in placed}
        missing = {field for field in self._wanted if field not in known or not _settled(found[field.value])}
        if missing:
            sought = self._make(self._detector, missing, layout.profile).inspect(crop, sighting)
            found |= {one.check: _told(found.get(one.check), one) for one in sought}
        return [found[field.value] for field in Field if field in self._wanted]


def _settled(one: Evidence) -> bool:
    """Whether it is vouched for, or a code in doubt between several: elsewhere the same print would show the same."""
    return one.valid or (Field(one.check) in CODES and bool(one.where) and len(one.rivals) > 1)


def turned(crop: Crop, layout: Layout) -> Crop:
    """The crop with its print upright, or on its head: an item that lies across is known by its sides."""
    height_px, width_px = crop.mask.shape
    seen, usual = math.log(width_px / height_px), math.log(layout.aspect)
    across = CLEARLY * abs(seen + usual) < abs(seen - usual)
    for _ in range(layout.quarter_turns + across):
        crop = quarter_turned(crop)
    return crop


def _told(placed: Evidence | None, sought: Evidence) -> Evidence:
    """What the whole picture gave, and why it was asked."""
    why = f"not where the layout says: {placed.because}" if placed else "not in the layout"
    return replace(sought, because=f"{sought.because} (sought everywhere; {why})")
