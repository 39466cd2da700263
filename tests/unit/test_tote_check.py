"""Totes on the line: what is vouched for, what a new type comes to, and that one network serves every camera."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from calibration.sites.site import Site, ToteType, drawn, laid
from calibration.tote_tools import ToteTools
from calibration.totes import Ask
from edge.core.messages import Disposition, Frame, Item, Sighting, Verdict
from edge.core.tote_strangers import ENOUGH, proposed
from edge.inspection.locate import whole
from edge.inspection.tote_check import NOT_LEARNT, KnownTotes, ToteCheck

BLUE = ToteType("blue", (0.012, 0.065, 0.305), (400.0, 300.0, 170.0))
RED = ToteType("red", (0.45, 0.02, 0.02), (600.0, 400.0, 170.0))


@pytest.fixture(scope="module")
def site() -> Site:
    return replace(drawn(3), totes=(BLUE, RED))


@pytest.fixture(scope="module")
def check(site: Site) -> ToteCheck:
    chance, tools = np.random.default_rng(1), ToteTools.of(site.camera.plane)
    frames = [site.picture(laid(site, BLUE, 0, chance), chance).image for _ in range(6)]
    blue = tools.learn(frames, Ask("blue", 170, 14, 6))
    return ToteCheck({"top": KnownTotes(site.camera.plane, [blue])}, tools.networks)


def verdict(one) -> Verdict:
    return Verdict("lane-1", None, 0, Disposition.NO_DECISION, (), (), (one,), "r", 0, None, 0, 0)


def looked_at(check: ToteCheck, site: Site, kind: ToteType, items: int, camera: str = "top", seed: int = 7):
    chance = np.random.default_rng(seed)
    image = site.picture(laid(site, kind, items, chance), chance).image
    sighting = Sighting(Frame(camera, f"{camera}-1", 1, 0.0, image), Item("lane-1", 0, 0), 10)
    return {one.check: one for one in check.inspect(whole(image), sighting)}


@pytest.mark.parametrize("items", [0, 2])
def test_its_type_and_what_lies_in_it_are_vouched_for(check: ToteCheck, site: Site, items: int) -> None:
    seen = looked_at(check, site, BLUE, items)
    assert all(one.valid for one in seen.values())
    assert (seen["tote_type"].reading, seen["contents"].reading) == ("blue", str(items))
    assert seen["over_rim"].score in (0.0, 1.0)


def test_a_camera_without_totes_vouches_for_nothing(check: ToteCheck, site: Site) -> None:
    seen = looked_at(check, site, BLUE, 0, camera="side")
    assert {(one.valid, one.because) for one in seen.values()} == {(False, NOT_LEARNT)}


def test_an_empty_belt_is_no_tote(check: ToteCheck, site: Site) -> None:
    image = site.picture(None, np.random.default_rng(2)).image
    sighting = Sighting(Frame("top", "top-1", 1, 0.0, image), Item("lane-1", 0, 0), 10)
    seen = check.inspect(whole(image), sighting)
    assert {(one.valid, one.reading, one.score, one.alike) for one in seen} == {(False, None, None, 0)}


def test_a_new_type_is_proposed_once_and_never_guessed(site: Site, check: ToteCheck) -> None:
    fresh = ToteCheck(check._known, check._networks)
    looks = [looked_at(fresh, site, RED, 0, seed=seed)["tote_type"] for seed in range(ENOUGH + 2)]
    assert not any(one.valid for one in looks)
    told = [words for one in looks for words in proposed([verdict(one)])]
    assert len(told) == 1
    assert f"camera top: no known tote is of this size: a new type? {ENOUGH} totes of no known type" in told[0]
