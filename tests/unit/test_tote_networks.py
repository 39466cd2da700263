"""The shipped networks that see totes."""

from __future__ import annotations

import numpy as np
import pytest

from calibration.sites.render import TOTE
from calibration.sites.site import drawn, laid
from edge.core.tote_shape import FLOOR, RIM
from edge.inspection.crop import halved
from edge.inspection.session import Session, newest
from edge.inspection.tote_networks import ITEMS, OUTLINE, ToteNetworks
from edge.settings import ROOT
from models.make.tote_lessons import of_scene

MODELS = ROOT / "models"
UNTAUGHT = 30_000  # a scene that no network saw


@pytest.mark.parametrize(("name", "planes", "answers"), [(OUTLINE, 3, 2), (ITEMS, 11, 3)])
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
    assert 0.6 * there.sum() < (inner > 0.5).sum() < (outer > 0.5).sum() < 1.05 * there.sum()


@pytest.mark.parametrize("sides", [(180, 320), (241, 333)])
def test_a_frame_of_any_size_is_answered_pixel_by_pixel(sides: tuple[int, int]) -> None:
    networks = ToteNetworks.load(MODELS)
    assert networks.rim(np.full((*sides, 3), 90, np.uint8)).shape == (2, *sides)
    half = tuple(side // 2 for side in sides)
    part = np.full((2 * half[0], 2 * half[1], 3), 90, np.uint8)
    usual, zone, lean_px = part[::2, ::2], np.full(half, FLOOR, np.uint8), np.zeros((*half, 2), np.float32)
    assert networks.inside(part, usual, zone, lean_px).shape == (3, *part.shape[:2])


def test_a_lesson_shows_the_same_place_in_all_its_fields() -> None:
    (one, *_) = of_scene(UNTAUGHT)
    assert one.part.shape == (288, 448, 3)
    assert {FLOOR, RIM} <= set(np.unique(one.zone).tolist())
    rim = one.zone == RIM
    off = one.part[::2, ::2].astype(int) - one.usual
    assert np.median(np.abs(off[rim])) < 25
    assert one.truth[..., 1][one.truth[..., 0] == 0].max(initial=0) == 0  # a border between items lies on items
