"""The date on one line of print: the tiny recogniser first, further looks only while it is in doubt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from edge.core.date_forms import Extra
from edge.core.date_grammar import Read, search
from edge.core.dates import DateReading
from edge.core.messages import Image
from edge.inspection.recogniser import Line, LineReader

SURE_FROM = 0.9  # from this probability on no further look is worth its time
VOUCH_FROM = 0.5  # below this it is likelier that something else is printed


@dataclass(frozen=True, slots=True)
class Look:
    """What one look at a line says."""

    line: Line
    dates: tuple[DateReading, ...]  # the likeliest first

    @property
    def probability(self) -> float:
        """Of its likeliest date; 0 where it saw none."""
        return self.dates[0].probability if self.dates else 0.0


class Cascade:
    """Two recognisers, the cheaper one first; safe to share between workers."""

    def __init__(self, tiny: LineReader, small: LineReader, extras: frozenset[Extra] = frozenset()) -> None:
        self._tiny = tiny
        self._small = small
        self._extras = extras

    def read(self, picture: Image, read: Read) -> Look:
        """The surest look at a line (BGR or mono) that may stand on its head; `read` says what dates a text allows."""
        first = self.surest(self._upright(picture), read)
        if first.dates:
            return first
        turned = np.ascontiguousarray(np.asarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8))
        second = self.surest(self._upright(turned), read)
        return second if second.probability >= VOUCH_FROM else first

    def surest(self, looks: Iterable[Line], read: Read) -> Look:
        """The first look that is sure of a date, else the one that is least in doubt; no look is taken in vain."""
        taken: list[Look] = []
        for line in looks:
            taken.append(Look(line, search(line.steps, line.vocabulary, read, self._extras)))
            if taken[-1].probability >= SURE_FROM:
                break
        return max(taken, key=lambda look: look.probability)

    def _upright(self, picture: Image) -> Iterator[Line]:
        yield self._tiny.read(picture)
        yield self._small.read_sharp(picture)
        yield self._small.read(picture)
