"""Drawn packages: what is said of them is what they show, and a seed gives them again."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.simulator.blemishes import BLEMISHES, SIZES
from edge.simulator.draw import MIX, Kind, draw_items, normals
from edge.simulator.ink import BOLD, FONT, blot, write
from edge.simulator.plan import PlannedItem
from edge.simulator.products import PRODUCTS
from edge.simulator.scene import FRAME_PX, from_above

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drawn")


@pytest.fixture(scope="module")
def items(folder: Path) -> list[PlannedItem]:
    return draw_items(folder, sum(MIX.values()), seed=3, today=TODAY)


def test_each_stretch_holds_the_whole_mix(items: list[PlannedItem]) -> None:
    def kind_of(item: PlannedItem) -> Kind:
        words = {"prints lot": Kind.WRONG_LOT, "prints 20": Kind.WRONG_DATE, "expired on": Kind.EXPIRED}
        said = next((kind for word, kind in words.items() if item.why.startswith(word)), Kind.DAMAGED)
        return said if item.bad else Kind.GOOD

    assert Counter(kind_of(item) for item in items) == MIX
    assert all(item.bad == bool(item.why) for item in items)


def test_only_what_is_expired_is_expired(items: list[PlannedItem]) -> None:
    for item in items:
        assert item.expiry is not None
        assert (item.expiry < TODAY) == item.why.startswith("expired")


def test_a_lot_has_one_expiry(items: list[PlannedItem]) -> None:
    assert len({item.lot for item in items}) == len({(item.gtin, item.lot, item.expiry) for item in items})


def test_names_are_unique_and_pictures_are_frames(items: list[PlannedItem]) -> None:
    assert len({item.wms_item for item in items}) == len({item.order_line for item in items}) == len(items)
    for path in [path for item in items[:3] for path in item.pictures.values()]:
        assert cv2.imread(str(path)).shape == (FRAME_PX[1], FRAME_PX[0], 3)
    assert {tuple(sorted(item.pictures)) for item in items} == {("side", "top")}


def test_a_seed_gives_the_same_packages_again(items: list[PlannedItem], folder: Path, tmp_path: Path) -> None:
    again = draw_items(tmp_path, 3, seed=3, today=TODAY)
    assert [(one.gtin, one.why, one.lot) for one in again] == [(one.gtin, one.why, one.lot) for one in items[:3]]
    for path in tmp_path.iterdir():
        assert path.read_bytes() == (folder / path.name).read_bytes()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("blemish", BLEMISHES)
@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.brand)
def test_a_blemish_can_be_seen_and_leaves_the_artwork_as_it_was(product: object, blemish: str, size: str) -> None:
    art = product.top_art()  # type: ignore[attr-defined]
    before = art.copy()
    after = BLEMISHES[blemish](art, np.random.default_rng(1), SIZES[size])
    assert np.array_equal(art, before)
    changed = np.abs(after.astype(int) - before).max(axis=2) > 30
    assert after.shape == art.shape
    assert changed.mean() > 0.002


def test_two_shots_of_one_product_differ_a_little() -> None:
    first, second = normals(PRODUCTS[0].gtin, 2, seed=1)
    assert not np.array_equal(first["top"], second["top"])
    assert abs(float(first["top"].mean()) - float(second["top"].mean())) < 20


def test_an_unknown_product_is_refused() -> None:
    with pytest.raises(KeyError):
        normals("00000000000000", 1, seed=1)


@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.brand)
def test_a_gtin_has_its_check_digit(product: object) -> None:
    digits = [int(digit) for digit in product.gtin]  # type: ignore[attr-defined]
    assert sum(digit * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10 == 0


@pytest.mark.parametrize("font", [FONT, BOLD])
@pytest.mark.parametrize("height_px", [28, 56, 100])
def test_print_is_as_tall_as_it_should_be(font: int, height_px: int) -> None:
    sheet = np.full((300, 900, 3), 255, np.uint8)
    write(sheet, "H0E", 40, 200, height_px, (0, 0, 0), font)
    inked = np.flatnonzero((sheet < 128).any(axis=(1, 2)))
    assert inked[-1] - inked[0] + 1 == pytest.approx(height_px, abs=3)
    assert inked[-1] == pytest.approx(200, abs=2)


def test_a_blot_stays_about_its_centre() -> None:
    outline = blot(np.random.default_rng(2), (100.0, 80.0), 30.0, 0.4)
    reach = np.hypot(*(outline - np.array([100, 80])).T)
    assert reach.min() > 10
    assert reach.max() < 55


def test_a_carton_lies_on_the_belt_and_not_on_the_rails() -> None:
    for seed in range(8):
        art = np.full_like(PRODUCTS[2].top_art(), (0, 255, 0))
        seen = from_above(art, np.random.default_rng(seed)).astype(int)
        green = seen[..., 1] - seen[..., 2] > 60
        rows = np.flatnonzero(green.any(axis=1))
        assert rows[0] > 52
        assert rows[-1] < FRAME_PX[1] - 52
