"""Damage differs from item to item, a change does not: remembered, told once, kept on disk, accepted or declined."""

import os
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.__main__ import main
from edge.core.changed import ALIKE, SETTLED, Changed
from edge.core.messages import Disposition, Evidence, Look, Verdict
from edge.inspection import features
from edge.inspection.changes import Changes
from edge.inspection.crop import Crop, seen, seen_again
from edge.inspection.locate import whole
from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.records.candidates import KEPT, CandidateSink
from edge.records.journal import Journal
from edge.settings import ROOT

GTIN = "04000000000017"


def label(seed: int, look: str = "usual") -> Crop:
    """A drawn label; torn ones are torn anywhere, stickers sit nearly at one place."""
    chance = np.random.default_rng(seed)
    image = np.full((160, 240, 3), 220, np.uint8)
    cv2.rectangle(image, (0, 0), (239, 50), (120, 160, 40), -1)
    cv2.putText(image, "TUNNEL", (20, 110), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (40, 40, 40), 3, cv2.LINE_AA)
    if look == "torn":
        points = chance.integers((20, 10), (220, 150), (4, 2))
        cv2.fillPoly(image, [points], tuple(int(level) for level in chance.integers(0, 120, 3)))
    if look == "sticker":
        x, y = 150 + int(chance.integers(0, 5)), 60 + int(chance.integers(0, 5))
        cv2.rectangle(image, (x, y), (x + 60, y + 40), (30, 200, 250), -1)
        cv2.putText(image, "NEW", (x + 5, y + 28), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 160), 2)
    return whole(np.clip(image + chance.normal(0, 4, image.shape), 0, 255).astype(np.uint8))


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.load(newest(ROOT / "models", "backbone"))


@pytest.fixture(scope="module")
def references(session: Session) -> References:
    return References.build([label(seed) for seed in range(8)], session, 120)


def alike(session: Session, references: References, crops: list[Crop]) -> list[int]:
    changes, told = Changes(), []
    for crop in crops:
        rows, shown = features.patches(crop, session), features.inside(crop, session)
        found = references.compare(rows, shown)
        told.append(changes.alike((GTIN, "top"), rows, shown, found, references))
    return told


def test_stickers_are_alike_and_tears_are_not(session: Session, references: References) -> None:
    assert alike(session, references, [label(seed, "sticker") for seed in range(20, 25)])[ALIKE:] == [3, 4]
    assert max(alike(session, references, [label(seed, "torn") for seed in range(20, 30)])) < ALIKE
    assert alike(session, references, [label(seed) for seed in range(20, 23)]) == [0, 0, 0]


def evidence(alike: int = 0, score: float = 1.5) -> Evidence:
    look = Look(GTIN, np.zeros((8, 8, 3), np.uint8), np.zeros((8, 8), np.uint8))
    return Evidence("i-1", "f", "top", "anomaly", score=score, look=look, alike=alike, valid=True)


def verdict(item: str, one: Evidence, disposition: Disposition = Disposition.REJECT) -> Verdict:
    return Verdict(item, "o-1", 0, disposition, (), (), (replace(one, item_id=item),), "r", 0, None, 0, 0)


def test_a_change_is_told_once_until_the_product_looks_usual_for_a_while() -> None:
    changed = Changed()
    assert list(changed.update([verdict("i", evidence(ALIKE - 1))])) == []
    assert len(list(changed.update([verdict("i", evidence(ALIKE))] * 3))) == 1
    assert list(changed.update([verdict("i", evidence(score=0.5))] * (SETTLED - 1))) == []
    assert list(changed.update([verdict("i", evidence(ALIKE))])) == []
    assert list(changed.update([verdict("i", evidence(score=0.5))] * SETTLED)) == []
    assert len(list(changed.update([verdict("i", evidence(ALIKE))]))) == 1


