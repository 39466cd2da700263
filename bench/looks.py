"""The checks as a lane runs them, and beside each what its models cost alone: what is timed by `bench.inspection`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from edge.core.messages import Expected, Frame, Image, Item, Sighting
from edge.inspection import features, second_look
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.belt import BeltColour
from edge.inspection.crop import Check
from edge.inspection.detector import TextDetector
from edge.inspection.heat import unlike
from edge.inspection.locate import locate
from edge.inspection.recogniser import LineReader
from edge.inspection.references import References
from edge.inspection.second_look import SUFFIX, SecondLook, together
from edge.inspection.session import Manifest, Session, Tensor
from edge.inspection.text import TextCheck

GTIN, CAMERA = "00000000", "bench"
ITEM = Item("i", 0, 0, None, Expected("w", GTIN, "o"))
FAR_NS = 2**62


class Heard(Session):
    """A session that remembers what it was fed with."""

    def __init__(self, manifest: Manifest, session: Any) -> None:
        super().__init__(manifest, session)
        self.batches: list[Tensor] = []

    def run(self, batch: Tensor) -> list[Tensor]:
        """As `Session.run`."""
        self.batches.append(batch)
        return super().run(batch)


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the lane runs it, and the same one in the fastest way there is."""

    ours: Heard
    fastest: Session

    def again(self) -> None:
        """Only the runs of the last look, the fastest way: nobody could inspect with this model in less."""
        for batch in self.ours.batches:
            self.fastest.run(batch)


@dataclass(frozen=True, slots=True)
class Look:
    """A check, all in and step by step."""

    name: str
    models: Sequence[Model]  # whose bare runs it is held against
    inspect: Callable[[Image], object]  # from the frame to the evidence
    steps: Callable[[Image], Iterator[str]]  # the same, one step at a time; each is named when it is done

    def forget(self) -> None:
        """Start a new look."""
        for model in self.models:
            model.ours.batches.clear()

    def bare(self) -> None:
        """The runs of the last look and nothing else."""
        for model in self.models:
            model.again()


def first_stage(model: Model, normals: Sequence[Image], folder: Path) -> Look:
    """The anomaly check, with references learnt from `normals` (BGR, one camera) into `folder`."""
    belt = BeltColour.learn(normals)
    crops = [locate(image, belt) for image in normals]
    References.build(crops, model.ours).save(folder / GTIN / f"{CAMERA}.npz")
    check = AppearanceCheck.over(model.ours, folder)
    return Look("first stage", [model], _all_in(check, belt), _first_steps(model.ours, belt, folder))


def second_stage(first: Model, second: Model, normals: Sequence[Image], folder: Path) -> Look:
    """The second look, held against its own network; `folder` is the one that `first_stage` was given."""
    belt = BeltColour.learn(normals)
    crops = [locate(image, belt) for image in normals]
    References.build(crops, second.ours, second_look.SIZE).save(folder / GTIN / f"{CAMERA}{SUFFIX}")
    check = SecondLook.over(first.ours, second.ours, folder)
    return Look("second stage", [second], _all_in(check, belt), _second_steps(first.ours, second.ours, belt, folder))


def text(models: Mapping[str, Model], frames: Sequence[Image]) -> Look:
    """The reading of print, on the belt of `frames`."""
    belt = BeltColour.learn(frames)
    pair = [models["text-detector"], models["text-recogniser"]]
    check = TextCheck(TextDetector(pair[0].ours), LineReader(pair[1].ours), today=date.today)

    def steps(image: Image) -> Iterator[str]:
        crop = locate(image, belt)
        yield "locate, crop"
        check.inspect(crop, _sighting(image))
        yield "find and read lines"

    return Look("text", pair, _all_in(check, belt), steps)


def _all_in(check: Check, belt: BeltColour) -> Callable[[Image], object]:
    return lambda image: check.inspect(locate(image, belt), _sighting(image))


def _first_steps(session: Session, belt: BeltColour, folder: Path) -> Callable[[Image], Iterator[str]]:
    references = References.load(folder / GTIN / f"{CAMERA}.npz", session)

    def steps(image: Image) -> Iterator[str]:
        crop = locate(image, belt)
        yield "locate, crop"
        rows, shown = features.patches(crop, session), features.inside(crop, session)
        yield "features"
        found = references.compare(rows, shown)
        yield "search"
        unlike("anomaly", crop, _sighting(image), found)
        yield "heat map"

    return steps


def _second_steps(first: Session, second: Session, belt: BeltColour, folder: Path) -> Callable[[Image], Iterator[str]]:
    stages = (second_look.Stage.over(first, folder, ".npz"), second_look.Stage.over(second, folder, SUFFIX))
    references = References.load(folder / GTIN / f"{CAMERA}{SUFFIX}", second)

    def steps(image: Image) -> Iterator[str]:
        crop = locate(image, belt)
        yield "locate, crop"
        before = stages[0].look(crop, GTIN, CAMERA)
        yield "first stage anew"
        rows, shown = features.patches(crop, second), features.inside(crop, second)
        yield "features"
        found = references.compare(rows, shown)
        yield "search"
        unlike("second_look", crop, _sighting(image), together(before[0], found) if before else found)
        yield "heat map"

    return steps


def _sighting(image: Image) -> Sighting:
    return Sighting(Frame(CAMERA, "f", 0, 0.0, image), ITEM, FAR_NS)
