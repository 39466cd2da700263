"""How a warehouse behaves: slow, forgetful of its manners, late, out of stock."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from edge.simulator.wms.shelf import Decided

NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Mood:
    """Shares of requests (0 to 1) with which something goes wrong; all 0: a good day."""

    slow: float = 0.0  # answered after up to slow_s
    slow_s: float = 3.0
    late: float = 0.0  # decided only after up to late_s; until then it is pending
    late_s: float = 5.0
    refuse: float = 0.0  # out of stock
    lose: float = 0.0  # taken, and never answered
    twice: float = 0.0  # the answer comes twice, where the transport can do that
    fail: float = 0.0  # an error of the service, before it has looked at the request


class Moods:
    """Draws what happens to each request."""

    def __init__(self, mood: Mood, seed: int) -> None:
        self.mood = mood
        self._chance = random.Random(seed)  # noqa: S311 - a reproducible draw

    def decide(self, fields: Mapping[str, Any]) -> Decided:
        """Yes, or out of stock; now, or in a while. A hold of a lot is never refused."""
        late_ns = round(self._chance.uniform(0, self.mood.late_s) * NS_PER_S) if self.happens(self.mood.late) else 0
        out = "item" in fields and self.happens(self.mood.refuse)
        status, why = ("refused", "out of stock") if out else ("accepted", "")
        return Decided(status, why, time.time_ns() + late_ns)

    def happens(self, share: float) -> bool:
        """Whether this time it does."""
        return self._chance.random() < share

    def dawdle(self) -> None:
        """Now and then, for a while."""
        if self.happens(self.mood.slow):
            time.sleep(self._chance.uniform(0, self.mood.slow_s))
