"""Which check a worker does next, and what is skipped for want of time. No thread and no clock in here.

The order (docs/decisions/0006-planner.md says why):

1. A check is begun only if its 90th percentile fits before the item's deadline. What no longer fits is skipped, and
   that is said.
2. Required checks come in the order of their items' deadlines, those of one item by value per expected time. Items out
   of reach, whose required checks cannot all be done in time any more, stand behind those within reach.
3. Any other check is begun only if no item is out of reach, no required check was skipped of late, and every item that
   waits for a required check stays within reach. It goes before a required one only if its deadline is earlier; among
   its like, by value per expected time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from edge.core.messages import Evidence, Sighting
from edge.inspection.crop import Crop, Question, answer
from edge.inspection.waiting import NEVER_NS, Job, Look, WaitingRoom

NS_PER_MS = 1_000_000
STRAINED_NS = 5_000_000_000  # after a required check was skipped: the items to come will need the time too


class Reach(NamedTuple):
    """What the required checks that wait come to."""

    urgent: Sequence[Job]  # of items within reach, in the order of rule 2
    behind: Sequence[Job]  # of items out of reach, likewise
    slack_ns: int  # the delay that every item within reach can bear


class Planner:
    """Knows what waits, what it costs and what it is worth."""

    def __init__(self, questions: Mapping[str, Sequence[Question]], workers: int, size: int) -> None:
        """Take the questions to each camera's pictures, the number of workers, and how many sightings may wait."""
        self.workers = workers
        self.counts: Counter[tuple[str, str]] = Counter()  # check; done, failed, skipped, dropped, spared or superseded
        self.next_skip_ns = NEVER_NS  # nothing runs out of time before
        self._room = WaitingRoom(questions, size)
        self._calm_ns = 0  # until then the lane counts as strained
        self._ends_ns: dict[Job, int] = {}  # what workers are at → when that should be done

    def submit(self, sighting: Sighting, now_ns: int) -> list[Evidence]:
        """Have a sighting wait; returns what is dropped where there is no room."""
        if not self._room.asks(sighting):
            return []
        look, superseded = self._room.add(sighting)
        self._count(superseded, "superseded")
        _doubt(look, now_ns)
        self.next_skip_ns = 0
        surplus = self._room.surplus(look)
        because = f"skipped: the queue is full ({self._room.size} sightings)"
        return self._told(surplus.open, "dropped", because) if surplus else []

    def take(self, now_ns: int) -> Job | None:
        """The next job of a worker that is idle; None: nothing may be begun now."""
        reach = self._reach(now_ns)
        job = next((job for job in reach.urgent if _ready(job, now_ns)), None)
        if reach.behind or (now_ns < self._calm_ns and reach.slack_ns < NEVER_NS):
            job = job or next((job for job in reach.behind if _bearable(job, now_ns, reach)), None)
        else:
            job = self._before(job, now_ns, reach) or job
        return self._begun(job, now_ns) if job else None

    def located(self, job: Job, crop: Crop, spent_ns: int) -> None:
        """The item is cut out: the other questions to the same picture may be asked."""
        job.look.crop = crop
        job.look.locating.learn(spent_ns)
        self.next_skip_ns = 0

    def done(self, job: Job, found: Iterable[Evidence], spent_ns: int) -> None:
        """The check has answered."""
        del self._ends_ns[job]
        job.cost.learn(spent_ns)
        self._count([job], "done")
        given = {one.check for one in found if one.valid}
        if given.issuperset(job.question.answers):
            job.look.case.answered.add(job.key)
        job.look.unanswered.difference_update(job.question.answers)
        self._spare([one for one in job.look.open if one.question.after and given.issuperset(one.question.answers)])
        self.next_skip_ns = 0

    def failed(self, job: Job, because: str) -> list[Evidence]:
        """A step raised: returns what that leaves unanswered; without a crop that is all of the picture's questions."""
        del self._ends_ns[job]
        self._count([job], "failed")
        job.look.unanswered.difference_update(job.question.answers)
        job.look.case.miss(job)
        rest = [] if job.look.crop else self._told(job.look.open, "failed", because)
        return [*_unanswered(job, because), *rest]

    def expire(self, now_ns: int) -> list[Evidence]:
        """Skip what no longer fits before its deadline; returns word of it."""
        if now_ns < self.next_skip_ns:
            return []
        late = [job for job in self._room.jobs() if not _fits(job, now_ns)]
        if any(job.required for job in late):
            self._calm_ns = now_ns + STRAINED_NS
        said = [one for job in late for one in self._told([job], "skipped", _no_time(job, now_ns))]
        self._room.prune(now_ns)
        self.next_skip_ns = min((job.deadline_ns - job.most_ns + 1 for job in self._room.jobs()), default=NEVER_NS)
        return said

    def forget(self, item_ids: Iterable[str]) -> None:
        """These are decided: what waits of them is done when there is nothing better to do."""
        for item_id in item_ids:
            self._room.settle(item_id)

    def _reach(self, now_ns: int) -> Reach:
        """Rule 2: item by item, the most urgent first, as if each took the usual time of all its required checks."""
        urgent: list[Job] = []
        behind: list[Job] = []
        slack_ns = NEVER_NS
        ahead_ns = sum(max(0, end_ns - now_ns) for end_ns in self._ends_ns.values())
        for case in self._room.undecided(now_ns):
            jobs = sorted(case.needed(), key=_worth, reverse=True)
            to_come_ns = self._room.to_come_ns(case)
            spare_ns = case.deadline_ns - now_ns - self._lasts_ns(jobs, ahead_ns + to_come_ns)
            if case.lost or spare_ns < 0:
                behind += jobs
                continue
            urgent += jobs
            slack_ns = min(slack_ns, spare_ns)
            ahead_ns += _together_ns(jobs) + to_come_ns
        return Reach(urgent, behind, slack_ns)

    def _lasts_ns(self, jobs: Sequence[Job], ahead_ns: int) -> int:
        """Until the last of an item's jobs is done: all workers busy with them, or one with the longest at the end."""
        return ahead_ns // self.workers + sum(job.most_ns for job in jobs)

    def _before(self, urgent: Job | None, now_ns: int, reach: Reach) -> Job | None:
        """Rule 3: the check that no verdict waits for which goes before the most urgent required one, if any does."""
        others = [job for job in self._room.jobs() if not job.required and _bearable(job, now_ns, reach)]
        if urgent:
            others = [job for job in others if not job.spare and job.deadline_ns < urgent.deadline_ns]
        return max(others, key=lambda job: (_worth(job), -job.deadline_ns), default=None)

    def _begun(self, job: Job, now_ns: int) -> Job:
        self._ends_ns[job] = now_ns + job.usual_ns
        job.look.begun = True
        self._room.take_out(job)
        self.next_skip_ns = 0
        return job

    def _told(self, jobs: Iterable[Job], outcome: str, because: str) -> list[Evidence]:
        """These are not done, and why."""
        ended = list(jobs)
        self._count(ended, outcome)
        for job in ended:
            job.look.case.miss(job)
            job.look.unanswered.difference_update(job.question.answers)
            self._room.take_out(job)
        return [one for job in ended for one in _unanswered(job, because)]

    def _spare(self, jobs: Iterable[Job]) -> None:
        """These need not be asked: another question's answer was theirs too."""
        spared = list(jobs)
        self._count(spared, "spared")
        for job in spared:
            job.look.case.answered.add(job.key)
            self._room.take_out(job)

    def _count(self, jobs: Iterable[Job], outcome: str) -> None:
        self.counts.update((str(job.question), outcome) for job in jobs)


