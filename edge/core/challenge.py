"""Challenge tests: known items are sent down the belt, and the lane must do with them what it should.

The kinds are those that retailers' audits of reject systems ask for: one bad item; three in a row; bad, good, bad, good
(does it remember which is which?); and a fault at the gate, which must stop the belt.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.core.belt import NS_PER_S
from edge.core.dispatcher import Settlement
from edge.core.messages import BeltReading, ChallengeResult, ChallengeStart, End, Item

BAD, GOOD = True, False
PATTERNS: Mapping[str, tuple[bool, ...]] = {
    "single": (BAD,),
    "consecutive": (BAD, BAD, BAD),
    "memory": (BAD, GOOD, BAD, GOOD),
    "fail_safe": (),
}
LONGEST_NS = 300 * NS_PER_S
RIGHT_END = {BAD: End.DIVERTED, GOOD: End.PASSED}


@dataclass(frozen=True, slots=True)
class _Running:
    start: ChallengeStart
    until_ns: int
    ended: tuple[tuple[str, End], ...] = ()  # the warehouse's id and how it ended, in order


class Challenges:
    """One test at a time; says when the next is overdue."""

    def __init__(self, every_s: float) -> None:
        """Begin; `every_s` is the longest time between two good tests, 0: none is due."""
        self._every_ns = round(every_s * NS_PER_S)
        self._running: _Running | None = None
        self._due_ns: int | None = None

    @property
    def running(self) -> str:
        """The test that runs; empty: none."""
        return self._running.start.test if self._running else ""

    def update(
        self, reading: BeltReading, settled: Settlement, items: Mapping[str, Item], stops: Iterable[str]
    ) -> tuple[ChallengeResult, ...]:
        """Begin what was asked for, follow the test pieces, and end what is decided or too late.

        stops: why the belt was asked to stop in this turn.
        """
        results = [*self._begin(reading), *self._follow(reading, settled, items, tuple(stops)), *self._overdue(reading)]
        if any(result.outcome == "passed" for result in results):
            self._due_ns = reading.read_ns + self._every_ns
        return tuple(results)

    def _begin(self, reading: BeltReading) -> Iterator[ChallengeResult]:
        for start in reading.challenges:
            wanted = len(PATTERNS[start.test])
            if self._running:
                yield _result(start, "failed", "another test is running", reading)
            elif len(set(start.items)) != wanted or len(start.items) != wanted:
                yield _result(start, "failed", f"{start.test} takes {wanted} different test pieces", reading)
            else:
                self._running = _Running(start, reading.read_ns + LONGEST_NS)

    def _follow(
        self, reading: BeltReading, settled: Settlement, items: Mapping[str, Item], stops: tuple[str, ...]
    ) -> Iterator[ChallengeResult]:
        if self._running is None:
            return
        start = self._running.start
        self._running = _Running(start, self._running.until_ns, (*self._running.ended, *_pieces(start, settled, items)))
        verdict = _verdict(self._running, stops)
        if verdict is None and reading.read_ns >= self._running.until_ns:
            verdict = ("failed", "the test pieces did not come, or nothing stopped the belt, in time")
        if verdict:
            self._running = None
            yield _result(start, *verdict, reading)

    def _overdue(self, reading: BeltReading) -> Iterator[ChallengeResult]:
        """Once for each interval without a good test."""
        if not self._every_ns:
            return
        if self._due_ns is None:
            self._due_ns = reading.read_ns + self._every_ns
        if reading.read_ns >= self._due_ns:
            self._due_ns += self._every_ns
            yield ChallengeResult("any", "nobody", "overdue", "no good challenge test in time", reading.read_ns)


def bad_pieces(told: str) -> tuple[str, ...]:
    """The warehouse's ids of a test's bad pieces, as `PersonActed` tells the test; none where that is not clear."""
    test, *pieces = told.split(" ")
    pattern = PATTERNS.get(test, ())
    if len(pieces) != len(pattern):
        return ()
    return tuple(piece for piece, bad in zip(pieces, pattern, strict=True) if bad)


def _pieces(start: ChallengeStart, settled: Settlement, items: Mapping[str, Item]) -> Iterator[tuple[str, End]]:
    for end in settled.ends:
        item = items.get(end.item_id)
        if item and item.expected and item.expected.wms_item in start.items:
            yield item.expected.wms_item, end.end


def _verdict(running: _Running, stops: tuple[str, ...]) -> tuple[str, str] | None:
    """Outcome and why, as soon as either is certain."""
    pattern = PATTERNS[running.start.test]
    if not pattern:
        return ("passed", f"the belt was asked to stop: {stops[0]}") if stops else None
    for (name, end), bad, wanted in zip(running.ended, pattern, running.start.items, strict=False):
        if name != wanted:
            return "failed", f"{name} came before {wanted}"
        if end is not RIGHT_END[bad]:
            return "failed", f"{name} is {'bad' if bad else 'good'}, and ended as {end.value}"
    return ("passed", "every test piece went where it should") if len(running.ended) == len(pattern) else None


def _result(start: ChallengeStart, outcome: str, because: str, reading: BeltReading) -> ChallengeResult:
    return ChallengeResult(start.test, start.by, outcome, because, reading.read_ns)
