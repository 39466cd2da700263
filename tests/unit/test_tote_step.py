"""The step `totes`: what it asks, when it is sure, and what it says of items of nearly the tote's colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.known_camera import KnownCamera
from calibration.sites.site import Site, ToteType, drawn, laid
from calibration.steps import Ask, Question, Shot, Shows
from calibration.tote_step import PLACED, ToteStep
from calibration.tote_tools import ToteTools, tote_of
from edge.core.errors import CalibrationRefused

BLUE = ToteType("blue", (0.012, 0.065, 0.305), (400.0, 300.0, 170.0))
OTHER = replace(BLUE, size_mm=(300.0, 200.0, 170.0))
ENTERED = {"name": "blue", "height_mm": "170", "wall_mm": "14", "floor_mm": "6"}


@pytest.fixture(scope="module")
def site() -> Site:
    return replace(drawn(0), totes=(BLUE,))


@pytest.fixture(scope="module")
def shots(site: Site) -> dict[str, list[Shot]]:
    chance = np.random.default_rng(5)
    placed = [site.picture(laid(site, BLUE, 0, chance), chance).image for _ in range(PLACED)]
    others = [site.picture(laid(site, OTHER, 0, chance), chance).image for _ in range(3)]
    return {"blue": [*map(Shot, placed)], "other": [*map(Shot, others)]}


def begun(site: Site, shots: dict[str, list[Shot]], catalogue: dict[str, tuple[float, float, float]]) -> ToteStep:
    step = ToteStep(site.camera.plane, "top", catalogue)
    assert isinstance(step.asks(), Question)
    assert "170 mm high" in step.enter(ENTERED)
    assert step.asks() == Ask(Shows.TOTE, 2, "blue")
    return step


def test_a_type_is_learnt_and_what_is_like_it_is_told(site: Site, shots: dict[str, list[Shot]]) -> None:
    near = {"near": (18.0, 6.0, -34.0), "far": (90.0, 0.0, 0.0)}
    step = begun(site, shots, near)
    for shot in shots["blue"]:
        assert step.asks() == Ask(Shows.TOTE, 2, "blue")
        step.take([shot, shot])
    assert step.asks() is None
    found = step.found()
    assert (found.subject, found.quality["frames_known_again"]) == ("blue", 1)
    assert (found.values["length_mm"], found.values["width_mm"]) == pytest.approx((400, 300), abs=3)
    assert found.values["camera"] == "top"
    assert all("far" not in words for words in found.values["alike"])
    again = ToteTools.of(site.camera.plane)
    assert again.see(shots["blue"][0].image, [tote_of(found.files)]).type_name == "blue"


def test_an_item_of_the_totes_colour_is_told(site: Site, shots: dict[str, list[Shot]]) -> None:
    step = begun(site, shots, {})
    for shot in shots["blue"]:
        step.take([shot, shot])
    floor = tuple(float(one) for one in step.found().values["floor_lab"])
    alike = begun(site, shots, {"4006381333931": floor})
    for shot in shots["blue"]:
        alike.take([shot, shot])
    assert "blue and 4006381333931 differ by ΔE 0.0: these items will be located by edges" in alike.found().says


def test_frames_that_do_not_agree_are_placed_again_until_they_do(site: Site, shots: dict[str, list[Shot]]) -> None:
    step = begun(site, shots, {})
    order = [*shots["other"], *shots["blue"]]
    for shot in order[: PLACED - 1]:
        step.take([shot, shot])
    with pytest.raises(CalibrationRefused, match=r"not sure\. Place it again"):
        step.take([order[PLACED - 1]] * 2)
    for shot in order[PLACED:]:
        assert step.asks() == Ask(Shows.TOTE, 2, "blue")
        step.take([shot, shot])
    assert step.asks() is None
    assert step.found().values["length_mm"] == pytest.approx(400, abs=3)


def test_a_colour_goes_through_the_camera_and_back() -> None:
    known = KnownCamera(drawn(0).camera.plane, np.diag((2.0, 1.0, 0.5)), np.zeros((24, 3)))
    plain = replace(known, to_srgb=np.eye(3))
    assert plain.as_seen((40.0, 10.0, -30.0)) == pytest.approx((40, 10, -30), abs=1e-6)
    assert known.as_seen((40.0, 0.0, 0.0))[2] < -10  # it has too much blue, and too little red
