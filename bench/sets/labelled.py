"""Sound and damaged items from several sides: how well labels teach what damage is, and what is seen without them.

Layout: `{intact,damaged}/VIEW/NAME`; the same name in every view is the same item. For each seed other items are
drawn: those that something is learnt from are never tested.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.sets import Figures, Options, Show, over_seeds
from edge.core.statistics import auroc, recall_at
from edge.inspection import features
from edge.inspection.belt import BeltColour
from edge.inspection.cuts import half_turned
from edge.inspection.defects import DAMAGED, FEWEST, SOUND, DefectHead, Examples
from edge.inspection.locate import locate
from edge.inspection.references import Normal, References
from edge.inspection.session import Session, Tensor
from edge.pictures import read_picture
from edge.teach import BELT_FRAMES

CLASSES = {"intact": SOUND, "damaged": DAMAGED}
LABELS = (5, 10, 20, 50)  # of each class
NORMALS = 40  # references are made of so many sound items, or of half of them if they are fewer
OVERKILL = 0.01
FUSED = "fused"  # the mean of the views' log-odds, as a rule over several cameras has it

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Items:
    """Every item of a set, seen from each view once through the backbone."""

    damaged: npt.NDArray[np.bool_]  # items
    shown: Mapping[str, Sequence[Normal]]  # view → of each item, the patches that show it
    pooled: Mapping[str, Tensor]  # view → items × features
    model_sha256: str

    def sound(self) -> Indices:
        """Which of them are."""
        return np.flatnonzero(~self.damaged)

    def others(self, learnt: Indices) -> Indices:
        """Those that nothing was learnt from."""
        return np.setdiff1d(np.arange(len(self.damaged)), learnt)


def fits(folder: Path) -> bool:
    """Tell whether the folder is laid out as such a set."""
    return bool(_views(folder))


def measure(folder: Path, options: Options, show: Show) -> Figures:
    """AUROC and recall without labels for each view, and with labels for each view and all of them together."""
    items = _items(folder, options.sessions.of("backbone"), show)
    tests = range(options.seeds)
    unsupervised = _over_seeds([_unlike(items, seed) for seed in show.track(f"{folder.name}: references", tests)])
    most = int(np.bincount(items.damaged, minlength=2).min())
    supervised = {}
    for count in (count for count in LABELS if FEWEST <= count < most):
        seeds = show.track(f"{folder.name}: heads, {count} labels a class", tests)
        supervised[str(count)] = _over_seeds([_judged(items, count, seed) for seed in seeds])
    best = {f"{count}_labels_auroc": figures[FUSED]["auroc"]["mean"] for count, figures in supervised.items()}
    alone = {f"{view}_unsupervised_auroc": figures["auroc"]["mean"] for view, figures in unsupervised.items()}
    counts = {"intact": len(items.sound()), "damaged": int(items.damaged.sum())}
    return {**counts, **alone, **best, "unsupervised": unsupervised, "supervised": supervised}


def _views(folder: Path) -> list[str]:
    """The views that both classes have."""
    found = [{view.name for view in (folder / name).glob("*/")} for name in CLASSES]
    return sorted(set.intersection(*found))


def _items(folder: Path, session: Session, show: Show) -> Items:
    """The items that every view shows, each found on a belt learnt from some of the frames."""
    views = _views(folder)
    seen = [{(name, path.name) for name in CLASSES for path in (folder / name / view).iterdir()} for view in views]
    items = sorted(set.intersection(*seen))
    shown: dict[str, list[Normal]] = {view: [] for view in views}
    pooled: dict[str, list[Tensor]] = {view: [] for view in views}
    for view in views:
        paths = [folder / kind / view / name for kind, name in items]
        belt = BeltColour.learn([read_picture(path) for path in paths[:: max(1, len(paths) // BELT_FRAMES)]])
        for path in show.track(f"{folder.name}: features, {view}", paths):
            crop = locate(read_picture(path), belt)
            rows, inside = features.patches(crop, session), features.inside(crop, session)
            shown[view].append(Normal(rows[inside], features.of_item(half_turned(crop), session)))
            pooled[view].append(features.pooled(rows, inside))
    damaged = np.array([CLASSES[kind] != SOUND for kind, _ in items])
    return Items(damaged, shown, {view: np.array(rows) for view, rows in pooled.items()}, session.manifest.sha256)


def _unlike(items: Items, seed: int) -> dict[str, Figures]:
    """Figures of each view's anomaly score, with references made of some of the sound items."""
    sound = np.random.default_rng(seed).permutation(items.sound())
    learnt = sound[: min(NORMALS, len(sound) // 2)]
    tested = items.others(learnt)
    found = {}
    for view, shown in items.shown.items():
        references = References.learn([shown[one] for one in learnt], items.model_sha256)
        scores = np.array([references.score(shown[one].lying) for one in tested])
        found[view] = _figures(scores, items.damaged[tested])
    return found


def _judged(items: Items, count: int, seed: int) -> dict[str, Figures]:
    """Figures of each view's head, and of their mean, with `count` labels of each class."""
    learnt = np.concatenate(list(_drawn(items.damaged, count, seed)))
    tested = items.others(learnt)
    kinds = tuple(DAMAGED if items.damaged[one] else SOUND for one in learnt)
    odds = {}
    for view, pooled in items.pooled.items():
        head = DefectHead.fit(Examples(pooled[learnt], kinds, tuple(map(str, learnt))), items.model_sha256)
        odds[view] = np.array([head.log_odds(row) for row in pooled[tested]])
    odds[FUSED] = np.mean(list(odds.values()), axis=0)
    return {view: _figures(found, items.damaged[tested]) for view, found in odds.items()}


def _drawn(damaged: npt.NDArray[np.bool_], count: int, seed: int) -> Iterator[Indices]:
    """`count` items of each class."""
    random = np.random.default_rng(seed)
    for which in (False, True):
        yield random.permutation(np.flatnonzero(damaged == which))[:count]


def _figures(scores: npt.NDArray[np.floating], damaged: npt.NDArray[np.bool_]) -> Figures:
    good, bad = scores[~damaged], scores[damaged]
    return {"auroc": auroc(good, bad), "recall_at_1pct": recall_at(good, bad, OVERKILL)}


def _over_seeds(each: Sequence[Mapping[str, Figures]]) -> dict[str, Figures]:
    """Every figure's mean and interval."""
    return {
        view: {name: over_seeds([one[view][name] for one in each]) for name in figures}
        for view, figures in each[0].items()
    }
