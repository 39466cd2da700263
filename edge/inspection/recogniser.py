"""Read one line of print: PP-OCR's recogniser, and the greedy reading of its probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.core.code_votes import FAINT, Place
from edge.core.messages import Image
from edge.inspection.session import Session, Tensor

WIDTH_MIN_PX = (
    160  # narrower pictures are padded; 320 reads no better (94.8 and 94.5 % of date lines), but takes twice as long
)
WIDTH_MAX_PX = 960  # longer lines are squeezed: 20 ms is all that one line may cost
SMOOTHING_PX = (
    1.0  # sigma at 48 px: closes the gaps of dot matrix, 93 → 95 % of date lines, and costs blurred print nothing
)
BLANK = 0  # CTC's class for "no character"


@dataclass(frozen=True, slots=True)
class Line:
    """What one look at a line says."""

    text: str
    confidences: tuple[float, ...]  # one per character, 0 to 1
    begins: tuple[int, ...]  # the step on which each character begins
    steps: Tensor  # steps × classes: every probability, for a search that knows a grammar
    vocabulary: tuple[str, ...]  # by class

    @property
    def weakest(self) -> float:
        """The confidence of the least certain character; 0 where nothing was read."""
        return min(self.confidences, default=0.0)

    @property
    def places(self) -> tuple[Place, ...]:
        """What each character may be, the one that was read among them."""
        return tuple(self._place(begin) for begin in self.begins)

    def _place(self, begin: int) -> Place:
        step = self.steps[begin]
        present = set(np.flatnonzero(step >= FAINT).tolist()) | {int(step.argmax())}
        return {self.vocabulary[one]: float(step[one]) for one in sorted(present - {BLANK})}


class LineReader:
    """Pictures of single lines to text; safe to share between workers."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._vocabulary: tuple[str, ...] = tuple(session.manifest.extra["vocabulary"])
        self.height_px = int(session.manifest.extra["height_px"])
        self._width_min_px = int(session.manifest.extra.get("width_min_px", WIDTH_MIN_PX))

    def read(self, picture: Image) -> Line:
        """Read a line that fills its picture (BGR or mono, upright)."""
        return self._recognised(cv2.GaussianBlur(self._levelled(picture), (0, 0), SMOOTHING_PX))

    def read_sharp(self, picture: Image) -> Line:
        """The same without smoothing: a second opinion."""
        return self._recognised(self._levelled(picture))

    def _levelled(self, picture: Image) -> Image:
        """Grey and of the graph's height."""
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
        width_px = round(grey.shape[1] * self.height_px / grey.shape[0])
        size = (min(max(width_px, 1), WIDTH_MAX_PX), self.height_px)
        return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC), np.uint8)

    def _recognised(self, grey: cv2.typing.MatLike) -> Line:
        batch = self._session.manifest.batch(np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR), np.uint8))
        missing_px = max(0, self._width_min_px - batch.shape[3])
        padded = np.pad(batch, ((0, 0), (0, 0), (0, 0), (0, missing_px)))
        return greedy(self._session.run(padded)[0][0], self._vocabulary)


def greedy(steps: Tensor, vocabulary: tuple[str, ...]) -> Line:
    """The likeliest class of each step, repeats and blanks dropped (CTC, Graves 2006)."""
    classes = steps.argmax(axis=1)
    begins = np.flatnonzero((classes != BLANK) & (classes != np.concatenate(([BLANK], classes[:-1]))))
    text = "".join(vocabulary[one] for one in classes[begins])
    return Line(text, tuple(steps[begins, classes[begins]].tolist()), tuple(begins.tolist()), steps, vocabulary)
