"""The most urgent first, nothing late, no picture that ends a worker, and word of whatever was not looked at."""

import threading
import time
from dataclasses import replace

import numpy as np

from edge.core.messages import Frame, Sighting
from edge.inspection.assembly import Sessions, questions
from edge.inspection.crop import Question, answer
from edge.inspection.held import Held
from edge.inspection.inspector import ThreadedInspector, to_nobody
from edge.inspection.locate import whole
from edge.inspection.planner import Planner
from edge.settings import ROOT, InspectionSettings
from edge.settings_recipe import RuleSettings
from tests.unit.lane import item

FAR_NS = 2**62
PIXELS = np.zeros((4, 4, 3), np.uint8)


def frame(name, camera="top"):
    return Frame(camera, name, 0, 0.0, PIXELS)


def sighting(name, deadline_ns=FAR_NS, camera="top"):
    return Sighting(frame(name, camera), item(name), deadline_ns)


class Check:
    """Answers every sighting; can be held up, and fails for a frame of the name `bad`."""

    def __init__(self, name="anomaly"):
        self.name, self.go, self.seen, self.crops = name, threading.Event(), [], []

    def inspect(self, crop, sighting):
        self.go.wait()
        self.seen.append(sighting.frame.frame_id)
        self.crops.append(crop)
        if sighting.frame.frame_id == "bad":
            raise ValueError("no")
        return [answer(self.name, sighting, "seen")]


class Camera:
    """Cuts the item out, and counts how often; fails for an empty picture."""

    def __init__(self):
        self.located = []

    def __call__(self, camera, image, shown=None):
        self.located.append(image)
        if not image.size:
            raise ValueError("nothing there")
        return whole(image)


def inspected(sightings, checks=(), workers=1, size=9, forget=(), show=to_nobody):
    """What came of these, all there before the first worker begins."""
    checks, camera = list(checks) or [Check()], Camera()
    asked = [Question(check, (check.name,), required=True, value=1.0) for check in checks]
    inspector = ThreadedInspector(camera, Planner({"top": asked}, workers, size), show)
    inspector.submit(sightings)
    inspector.forget(forget)
    inspector.start()
    found = []
    for check in checks:
        check.go.set()
    end_s = time.monotonic() + 10
    while sum(inspector.counts.values()) < len(sightings) * len(checks) and time.monotonic() < end_s:
        found += inspector.collect()
        time.sleep(0.005)
    inspector.stop()
    return checks, [*found, *inspector.collect()], inspector.counts, camera


def test_what_was_looked_at_is_shown_once_a_frame_however_many_checks_ask():
    shown = []
    checks, *_ = inspected(
        [sighting("a"), sighting("b"), Sighting(replace(frame("empty"), image=PIXELS[:0]), item("c"), FAR_NS)],
        [Check("anomaly"), Check("expiry")],
        show=lambda one, crop: shown.append((one.frame.frame_id, crop)),
    )
    assert sorted(name for name, _ in shown) == ["a", "b"]  # nothing was found in the third
    assert {id(crop) for _, crop in shown} == {id(crop) for check in checks for crop in check.crops}


def test_the_most_urgent_is_looked_at_first():
    (check,), found, _, _ = inspected([sighting("b", FAR_NS), sighting("c", FAR_NS), sighting("a", FAR_NS - 9)])
    assert check.seen == ["a", "b", "c"]
    assert [one.frame_id for one in found] == check.seen
    assert all(0 < one.started_ns <= one.finished_ns for one in found)


def test_what_can_no_longer_be_in_time_is_not_looked_at_and_that_is_said():
    (check,), found, counts, _ = inspected([sighting("late", deadline_ns=1), sighting("good")])
    assert (check.seen, counts["anomaly", "skipped"]) == (["good"], 1)
    said = next(one for one in found if one.frame_id == "late")
    assert (said.valid, said.check, said.because) == (False, "anomaly", "skipped: no time (needs 300 ms, 0 ms left)")


def test_a_full_queue_says_what_it_drops():
    (check,), found, counts, _ = inspected([sighting("a"), sighting("b"), sighting("c")], size=2)
    assert (check.seen, counts["anomaly", "dropped"]) == (["a", "b"], 1)
    assert [one.because for one in found if one.frame_id == "c"] == ["skipped: the queue is full (2 sightings)"]


def test_a_check_that_fails_is_said_and_the_worker_goes_on(caplog):
    _, found, counts, _ = inspected([sighting("bad"), sighting("good")])
    assert (counts["anomaly", "failed"], counts["anomaly", "done"]) == (1, 1)
    assert [(one.frame_id, one.because) for one in found] == [("bad", "failed: ValueError"), ("good", "seen")]
    assert "anomaly of frame bad of camera top" in caplog.text


def test_a_picture_that_cannot_be_located_is_said_for_each_check(caplog):
    empty = Sighting(Frame("top", "empty", 0, 0.0, PIXELS[:0]), item("empty"), FAR_NS)
    _, found, _, _ = inspected([empty], [Check("anomaly"), Check("lot")])
    assert {(one.check, one.because) for one in found} == {(name, "failed: ValueError") for name in ("anomaly", "lot")}
    assert "frame empty of camera top" in caplog.text


def pictured(name, picture):
    return Sighting(Frame("top", name, 0, 0.0, picture), item(name), FAR_NS)


def test_a_picture_held_before_the_lens_vouches_for_no_further_item():
    chance = np.random.default_rng(1)
    print_ = chance.integers(40, 200, (12, 16, 3)).repeat(20, axis=0).repeat(20, axis=1)
    noisy = [np.asarray(print_ + chance.normal(0, 2, print_.shape), np.uint8) for _ in range(3)]
    (check,), found, _, _ = inspected([pictured(name, one) for name, one in zip("abc", noisy, strict=True)])
    assert check.seen == ["a"]
    assert {one.frame_id for one in found if "camera 'top' shows the same picture" in one.because} == {"b", "c"}
    assert not any(one.valid for one in found if one.frame_id != "a")


