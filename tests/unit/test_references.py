"""References: the greedy choice, the search, the scale, the suspects, the files."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edge.core.errors import ReferencesRefused
from edge.inspection import features
from edge.inspection.crop import Crop
from edge.inspection.locate import whole
from edge.inspection.references import (
    Difference,
    Library,
    References,
    coreset,
    extended,
    image_score,
    nearest,
    outliers,
)
from edge.inspection.session import Session, newest

MODELS = Path(__file__).resolve().parents[2] / "models"
ROWS = hnp.arrays(np.float32, st.tuples(st.integers(1, 40), st.just(3)), elements=st.floats(-8, 8, width=32))


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.load(newest(MODELS, "backbone"))


def label(seed: int, scratched: bool = False) -> Crop:
    """A drawn label, a little different each time."""
    random = np.random.default_rng(seed)
    image = np.full((200, 300, 3), 220, np.uint8)
    cv2.rectangle(image, (0, 0), (299, 60), (120, 160, 40), -1)
    cv2.putText(image, "TUNNEL", (30, 130), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (40, 40, 40), 3, cv2.LINE_AA)
    if scratched:
        cv2.line(image, (230, 90), (285, 180), (20, 20, 90), 7)
    return whole(np.clip(image + random.normal(0, 4, image.shape), 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def references(session: Session) -> References:
    return References.build([label(seed) for seed in range(6)], session, size=60)


@given(ROWS, ROWS)
def test_nearest_is_what_all_differences_say(rows: np.ndarray, known: np.ndarray) -> None:
    differences = np.linalg.norm(rows[:, None].astype(float) - known[None], axis=2).min(axis=1)
    assert nearest(rows, known) == pytest.approx(differences, abs=0.02)


@given(ROWS, st.integers(1, 50))
def test_coreset_leaves_no_row_farther_than_the_next_choice(rows: np.ndarray, size: int) -> None:
    chosen = coreset(rows, size)
    assert len(chosen) == min(size, len(rows))
    if len(chosen) < len(rows):
        further = coreset(rows, size + 1)[-1:]
        assert nearest(rows, chosen).max() == pytest.approx(float(nearest(further, chosen)[0]), abs=0.02)


def test_normal_items_lie_within_the_scale_and_a_scratch_beyond(references: References, session: Session) -> None:
    normal, scratched = (compared(references, label(100, scratched=one), session) for one in (False, True))
    assert normal.score < 1.3
    assert scratched.score > 1.4 * normal.score
    row, column = np.unravel_index(scratched.heat.argmax(), scratched.heat.shape)
    assert (row, column) == (pytest.approx(22, abs=8), pytest.approx(27, abs=5))


def compared(references: References, crop: Crop, session: Session) -> Difference:
    return references.compare(features.patches(crop, session), features.inside(crop, session))


def test_what_is_not_the_item_has_no_heat(references: References, session: Session) -> None:
    shown = np.zeros(1024, bool)
    shown[:100] = True
    found = references.compare(features.patches(label(100, scratched=True), session), shown)
    assert (found.heat.ravel()[100:] == 0).all()
    assert 0 < found.score < 1.3


def test_one_damaged_item_among_the_normals_is_suspected(session: Session) -> None:
    crops = [label(seed, scratched=seed == 3) for seed in range(11)]
    references = References.build(crops, session, size=60)
    assert references.suspects == (3,)
    assert len(references.held_out) == 10
    assert compared(references, label(100, scratched=True), session).score > 1.4


def test_held_out_scores_are_in_order_and_end_at_the_scale(references: References) -> None:
    assert len(references.held_out) == 6 - len(references.suspects)
    assert (np.diff(references.held_out) >= 0).all()
    assert references.scale == references.held_out[-1]


USUAL = [5, 5.1, 4.9, 5.2, 4.8, 5, 5.1, 4.9, 5.2, 4.8, 5, 5]


def test_what_is_learnt_later_leaves_what_was_known_as_fine_as_it_was() -> None:
    chance = np.random.default_rng(2)
    old, new = (chance.normal(place, 1, (600, 8)).astype(np.float32) for place in (0, 30))
    known = coreset(old, 60)
    more = extended(known, new, 60, 200)
    assert np.array_equal(more[:60], known)
    assert (
        nearest(new, more).max()
        <= nearest(known[-1:], known[:-1])[0]
        < nearest(new, extended(known, new, 60, 80)).max()
    )
    assert len(extended(known, new, 60, 80)) == 80
    assert np.array_equal(extended(known, old[:1], 60, 200), known)  # nothing new: nothing is added


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (USUAL, ()),
        ([*USUAL, 20], (12,)),
        ([*USUAL[:2], 20, *USUAL[2:], 30], (2, 13)),
        ([20, 21, *USUAL, 22, 23], (1, 14, 15)),
        ([*USUAL, 0.1], ()),
        ([5] * 12, ()),
        ([5, 5, 5, 5.1, 50], ()),
    ],
    ids=["none", "one", "two", "a fifth at most", "unusually usual", "all alike", "too few to tell"],
)
def test_suspects_are_far_out_on_the_high_side(scores: list[float], expected: tuple[int, ...]) -> None:
    assert outliers(np.array(scores, np.float32)) == expected


@given(hnp.arrays(np.float32, st.integers(4, 200), elements=st.floats(0, 100, width=32)))
def test_never_more_than_a_fifth_is_suspected(scores: np.ndarray) -> None:
    assert len(outliers(scores)) <= len(scores) // 5


@pytest.mark.parametrize(("count", "score"), [(10, 9.0), (100, 99.0), (1000, 994.5)])
def test_score_is_the_mean_of_the_hottest_patches(count: int, score: float) -> None:
    assert image_score(np.arange(count, dtype=np.float32)) == pytest.approx(score)


@pytest.mark.parametrize(("score", "doubt"), [(0.53, False), (0.55, True), (1.49, True), (1.51, False)])
def test_doubt_lies_between_the_usual_and_the_clear(score: float, doubt: bool) -> None:
    held_out = np.array([1.0, 1.2, 1.3, 1.4, 2.0], np.float32)
    references = References(np.zeros((1, 2), np.float32), held_out, (), "0" * 64)
    assert references.in_doubt(score) is doubt


def test_progress_is_told(session: Session) -> None:
    told: list[tuple[int, int]] = []
    References.build([label(seed) for seed in range(4)], session, size=5, progress=lambda *step: told.append(step))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_too_few_normals_are_refused(session: Session) -> None:
    with pytest.raises(ReferencesRefused, match="too few"):
        References.build([label(0)], session)


def test_file_brings_back_the_same(references: References, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "04006381333931" / "top.npz"
    references.save(path)
    again = References.load(path, session)
    assert np.array_equal(again.coreset, references.coreset.astype(np.float16))
    assert np.array_equal(again.held_out, references.held_out)
    assert (again.scale, again.suspects) == (references.scale, references.suspects)


def test_same_crops_give_the_same_bytes(session: Session, tmp_path: Path) -> None:
    for name in ("a", "b"):
        References.build([label(seed) for seed in range(4)], session, size=20).save(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_damaged_file_is_refused(references: References, session: Session, tmp_path: Path, place: float) -> None:
    path = tmp_path / "top.npz"
    references.save(path)
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises(ReferencesRefused, match="anew"):
        References.load(path, session)


def test_file_of_another_model_is_refused(references: References, session: Session, tmp_path: Path) -> None:
    path = tmp_path / "top.npz"
    replace(references, model_sha256="0" * 64).save(path)
    with pytest.raises(ReferencesRefused, match="000000000000"):
        References.load(path, session)


def test_library_finds_what_there_is(tmp_path: Path) -> None:
    (tmp_path / "04006381333931").mkdir()
    (tmp_path / "04006381333931" / "top.npz").write_text("learnt")
    library = Library(tmp_path, ".npz", Path.read_text)
    assert library.find("04006381333931", "top") == "learnt"
    assert library.find("04006381333931", "side") is None
    assert library.find("04006381333948", "top") is None


def test_library_reads_once_and_again_when_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "04006381333931" / "top.npz"
    path.parent.mkdir()
    path.write_text("first")
    reads: list[Path] = []
    library = Library(tmp_path, ".npz", lambda opened: (reads.append(opened), opened.read_text())[1])
    assert [library.find("04006381333931", "top") for _ in range(3)] == ["first"] * 3
    assert len(reads) == 1
    path.write_text("second")
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    assert library.find("04006381333931", "top") == "second"


def test_library_names_the_file_that_it_read_though_it_is_made_anew_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "04006381333931" / "top.npz"
    path.parent.mkdir()
    path.write_text("first")

    def made_anew_while_read(opened: Path) -> str:
        read = opened.read_text()
        opened.write_text("second")
        return read

    known = Library(tmp_path, ".npz", made_anew_while_read).known("04006381333931", "top")
    assert known == ("second", hashlib.sha256(b"second").hexdigest()[:16])


@pytest.mark.parametrize(
    ("gtin", "camera"), [("../../etc", "top"), ("", "top"), ("04006381333931", "../top"), ("٠١٢٣٤٥٦٧", "top")]
)
def test_names_from_outside_never_leave_the_folder(tmp_path: Path, gtin: str, camera: str) -> None:
    (tmp_path.parent / "top.npz").write_text("outside")
    assert Library(tmp_path, ".npz", Path.read_text).find(gtin, camera) is None
