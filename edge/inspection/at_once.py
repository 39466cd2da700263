"""Looks at one picture there and then, with all the time in the world: for replays."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace

from edge.core.messages import Evidence, Sighting
from edge.inspection.crop import Question
from edge.inspection.held import Held
from edge.inspection.inspector import Locate
from edge.inspection.planner import Planner
from edge.inspection.waiting import NEVER_NS, Job

NOW_NS = 0  # it stands still meanwhile

log = logging.getLogger(__name__)


class AtOnce:
    """Asks every question, in the planner's order: one that waits for another's answer does so here too."""

    def __init__(self, locate: Locate, questions: Mapping[str, Sequence[Question]]) -> None:
        self._locate = locate
        self._questions = questions
        self._held = Held()

    def look(self, sighting: Sighting) -> list[Evidence]:
        """All that is found in a picture."""
        planner = Planner(self._questions, workers=1, size=1)
        found = planner.submit(replace(sighting, deadline_ns=NEVER_NS), NOW_NS)
        while job := planner.take(NOW_NS):
            found += self._asked(planner, job)
        return found

    def _asked(self, planner: Planner, job: Job) -> list[Evidence]:
        sighting = job.look.sighting
        try:
            crop = job.look.crop
            if crop is None:
                crop = self._locate(sighting.frame.camera, sighting.frame.image)
                if fault := self._held.check(sighting):
                    return planner.failed(job, fault)
                planner.located(job, crop, 0)
            found = list(job.question.check.inspect(crop, sighting))
        except Exception as error:  # as on a lane: one picture must not end it
            log.exception("%s of frame %s of camera %s", job.question, sighting.frame.frame_id, sighting.frame.camera)
            return planner.failed(job, f"failed: {type(error).__name__}")
        planner.done(job, found, 0)
        return found
