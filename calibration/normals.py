"""Scores of a lane's normal items, from its references; and drawn ones, to practise with."""

from __future__ import annotations

import numpy as np

from calibration.overkill import Normals
from calibration.threshold_step import CHECK
from edge.config import Config
from edge.core.errors import CalibrationRefused
from edge.inspection.assembly import Sessions
from edge.inspection.references import References

PRODUCTS, FEWEST, MOST = 24, 30, 300  # to practise with
SPREAD = 0.25


def normals_of(config: Config) -> Normals:
    """Of every product that the lane has references of, for the cameras that are asked for the anomaly.

    Raises:
        CalibrationRefused: no rule asks for it, or there are no references.
        ReferencesRefused: one of them is damaged.
    """
    cameras = sorted({name for rule in config.recipe.rule if rule.check == CHECK for name in rule.cameras})
    if not cameras:
        raise CalibrationRefused(f"the recipe has no rule of '{CHECK}': overkill is promised by that alone")
    session = Sessions(config.inspection.models).of("backbone")
    found = {
        camera: {
            path.parent.name: np.asarray(References.load(path, session).sound, float)
            for path in sorted(config.inspection.references.glob(f"*/{camera}.npz"))
        }
        for camera in cameras
    }
    if not any(found.values()):
        raise CalibrationRefused("no product has references: `tunnel-edge references build` first")
    return found


def limit_of(config: Config) -> str:
    """What the recipe's rule is limited by: `overkill`, or `reject_at`."""
    asked = any(rule.check == CHECK and rule.overkill is not None for rule in config.recipe.rule)
    return "overkill" if asked else "reject_at"


def drawn_normals(seed: int) -> Normals:
    """Of a simulated site: products whose normals scatter alike about their middles."""
    chance = np.random.default_rng(seed)
    counts = chance.integers(FEWEST, MOST, PRODUCTS)
    middles = chance.uniform(0.5, 2.0, PRODUCTS)
    return {
        "top": {
            f"{number:08d}": np.sort(middle * np.exp(chance.normal(0, SPREAD, count)))
            for number, (count, middle) in enumerate(zip(counts, middles, strict=True), 1)
        }
    }
