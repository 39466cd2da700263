"""Is it the product it should be? `catalogue/SKU_Iconic.jpg` has the catalogue's picture, `seen/SKU/` photographs.

Each photograph is taken for each product in turn: is it that one (verification), and which is it likeliest (top-1)?
Photographs that portraits are made of are not tested; what else a portrait is compared with is the other portraits.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from bench.sets import Figures, Options, Show, over_seeds
from edge.catalogue import freed
from edge.core.messages import Image
from edge.core.statistics import auroc
from edge.inspection.identity import LOOKALIKES, TOLD_APART, Portrait, likeness, log_odds, marks, sharpness_of
from edge.inspection.locate import whole
from edge.inspection.session import Session
from edge.pictures import read_picture

SHOTS = (0, 1, 5, 15)  # photographs a product, beside the catalogue's picture
RESAMPLED = 200  # times, for intervals over products
PAIRS = 8  # confused pairs that are named and drawn
SIDE_PX = 220  # of a drawn picture
TIMED = 20  # checks

Matrix = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Pictures:
    """All pictures of a set, of each product the catalogue's first, and how like each other they are."""

    names: tuple[str, ...]  # of the products
    paths: tuple[Path, ...]
    products: Numbers  # of each picture
    alike: Matrix  # picture looked at × picture learnt, as `Portrait.likenesses` has it

    def of(self, product: int) -> list[int]:
        """A product's pictures."""
        return list(map(int, np.flatnonzero(self.products == product)))


@dataclass(frozen=True, slots=True)
class _Trial:
    """What photographs came to: one row each."""

    tested: list[int]  # pictures
    labels: Numbers  # their true products
    odds: Matrix  # photographs × products: log odds that it is this one
    likeliest: Numbers  # product


def fits(folder: Path) -> bool:
    """Whether the folder is laid out as `catalogue/SKU_….jpg` and `seen/SKU/*`."""
    return (folder / "catalogue").is_dir() and (folder / "seen").is_dir()


def measure(folder: Path, options: Options, show: Show) -> Figures:
    """Verification and top-1 by photographs learnt, calibration, cost, and which products are taken for which."""
    session = options.sessions.of("backbone")
    pictures = _pictures(folder, session, show)
    figures: Figures = {"products": len(pictures.names), "photographs": len(pictures.paths) - len(pictures.names)}
    for shots in _possible(pictures):
        seeds = options.seeds if shots else 1  # without photographs there is nothing to draw
        trials = [_trial(pictures, shots, seed) for seed in range(seeds)]
        figures |= _summary(trials, shots)
        figures[f"confused_{shots}"] = _confused(pictures, trials)
        if options.pictures:
            options.pictures.mkdir(parents=True, exist_ok=True)
            sheet = options.pictures / f"{folder.name}-confused-{shots}.png"
            cv2.imwrite(str(sheet), _drawn(pictures, trials))
    return figures | _costs(pictures, session)


def _pictures(folder: Path, session: Session, show: Show) -> _Pictures:
    """Look at every picture once: what is learnt of one does not depend on a product's others."""
    iconic = {path.stem.removesuffix("_Iconic"): path for path in (folder / "catalogue").iterdir()}
    names = sorted(one.name for one in (folder / "seen").iterdir() if one.name in iconic)
    paths = [(iconic[name], *_photographs(folder / "seen" / name)) for name in names]
    cut = [(path, whole if place else freed) for some in paths for place, path in enumerate(some)]
    looking, comparing = f"{folder.name}: looking", f"{folder.name}: comparing"
    rows = [marks(how(read_picture(path)), session) for path, how in show.track(looking, cut)]
    everything = Portrait.of(rows, session.manifest.sha256)
    alike = np.stack([everything.likenesses(one) for one in show.track(comparing, rows)])
    products = np.repeat(np.arange(len(names)), [len(some) for some in paths])
    return _Pictures(tuple(names), tuple(path for path, _ in cut), products, alike)


def _photographs(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if cv2.haveImageReader(str(path))]


def _possible(pictures: _Pictures) -> list[int]:
    """Those of SHOTS that leave photographs of every product to be tested."""
    fewest = int(np.bincount(pictures.products).min()) - 1
    return [shots for shots in SHOTS if shots < fewest]


def _trial(pictures: _Pictures, shots: int, seed: int) -> _Trial:
    """Portraits of the catalogue's picture and `shots` photographs of each; the other photographs are tested."""
    random = np.random.default_rng(seed)
    own = [pictures.of(product) for product in range(len(pictures.names))]
    learnt = [[one[0], *random.permutation(one[1:])[:shots].tolist()] for one in own]
    tested = sorted(set(range(len(pictures.paths))).difference(*learnt))
    sharpness = sharpness_of(_held_out(pictures, learnt))
    likenesses = np.stack([_likenesses(pictures, picture, learnt) for picture in tested])
    odds = [[log_odds(row[one], np.delete(row, one), sharpness) for one in range(len(own))] for row in likenesses]
    return _Trial(tested, pictures.products[tested], np.array(odds), likenesses.argmax(axis=1))


