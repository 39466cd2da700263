"""What waits to be looked at: items, their newest pictures, and what is still to be asked of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from edge.core.messages import Sighting
from edge.inspection.costs import Cost
from edge.inspection.crop import Crop, Question

NEVER_NS = 2**62
SPARE = 0.01  # of its value: what nobody waits for any longer
CASES_PER_SIGHTING = 4  # items remembered, for each sighting that may wait


@dataclass(eq=False, slots=True)
class Case:
    """An item, as far as it is to be looked at."""

    deadline_ns: int = NEVER_NS  # until it is seen
    settled: bool = False  # its verdict has fallen
    looks: dict[str, Look] = field(default_factory=dict)  # camera → the newest picture that waits
    unseen: set[str] = field(default_factory=set)  # cameras with required questions that have not shown it yet
    answered: set[tuple[str, str]] = field(default_factory=set)  # camera and question: vouched for
    missed: set[tuple[str, str]] = field(default_factory=set)  # camera and question: required, but not answered

    @property
    def lost(self) -> bool:
        """Something that a verdict needs was skipped or failed, and no newer picture has come for it."""
        return not self.missed <= self.answered

    def miss(self, job: Job) -> None:
        """It will not be answered from this picture."""
        if job.required:
            self.missed.add(job.key)

    def needed(self) -> list[Job]:
        """What waits of it that its verdict waits for."""
        return [job for look in self.looks.values() for job in look.open if job.required]


@dataclass(eq=False, slots=True)
class Look:
    """A sighting, and what is still to be asked of it."""

    case: Case
    sighting: Sighting
    locating: Cost
    open: list[Job] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)  # what its questions, open or being asked, will answer
    begun: bool = False  # a worker cuts the item out, or has done so
    crop: Crop | None = None  # shared by its questions, gone with the last of them

    @property
    def camera(self) -> str:
        """Whose picture it is."""
        return self.sighting.frame.camera

    @property
    def blocked(self) -> bool:
        """A worker is cutting the item out just now."""
        return self.begun and self.crop is None


@dataclass(eq=False, slots=True)
class Job:
    """One question to one picture; a picture without a crop is to be located first."""

    look: Look
    question: Question
    cost: Cost
    key: tuple[str, str]  # camera and question: the same for all its pictures

    @property
    def deadline_ns(self) -> int:
        """Of its item: the latest word on it."""
        return self.look.case.deadline_ns

    @property
    def spare(self) -> bool:
        """Nobody waits for it: the item is decided, or an earlier picture has given the answer."""
        return self.look.case.settled or self.key in self.look.case.answered

    @property
    def early(self) -> bool:
        """Another question to the same picture is to be answered first."""
        return self.question.after in self.look.unanswered

    @property
    def required(self) -> bool:
        """A verdict waits for it."""
        return self.question.required and not self.spare

    @property
    def value(self) -> float:
        """What its answers are worth now."""
        return self.question.value * (SPARE if self.spare else 1.0)

    @property
    def usual_ns(self) -> int:
        """Its expected time, with locating where that is still to be done."""
        return self.cost.usual_ns + (0 if self.look.begun else self.look.locating.usual_ns)

    @property
    def most_ns(self) -> int:
        """The same at the 90th percentile (a sum of two, so rather more)."""
        return self.cost.most_ns + (0 if self.look.begun else self.look.locating.most_ns)


class WaitingRoom:
    """Holds a bounded number of pictures: one of each item and camera."""

    def __init__(self, questions: Mapping[str, Sequence[Question]], size: int) -> None:
        """Take the questions to each camera's pictures, and how many sightings may wait."""
        self.size = size
        self.cases: dict[str, Case] = {}
        self._questions = questions
        self._locating = {camera: Cost() for camera in questions}
        self._costs = {(camera, str(one)): Cost() for camera, asked in questions.items() for one in asked}
        required = [(camera, str(one)) for camera, asked in questions.items() for one in asked if one.required]
        self._required = {camera: [self._costs[key] for key in required if key[0] == camera] for camera, _ in required}

    def jobs(self) -> Iterator[Job]:
        """Everything that waits."""
        return (job for case in self.cases.values() for look in case.looks.values() for job in look.open)

    def add(self, sighting: Sighting) -> tuple[Look, list[Job]]:
        """Take a picture in; returns it, and what waited of the same item and camera, whose place it takes."""
        camera = sighting.frame.camera
        case = self._case(sighting.item.item_id)
        case.deadline_ns = sighting.deadline_ns
        look = Look(case, sighting, self._locating[camera])
        keys = {(camera, str(one)): one for one in self._questions[camera]}
        look.open = [Job(look, one, self._costs[key], key) for key, one in keys.items()]
        look.unanswered = {check for job in look.open for check in job.question.answers}
        replaced = case.looks.get(camera)
        superseded = list(replaced.open) if replaced else []
        for job in superseded:
            self.take_out(job)
        case.looks[camera] = look
        case.unseen.discard(camera)
        case.missed.difference_update(job.key for job in look.open)
        return look, superseded

    def undecided(self, now_ns: int) -> list[Case]:
        """Items of which a verdict waits for something, here or yet to come, the most urgent first."""
        waiting = (case for case in self.cases.values() if not case.settled and now_ns < case.deadline_ns)
        return sorted((case for case in waiting if case.looks or case.unseen), key=lambda case: case.deadline_ns)

    def to_come_ns(self, case: Case) -> int:
        """Expected time of an item's required checks on pictures that are yet to come."""
        locating_ns = sum(self._locating[camera].usual_ns for camera in case.unseen)
        return locating_ns + sum(cost.usual_ns for camera in case.unseen for cost in self._required[camera])

    def asks(self, sighting: Sighting) -> bool:
        """Whether any rule asks anything of its camera."""
        return bool(self._questions.get(sighting.frame.camera))

    def surplus(self, newcomer: Look) -> Look | None:
        """What must go where there is no room: a picture that no verdict waits for, or the newcomer."""
        looks = [look for case in self.cases.values() for look in case.looks.values()]
        if len(looks) <= self.size:
            return None
        idle = [look for look in looks if not any(job.required for job in look.open)]
        return min(idle, key=lambda look: sum(job.value for job in look.open), default=newcomer)

    def take_out(self, job: Job) -> None:
        """It waits no longer; its picture goes with the last of its questions."""
        job.look.open.remove(job)
        if not job.look.open and job.look.case.looks.get(job.look.camera) is job.look:
            del job.look.case.looks[job.look.camera]

    def settle(self, item_id: str) -> None:
        """Its verdict has fallen, be it before it was seen."""
        self._case(item_id).settled = True

    def prune(self, now_ns: int) -> None:
        """Items whose time is over and of which nothing waits are forgotten."""
        over = [name for name, case in self.cases.items() if not case.looks and case.deadline_ns <= now_ns]
        for name in over:
            del self.cases[name]

    def _case(self, item_id: str) -> Case:
        if item_id not in self.cases:
            self._bound()
            self.cases[item_id] = Case(unseen=set(self._required))
        return self.cases[item_id]

    def _bound(self) -> None:
        """The oldest item of which nothing waits makes room; its time may never end, where the belt stands."""
        if len(self.cases) >= CASES_PER_SIGHTING * self.size:
            oldest = next(name for name, case in self.cases.items() if not case.looks)
            del self.cases[oldest]
