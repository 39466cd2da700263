"""A tote is learnt from empty frames, known again, measured, and what lies in it is found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.sites.practice import fine
from calibration.sites.render import ITEM, Picture
from calibration.sites.site import FLOOR_MM, WALL_MM, Laid, Site, drawn, laid
from calibration.sites.site import ToteType as Kind
from calibration.totes import Ask, agreement, ambiguities, floor_lab, learn
from edge.core.errors import PictureUnreadable, ReferencesRefused
from edge.core.messages import Image
from edge.core.tote_shape import FLOOR
from edge.inspection.tote_items import items_of
from edge.inspection.tote_networks import ToteNetworks
from edge.inspection.tote_sight import rectangle
from edge.inspection.tote_tint import as_usual
from edge.inspection.tote_type import ToteType
from edge.inspection.totes import Totes
from edge.settings import ROOT

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
def networks() -> ToteNetworks:
    return ToteNetworks.load(ROOT / "models")


@pytest.fixture(scope="module")
def tote(site: Site, networks: ToteNetworks, empties: list[Image]) -> ToteType:
    return learn(empties, site.camera.plane, networks, Ask("blue", 170.0, WALL_MM, FLOOR_MM))


@pytest.fixture(scope="module")
def totes(site: Site, networks: ToteNetworks, tote: ToteType) -> Totes:
    return Totes.of(site.camera.plane, site.camera.size_px, networks, [tote])


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
    assert seen.items.mask.shape == true.shape
    assert (seen.items.mask & true).sum() / (seen.items.mask | true).sum() > 0.95


def test_a_tote_of_another_colour_is_none_of_the_known(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(Laid(replace(BLUE, colour=(0.7, 0.5, 0.02)), (0.0, 0.0), 0.0), chance).image)
    assert (seen.type_name, seen.items, seen.empty) == (None, None, None)
    assert "new type" in seen.because
    assert seen.stranger is not None
    assert (seen.stranger.length_mm, seen.stranger.width_mm) == pytest.approx((400, 300), abs=10)
    assert seen.stranger.rim_lab[2] > 30  # yellow


def test_a_tote_that_the_frame_cuts_off_is_not_judged(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(Laid(BLUE, (430.0, 0.0), 0.0), chance).image)
    assert (seen.type_name, seen.items) == (None, None)
    assert "not all of it is in view" in seen.because


def test_a_finer_camera_sees_the_same(networks: ToteNetworks, tote: ToteType, site: Site) -> None:
    finer = fine(site)
    picture = finer.picture(Laid(BLUE, (20.0, -10.0), 2.0, (RED_PARCEL,)), np.random.default_rng(6))
    seen = Totes.of(finer.camera.plane, finer.camera.size_px, networks, [tote]).see(picture.image)
    true = picture.part >= ITEM
    assert seen.items is not None
    assert seen.items.mask.shape == true.shape
    assert (seen.items.mask & true).sum() / (seen.items.mask | true).sum() > 0.85


def test_sharp_shadows_are_no_items(networks: ToteNetworks, tote: ToteType, site: Site) -> None:
    finer = fine(site)  # its shadows are half as soft
    picture = finer.picture(Laid(BLUE, (20.0, -10.0), 2.0), np.random.default_rng(6))
    assert Totes.of(finer.camera.plane, finer.camera.size_px, networks, [tote]).see(picture.image).empty


@pytest.mark.parametrize("dark", [0.6, 0.8])
def test_an_edge_of_a_shade_from_without_is_no_item(totes: Totes, site: Site, dark: float) -> None:
    image = site.picture(Laid(BLUE, (20.0, -10.0), 2.0), np.random.default_rng(6)).image.copy()
    image[:, 330:370] = np.rint(image[:, 330:370] * dark)
    assert totes.see(image).empty


def test_a_piece_that_looks_as_usual_is_no_item() -> None:
    sure = np.zeros((3, 60, 80), np.float32)
    sure[0, 20:40, 10:70] = 0.9
    assert items_of(sure, sure[0] > 0.5, 1.8).number == 0


@pytest.mark.parametrize("seed", [8, 9, 10])
def test_a_single_small_thing_is_an_item(totes: Totes, site: Site, seed: int) -> None:
    small = ((20.0, 10.0), (70.0, 50.0, 60.0), 5.0, (0.6, 0.05, 0.05))
    picture = site.picture(Laid(BLUE, (20.0, -10.0), 2.0, (small,), seed=seed), np.random.default_rng(6))
    seen, true = totes.see(picture.image), picture.part >= ITEM
    assert seen.items is not None
    assert (seen.items.mask & true).sum() > 0.85 * (seen.items.mask | true).sum()


def test_the_look_tells_what_is_as_usual() -> None:
    usual = np.full((60, 80, 3), (150, 75, 30), np.uint8)
    part = np.full((120, 160, 3), (150, 75, 30), np.uint8)
    part[20:60, 20:60] = (40, 40, 200)  # red
    part[20:60, 80:120] = (105, 52, 21)  # shaded
    part[80:110, 20:60] = (230, 230, 230)  # a label
    found = as_usual(part, usual, np.full((60, 80), FLOOR, np.uint8))
    places = ((70, 140), (40, 40), (40, 100), (95, 40))
    assert [bool(found[place]) for place in places] == [True, False, False, False]


def test_a_bare_belt_shows_no_tote(totes: Totes, site: Site, chance: np.random.Generator) -> None:
    seen = totes.see(site.picture(None, chance).image)
    assert (seen.pose, seen.type_name) == (None, None)


def test_a_type_comes_back_from_its_file(tote: ToteType) -> None:
    again = ToteType.of_bytes(tote.to_bytes(), "blue.npz")
    assert (again.name, again.size) == (tote.name, tote.size)
    assert np.array_equal(again.look.colour, tote.look.colour)


def test_a_damaged_file_is_refused() -> None:
    with pytest.raises(ReferencesRefused, match="cannot be read"):
        ToteType.of_bytes(b"no tote", "blue.npz")


def test_frames_that_do_not_agree_are_not_believed() -> None:
    sides = [np.array((600.0, 400.0 + off)) for off in (0, 1, 2, -14, -14, -13)]
    with pytest.raises(PictureUnreadable, match="not sure"):
        agreement(sides)
    assert agreement([*sides[:3], None, sides[0]]) == [True, True, True, False, True]


def test_a_wall_of_another_thickness_than_entered_is_not_believed(
    site: Site, networks: ToteNetworks, empties: list[Image]
) -> None:
    with pytest.raises(PictureUnreadable, match="not sure"):
        learn(empties, site.camera.plane, networks, Ask("blue", 170.0, 2 * WALL_MM, FLOOR_MM))


def test_without_frames_nothing_is_learnt(site: Site, networks: ToteNetworks) -> None:
    with pytest.raises(PictureUnreadable, match="no frames"):
        learn([], site.camera.plane, networks, Ask("blue", 170.0, WALL_MM, FLOOR_MM))


def test_a_rectangle_is_fitted_through_points_some_of_which_lie_elsewhere() -> None:
    share = np.linspace(-0.5, 0.5, 40)
    sides = [np.column_stack((600 * share, np.full(40, y))) for y in (-200, 200)]
    sides += [np.column_stack((np.full(40, x), 400 * share)) for x in (-300, 300)]
    points = np.vstack(sides)
    points[:6] += (0, -15)
    turn = np.array(((np.cos(0.2), np.sin(0.2)), (-np.sin(0.2), np.cos(0.2))))
    x, y, turned, length, width = rectangle(points @ turn + (30, -10))
    assert (x, y, length, width) == pytest.approx((30, -10, 600, 400), abs=1)
    assert turned % np.pi == pytest.approx(0.2, abs=0.003)


@pytest.mark.parametrize(
    ("seam", "speck_px", "number"),
    [(False, 0, 1), (True, 0, 2), (True, 3, 2)],
)
def test_items_that_touch_are_told_apart_by_their_border(seam: bool, speck_px: int, number: int) -> None:
    sure = np.zeros((3, 60, 80), np.float32)
    sure[0, 20:40, 10:70] = 0.9
    sure[1, 20:40, 38:42] = 0.9 * seam
    sure[0, 50 : 50 + speck_px, 0:speck_px] = 0.9
    found = items_of(sure, sure[0] > 1, 1.8)
    assert (found.number, int(found.mask.sum()), found.over_rim) == (number, 1200, False)


def test_items_of_nearly_the_totes_colour_are_named(tote: ToteType) -> None:
    lightness, a, b = floor_lab(tote)
    said = ambiguities(tote, {"near": (lightness + 2, a, b + 2), "far": (lightness + 40, a + 30, b)})
    assert len(said) == 1
    assert said[0].startswith("blue and near differ by ΔE ")
