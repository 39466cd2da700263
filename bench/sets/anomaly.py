"""Sound and faulty pictures of one kind of item: how well the unlike is told from the usual, without any label.

Layouts: `train/good`, `test/TYPE`, `ground_truth/TYPE` (MVTec AD); `{train,test}/{normal,anomaly}`; `{normal,anomaly}`,
of which half of the normals, drawn anew for each seed, are learnt from. Anomalies are never learnt from: all of them
are tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from bench.sets import Figures, Options, Show, over_seeds
from edge.core.statistics import auroc, per_region_overlap, recall_at
from edge.inspection.heat import enlarged
from edge.inspection.locate import whole
from edge.inspection.references import CLEAR, SIZE, Difference, Normal, References, coreset, normal
from edge.inspection.second_look import SIZE as SECOND_SIZE
from edge.inspection.second_look import together
from edge.inspection.session import Session, Tensor
from edge.pictures import read_picture

PICTURES = frozenset({".bmp", ".jpeg", ".jpg", ".png"})
GOOD = frozenset({"good", "normal"})
SHOTS = (1, 4, 8, 16)
MAP_PX = 256  # pixel figures are taken at this size
STAGES = ("first", "second", "both", "appliance")  # the last: the first, and both where it is in doubt
SIZES = {"first": SIZE, "second": SECOND_SIZE}

Mask = npt.NDArray[np.bool_]


class Picture(NamedTuple):
    """A picture of the set."""

    path: Path
    bad: bool
    mask: Path | None  # where its fault is; None: nobody has said


@dataclass(frozen=True, slots=True)
class Split:
    """What is learnt from, and what is tested."""

    normals: Sequence[Picture]
    tested: Sequence[Picture]


@dataclass(slots=True)
class Patches:
    """Every picture once through each network."""

    sessions: Mapping[str, Session]  # by stage
    kept: dict[tuple[str, Path], npt.NDArray[np.float16]] = field(default_factory=dict)  # as it lies, and half turned

    def of(self, stage: str, picture: Picture) -> Tensor:
        """A picture's patches, rows × channels; the whole picture is the item."""
        return self.normal(stage, picture).lying

    def normal(self, stage: str, picture: Picture) -> Normal:
        """What is learnt from a picture of a normal item."""
        key = (stage, picture.path)
        if key not in self.kept:
            learnt = normal(whole(read_picture(picture.path)), self.sessions[stage])
            self.kept[key] = np.array(learnt, np.float16)
        return Normal(*self.kept[key].astype(np.float32))

    def references(self, stage: str, pictures: Sequence[Picture]) -> References:
        """What a stage learns from these, suspects left out."""
        items = [self.normal(stage, picture) for picture in pictures]
        return References.learn(items, self.sessions[stage].manifest.sha256, SIZES[stage])

    def bare(self, stage: str, pictures: Sequence[Picture]) -> References:
        """The same from however few: nothing is held out, so that distances are not told in any measure."""
        rows = np.concatenate([each for picture in pictures for each in self.kept[stage, picture.path]])
        return References(
            coreset(rows.astype(np.float32), SIZES[stage]),
            np.ones(1, np.float32),
            (),
            self.sessions[stage].manifest.sha256,
        )

    def compare(self, stage: str, references: References, picture: Picture) -> Difference:
        """How unlike the references a picture is."""
        rows = self.of(stage, picture)
        return references.compare(rows, np.ones(len(rows), bool))


def fits(folder: Path) -> bool:
    """Tell whether the folder is laid out as such a set, and has pictures of both kinds."""
    return len({picture.bad for _, picture in _listed(folder)}) == 2


def sound_pictures(folder: Path) -> list[Picture]:
    """All sound pictures of a set, of both parts."""
    return [picture for _, picture in _listed(folder) if not picture.bad]


def bad_pictures(folder: Path) -> list[Picture]:
    """All faulty pictures of a set, of both parts."""
    return [picture for _, picture in _listed(folder) if picture.bad]


def measure(folder: Path, options: Options, show: Show) -> Figures:
    """Figures of each stage; those of the appliance as a whole stand at the top."""
    patches = Patches({"first": options.sessions.of("backbone"), "second": options.sessions.of("second-stage")})
    splits = list(_splits(folder, options.seeds))
    for picture in show.track(f"{folder.name}: features", [*splits[0].normals, *splits[0].tested]):
        for stage in patches.sessions:
            patches.of(stage, picture)
    each = [_measured(split, patches) for split in show.track(f"{folder.name}: splits", splits)]
    stages = {stage: _summed([one[stage] for one in each]) for stage in STAGES}
    shots = {
        stage: _few_shot(stage, splits[0], patches, options.seeds)
        for stage in show.track(f"{folder.name}: few references", list(patches.sessions))
    }
    counts = {"normals": len(splits[0].normals), "tested": len(splits[0].tested), "splits": len(splits)}
    return {**stages["appliance"], **counts, "stages": stages, "few_shot_image_auroc": shots}


def _listed(folder: Path) -> Iterator[tuple[str, Picture]]:
    """Every picture, with the part of the set (`train`, `test`, or nothing) that it belongs to."""
    for part in ("train", "test", ""):
        for kind in sorted((folder / part).glob("*/")):
            if kind.name in GOOD or kind.name == "anomaly" or (part == "test" and (folder / "train" / "good").is_dir()):
                for path in sorted(one for one in kind.iterdir() if one.suffix.lower() in PICTURES):
                    yield part, Picture(path, kind.name not in GOOD, _mask(folder, path))


