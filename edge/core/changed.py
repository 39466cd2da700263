"""Whether a product's items have begun to look different, all in the same way: told once, to a person who decides."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from edge.core.messages import Evidence, Verdict

ALIKE = 3  # earlier unusual items that are unusual in the same way
SETTLED = 20  # items of a product that look usual again, until another change of it is told
WHAT_TO_DO = "a new artwork, or the same damage again? See `tunnel-edge references changes`"

Key = tuple[str, str]
"""GTIN and camera."""


class Changed:
    """Decides nothing about an item: each is judged as before, until a person has accepted the change."""

    def __init__(self) -> None:
        self._usual_since: defaultdict[Key, int] = defaultdict(int)  # of the products that were told

    def update(self, verdicts: Iterable[Verdict]) -> Iterator[str]:
        """What a person must be told."""
        for verdict in verdicts:
            for one in verdict.evidence:
                if one.look is not None:
                    yield from self._judged((one.look.gtin, one.camera), one)

    def _judged(self, key: Key, one: Evidence) -> Iterator[str]:
        if one.alike >= ALIKE:
            if key not in self._usual_since:
                yield f"{key[0]} on camera {key[1]}: {one.alike + 1} items look unusual in the same way: {WHAT_TO_DO}"
            self._usual_since[key] = 0
        elif key in self._usual_since and not one.unusual:
            self._usual_since[key] += 1
            if self._usual_since[key] >= SETTLED:
                del self._usual_since[key]
