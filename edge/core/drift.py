"""Whether what the cameras see is still what the references were made of."""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator

from edge.core.messages import Verdict

WINDOW = 200  # items
SIGMAS = 4.0  # wider than Shewhart's three: many cameras are watched all day


class Drift:
    """Of sound items half lie on either side of the middle of their references; a camera that drifts moves them all.

    Bad items hardly move the middle; a lamp that ages, dirt on a lens, a new artwork do.
    """

    def __init__(self) -> None:
        self._low: defaultdict[str, deque[bool]] = defaultdict(lambda: deque(maxlen=WINDOW))
        self._told: set[str] = set()

    def update(self, verdicts: Iterable[Verdict]) -> Iterator[str]:
        """What a person must be told: once, until the camera is back between its limits."""
        for verdict in verdicts:
            for one in verdict.evidence:
                if one.valid and one.p_value is not None:
                    self._low[one.camera].append(one.p_value <= 0.5)
                    yield from self._judged(one.camera)

    def _judged(self, camera: str) -> Iterator[str]:
        low = self._low[camera]
        if len(low) < WINDOW:
            return
        share = sum(low) / WINDOW
        drifts = abs(share - 0.5) > SIGMAS * math.sqrt(0.25 / WINDOW)
        if drifts and camera not in self._told:
            how = "more" if share > 0.5 else "less"
            yield f"camera {camera}: of {WINDOW} items {share:.0%} look {how} unusual than half of their references do"
        self._told = self._told | {camera} if drifts else self._told - {camera}
