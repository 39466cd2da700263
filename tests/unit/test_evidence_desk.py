"""The desk of the evidence: takes in what there is room for, drops the newest, and hurts nobody when the disk fails."""

from contextlib import contextmanager

import cv2
import numpy as np
import pytest

from edge.core.messages import Frame, Sighting
from edge.inspection.locate import whole
from edge.pictures import decoded
from edge.records.evidence import desk as desks
from edge.records.evidence.desk import BATCH, EvidenceDesk
from edge.records.evidence.index import EVIDENCE, INCOMING, of_item, outlines, picture
from edge.records.evidence.retention import Limits, Retention
from edge.records.evidence.store import Store
from edge.records.journal import story
from tests.unit.lane import evidence, item

IMAGE = np.dstack([np.tile(np.arange(0, 240, 4, dtype=np.uint8), (40, 1))] * 3)  # 40 × 60
OUTLINE = ((3, 3), (56, 4), (30, 36))


def sighting(frame_id="f-1", item_id="i-1"):
    return Sighting(Frame("top", frame_id, 7, 0.0, IMAGE), item(item_id), 0)


def cut():
    return IMAGE.copy(), OUTLINE


@contextmanager
def kept(state, least_free=0.0):
    """A desk, started at the end so that what it took in waits until then; its evidence is all on disk afterwards."""
    store = Store(state)
    desk = EvidenceDesk(state, store, Retention(state, store, Limits({}, 2**40, 0.0)), 85, least_free)
    yield desk
    desk.start()
    desk.stop()
    store.close()


def test_what_the_checks_saw_and_what_they_drew_is_kept_with_its_names(tmp_path):
    with kept(tmp_path) as desk:
        desk.show(sighting(), cut)
        for check in ("anomaly", "expiry"):
            desk.offer(evidence(check, picture=IMAGE // 2))
        desk.offer(evidence("lot"))  # without a picture
        desk.offer(item())
    told = [
        (one.what, one.check, one.frame_id, one.exposed_ns, one.width_px, one.height_px)
        for one in of_item(tmp_path, "i-1")
    ]
    assert told == [
        ("crop", "", "f-1", 7, 60, 40),
        ("heat_map", "anomaly", "f-1", 0, 60, 40),
        ("annotated", "expiry", "f-1", 0, 60, 40),
    ]
    crop = decoded(picture(tmp_path, of_item(tmp_path, "i-1")[0].sha256), "crop")
    assert cv2.PSNR(crop, IMAGE) > 35
    [(_, _, body)] = story(tmp_path, "i-1")
    assert [one.get("outline") for one in body["pictures"]] == [[[3, 3], [56, 4], [30, 36]], None, None]
    assert outlines(tmp_path, "i-1") == {body["pictures"][0]["sha256"]: [[3, 3], [56, 4], [30, 36]]}
    assert desk.dropped == 0


def test_what_finds_no_room_is_dropped_and_counted_and_never_cut_out(tmp_path, monkeypatch):
    monkeypatch.setattr(desks, "MOST_BYTES", 2 * IMAGE.nbytes)
    with kept(tmp_path) as desk:
        for name in ("i-1", "i-2", "i-3"):
            desk.show(sighting(item_id=name), cut)
        desk.show(sighting(item_id="i-4"), lambda: pytest.fail("cut out for nothing"))
        desk.offer(evidence(picture=IMAGE, item_id="i-5"))
        assert (desk.lost["queue_full"], desk.dropped, desk.waiting()) == (3, 3, 2)
    assert [len(of_item(tmp_path, f"i-{n}")) for n in range(1, 6)] == [1, 1, 0, 0, 0]


def test_what_cannot_be_cut_out_or_written_is_counted_and_the_rest_goes_on(tmp_path, caplog):
    def broken():
        raise cv2.error("no memory")

    with kept(tmp_path) as desk:
        desk.show(sighting(), broken)
        desk.show(sighting(), cut)
        (tmp_path / EVIDENCE / INCOMING).rmdir()  # the disk is gone
    assert (desk.lost["uncut"], desk.lost["disk"], desk.dropped) == (1, 1, 2)
    assert caplog.text.count("evidence is dropped: ") == 1


def test_below_the_least_free_share_nothing_new_is_written(tmp_path, caplog):
    with kept(tmp_path, least_free=1.0) as desk:
        desk.show(sighting(), cut)
    assert (desk.lost["no_room"], of_item(tmp_path, "i-1")) == (1, [])
    assert "of the disk are free" in caplog.text


def test_at_the_end_what_takes_too_long_is_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(desks, "STOP_S", 0.0)
    with kept(tmp_path) as desk:
        for n in range(40):
            desk.show(sighting(f"f-{n}"), cut)
        desk.store._one_at_a_time.acquire()  # the disk is slow
        desk.retention.start = lambda: None
        desk.retention.stop = desk.store._one_at_a_time.release
    assert len(of_item(tmp_path, "i-1")) + desk.lost["at_the_end"] == 40
    assert desk.lost["at_the_end"] >= 40 - BATCH


@pytest.mark.parametrize(("longest_px", "shape"), [(60, (40, 60, 3)), (30, (20, 30, 3)), (1, (1, 1, 3))])
def test_a_copy_of_a_crop_is_of_its_own_memory_and_no_longer_than_asked(longest_px, shape):
    crop = whole(IMAGE)
    copied, outline = crop.kept(longest_px)
    assert copied.shape == shape
    assert not np.shares_memory(copied, IMAGE)
    right, below = shape[1] - 1, shape[0] - 1
    assert outline == ((0, 0), (right, 0), (right, below), (0, below))
