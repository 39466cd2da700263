"""The most urgent first, nothing late, and no picture that ends a worker."""

import threading
import time

import numpy as np

from edge.core.messages import Frame, Sighting
from edge.inspection.crop import answer
from edge.inspection.inspector import ThreadedInspector
from edge.inspection.locate import whole
from tests.unit.lane import item

FAR_NS = 2**62
PIXELS = np.zeros((4, 4, 3), np.uint8)


def sighting(name, deadline_ns=FAR_NS, camera="top"):
    return Sighting(Frame(camera, name, 0, 0.0, PIXELS), item(), deadline_ns)


class Check:
    """Answers every sighting; can be held up, and fails for a frame of the name `bad`."""

    def __init__(self):
        self.go, self.seen = threading.Event(), []

    def inspect(self, crop, sighting):
        self.go.wait()
        self.seen.append(sighting.frame.frame_id)
        if sighting.frame.frame_id == "bad":
            raise ValueError("no")
        return [answer("anomaly", sighting, "seen")]


def inspected(sightings, workers=1, size=9):
    check = Check()
    inspector = ThreadedInspector(lambda _, image: whole(image), {"top": [check]}, workers, size)
    inspector.submit(sightings)
    inspector.start()
    check.go.set()
    end_s = time.monotonic() + 10
    while sum(inspector.counts.values()) < len(sightings) and time.monotonic() < end_s:
        time.sleep(0.005)
    inspector.stop()
    return check.seen, inspector.collect(), inspector.counts


def test_the_most_urgent_is_looked_at_first():
    seen, found, _ = inspected([sighting("b", FAR_NS), sighting("c", FAR_NS), sighting("a", FAR_NS - 9)])
    assert seen == ["a", "b", "c"]
    assert [one.frame_id for one in found] == seen
    assert all(one.finished_ns > 0 for one in found)


def test_what_can_no_longer_be_in_time_is_not_looked_at():
    seen, found, counts = inspected([sighting("late", deadline_ns=1), sighting("good")])
    assert (seen, len(found), dict(counts)) == (["good"], 1, {"late": 1, "done": 1})


def test_a_full_queue_drops_the_newcomer():
    seen, _, counts = inspected([sighting("a"), sighting("b"), sighting("c")], size=2)
    assert (seen, counts["overflow"]) == (["a", "b"], 1)


def test_a_check_that_fails_is_counted_and_the_worker_goes_on(caplog):
    seen, found, counts = inspected([sighting("bad"), sighting("good")])
    assert (seen, counts["failed"], counts["done"]) == (["bad", "good"], 1, 1)
    assert [one.frame_id for one in found] == ["good"]
    assert "frame bad of camera top" in caplog.text


def test_a_camera_that_no_rule_asks_is_done_without_evidence():
    seen, found, counts = inspected([sighting("a", camera="side")])
    assert (seen, list(found), counts["done"]) == ([], [], 1)
