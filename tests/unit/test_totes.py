"""A tote is learnt from empty frames, known again, measured, and what lies in it is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.sites.render import ITEM, Picture
from calibration.sites.site import FLOOR_MM, WALL_MM, Laid, Site, drawn, laid
from calibration.sites.site import ToteType as Kind
from calibration.totes import Ask, agreement, ambiguities, floor_lab, learn
from edge.core.errors import PictureUnreadable, ReferencesRefused
from edge.core.messages import Image
from edge.core.tote_shape import Rays
from edge.inspection.belt import BeltColour
from edge.inspection.tote_labels import Label
from edge.inspection.tote_steps import sharp_steps
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import Totes

BLUE = Kind("blue", (0.012, 0.065, 0.305), (400.0, 300.0, 170.0))
RED_PARCEL = ((20.0, 10.0), (120.0, 90.0, 60.0), 5.0, (0.6, 0.05, 0.05))


@pytest.fixture(scope="module")
def site() -> Site:
    return replace(drawn(0), totes=(BLUE,))


@pytest.fixture(scope="module")
def chance() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(scope="module")
def empties(site: Site, chance: np.random.Generator) -> list[Image]:
    return [site.picture(laid(site, BLUE, 0, chance), chance).image for _ in range(4)]


@pytest.fixture(scope="module")
def belt(site: Site, chance: np.random.Generator, empties: list[Image]) -> BeltColour:
    return BeltColour.learn([*(site.picture(None, chance).image for _ in range(4)), *empties[:2]])


@pytest.fixture(scope="module")
def tote(site: Site, belt: BeltColour, empties: list[Image]) -> ToteType:
    return learn(empties, site.camera.plane, belt, Ask("blue", 170.0, WALL_MM, FLOOR_MM))


@pytest.fixture(scope="module")
def totes(site: Site, belt: BeltColour, tote: ToteType) -> Totes:
    plane = site.camera.plane
    return Totes(plane, Rays.of(plane, *site.camera.size_px), belt, [tote])


@pytest.fixture(scope="module")
def filled(site: Site, chance: np.random.Generator) -> Picture:
    return site.picture(Laid(BLUE, (20.0, -10.0), 2.0, (RED_PARCEL,)), chance)


def test_a_size_is_measured(tote: ToteType) -> None:
    assert tote.size.length_mm == pytest.approx(400, abs=3)
    assert tote.size.width_mm == pytest.approx(300, abs=3)


def test_an_empty_tote_is_known_and_empty(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(Laid(BLUE, (30.0, 10.0), -1.5), chance).image)
    assert (seen.type_name, seen.empty) == ("blue", True)
    assert seen.pose is not None
    assert (seen.pose.x_mm, seen.pose.y_mm) == pytest.approx((30, 10), abs=2)


def test_an_item_is_found_as_large_as_it_is(totes: Totes, filled: Picture) -> None:
    seen, true = totes.see(filled.image), filled.part >= ITEM
    assert seen.items is not None
    assert (seen.empty, seen.items.number, seen.items.over_rim) == (False, 1, False)
    assert (seen.items.mask & true).sum() / (seen.items.mask | true).sum() > 0.9


def test_a_tote_of_another_colour_is_none_of_the_known(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(Laid(replace(BLUE, colour=(0.7, 0.5, 0.02)), (0.0, 0.0), 0.0), chance).image)
    assert (seen.type_name, seen.items, seen.empty) == (None, None, None)
    assert "new type" in seen.because


def test_a_bare_belt_shows_no_tote(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(None, chance).image)
    assert (seen.pose, seen.type_name) == (None, None)


def test_a_type_comes_back_from_its_file(tote: ToteType) -> None:
    labelled = replace(tote, label=Label((0.0, 0.01), 50.0, (120.0, 80.0)))
    for one in (labelled, replace(tote, label=None)):
        again = ToteType.of_bytes(one.to_bytes(), "blue.npz")
        assert (again.name, again.size, again.label) == (one.name, one.size, one.label)
        assert np.array_equal(again.look.colour, one.look.colour)


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(ReferencesRefused, match="cannot be read"):
        ToteType.of_bytes(b"no tote", "blue.npz")


def test_frames_that_do_not_agree_are_not_believed() -> None:
    sides = [np.array((600.0, 400.0 + off)) for off in (0, 1, 2, -14, -14, -13)]
    with pytest.raises(PictureUnreadable, match="not sure"):
        agreement(sides)
    assert agreement([*sides[:3], None, sides[0]]) == [True, True, True, False, True]


def test_items_of_nearly_the_totes_colour_are_named(tote: ToteType) -> None:
    lightness, a, b = floor_lab(tote)
    said = ambiguities(tote, {"near": (lightness + 2, a, b + 2), "far": (lightness + 40, a + 30, b)})
    assert len(said) == 1
    assert said[0].startswith("blue and near differ by ΔE ")


def test_a_step_is_sharp_and_a_ramp_is_not() -> None:
    step, ramp = np.zeros((40, 40, 3), np.float32), np.zeros((40, 40, 3), np.float32)
    step[:, 20:, 0] = 10
    ramp[..., 0] = np.clip((np.arange(40) - 10) / 2, 0, 10)
    assert sharp_steps(step)[20, 19:21].max() > 5
    assert sharp_steps(ramp)[20, 18:22].max() < 0.1
