"""The date on one line of print: the tiny recogniser first, further looks only while it is in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from edge.core.date_forms import Extra
from edge.core.date_grammar import Read, search
from edge.core.date_votes import VOUCH_FROM, voted
from edge.core.dates import DateReading
from edge.core.messages import Image
from edge.inspection.recogniser import Line, LineReader

SURE_FROM = 0.8  # from this probability on no further look is worth its time
THIRD_FROM = 0.05  # two looks that both see hardly a date leave nothing to settle,
SETTLED_FROM = 0.75  # and two that agree this far nothing either
LEGIBLE_FROM = 0.9  # mean confidence of a line's characters: what stands on its head stays below, 296 of 307 lines
LONG_FROM = 1.5  # of its height: the shortest line on which a date was read was 2.0
DIGITS_MIN = 2  # on a line with fewer there is no date


@dataclass(frozen=True, slots=True)
class Look:
    """What the looks at a line say together."""

    picture: Image  # the way round that it was read
    line: Line  # of the last look
    dates: tuple[DateReading, ...]  # the likeliest first

    @property
    def probability(self) -> float:
        """Of its likeliest date; 0 where it saw none."""
        return self.dates[0].probability if self.dates else 0.0

    @property
    def legible(self) -> bool:
        """It shows print the right way round; nonsense is read hesitantly."""
        hesitant = not self.line.confidences or float(np.mean(self.line.confidences)) < LEGIBLE_FROM
        return self.probability >= THIRD_FROM or not hesitant

    @property
    def worth_another(self) -> bool:
        """There may be a date on it."""
        height_px, width_px = self.picture.shape[:2]
        return width_px >= LONG_FROM * height_px and (self.probability > 0 or _digits(self.line) >= DIGITS_MIN)


class Cascade:
    """Two recognisers, the cheaper one first; safe to share between workers."""

    def __init__(self, tiny: LineReader, small: LineReader, extras: frozenset[Extra] = frozenset()) -> None:
        self._tiny = tiny
        self._small = small
        self._extras = extras

    def read(self, picture: Image, read: Read) -> Look:
        """A line (BGR or mono) that may stand on its head; `read` says what dates a text allows."""
        [glance] = self.glances([picture], read)
        return self.settled(glance, read)

    def glances(self, pictures: Sequence[Image], read: Read) -> list[Look]:
        """The cheapest look at each line of a piece of print; where all show nonsense, others at them turned around."""
        first = [self.upright(picture, read) for picture in pictures]
        if any(look.legible for look in first):
            return first
        turned = [np.asarray(cv2.rotate(picture, cv2.ROTATE_180), np.uint8) for picture in pictures]
        second = [self.upright(picture, read) for picture in turned]
        return second if any(look.probability >= VOUCH_FROM for look in second) else first

    def upright(self, picture: Image, read: Read) -> Look:
        """One look of the tiny recogniser at a line that is the right way round."""
        return self.look(picture, self._tiny.read(picture), read)

    def look(self, picture: Image, line: Line, read: Read) -> Look:
        """A line that has been read already, as a look."""
        return Look(picture, line, self._dates(line, read))

    def settled(self, look: Look, read: Read) -> Look:
        """The same with the larger recogniser's votes, where a date is in doubt: one look, rarely two."""
        if look.probability >= SURE_FROM or not look.worth_another:
            return look
        look = self._joined(look, self._small.read(look.picture), read)
        if THIRD_FROM <= look.probability < SETTLED_FROM:
            look = self._joined(look, self._small.read_sharp(look.picture), read)
        return look

    def _joined(self, look: Look, line: Line, read: Read) -> Look:
        return replace(look, line=line, dates=voted((look.dates, self._dates(line, read))))

    def _dates(self, line: Line, read: Read) -> tuple[DateReading, ...]:
        if _digits(line) < DIGITS_MIN:
            return ()
        return search(line.steps, line.vocabulary, read, self._extras)


def _digits(line: Line) -> int:
    return sum(map(str.isdigit, line.text))