def _doubt(look: Look, now_ns: int) -> None:
    """Where there was no time from the start, the estimates are to blame, or the lane's geometry: see `Cost.doubt`."""
    hopeless = [job for job in look.open if not _fits(job, now_ns)]
    if hopeless and now_ns < look.case.deadline_ns:
        for cost in {look.locating, *(job.cost for job in hopeless)}:
            cost.doubt()


def _fits(job: Job, now_ns: int) -> bool:
    """Rule 1."""
    return now_ns + job.most_ns <= job.deadline_ns


def _ready(job: Job, now_ns: int) -> bool:
    return not (job.look.blocked or job.early) and _fits(job, now_ns)


def _bearable(job: Job, now_ns: int, reach: Reach) -> bool:
    """Every item within reach stays there, even if the job takes its 90th percentile."""
    return _ready(job, now_ns) and job.most_ns <= reach.slack_ns


def _worth(job: Job) -> float:
    """Value per expected nanosecond."""
    return job.value / max(1, job.usual_ns)


def _together_ns(jobs: Sequence[Job]) -> int:
    """Expected time of one item's jobs: each picture is located once."""
    unlocated = {job.look: job.look.locating.usual_ns for job in jobs if not job.look.begun}
    return sum(job.cost.usual_ns for job in jobs) + sum(unlocated.values())


def _no_time(job: Job, now_ns: int) -> str:
    left_ms = max(0, job.deadline_ns - now_ns) / NS_PER_MS
    return f"skipped: no time (needs {job.most_ns / NS_PER_MS:.0f} ms, {left_ms:.0f} ms left)"


def _unanswered(job: Job, because: str) -> list[Evidence]:
    return [answer(check, job.look.sighting, because) for check in job.question.answers]
