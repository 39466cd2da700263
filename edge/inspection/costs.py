"""What a step costs on this box: quantiles of its own last runs, and a cautious guess before there are any."""

from __future__ import annotations

from collections import deque

WINDOW = 64  # runs: a minute of a busy lane
FEWEST = 4  # runs: with fewer, the guess still counts
PATIENCE = 20  # times without a chance, one after another
GUESS_NS = 150_000_000  # reading a label full of print, twice over on a two-core box


class Cost:
    """The time that one step takes."""

    def __init__(self, guess_ns: int = GUESS_NS) -> None:
        self._guess_ns = guess_ns
        self._recent: deque[int] = deque(maxlen=WINDOW)
        self._doubts = 0
        self.usual_ns = guess_ns  # mean: what a queue of them comes to
        self.most_ns = guess_ns  # 90th percentile: what must be left before a deadline

    def learn(self, spent_ns: int) -> None:
        """Take the time of a run; after a trial, what was known before counts no longer."""
        if self._doubts >= PATIENCE:
            self._recent.clear()
            self._guess_ns = 0
        self._doubts = 0
        self._recent.append(spent_ns)
        ordered = sorted(self._recent)
        self.usual_ns = sum(ordered) // len(ordered)
        self.most_ns = ordered[len(ordered) * 9 // 10]
        if len(ordered) < FEWEST:
            self.most_ns = max(self.most_ns, self._guess_ns)

    def doubt(self) -> None:
        """There was no time for it from the start; after PATIENCE of these the next one is a trial.

        A step that is never run can never show that it has become cheaper: a box that was slow for a minute would go on
        skipping it for ever.
        """
        self._doubts += 1
        if self._doubts >= PATIENCE:
            self.usual_ns = self.most_ns = 0
