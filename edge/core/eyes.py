"""Eyes that stay dark: what is behind them, nobody sees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edge.core.messages import BeltReading, PhotoeyeEdge


class DarkEyes:
    """Knows since which counts each eye is dark."""

    def __init__(self, longest_counts: int) -> None:
        """`longest_counts`: for how long the longest item darkens an eye."""
        self._longest_counts = longest_counts
        self._since: dict[str, int] = {}  # eye → counts of its dark edge
        self._boot: int | None = None

    def go_by(self, longest_counts: int) -> None:
        """The lane is laid out anew."""
        self._longest_counts = longest_counts

    def update(self, reading: BeltReading) -> tuple[str, ...]:
        """The eyes that have been dark for longer than any item would make them."""
        if reading.boot != self._boot:  # the PLC's counts have begun anew
            self._boot = reading.boot
            self._since.clear()
        self._see("induct", reading.induct_edges)
        self._see("confirm", reading.confirm_edges)
        self._see("exit", reading.exit_edges)
        return () if reading.stale else tuple(self._overdue(reading))

    def _see(self, eye: str, edges: Iterable[PhotoeyeEdge]) -> None:
        for edge in edges:
            if edge.dark:
                self._since[eye] = edge.counts
            else:
                self._since.pop(eye, None)

    def _overdue(self, reading: BeltReading) -> Iterator[str]:
        return (eye for eye, counts in self._since.items() if reading.counts - counts > self._longest_counts)
