"""The stock of references: what is added, left out, shown, made smaller and brought back."""

import cv2
import numpy as np
import pytest

from edge.__main__ import main
from edge.core.messages import Image
from edge.inspection.growth import limit, pruned, taught
from edge.inspection.references import Normal, References
from edge.inspection.session import Session, newest
from edge.settings import ROOT

GTIN = "04000000000017"


def label(seed: int, *, torn: bool = False) -> Image:
    """A drawn label, a little different each time."""
    chance = np.random.default_rng(seed)
    image = np.full((160, 240, 3), 220, np.uint8)
    cv2.rectangle(image, (0, 0), (239, 50), (120, 160, 40), -1)
    cv2.putText(image, "TUNNEL", (20, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 40, 40), 3, cv2.LINE_AA)
    if torn:
        cv2.fillConvexPoly(image, np.array([[130, 0], [239, 0], [239, 159]]), (20, 20, 90))
    return np.clip(image + chance.normal(0, 4, image.shape), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Pictures, and references made of some of them."""
    folder = tmp_path_factory.mktemp("site")
    for name, seeds, torn in (("first", range(8), False), ("more", range(8, 12), False), ("odd", range(1), True)):
        (folder / name).mkdir()
        for seed in seeds:
            cv2.imwrite(str(folder / name / f"{seed}.png"), label(seed, torn=torn))
    assert command(folder, "build", folder / "first", "--size", 120) == 0
    return folder


def command(folder, verb, *words):
    named = ["--gtin", GTIN, "--camera", "top"] if verb != "prune" else []
    return main(["references", verb, "--out", str(folder / "references"), *named, *map(str, words)])


def stored(folder):
    session = Session.load(newest(ROOT / "models", "backbone"))
    return References.load(folder / "references" / GTIN / "top.npz", session)


def test_what_is_added_counts_what_looks_wrong_does_not_and_all_can_be_undone(site, capsys):
    before = stored(site)
    sheet = site / "sheet.png"
    assert command(site, "add", site / "more", site / "odd", "--sheet", sheet) == 0
    after = stored(site)
    assert len(after.held_out) == len(before.held_out) + 4
    assert "0.png: is it sound?" in capsys.readouterr().err.replace("\n", "")
    assert cv2.imread(str(sheet)).shape == (176, 5 * 160, 3)
    assert (site / "references" / "top.pool.npz").stat().st_size > 0
    for wanted in (before, after, before):
        assert command(site, "undo") == 0
        assert stored(site).held_out == pytest.approx(wanted.held_out)


def test_one_confirmation_teaches_a_new_artwork(site, capsys):
    before = stored(site)
    assert command(site, "add", site / "odd", "--confirmed-by", "Kim") == 0
    assert "confirmed by Kim" in capsys.readouterr().err
    assert stored(site).scale == before.scale  # what damage may look like has not grown
    assert not np.array_equal(stored(site).coreset, before.coreset)
    assert command(site, "undo") == 0


def test_inspect_tells_each_file_and_a_damaged_one(site, capsys):
    broken = site / "references" / "04000000000024"
    broken.mkdir()
    (broken / "top.npz").write_bytes(b"nothing")
    assert main(["references", "inspect", "--out", str(site / "references")]) == 0
    told = capsys.readouterr().out
    assert GTIN in told
    assert "04000000000024" in told
    assert "cannot be read" in told
    (broken / "top.npz").unlink()


def test_prune_keeps_the_first_patches(site):
    before = stored(site)
    assert command(site, "prune", "--size", 50) == 0
    assert np.array_equal(stored(site).coreset, before.coreset[:50])
    assert command(site, "undo") == 0


@pytest.mark.parametrize(
    "words", [["add", "--gtin", "04000000000031", "--camera", "top", "."], ["inspect", "--camera", "side"]]
)
def test_what_is_not_there_is_told(site, words, capsys):
    verb, *others = words
    assert main(["references", verb, "--out", str(site / "references"), *others]) == 1
    assert "make them with" in capsys.readouterr().err


ROWS = np.random.default_rng(1).normal(size=(12, 40, 8)).astype(np.float32)


def test_growth_scores_before_it_learns_and_leaves_out_what_lies_far_out():
    known = References.learn([Normal(rows) for rows in ROWS[:8]], "m", 60)
    odd = ROWS[8] + 9
    assert known.score(odd) > limit(known.held_out) > known.score(ROWS[9])
    more, suspects = taught(known, [Normal(rows) for rows in (ROWS[9], odd, ROWS[10])], 60)
    assert suspects == (1,)
    assert len(more.held_out) == len(known.held_out) + 2
    assert (np.diff(more.held_out) >= 0).all()
    assert len(pruned(more, 10).coreset) == 10
