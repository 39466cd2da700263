"""Is it the ordered product? What spans each of its pictures is looked for in the item; so are its lookalikes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edge import sealed
from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Sighting
from edge.inspection import features
from edge.inspection.crop import Crop, answer
from edge.inspection.references import Library, coreset
from edge.inspection.session import Session, Tensor

IDENTITY = "identity"
MARKS = 32  # of a picture: with half as many likeness tells a little less, with twice as many no more
COARSE = 2  # patches, along each side, that make one mark: finer ones see paper and edges, not print
LOOKALIKES = 31  # products that an item is also compared with
KEPT_OPEN = 512  # portraits in memory: about 10 kB for each picture of each
TOLD_APART = math.log(3)  # log odds nearer to even than this are no answer
USUAL_SHARPNESS = 100.0  # log odds per unit of likeness, until a site's photographs say better
SHARPNESS_DOUBT = math.log(2)  # standard deviation of its logarithm: how far photographs are expected to move it
SHARPNESSES = USUAL_SHARPNESS * 2.0 ** np.linspace(-3, 3, 49)

Likenesses = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Portrait:
    """What a product looks like: marks that span its catalogue picture, and those of each photograph of it."""

    marks: Tensor  # pictures × MARKS × channels, each of length 1; the catalogue picture first
    model_sha256: str
    lookalikes: tuple[str, ...] = ()  # GTINs, the most alike first
    sharpness: float = USUAL_SHARPNESS  # learnt from its own photographs and those of its lookalikes
    trials: Likenesses = field(default_factory=lambda: np.zeros((0, 1)))  # what `held_out` said of its photographs

    @classmethod
    def of(cls, pictures: Sequence[Tensor], model_sha256: str) -> Portrait:
        """Take what `marks` says of each picture, the catalogue's first."""
        spanning = [np.resize(coreset(rows, MARKS), (MARKS, rows.shape[1])) for rows in pictures]
        return cls(np.stack(spanning), model_sha256)

    @classmethod
    def load(cls, path: Path, session: Session) -> Portrait:
        """Read what `save` wrote.

        Raises:
            ReferencesRefused: missing, damaged, or made by another model than the session's.
        """
        stored = sealed.read(path, session.manifest.sha256)
        try:
            spanning, lookalikes = stored["marks"].astype(np.float32), tuple(map(str, stored["lookalikes"]))
            sharpness, trials = float(stored["sharpness"]), stored["trials"].astype(np.float64)
            return cls(spanning, session.manifest.sha256, lookalikes, sharpness, trials)
        except KeyError as error:
            raise ReferencesRefused(f"{path}: no portrait ({error} is missing): make it anew.") from error

    def save(self, path: Path) -> None:
        """Write to `path` (`.npz`)."""
        learnt: dict[str, sealed.Array] = {
            "marks": self.marks.astype(np.float16),
            "trials": self.trials.astype(np.float32),
        }
        compared = {"lookalikes": np.array(self.lookalikes, np.str_), "sharpness": np.array(self.sharpness)}
        sealed.write(path, learnt | compared, self.model_sha256)

    def likenesses(self, rows: Tensor) -> Likenesses:
        """To each of its pictures: the mean, over the picture's marks, of the cosine with the likest in `rows`."""
        nearest = (self.marks.reshape(-1, self.marks.shape[2]) @ rows.T).max(axis=1)
        means: Likenesses = nearest.reshape(self.marks.shape[:2]).mean(axis=1, dtype=np.float64)
        return means


class IdentityCheck:
    """Evidence `identity`: log odds that it is another product, against its being the ordered one."""

    def __init__(self, session: Session, portraits: Library[Portrait]) -> None:
        self._session = session
        self._portraits = portraits

    @classmethod
    def over(cls, session: Session, catalogue: Path) -> IdentityCheck:
        """With what lies in the catalogue: `<gtin>/identity.npz`."""
        return cls(session, Library(catalogue, ".npz", partial(Portrait.load, session=session), KEPT_OPEN))

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """Invalid where there is nothing to compare with, and where the item is like several products alike."""
        if sighting.item.expected is None:
            return [answer(IDENTITY, sighting, "the warehouse has not announced this item")]
        if features.blank(crop):
            return [answer(IDENTITY, sighting, "nothing to see")]
        try:
            known = dict(self._compared(sighting.item.expected.gtin))
        except ReferencesRefused as error:
            return [answer(IDENTITY, sighting, str(error))]
        if len(known) < 2:
            because = "no portrait of the ordered product, or of no other: `tunnel-edge catalogue build`"
            return [answer(IDENTITY, sighting, because)]
        rows = marks(crop, self._session)
        told = _judged({gtin: portrait for gtin, (portrait, _) in known.items()}, rows, crop, sighting)
        return [replace(told, learnt=" ".join(name for _, name in known.values()))]

    def _compared(self, gtin: str) -> Iterator[tuple[str, tuple[Portrait, str]]]:
        """The ordered product's portrait and the name of its file, then those of its lookalikes."""
        ordered = self._portraits.known(gtin, IDENTITY)
        if ordered:
            yield gtin, ordered
            for other in ordered[0].lookalikes:
                if portrait := self._portraits.known(other, IDENTITY):
                    yield other, portrait