def test_another_look_at_the_same_item_may_be_the_same():
    one = pictured("a", np.random.default_rng(1).integers(0, 255, (240, 320, 3)).astype(np.uint8))
    held = Held()
    assert (held.check(one), held.check(one), held.faults()) == ("", "", {})


def test_a_camera_that_shows_its_items_again_is_well_again():
    chance, held = np.random.default_rng(1), Held()
    first, second = (chance.integers(0, 255, (240, 320), dtype=np.uint8) for _ in range(2))
    held.check(pictured("a", first))
    assert held.check(pictured("b", first)) == held.faults()["top"] != ""
    assert (held.check(pictured("c", second)), held.faults()) == ("", {})


def test_in_the_dark_everything_looks_alike_and_that_is_not_said_here():
    held = Held()
    assert [held.check(pictured(name, np.full((240, 320), 3, np.uint8))) for name in "ab"] == ["", ""]


def test_no_evidence_of_a_sick_camera_is_valid():
    checks = [Check("anomaly"), Check("expiry")]
    sick = replace(frame("a"), fault="frozen: the same frame over and over")
    checks, found, counts, camera = inspected([Sighting(sick, item("a"), FAR_NS)], checks)
    assert {(one.check, one.valid) for one in found} == {("anomaly", False), ("expiry", False)}
    assert all("camera top shows what it should not: frozen" in one.because for one in found)
    assert counts == {("anomaly", "failed"): 1, ("expiry", "failed"): 1}
    assert (camera.located, [check.seen for check in checks]) == ([], [[], []])


def test_the_checks_of_a_sighting_share_one_crop():
    checks, found, _, camera = inspected([sighting("a")], [Check("anomaly"), Check("lot")], workers=2)
    assert (len(found), len(camera.located)) == (2, 1)
    assert checks[0].crops[0] is checks[1].crops[0]


def test_each_camera_is_asked_what_the_recipe_wants_in_as_few_questions_as_can_be(tmp_path):
    rules = (
        RuleSettings(check="defect", cameras=("top", "side"), reject_at=0.0),
        RuleSettings(check="anomaly", cameras=("top",), required=False, reject_at=1.0, value=3),
        RuleSettings(check="serial", cameras=("side",), required=False),
    )
    asked = questions(InspectionSettings(references=tmp_path), rules, Sessions(ROOT / "models"))
    told = {camera: [(str(one), one.required, one.value) for one in of_camera] for camera, of_camera in asked.items()}
    assert told == {
        "top": [("defect+anomaly", True, 13.0)],
        "side": [("defect", True, 10.0), ("serial", False, 1.0)],
    }


def test_who_has_to_vouch_for_a_reading_is_asked(tmp_path):
    rules = (
        RuleSettings(check="expiry", cameras=("top",), agrees="expiry", source="both"),
        RuleSettings(check="lot", cameras=("top",), agrees="lot", source="code", required=False),
        RuleSettings(check="size", cameras=("top",), agrees="size", required=False),
        RuleSettings(check="expiry", cameras=("side",), agrees="expiry"),
        RuleSettings(check="lot", cameras=("back",), agrees="lot", source="code"),
    )
    asked = questions(InspectionSettings(references=tmp_path), rules, Sessions(ROOT / "models"))
    told = {camera: [(str(one), one.required) for one in of_camera] for camera, of_camera in asked.items()}
    assert told == {
        "top": [("expiry+size", True), ("code+expiry+lot", True)],
        "side": [("expiry", True)],
        "back": [("code+lot", True)],
    }


def test_a_camera_that_no_rule_asks_has_nothing_to_look_at():
    inspector = ThreadedInspector(Camera(), Planner({}, 1, 9))
    inspector.submit([sighting("a")])
    assert inspector.collect() == []


def test_what_is_decided_is_looked_at_last():
    (check,), _, _, _ = inspected([sighting("a", FAR_NS - 9), sighting("b")], forget=["a"])
    assert check.seen == ["b", "a"]


class Pondering(Planner):
    """Takes its time over a decision."""

    def __init__(self, questions):
        super().__init__(questions, 1, 9)
        self.asked, self.go = threading.Event(), threading.Event()

    def take(self, now_ns):
        self.asked.set()
        self.go.wait()
        return super().take(now_ns)


def test_the_loop_does_not_wait_for_a_worker_that_is_being_told_what_to_do():
    check = Check()
    check.go.set()
    planner = Pondering({"top": [Question(check, ("anomaly",), True, 1.0)]})
    inspector = ThreadedInspector(Camera(), planner)
    inspector.start()
    assert planner.asked.wait(10)
    inspector.submit([sighting("a")])
    assert inspector.collect() == []
    planner.go.set()
    end_s, found = time.monotonic() + 10, []
    while not found and time.monotonic() < end_s:
        found = inspector.collect()
        time.sleep(0.001)
    inspector.stop()
    assert [one.frame_id for one in found] == ["a"]


def test_the_loop_hears_of_what_is_skipped_while_every_worker_is_busy():
    check = Check()
    inspector = ThreadedInspector(Camera(), Planner({"top": [Question(check, ("anomaly",), True, 1.0)]}, 1, 9))
    inspector.submit([sighting("a")])
    inspector.start()
    while not inspector.collect() and not check.seen:
        inspector.submit([sighting("late", time.monotonic_ns() + 1)])
        if said := inspector.collect():
            break
        time.sleep(0.005)
    check.go.set()
    inspector.stop()
    assert {one.frame_id for one in said} == {"late"}