def test_candidates_are_few_and_the_newest(tmp_path: Path) -> None:
    sink = CandidateSink(tmp_path, 10**9)
    sink.write([verdict(f"i-{number:03d}", evidence()) for number in range(KEPT + 5)])
    kept = sorted(path.stem for path in tmp_path.glob(f"{GTIN}/top/unusual/*.png"))
    assert kept == [f"i-{number:03d}" for number in range(5, KEPT + 5)]
    usual = evidence(score=0.5)
    sink.write([verdict(f"i-{number}", usual, Disposition.PASS) for number in range(9)])
    assert [path.stem for path in tmp_path.glob(f"{GTIN}/top/passed/*.png")] == ["i-0"]


def test_candidates_never_take_more_than_they_may(tmp_path: Path) -> None:
    chance = np.random.default_rng(1)
    noise = Look(GTIN, *(chance.integers(0, 255, shape, np.uint8) for shape in ((64, 64, 3), (64, 64))))
    sink = CandidateSink(tmp_path, 50_000)
    sink.write([verdict(f"i-{number}", replace(evidence(), look=noise)) for number in range(20)])
    assert 0 < sum(path.stat().st_size for path in tmp_path.rglob("*.png")) <= 50_000


def test_a_look_is_a_crop_again(session: Session, references: References) -> None:
    crop = label(3, "sticker")
    again = seen_again(seen(crop, GTIN, 256).with_mask())
    there, here = (references.score(features.of_item(one, session)) for one in (crop, again))
    assert here == pytest.approx(there, rel=0.02)


@pytest.fixture
def lane(tmp_path: Path, references: References) -> Path:
    """A lane's settings, references, and candidates: stickers that stood out, and items that passed."""
    state, stock = tmp_path / "state", tmp_path / "references"
    references.save(stock / GTIN / "top.npz")
    for kind, look in (("unusual", "sticker"), ("passed", "usual")):
        folder = state / "candidates" / GTIN / "top" / kind
        folder.mkdir(parents=True)
        for seed in range(40, 46):
            cv2.imwrite(str(folder / f"{kind}-{seed}.png"), seen(label(seed, look), GTIN, 256).with_mask())
    settings = (ROOT / "docs" / "lane.toml").read_text()
    settings = settings.replace("/var/lib/tunnel-edge/lane1", str(state)).replace(
        "/var/lib/tunnel-edge/references", str(stock)
    )
    path = tmp_path / "lane.toml"
    path.write_text(settings)
    return path


def stored(lane: Path, session: Session) -> References:
    return References.load(lane.parent / "references" / GTIN / "top.npz", session)


def left(lane: Path, kind: str) -> int:
    return len(list((lane.parent / "state" / "candidates").glob(f"*/*/{kind}/*.png")))


def test_a_change_is_offered_and_one_confirmation_teaches_it(
    lane: Path, session: Session, references: References, capsys
) -> None:
    assert main(["references", "changes", str(lane)]) == 0
    told = capsys.readouterr().out
    assert GTIN in told
    sheet = lane.parent / "state" / "candidates" / GTIN / "top" / "unusual" / "changes.jpg"
    assert cv2.imread(str(sheet)) is not None
    words = [str(lane), "--gtin", GTIN, "--camera", "top", "--confirmed-by", "Kim"]
    assert main(["references", "accept", *words]) == 0
    assert "confirmed by Kim" in capsys.readouterr().out
    known = stored(lane, session)
    assert known.score(features.of_item(label(50, "sticker"), session)) / known.scale < 1
    torn = [features.of_item(label(seed, "torn"), session) for seed in range(20, 30)]
    assert [known.score(rows) > known.scale for rows in torn] == [
        references.score(rows) > references.scale for rows in torn
    ]
    assert left(lane, "unusual") == 0


def test_what_is_declined_is_kept_and_offered_no_more(lane: Path, session: Session, capsys) -> None:
    before = stored(lane, session)
    assert main(["references", "decline", str(lane), "--gtin", GTIN, "--camera", "top", "--by", "Kim"]) == 0
    assert len(list((lane.parent / "state" / "declined" / GTIN / "top").glob("*.png"))) == 6
    assert main(["references", "changes", str(lane)]) == 0
    assert "no product has changed" in capsys.readouterr().out
    assert np.array_equal(stored(lane, session).coreset, before.coreset)


