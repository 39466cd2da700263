"""The ordered product, a variant of it, and what cannot be told."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import sealed
from edge.catalogue import Catalogue, build, freed
from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence, Expected, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, questions
from edge.inspection.colour import ColourCheck
from edge.inspection.crop import Check
from edge.inspection.identity import (
    LOOKALIKES,
    MARKS,
    USUAL_SHARPNESS,
    IdentityCheck,
    Portrait,
    likeness,
    log_odds,
    sharpness_of,
)
from edge.inspection.locate import whole
from edge.inspection.session import Session, newest
from edge.settings import InspectionSettings
from edge.settings_recipe import RuleSettings
from tests.unit.cartons import BERRY, MILK, NAMES, VANILLA, carton, photograph

MODELS = Path(__file__).resolve().parents[2] / "models"
UNKNOWN = "04006381333962"


def sighting(image: Image, gtin: str | None) -> Sighting:
    expected = None if gtin is None else Expected("w-1", gtin, "o-1")
    return Sighting(Frame("top", "f-1", 5, 0.0, image), Item("i-1", 0, 0, expected=expected), 10)


def inspect(check: Check, image: Image, gtin: str | None) -> Evidence:
    (evidence,) = check.inspect(whole(image), sighting(image, gtin))
    return evidence


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.load(newest(MODELS, "backbone"))


@pytest.fixture(scope="module")
def folder(session: Session, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("catalogue")
    catalogue = Catalogue(folder, session)
    for gtin in NAMES:
        catalogue.enter(gtin, carton(gtin), [photograph(gtin, seed) for seed in range(3)])
    return folder


@pytest.fixture(scope="module")
def check(folder: Path, session: Session) -> IdentityCheck:
    return IdentityCheck.over(session, folder)


@pytest.mark.parametrize("ordered", NAMES)
@pytest.mark.parametrize("shown", NAMES)
def test_ordered_product_is_told_from_its_variants(
    check: IdentityCheck, folder: Path, shown: str, ordered: str
) -> None:
    evidence = inspect(check, photograph(shown, 50), ordered)
    assert evidence.valid
    assert evidence.reading == shown
    assert (evidence.score < 0) == (shown == ordered)
    assert (evidence.probability > 0.5) == (shown == ordered)
    assert shown in evidence.because
    assert evidence.learnt.startswith(sealed.named(folder / ordered / "identity.npz"))


def test_half_one_half_the_other_is_not_told(folder: Path, session: Session) -> None:
    """With a sharpness that calls everything even: the item is as like the one as the other."""
    doubting = {gtin: replace(Portrait.load(folder / gtin / "identity.npz", session), sharpness=0.1) for gtin in NAMES}
    check = IdentityCheck(session, Shelf(doubting))  # type: ignore[arg-type]
    evidence = inspect(check, photograph(BERRY, 50), BERRY)
    assert not evidence.valid
    assert evidence.score is None
    assert "cannot be told" in evidence.because


class Shelf:
    """Portraits in memory."""

    def __init__(self, portraits: dict[str, Portrait]) -> None:
        self._portraits = portraits

    def known(self, gtin: str, _camera: str) -> tuple[Portrait, str] | None:
        return (self._portraits[gtin], "in memory") if gtin in self._portraits else None


@pytest.mark.parametrize(
    ("image", "gtin", "because"),
    [
        (carton(MILK), UNKNOWN, "catalogue build"),
        (carton(MILK), "../..", "catalogue build"),
        (carton(MILK), None, "not announced"),
        (np.zeros((300, 300, 3), np.uint8), MILK, "nothing to see"),
        (np.full((300, 300, 3), 255, np.uint8), MILK, "nothing to see"),
    ],
)
def test_what_is_not_vouched_for(check: IdentityCheck, image: Image, gtin: str | None, because: str) -> None:
    evidence = inspect(check, image, gtin)
    assert not evidence.valid
    assert evidence.score is None
    assert because in evidence.because


def test_damaged_portrait_is_said(session: Session, tmp_path: Path) -> None:
    (tmp_path / MILK).mkdir()
    (tmp_path / MILK / "identity.npz").write_bytes(b"half a fi")
    evidence = inspect(IdentityCheck.over(session, tmp_path), carton(MILK), MILK)
    assert not evidence.valid
    assert "make it anew" in evidence.because


def test_portrait_comes_back_from_disk(folder: Path, session: Session) -> None:
    portrait = Portrait.load(folder / VANILLA / "identity.npz", session)
    assert portrait.marks.shape == (4, MARKS, 152)
    assert np.linalg.norm(portrait.marks, axis=2) == pytest.approx(1, abs=0.01)
    assert set(portrait.lookalikes) == {BERRY, MILK}
    assert portrait.trials.shape == (3, 1)  # the first to be entered: there was no other
    assert portrait.sharpness == Portrait.load(folder / MILK / "identity.npz", session).sharpness
    assert (folder / VANILLA / "identity.npz").stat().st_size < 45_000


def test_lookalikes_are_bounded_and_never_oneself(folder: Path, session: Session) -> None:
    for gtin in NAMES:
        lookalikes = Portrait.load(folder / gtin / "identity.npz", session).lookalikes
        assert gtin not in lookalikes
        assert len(set(lookalikes)) == len(lookalikes) <= LOOKALIKES


def test_entering_again_changes_nothing_but_the_product(folder: Path, session: Session, tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path, session)
    for gtin in (*NAMES, VANILLA):
        catalogue.enter(gtin, carton(gtin), [])
    assert sorted(path.parent.name for path in tmp_path.glob("*/identity.npz")) == sorted(NAMES)
    assert set(Portrait.load(tmp_path / MILK / "identity.npz", session).lookalikes) == {VANILLA, BERRY}


def test_no_gtin_becomes_no_path(session: Session, tmp_path: Path) -> None:
    with pytest.raises(ReferencesRefused):
        Catalogue(tmp_path, session).enter("../oops", carton(MILK), [])


def test_likeness_trusts_the_catalogue_as_much_as_all_photographs() -> None:
    assert likeness(np.array([0.8])) == pytest.approx(0.8)
    assert likeness(np.array([0.8, 0.2, 0.6])) == pytest.approx(0.7)


@pytest.mark.parametrize("shift", [-3.0, 0.0, 5.0])
def test_log_odds_depend_on_differences_alone(shift: float) -> None:
    others = np.array([0.7, 0.6])
    assert log_odds(0.8 + shift, others + shift, 50.0) == pytest.approx(log_odds(0.8, others, 50.0))
    assert log_odds(0.8, np.array([0.8]), 50.0) == pytest.approx(0)
    assert log_odds(0.8, others, 50.0) > 0 > log_odds(0.5, others, 50.0)


def test_sharpness_stays_usual_without_photographs_and_moves_with_them() -> None:
    assert sharpness_of([np.zeros((0, 5))]) == pytest.approx(USUAL_SHARPNESS)
    random = np.random.default_rng(1)
    wide = np.column_stack((np.full(40, 0.8), random.normal(0.8, 0.05, (40, 5))))  # as good as chance
    clear = np.column_stack((np.full(40, 0.8), random.normal(0.75, 0.005, (40, 5))))
    assert sharpness_of([wide]) < USUAL_SHARPNESS < sharpness_of([clear[:20], clear[20:]])


def test_even_ground_is_cut_away() -> None:
    crop = freed(carton(MILK))
    assert crop.mask[150, 150] == 255
    assert (crop.mask[:, :40] > 0).mean() < 0.01
    assert np.isclose((crop.mask > 0).mean(), 180 * 240 / 300**2, atol=0.02)


def test_colour_of_a_variant_is_far_off(folder: Path) -> None:
    check = ColourCheck.over(folder)
    same, variant = (inspect(check, photograph(gtin, 50), VANILLA) for gtin in (VANILLA, BERRY))
    assert same.valid
    assert variant.valid
    assert same.score < 4
    assert variant.score > same.score + 4
    assert same.learnt == sealed.named(folder / VANILLA / "colour.npz")


@pytest.mark.parametrize(("gtin", "because"), [(UNKNOWN, "no colours"), (None, "not announced")])
def test_colours_that_are_not_known(folder: Path, gtin: str | None, because: str) -> None:
    evidence = inspect(ColourCheck.over(folder), carton(MILK), gtin)
    assert not evidence.valid
    assert because in evidence.because


def test_command_enters_a_product(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "milk.png"), carton(MILK))
    cv2.imwrite(str(tmp_path / "photo.png"), photograph(MILK, 1))
    pictures = ["--picture", str(tmp_path / "milk.png"), str(tmp_path / "photo.png")]
    assert build(["build", "--gtin", MILK, "--out", str(tmp_path / "out"), *pictures]) == 0
    assert (tmp_path / "out" / MILK / "identity.npz").is_file()
    assert "2 pictures learnt" in capsys.readouterr().out


def test_rules_ask_for_looks_colours_and_code(folder: Path) -> None:
    rules = [
        RuleSettings(check="identity", cameras=("top",), reject_at=3.0),
        RuleSettings(check="colour", cameras=("top",), required=False),
        RuleSettings(check="code", cameras=("top",), agrees="code", required=False),
    ]
    settings = InspectionSettings(references=folder.parent / "references", catalogue=folder)
    asked = questions(settings, rules, Sessions(MODELS))["top"]
    assert [(one.answers, one.required) for one in asked] == [
        (("identity",), True),
        (("colour",), False),
        (("code",), False),
    ]
    image = photograph(BERRY, 50)
    identity, colour, code = (one.check.inspect(whole(image), sighting(image, BERRY))[0] for one in asked)
    assert identity.score < 0 < colour.score
    assert code.because == "no code seen"


def test_catalogue_lies_beside_the_references_unless_said_otherwise() -> None:
    assert InspectionSettings(references=Path("/a/references")).products == Path("/a/catalogue")
