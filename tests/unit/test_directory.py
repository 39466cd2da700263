"""Finding lookalikes without reading every portrait."""

from pathlib import Path

import numpy as np
import pytest

from edge.catalogue import LOOKALIKES, WALKED, walked
from edge.inspection.directory import Directory, direction
from edge.inspection.identity import Portrait

CHANNELS = 16


def vectors(count: int, seed: int = 0) -> np.ndarray:
    some = np.random.default_rng(seed).normal(size=(count, CHANNELS)).astype(np.float32)
    return some / np.linalg.norm(some, axis=1, keepdims=True)


@pytest.fixture
def directory(tmp_path: Path) -> Directory:
    made = Directory(tmp_path, "a" * 64, CHANNELS)
    made.begin((f"{number:014d}", vector) for number, vector in enumerate(vectors(500)))
    return made


def test_the_most_alike_come_first(directory: Directory) -> None:
    wanted = vectors(1, seed=9)[0]
    best = np.argsort(-(vectors(500) @ wanted))[:5]
    assert directory.nearest(wanted, 5) == [f"{number:014d}" for number in best]


def test_an_entered_product_is_found_and_keeps_its_place(directory: Directory) -> None:
    first, second = vectors(2, seed=3)
    directory.enter("40123455", first)
    assert directory.nearest(first, 1) == ["40123455"]
    directory.enter("40123455", second)
    assert directory.nearest(second, 1) == ["40123455"]
    assert directory.nearest(first, 501).count("40123455") == 1


def test_half_an_entry_does_not_count(directory: Directory, tmp_path: Path) -> None:
    with (tmp_path / "directory.vectors").open("ab") as file:
        file.write(b"half")
    assert len(directory.nearest(vectors(1)[0], 1000)) == 500
    directory.enter("40123455", vectors(1, seed=3)[0])
    assert directory.nearest(vectors(1, seed=3)[0], 1) == ["40123455"]


def test_one_of_another_model_or_none_is_told(directory: Directory, tmp_path: Path) -> None:
    assert directory.exists
    assert not Directory(tmp_path, "b" * 64, CHANNELS).exists
    assert not Directory(tmp_path / "elsewhere", "a" * 64, CHANNELS).exists


def test_an_empty_one_finds_nothing(tmp_path: Path) -> None:
    empty = Directory(tmp_path, "a" * 64, CHANNELS)
    empty.begin([])
    assert empty.nearest(vectors(1)[0], 3) == []
    empty.enter("40123455", vectors(1)[0])
    assert empty.nearest(vectors(1)[0], 3) == ["40123455"]


def test_a_direction_has_length_one() -> None:
    assert np.linalg.norm(direction(vectors(7))) == pytest.approx(1)


def ring(count: int) -> dict[str, Portrait]:
    """Products on a circle, each knowing its neighbours."""
    angles = 2 * np.pi * np.arange(count) / count
    places = np.column_stack((np.cos(angles), np.sin(angles))).astype(np.float32)
    near = [[(one + step) % count for step in (1, -1, 2, -2, 3, -3)] for one in range(count)]
    return {str(one): Portrait(place[None, None], "m", tuple(map(str, near[one]))) for one, place in enumerate(places)}


def test_a_walk_ends_among_the_lookalikes_wherever_it_begins() -> None:
    products = ring(300)
    looked_at: list[str] = []

    def find(name: str) -> Portrait | None:
        looked_at.append(name)
        return products.get(name)

    found = walked(["100"], find, products["150"])
    assert {str(one) for one in range(150 - LOOKALIKES // 2, 150 + LOOKALIKES // 2 + 1)} <= set(found)
    assert len(found) <= WALKED
    assert len(looked_at) < 300


def test_a_walk_survives_products_that_are_gone() -> None:
    products = ring(40)
    del products["20"]
    assert "20" not in walked(["10", "20"], products.get, products["11"])
