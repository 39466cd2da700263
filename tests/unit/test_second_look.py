"""The second look: asked where the first leaves doubt, and what both say together."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge import sealed
from edge.core.errors import ReferencesRefused
from edge.core.messages import Evidence
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.assembly import Sessions, questions, verify
from edge.inspection.crop import answer
from edge.inspection.locate import whole
from edge.inspection.references import Difference, Library, References
from edge.inspection.second_look import SUFFIX, FirstLook, SecondLook, together
from edge.inspection.session import Session, newest
from edge.settings import InspectionSettings
from edge.settings_recipe import RuleSettings
from tests.unit.test_appearance import LEARNT, MODELS, UNKNOWN, label, sighting


@pytest.fixture(scope="module")
def sessions() -> tuple[Session, Session]:
    backbone, second = (Session.load(newest(MODELS, check)) for check in ("backbone", "second-stage"))
    return backbone, second


@pytest.fixture(scope="module")
def folder(sessions: tuple[Session, Session], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References of both stages for camera `top`, of the first alone for `side`, a damaged second for `broken`."""
    folder = tmp_path_factory.mktemp("references")
    first, second = (References.build([label(seed) for seed in range(4)], session, 60) for session in sessions)
    for camera in ("top", "side", "broken"):
        first.save(folder / LEARNT / f"{camera}.npz")
    second.save(folder / LEARNT / f"top{SUFFIX}")
    (folder / LEARNT / f"broken{SUFFIX}").write_bytes(b"half a fi")
    return folder


@pytest.fixture(scope="module")
def check(sessions: tuple[Session, Session], folder: Path) -> SecondLook:
    return SecondLook.over(*sessions, folder)


def test_scratch_is_seen_by_both_together(check: SecondLook, folder: Path) -> None:
    (normal,), (scratched,) = (check.inspect(crop, sighting(crop)) for crop in (label(50), label(50, scratched=True)))
    assert (scratched.check, scratched.valid) == ("second_look", True)
    assert scratched.score > 1.4 * normal.score
    assert "lower right" in scratched.because
    both = [sealed.named(folder / LEARNT / f"top{suffix}") for suffix in (".npz", SUFFIX)]
    assert scratched.learnt == " ".join(both)


@pytest.mark.parametrize(
    ("gtin", "camera", "because"),
    [
        (None, "top", "not announced"),
        (UNKNOWN, "top", "no references of both stages"),
        (LEARNT, "side", "no references of both stages"),
        (LEARNT, "broken", "make it anew"),
    ],
)
def test_without_both_references_nothing_is_vouched_for(
    check: SecondLook, gtin: str | None, camera: str, because: str
) -> None:
    (evidence,) = check.inspect(label(51), sighting(label(51), gtin, camera))
    assert not evidence.valid
    assert because in evidence.because


@pytest.mark.parametrize("grey", [0, 128, 255])
def test_even_picture_shows_nothing(
    check: SecondLook, sessions: tuple[Session, Session], folder: Path, grey: int
) -> None:
    crop = whole(np.full((200, 300, 3), grey, np.uint8))
    for one in (check, AppearanceCheck.over(sessions[0], folder)):
        said = one.inspect(crop, sighting(crop))
        assert not any(evidence.valid for evidence in said)
        assert all("nothing to see" in evidence.because for evidence in said)


class Says:
    """A check that finds a given anomaly score."""

    def __init__(self, score: float | None) -> None:
        self._score = score

    def inspect(self, _crop: object, seen: object) -> list[Evidence]:
        said = answer("anomaly", seen, "drawn")
        return [replace(said, score=self._score, valid=self._score is not None)]


@pytest.mark.parametrize(("score", "answered"), [(0.5, True), (0.7, False), (1.2, False), (1.6, True), (None, False)])
def test_first_look_answers_for_both_where_there_is_no_doubt(
    score: float | None, answered: bool, tmp_path: Path
) -> None:
    held_out = np.array([1.0, 1.2, 1.4, 2.0], np.float32)
    (tmp_path / LEARNT).mkdir()
    (tmp_path / LEARNT / "top.npz").touch()
    library = Library(tmp_path, ".npz", lambda _: References(np.zeros((1, 2), np.float32), held_out, (), "0" * 64))
    found = FirstLook(Says(score), library).inspect(label(52), sighting(label(52)))
    second = [one for one in found if one.check == "second_look"]
    assert [(one.score, one.valid) for one in second] == ([(score, True)] if answered else [])


def test_both_together_are_their_mean() -> None:
    first = Difference(2.0, np.full((32, 32), 2, np.float32), 30)
    second = Difference(1.0, np.ones((16, 16), np.float32), 30)
    both = together(first, second)
    assert both.score == 1.5
    assert both.heat.shape == (32, 32)
    assert (both.heat == 1.5).all()


def test_recipe_with_a_second_look_asks_it_after_the_first(folder: Path) -> None:
    settings = InspectionSettings(references=folder)
    rules = [RuleSettings(check=check, cameras=("top",), reject_at=1.0) for check in ("anomaly", "second_look")]
    asked = questions(settings, rules, Sessions(settings.models))
    assert [(str(one), one.after) for one in asked["top"]] == [("anomaly", ""), ("second_look", "anomaly")]
    answers = {evidence.check for evidence in asked["top"][0].check.inspect(label(53), sighting(label(53)))}
    assert answers in ({"anomaly"}, {"anomaly", "second_look"})


def test_verify_opens_the_references_of_both_stages(
    sessions: tuple[Session, Session], folder: Path, tmp_path: Path
) -> None:
    (tmp_path / LEARNT).mkdir()
    for name in ("top.npz", f"top{SUFFIX}"):
        (tmp_path / LEARNT / name).write_bytes((folder / LEARNT / name).read_bytes())
    verify(tmp_path, Sessions(MODELS))
    (tmp_path / LEARNT / "top.npz").replace(tmp_path / LEARNT / f"side{SUFFIX}")
    with pytest.raises(ReferencesRefused, match="made by"):
        verify(tmp_path, Sessions(MODELS))
