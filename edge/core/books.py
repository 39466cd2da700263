"""The conservation law: inducted = sum of ends + on the belt, at every moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from edge.core.messages import Conservation, End, Item, ItemEnd


class Books:
    """Counts births and ends for itself and holds them against who is on the belt."""

    def __init__(self, restored: int = 0) -> None:
        """Begin with so many items on the belt, known from before a restart."""
        self._inducted = restored
        self._ends: Counter[End] = Counter()
        self._violations = 0

    def balance(self, born: int, ends: Iterable[ItemEnd], on_belt: Mapping[str, Item]) -> Conservation:
        """Enter one turn's births and ends; a violation is counted for each turn the books do not balance."""
        self._inducted += born
        self._ends.update(end.end for end in ends)
        if self._inducted != self._ends.total() + len(on_belt):
            self._violations += 1
        counted = tuple((end, self._ends[end]) for end in End)
        return Conservation(self._inducted, counted, len(on_belt), self._violations)
