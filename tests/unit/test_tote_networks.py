"""The shipped networks that see totes."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.sites.render import TOTE
from calibration.sites.site import drawn, laid
from edge.core.tote_shape import FLOOR, RIM
from edge.inspection.crop import halved
from edge.inspection.runtime import SHIPPED, Runtime
from edge.inspection.session import Session, newest, read_manifest
from edge.inspection.tote_networks import ITEMS, OUTLINE, ToteNetworks, items_batch, outline_batch
from edge.settings import ROOT
from models.make.tote_lessons import of_scene

MODELS = ROOT / "models"
UNTAUGHT = 30_000  # a scene that no network saw


@pytest.mark.parametrize(("name", "planes", "answers"), [(OUTLINE, 3, 2), (ITEMS, 9, 3)])
def test_the_graph_is_what_the_manifest_says(name: str, planes: int, answers: int) -> None:
    session = Session.load(newest(MODELS, name))
    (seen,) = session.run(np.zeros((1, planes, 96, 160), np.float32))
    assert seen.shape == (1, answers, 96, 160)
    assert session.manifest.licence == "Apache-2.0"


@pytest.mark.parametrize("seed", [0, 3])
def test_a_totes_outline_is_found(seed: int) -> None:
    site, chance = drawn(seed), np.random.default_rng(seed)
    picture = site.picture(laid(site, site.totes[0], 1, chance), chance)
    outer, inner = ToteNetworks.load(MODELS).rim(halved(picture.image))
    there = picture.part[::2, ::2] >= TOTE  # the walls' outside is seen too: more than the rim
    assert (outer[~there] < 0.5).mean() > 0.99
    assert (inner > 0.5).sum() < (outer > 0.5).sum() <= there.sum()
    assert (outer > 0.5).sum() > 0.6 * there.sum()


def test_int8_sees_what_float32_sees() -> None:
    """A scene that none of them was taught, within the tolerance that the manifest states."""
    lessons = of_scene(UNTAUGHT)
    for name, batches in (
        (OUTLINE, [outline_batch(one.whole) for one in lessons]),
        (ITEMS, [items_batch(one.part, one.usual, one.zone) for one in lessons if one.truth[..., 0].any()]),
    ):
        folder = newest(MODELS, name)
        manifest = read_manifest(folder)
        graphs = (SHIPPED, Runtime("model.fp32.onnx", SHIPPED.provider, SHIPPED.threads))
        sessions = [Session.open(folder, manifest, one) for one in graphs]
        small, exact = (np.stack([one.run(batch)[0][0, 0] > 0 for batch in batches]) for one in sessions)
        assert (small != exact).sum() / exact.sum() < manifest.tolerance["mask"]


def test_a_lesson_shows_the_same_place_in_all_its_fields() -> None:
    (one, *_) = of_scene(UNTAUGHT)
    assert one.part.shape == (288, 448, 3)
    assert {FLOOR, RIM} <= set(np.unique(one.zone).tolist())
    rim = one.zone == RIM
    off = one.part[::2, ::2].astype(int) - one.usual
    assert np.median(np.abs(off[rim])) < 25
    assert one.truth[..., 1][one.truth[..., 0] == 0].max(initial=0) == 0  # a border between items lies on items