def _mask(folder: Path, path: Path) -> Path | None:
    """MVTec's masks end in `_mask`; others bear the picture's own name."""
    place = folder / "ground_truth" / path.parent.name
    named = (place / f"{path.stem}{ending}.png" for ending in ("_mask", ""))
    return next((mask for mask in named if mask.is_file()), None)


def _splits(folder: Path, seeds: int) -> Iterator[Split]:
    """The set's own split, or random halves of the normals."""
    listed = list(_listed(folder))
    bad = [picture for _, picture in listed if picture.bad]
    good = [picture for _, picture in listed if not picture.bad]
    trained = [picture for part, picture in listed if part == "train" and not picture.bad]
    if trained:
        yield Split(trained, [*(picture for picture in good if picture not in trained), *bad])
        return
    for seed in range(seeds):
        order = np.random.default_rng(seed).permutation(len(good))
        half = len(good) // 2
        yield Split([good[one] for one in order[:half]], [*(good[one] for one in order[half:]), *bad])


def _measured(split: Split, patches: Patches) -> dict[str, Figures]:
    """Every stage's figures on one split."""
    learnt = {stage: patches.references(stage, split.normals) for stage in patches.sessions}
    found: dict[str, list[Difference]] = {stage: [] for stage in STAGES}
    for picture in split.tested:
        first, second = (patches.compare(stage, learnt[stage], picture) for stage in learnt)
        both = together(first, second)
        looked = both if learnt["first"].in_doubt(first.score) else _sure(first)
        for stage, one in zip(STAGES, (first, second, both, looked), strict=True):
            found[stage].append(one)
    figures = {stage: _figures(split.tested, found[stage]) for stage in STAGES}
    for stage, references in learnt.items():
        figures[stage]["suspects"] = len(references.suspects)
    figures["appliance"]["second_looks"] = _doubted(learnt["first"], split, found["first"])
    return figures


def _sure(first: Difference) -> Difference:
    """What is beyond doubt, as it ranks beside what was looked at twice: usual items pass before any of those."""
    return first if first.score >= CLEAR else first._replace(score=first.score - CLEAR)


def _doubted(references: References, split: Split, found: Sequence[Difference]) -> float:
    """Share of the sound items that are looked at twice: what the second stage costs a lane."""
    sound = [one for picture, one in zip(split.tested, found, strict=True) if not picture.bad]
    return float(np.mean([references.in_doubt(one.score) for one in sound]))


def _figures(tested: Sequence[Picture], found: Sequence[Difference]) -> Figures:
    good, bad = (
        [one.score for picture, one in zip(tested, found, strict=True) if picture.bad is wanted]
        for wanted in (False, True)
    )
    figures = {
        "image_auroc": auroc(good, bad),
        "recall_at_1pct": recall_at(good, bad, 0.01),
        "recall_at_0.1pct": recall_at(good, bad, 0.001),
        "recall_at_largest_normal": float(np.mean(np.array(bad) >= 1)),
        "overkill_at_largest_normal": float(np.mean(np.array(good) >= 1)),
    }
    return figures | _pixel_figures(tested, found)


def _pixel_figures(tested: Sequence[Picture], found: Sequence[Difference]) -> Figures:
    """Pixel AUROC and PRO at MAP_PX, over the sound pictures and those with a mask; nothing where there are none."""
    sound, regions = [], []
    for picture, one in zip(tested, found, strict=True):
        if picture.mask or not picture.bad:
            heat, fault = enlarged(one.heat, (MAP_PX, MAP_PX)), _fault(picture)
            sound.append(heat[~fault])
            count, labels = cv2.connectedComponents(fault.astype(np.uint8))
            regions += [heat[labels == label] for label in range(1, count)]
    if not regions:
        return {}
    pixels = np.concatenate(sound)
    overlap = per_region_overlap(pixels, regions)
    return {"pixel_auroc": auroc(pixels, np.concatenate(regions)), "pro": overlap, "regions": len(regions)}


def _fault(picture: Picture) -> Mask:
    if picture.mask is None:
        return np.zeros((MAP_PX, MAP_PX), bool)
    mask = read_picture(picture.mask)[..., 0]
    return np.asarray(cv2.resize(mask, (MAP_PX, MAP_PX), interpolation=cv2.INTER_NEAREST) > 0, bool)


def _summed(each: Sequence[Figures]) -> Figures:
    """Means over the splits; where there are several, the intervals too."""
    means: Figures = {name: round(float(np.mean([one[name] for one in each])), 4) for name in each[0]}
    if len(each) == 1:
        return means
    return means | {"intervals": {name: over_seeds([one[name] for one in each]) for name in each[0]}}


def _few_shot(stage: str, split: Split, patches: Patches, seeds: int) -> Figures:
    """Image AUROC by number of references, over draws of them."""
    numbers = [shots for shots in SHOTS if shots <= len(split.normals)]
    return {
        str(shots): over_seeds([_shot(stage, split, patches, shots, seed) for seed in range(seeds)])
        for shots in numbers
    }


def _shot(stage: str, split: Split, patches: Patches, shots: int, seed: int) -> float:
    drawn = np.random.default_rng(seed).choice(len(split.normals), shots, replace=False)
    references = patches.bare(stage, [split.normals[one] for one in drawn])
    scores = [(picture.bad, patches.compare(stage, references, picture).score) for picture in split.tested]
    return auroc([score for bad, score in scores if not bad], [score for bad, score in scores if bad]) or float("nan")