def _held_out(pictures: _Pictures, learnt: Sequence[Sequence[int]]) -> list[Matrix]:
    """Of each learnt photograph to its own product, then to the others: a table each, as `sharpness_of` takes them."""
    rows = [(own, _likenesses(pictures, one, learnt)) for own, some in enumerate(learnt) for one in some[1:]]
    return [np.concatenate(([row[own]], np.delete(row, own)))[None] for own, row in rows]


def _likenesses(pictures: _Pictures, looked_at: int, learnt: Sequence[Sequence[int]]) -> Matrix:
    """Of one picture to each product, as learnt without the picture itself."""
    row = pictures.alike[looked_at]
    return np.array([likeness(row[[one for one in some if one != looked_at]]) for some in learnt])


def _summary(trials: Sequence[_Trial], shots: int) -> Figures:
    """Means over the seeds as plain numbers; with their intervals in a table of their own."""
    rows = [_figures(trial.odds, trial.labels, trial.likeliest) for trial in trials]
    table = {name: over_seeds([row[name] for row in rows]) for name in rows[0]}
    plain = {f"{name}_{shots}": table[name]["mean"] for name in ("auroc", "top1")}
    return plain | {f"shots_{shots}": table | {"auroc_over_products": _over_products(trials[0])}}


def _figures(odds: Matrix, labels: Numbers, likeliest: Numbers) -> dict[str, float]:
    right = np.eye(odds.shape[1], dtype=bool)[labels]
    same, other = odds[right], odds[~right]
    area = auroc(-same, -other)
    return {
        "auroc": area if area is not None else float("nan"),
        "top1": float((likeliest == labels).mean()),
        "right_confirmed": float((same >= TOLD_APART).mean()),
        "right_refused": float((same <= -TOLD_APART).mean()),
        "wrong_refused": float((other <= -TOLD_APART).mean()),
        "wrong_confirmed": float((other >= TOLD_APART).mean()),
        "cllr_bits": float((np.logaddexp(0, -same).mean() + np.logaddexp(0, other).mean()) / (2 * np.log(2))),
    }


def _over_products(trial: _Trial) -> Figures:
    """95 % interval of the AUROC over other products: their photographs drawn product by product (bootstrap)."""
    random = np.random.default_rng(0)
    by_product = [np.flatnonzero(trial.labels == one) for one in range(trial.odds.shape[1])]
    areas = []
    for _ in range(RESAMPLED):
        drawn = np.concatenate([by_product[one] for one in random.integers(len(by_product), size=len(by_product))])
        areas.append(_figures(trial.odds[drawn], trial.labels[drawn], trial.likeliest[drawn])["auroc"])
    low, high = np.quantile(areas, (0.025, 0.975))
    return {"low": round(float(low), 4), "high": round(float(high), 4)}


def _mistakes(trials: Sequence[_Trial]) -> Counter[tuple[int, int]]:
    """True product and what it was taken for → photographs, over all trials."""
    pairs = (zip(trial.labels.tolist(), trial.likeliest.tolist(), strict=True) for trial in trials)
    return Counter((true, taken) for trial in pairs for true, taken in trial if true != taken)


def _confused(pictures: _Pictures, trials: Sequence[_Trial]) -> list[Figures]:
    """The pairs most often taken for one another, and the share of the product's photographs."""
    tested = Counter(label for trial in trials for label in trial.labels.tolist())
    return [
        {"is": pictures.names[true], "taken_for": pictures.names[taken], "share": round(times / tested[true], 3)}
        for (true, taken), times in _mistakes(trials).most_common(PAIRS)
    ]


def _drawn(pictures: _Pictures, trials: Sequence[_Trial]) -> Image:
    """A row for each confused pair: the photograph most surely misjudged, what it is, what it was taken for."""
    rows = []
    for (true, taken), _ in _mistakes(trials).most_common(PAIRS):
        shown = (_worst(trials, true, taken), pictures.of(true)[0], pictures.of(taken)[0])
        rows.append(np.hstack([cv2.resize(read_picture(pictures.paths[one]), (SIDE_PX, SIDE_PX)) for one in shown]))
    return np.asarray(np.vstack(rows) if rows else np.zeros((1, 3 * SIDE_PX, 3)), np.uint8)


def _worst(trials: Sequence[_Trial], true: int, taken: int) -> int:
    """The picture of the one product that was most surely taken for the other."""
    mistaken = {
        picture: trial.odds[row, taken]
        for trial in trials
        for row, picture in enumerate(trial.tested)
        if trial.labels[row] == true and trial.likeliest[row] == taken
    }
    return max(mistaken, key=lambda picture: mistaken[picture])


def _costs(pictures: _Pictures, session: Session) -> Figures:
    """Time of a check against as many lookalikes as there may be, and what a picture takes on disk."""
    crop = whole(read_picture(pictures.paths[-1]))
    portrait = Portrait.of([marks(crop, session)] * (1 + SHOTS[-1]), session.manifest.sha256)
    spent_ms = []
    for _ in range(TIMED):
        start = time.perf_counter()
        rows = marks(crop, session)
        for _ in range(1 + LOOKALIKES):
            portrait.likenesses(rows)
        spent_ms.append(1000 * (time.perf_counter() - start))
    return {"check_ms": float(np.median(spent_ms)), "bytes_a_picture": portrait.marks[0].astype(np.float16).nbytes}