def marks(crop: Crop, session: Session) -> Tensor:
    """Directions of the patches that show the item, each the mean of COARSE × COARSE: up to 256 × channels."""
    grid = session.manifest.extra["grid"] // COARSE
    fine = features.patches(crop, session).reshape(grid, COARSE, grid, COARSE, -1)
    shown = features.inside(crop, session).reshape(grid, COARSE, grid, COARSE).any(axis=(1, 3)).ravel()
    rows = fine.mean(axis=(1, 3)).reshape(grid * grid, -1)[shown]
    unit: Tensor = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def likeness(to_pictures: Likenesses) -> float:
    """To the product: half by the catalogue's own picture, half by the likest photograph, where there are any.

    An item shows one side, the photographs all of them; the catalogue's picture is the one that is surely right.
    """
    catalogue, photographs = to_pictures[0], to_pictures[1:]
    return float((catalogue + photographs.max()) / 2 if len(photographs) else catalogue)


def held_out(portrait: Portrait, photographs: Sequence[Tensor], others: Sequence[Portrait]) -> Likenesses:
    """Of each photograph to its own product, reckoned without it, and to the others: photographs × (1 + others).

    photographs: the marks of those that the portrait was made of, in its order.
    """
    table = np.zeros((len(photographs), 1 + len(others)))
    for place, rows in enumerate(photographs):
        table[place, 0] = likeness(np.delete(portrait.likenesses(rows), 1 + place))
        table[place, 1:] = [likeness(other.likenesses(rows)) for other in others]
    return table


def log_odds(ordered: float, others: Likenesses, sharpness: float) -> float:
    """That it is the ordered product, against its being one of the others, any of which is as likely (softmax)."""
    scaled = sharpness * others
    return float(sharpness * ordered - scaled.max() - np.log(np.exp(scaled - scaled.max()).mean()))


def sharpness_of(trials: Iterable[Likenesses]) -> float:
    """The sharpness with which photographs (tables of `held_out`) are likeliest to be called what they are.

    Temperature scaling (Guo et al. 2017), its logarithm held near the usual by a normal prior: few photographs, all of
    them told apart, would call for no bound.
    """
    fits = -((np.log(SHARPNESSES / USUAL_SHARPNESS) / SHARPNESS_DOUBT) ** 2) / 2
    for table in trials:
        margins = table - table[:, :1]
        fits -= [np.log(np.exp(sharpness * margins).sum(axis=1)).sum() for sharpness in SHARPNESSES]
    return float(SHARPNESSES[fits.argmax()])


def _judged(portraits: Mapping[str, Portrait], rows: Tensor, crop: Crop, sighting: Sighting) -> Evidence:
    """Vouch for what is clearly likelier: the ordered product (the first), or another."""
    gtins = list(portraits)
    likenesses = np.array([likeness(portrait.likenesses(rows)) for portrait in portraits.values()])
    odds = log_odds(likenesses[0], likenesses[1:], portraits[gtins[0]].sharpness)
    other = gtins[1 + int(likenesses[1:].argmax())]
    said = replace(answer(IDENTITY, sighting, _because(odds, gtins[0], other)), probability=_probability(odds))
    if abs(odds) < TOLD_APART:
        return said
    return replace(said, score=-odds, reading=gtins[0] if odds > 0 else other, where=crop.polygon, valid=True)


def _because(odds: float, gtin: str, other: str) -> str:
    if abs(odds) < TOLD_APART:
        return f"cannot be told: as like {other} as {gtin}"
    return f"looks like {gtin}, least unlike is {other}" if odds > 0 else f"looks like {other}, not like {gtin}"


def _probability(odds: float) -> float:
    """That it is the ordered product, where either is as likely beforehand."""
    return 1 / (1 + math.exp(-min(max(odds, -40.0), 40.0)))
