"""A ledger that is not written: what was decided can then be neither proven nor replaced once the box is gone."""

from __future__ import annotations

from collections.abc import Iterator

ALARM_S = 10  # a disk that is only busy is not told
BECAUSE = "nothing has been written to the ledger for {} s: make room on its disk, or mend it; what is decided waits"


class Unwritten:
    """Tells once, then asks for a stop once; and tells when it is written again."""

    def __init__(self, stop_s: int) -> None:
        self._stop_s = stop_s
        self._told = 0  # 1: the alarm, 2: the stop

    def clear(self) -> None:
        """A named person has seen to it; what stays so is told again."""
        self._told = 0

    def update(self, unwritten_s: int) -> Iterator[tuple[str, bool]]:
        """What to say, and whether the belt is to stop; unwritten_s: how long the oldest record has waited."""
        wanted = 2 if unwritten_s >= self._stop_s else int(unwritten_s >= ALARM_S)
        if wanted > self._told:
            yield BECAUSE.format(unwritten_s), wanted == 2
        elif self._told and not wanted:
            yield "the ledger is written again", False
        self._told = wanted
