"""What is said of an item's looks, and what is not said."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge import sealed
from edge.core.messages import Expected, Frame, Item, Sighting
from edge.inspection import features
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.crop import Crop
from edge.inspection.defects import DAMAGED, SOUND, DefectHead, Examples
from edge.inspection.heat import heat_map
from edge.inspection.locate import whole
from edge.inspection.references import References
from edge.inspection.session import Session, newest

MODELS = Path(__file__).resolve().parents[2] / "models"
LEARNT, UNKNOWN = "04006381333931", "04006381333948"


def label(seed: int, scratched: bool = False) -> Crop:
    """A drawn label, 400 × 240, scratched at the lower right or not."""
    image = np.full((240, 400, 3), 220, np.uint8)
    cv2.rectangle(image, (0, 0), (399, 70), (120, 160, 40), -1)
    cv2.putText(image, "TUNNEL", (30, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (40, 40, 40), 3, cv2.LINE_AA)
    if scratched:
        cv2.line(image, (320, 175), (385, 230), (20, 20, 90), 8)
    noise = np.random.default_rng(seed).normal(0, 4, image.shape)
    return whole(np.clip(image + noise, 0, 255).astype(np.uint8))


def sighting(crop: Crop, gtin: str | None = LEARNT, camera: str = "top") -> Sighting:
    expected = None if gtin is None else Expected("w-1", gtin, "o-1")
    return Sighting(Frame(camera, "f-1", 5, 0.0, crop.image), Item("i-1", 0, 0, expected=expected), 10)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """References for camera `top`, a head for `side`, both for `both`, a damaged file for `broken`."""
    session = Session.load(newest(MODELS, "backbone"))
    folder = tmp_path_factory.mktemp("references")
    references = References.build([label(seed) for seed in range(6)], session, size=60)
    crops = [label(seed, scratched=seed % 2 == 1) for seed in range(12)]
    rows = np.stack(
        [features.pooled(features.patches(crop, session), features.inside(crop, session)) for crop in crops]
    )
    learnt = Examples(rows, (SOUND, DAMAGED) * 6, tuple(f"label {seed}" for seed in range(12)))
    head = DefectHead.fit(learnt, session.manifest.sha256)
    for camera in ("top", "both"):
        references.save(folder / LEARNT / f"{camera}.npz")
    for camera in ("side", "both"):
        head.save(folder / LEARNT / f"{camera}.head.npz")
    (folder / LEARNT / "broken.npz").write_bytes(b"half a fi")
    return folder


@pytest.fixture(scope="module")
def check(folder: Path) -> AppearanceCheck:
    return AppearanceCheck.over(Session.load(newest(MODELS, "backbone")), folder)


def test_scratch_is_seen_and_pointed_at(check: AppearanceCheck) -> None:
    crop = label(50, scratched=True)
    (evidence,) = check.inspect(crop, sighting(crop))
    (normal,) = check.inspect(label(50), sighting(crop))
    assert evidence.valid
    assert evidence.score > 1.4 * normal.score
    assert "lower right" in evidence.because
    corners = np.array(evidence.where, np.float32)
    assert cv2.pointPolygonTest(corners, (352, 202), measureDist=True) > -20
    assert (evidence.item_id, evidence.frame_id, evidence.camera, evidence.exposed_ns) == ("i-1", "f-1", "top", 5)


def test_picture_is_small_and_warm_at_the_scratch(check: AppearanceCheck) -> None:
    crop = label(51, scratched=True)
    (evidence,) = check.inspect(crop, sighting(crop))
    assert evidence.picture.shape == (154, 256, 3)
    assert evidence.picture.dtype == np.uint8


def test_place_is_told_in_the_frame_s_pixels(check: AppearanceCheck) -> None:
    crop = label(52, scratched=True)
    frame = cv2.copyMakeBorder(crop.image, 500, 10, 1000, 10, cv2.BORDER_REPLICATE)
    moved = Crop(frame, crop.mask, np.array([[1.0, 0, 1000], [0, 1, 500], [0, 0, 1]]), crop.polygon, located=True)
    (here,), (there,) = (check.inspect(each, sighting(crop)) for each in (crop, moved))
    assert np.array(there.where) - np.array(here.where) == pytest.approx(np.array([[1000, 500]] * len(here.where)))


def test_what_lies_outside_the_item_is_no_anomaly(check: AppearanceCheck) -> None:
    crop = label(53, scratched=True)
    mask = crop.mask.copy()
    mask[150:, 290:] = 0
    masked = Crop(crop.image, mask, crop.to_frame, crop.polygon, located=True)
    (all_of_it,), (item,) = (check.inspect(each, sighting(crop)) for each in (crop, masked))
    assert item.score < all_of_it.score


@pytest.mark.parametrize(
    ("gtin", "camera", "because"),
    [
        (UNKNOWN, "top", f"no references for {UNKNOWN}/top"),
        (LEARNT, "front", f"no references for {LEARNT}/front"),
        (None, "top", "not announced"),
        (LEARNT, "broken", "make it anew"),
        ("../..", "top", "no references"),
    ],
)
def test_without_references_nothing_is_vouched_for(
    check: AppearanceCheck, gtin: str | None, camera: str, because: str
) -> None:
    crop = label(54)
    evidence = check.inspect(crop, sighting(crop, gtin, camera))[0]
    assert not evidence.valid
    assert evidence.score is None
    assert because in evidence.because


@pytest.mark.parametrize("scratched", [False, True])
def test_head_tells_damaged_from_intact(check: AppearanceCheck, folder: Path, scratched: bool) -> None:
    crop = label(55, scratched)
    anomaly, defect = check.inspect(crop, sighting(crop, camera="both"))
    assert (anomaly.check, anomaly.valid, defect.check, defect.valid) == ("anomaly", True, "defect", True)
    assert (defect.probability > 0.5) is scratched
    names = [sealed.named(folder / LEARNT / f"both{suffix}") for suffix in (".npz", ".head.npz")]
    assert [anomaly.learnt, defect.learnt] == names
    assert (defect.score > 0) is scratched
    assert defect.kind == ""  # labels that name no kind tell none apart


def test_head_alone_speaks_for_itself(check: AppearanceCheck) -> None:
    crop = label(56)
    anomaly, defect = check.inspect(crop, sighting(crop, camera="side"))
    assert not anomaly.valid
    assert defect.valid


@pytest.mark.parametrize("shape", [(10, 1000), (1000, 10), (50, 60), (320, 320)])
def test_heat_map_fits_any_crop(shape: tuple[int, int]) -> None:
    picture = heat_map(whole(np.zeros((*shape, 3), np.uint8)), np.ones((32, 32), np.float32))
    assert max(picture.shape[:2]) <= 320
    assert min(picture.shape[:2]) >= 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (3, 2000), (5, 5)])
def test_any_size_of_picture_is_answered(check: AppearanceCheck, shape: tuple[int, int]) -> None:
    crop = whole(np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8))
    (evidence,) = check.inspect(crop, sighting(crop))
    assert evidence.valid is (evidence.score is not None)


@pytest.mark.parametrize(("grey", "noise"), [(0, 0), (255, 0), (128, 0), (6, 4), (249, 4)])
def test_picture_that_shows_nothing_is_not_vouched_for(check: AppearanceCheck, grey: int, noise: int) -> None:
    random = np.random.default_rng(2)
    image = np.clip(grey + random.normal(0, noise, (240, 400, 3)), 0, 255).astype(np.uint8)
    for evidence in check.inspect(whole(image), sighting(whole(image), camera="both")):
        assert not evidence.valid
        assert "nothing to see" in evidence.because


def test_a_promise_is_kept_by_p_values_or_nothing_is_said(folder: Path) -> None:
    crop = label(57)
    kept, asked_too_much = (
        AppearanceCheck.over(Session.load(newest(MODELS, "backbone")), folder, {"top": rate}).inspect(
            crop, sighting(crop)
        )
        for rate in (0.25, 0.01)
    )
    assert kept[0].valid
    assert 1 / 7 <= kept[0].p_value <= 1
    assert "sound items" in kept[0].because
    assert not asked_too_much[0].valid
    assert "too few to promise 1.00%" in asked_too_much[0].because