def add_unusual(lane: Path, seeds: range, look: str) -> None:
    folder = lane.parent / "state" / "candidates" / GTIN / "top" / "unusual"
    for seed in seeds:
        cv2.imwrite(str(folder / f"more-{look}-{seed}.png"), seen(label(seed, look), GTIN, 256).with_mask())


def test_damage_among_what_changed_is_not_taught(lane: Path, session: Session, references: References) -> None:
    add_unusual(lane, range(20, 24), "torn")
    words = [str(lane), "--gtin", GTIN, "--camera", "top", "--confirmed-by", "Kim"]
    assert main(["references", "accept", *words]) == 0
    assert left(lane, "unusual") == 4
    torn, known = features.of_item(label(20, "torn"), session), stored(lane, session)
    assert known.score(torn) > known.scale


def test_what_was_declined_is_not_offered_when_it_comes_again(lane: Path, capsys) -> None:
    assert main(["references", "decline", str(lane), "--gtin", GTIN, "--camera", "top", "--by", "Kim"]) == 0
    add_unusual(lane, range(60, 66), "sticker")
    assert main(["references", "changes", str(lane)]) == 0
    assert "no product has changed" in capsys.readouterr().out


def test_what_was_shipped_but_looks_wrong_is_told_and_kept(lane: Path, session: Session, capsys) -> None:
    state = lane.parent / "state"
    odd = state / "candidates" / GTIN / "top" / "passed" / "odd.png"
    cv2.imwrite(str(odd), seen(label(1, "sticker"), GTIN, 256).with_mask())
    journal = Journal(state)
    entries = [("Item", "odd", {"expected": {"order_line": "o-9"}}), ("ItemEnd", "odd", {"end": "passed"})]
    journal.append(entries, [])
    journal.close()
    lane.write_text(lane.read_text().replace("learn_after_days = 14", "learn_after_days = 0"))
    before = (lane.parent / "references" / GTIN / "top.npz").read_bytes()
    assert main(["references", "grow", str(lane)]) == 0
    assert "odd.png: is it sound?" in capsys.readouterr().out.replace("\n", "")
    assert (state / "candidates" / GTIN / "top" / "unusual" / "odd.png").exists()
    assert (lane.parent / "references" / GTIN / "top.npz").read_bytes() == before
    assert not (lane.parent / "references" / GTIN / "top.npz.previous").exists()


def test_what_was_shipped_without_complaint_is_learnt_after_a_while(lane: Path, session: Session) -> None:
    state = lane.parent / "state"
    journal = Journal(state)
    for number, (end, line) in enumerate([("passed", "o-0"), ("passed", "o-1"), ("diverted", "o-2"), ("passed", None)]):
        item = f"passed-{40 + number}"
        order = None if line is None else {"order_line": line}
        journal.append([("Item", item, {"expected": order}), ("ItemEnd", item, {"end": end})], [])
    journal.close()
    assert main(["complaint", str(lane), "--order-line", "o-1", "--by", "Kim", "--why", "dented"]) == 0
    before = stored(lane, session)
    assert main(["references", "grow", str(lane)]) == 0
    assert left(lane, "passed") == 6  # nothing is old enough
    lane.write_text(lane.read_text().replace("learn_after_days = 14", "learn_after_days = 0"))
    time.sleep(0.01)
    assert main(["references", "grow", str(lane)]) == 0
    after = stored(lane, session)
    assert left(lane, "passed") == 5  # one was shipped to a customer who did not complain
    assert np.array_equal(after.held_out, before.held_out)
    assert not np.array_equal(after.coreset, before.coreset)


def test_a_damaged_candidate_is_told(lane: Path, capsys) -> None:
    next((lane.parent / "state").rglob("unusual/*.png")).write_bytes(os.urandom(50))
    assert main(["references", "changes", str(lane)]) == 1
    assert "remove it" in capsys.readouterr().err
