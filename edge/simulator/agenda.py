"""A virtual clock: what is due, and when. Where nothing is due, no time is spent."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from itertools import count

Task = Callable[[], None]


class Agenda:
    """Tasks by time; those of one instant in the order in which they were entered."""

    def __init__(self, now_ns: int) -> None:
        self.now_ns = now_ns
        self._tasks: list[tuple[int, int, Task]] = []
        self._entered = count()

    @property
    def next_ns(self) -> float:
        """When the next task is due; infinite: there is none."""
        return self._tasks[0][0] if self._tasks else math.inf

    def at(self, due_ns: float, task: Task) -> None:
        """Enter a task; one that is overdue comes next, one at infinity never."""
        if due_ns < math.inf:
            heapq.heappush(self._tasks, (max(math.ceil(due_ns), self.now_ns), next(self._entered), task))

    def after(self, delay_ns: float, task: Task) -> None:
        """Enter a task that is due so much later than now."""
        self.at(self.now_ns + delay_ns, task)

    def move_to(self, now_ns: int) -> None:
        """Let it be so late, and do what is due by then."""
        self.now_ns = now_ns
        while self._tasks and self._tasks[0][0] <= now_ns:
            _, _, task = heapq.heappop(self._tasks)
            task()
