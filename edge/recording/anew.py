"""The pictures of a recording looked at anew: with other models, references or questions, in the time of then.

What is found now arrives when the recorded answer to the same question did; what there was no time for then is not
looked at now, so that a difference comes from models, references and recipe alone.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from edge.core.messages import Evidence, Image, Sighting
from edge.recording.lines import Line
from edge.recording.replayed import Replayed

Place = tuple[str, str, str]
"""Item, camera and frame."""


class InspectedAnew:
    """Looks at every picture that was kept."""

    def __init__(
        self,
        replayed: Replayed,
        picture: Callable[..., Image],
        look: Callable[[Sighting], Sequence[Evidence]],
        asked: Mapping[Place, frozenset[str]],
    ) -> None:
        """Take what was recorded, how to get at a frame's picture, what looks, and what was asked then."""
        self.faults = replayed.doubts
        self._replayed, self._picture, self._look, self._asked = replayed, picture, look, asked
        self._fresh: dict[Place, list[Evidence]] = {}

    def submit(self, sightings: Iterable[Sighting]) -> None:
        """Look at these now; their answers wait."""
        for sighting in sightings:
            frame = sighting.frame
            told = self._replayed.frames[frame.camera, frame.frame_id]
            place = (sighting.item.item_id, frame.camera, frame.frame_id)
            if told.sha256 and not frame.fault and place in self._asked:
                whole = replace(frame, image=self._picture(told))
                self._fresh[place] = list(self._look(replace(sighting, frame=whole)))

    def collect(self) -> Sequence[Evidence]:
        """What is found now, in place of what arrived in this turn."""
        return [fresh for one in self._replayed.found() for fresh in self._instead(one)]

    def forget(self, item_ids: Iterable[str]) -> None:
        """What has not arrived of these no longer matters; it arrives all the same, as it did then."""

    def _instead(self, one: Evidence) -> Iterator[Evidence]:
        place = (one.item_id, one.camera, one.frame_id)
        if place not in self._fresh or is_skipped(one):
            yield one
            return
        asked = self._asked.get(place, frozenset())
        later = [fresh for fresh in self._fresh[place] if fresh.check in asked - {one.check}]
        due = [fresh for fresh in self._fresh[place] if fresh.check not in asked - {one.check}]
        self._fresh[place] = later
        for fresh in due:
            yield replace(fresh, started_ns=one.started_ns, finished_ns=one.finished_ns)


def asked_of(lines: Iterable[Line]) -> dict[Place, frozenset[str]]:
    """What every picture was asked then; reads the whole tape, and so finds out whether it is sound."""
    asked: defaultdict[Place, set[str]] = defaultdict(set)
    for line in lines:
        for one in line.evidence:
            asked[one.item_id, one.camera, one.frame_id].add(one.check)
    return {place: frozenset(checks) for place, checks in asked.items()}


def is_skipped(one: Evidence) -> bool:
    """Whether there was no time or no room for it."""
    return not one.started_ns and one.because.startswith("skipped")
