"""Which check comes next: by table, and its promises under any load by a lane of workers in simulated time."""

import heapq
import itertools
from dataclasses import dataclass, replace
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.core.messages import Sighting
from edge.inspection.costs import FEWEST, GUESS_NS, WINDOW, Cost
from edge.inspection.crop import Question, answer
from edge.inspection.locate import whole
from edge.inspection.planner import NEVER_NS, Planner
from tests.unit.lane import MS, item
from tests.unit.test_inspector import PIXELS, frame

LOCATE_MS = 5
COSTS_MS = {"anomaly": 20, "expiry": 50, "lot": 40, "serial": 10}


def asked(check, required=True, value=10.0):
    return Question(None, (check,), required, value)


ANOMALY, EXPIRY = asked("anomaly"), asked("expiry")
LOT, SERIAL = asked("lot", required=False), asked("serial", required=False, value=1.0)
TWO_CAMERAS = {"top": (ANOMALY, SERIAL), "side": (EXPIRY, LOT)}


def sighting(item_id, deadline_ms, camera="top", name="f-1"):
    return Sighting(frame(name, camera), item(item_id), round(deadline_ms * MS))


def job_names(said):
    return [(one.item_id, one.check) for one in said]


class Bench:
    """A planner that knows its costs, and workers that take exactly these, in simulated time."""

    def __init__(self, questions, workers=1, size=99):
        self.planner = Planner(questions, workers, size)
        self.begun, self.ended, self.said = [], [], []
        self._idle = workers
        self._events, self._number = [], itertools.count()
        for camera in questions:
            self.planner.submit(sighting("before", NEVER_NS // MS, camera), 0)
            while job := self.planner.take(0):
                self._learn(job)
        self.planner.counts.clear()

    def _learn(self, job):
        job.look.crop = whole(PIXELS)
        for _ in range(WINDOW):
            job.look.locating.learn(LOCATE_MS * MS)
            job.cost.learn(COSTS_MS[str(job.question)] * MS)
        self.planner.done(job, (), COSTS_MS[str(job.question)] * MS)

    def run(self, arrivals, *, vouched=True):
        """Let (time in ms, sighting) arrive, and go on until nothing is left."""
        for at_ms, one in arrivals:
            self._later(at_ms * MS, partial(self._arrive, one))
        while self._events:
            now_ns = self._events[0][0]
            while self._events and self._events[0][0] == now_ns:
                heapq.heappop(self._events)[2](now_ns)
            self.said += self.planner.expire(now_ns)
            while self._idle and (job := self.planner.take(now_ns)):
                self._begin(job, now_ns, vouched)
            if not self._events and self.planner.next_skip_ns < NEVER_NS:
                self._later(max(self.planner.next_skip_ns, now_ns + 1), lambda _: None)
        return self

    def _later(self, at_ns, what):
        heapq.heappush(self._events, (at_ns, next(self._number), what))

    def _arrive(self, one, now_ns):
        self.said += self.planner.submit(one, now_ns)

    def _begin(self, job, now_ns, vouched):
        waiting = [one for one in self.planner._room.jobs() if one.required and not one.look.blocked]
        passed_over = [(one.deadline_ns, one.most_ns) for one in waiting]
        self.begun.append((now_ns, job, job.required, passed_over))
        self._idle -= 1
        if job.look.crop is None:
            now_ns += LOCATE_MS * MS
            self._later(now_ns, lambda _: self.planner.located(job, whole(PIXELS), LOCATE_MS * MS))
        self._later(now_ns + COSTS_MS[str(job.question)] * MS, partial(self._end, job, vouched))

    def _end(self, job, vouched, now_ns):
        said = [replace(answer(check, job.look.sighting, ""), valid=vouched) for check in job.question.answers]
        self.planner.done(job, said, COSTS_MS[str(job.question)] * MS)
        self.ended.append((now_ns, job))
        self._idle += 1

    def order(self):
        return [(job.look.sighting.item.item_id, str(job.question)) for _, job, *_ in self.begun]


CASES = {
    "one item: required first, then by value per time": (
        [(0, sighting("a", 900, "top")), (0, sighting("a", 900, "side"))],
        [("a", "anomaly"), ("a", "expiry"), ("a", "lot"), ("a", "serial")],
    ),
    "the earlier deadline first": (
        [(0, sighting("b", 905)), (0, sighting("a", 900))],
        [("a", "anomaly"), ("a", "serial"), ("b", "anomaly"), ("b", "serial")],
    ),
    "an optional one waits where a later item's required one would be late": (
        [(0, sighting("a", 40)), (0, sighting("b", 55))],
        [("a", "anomaly"), ("b", "anomaly")],
    ),
    "an item out of reach stands behind one within it": (
        [(0, sighting("a", 76, "top")), (0, sighting("a", 76, "side")), (0, sighting("b", 80, "top"))],
        [("b", "anomaly"), ("a", "anomaly"), ("a", "serial"), ("b", "serial")],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_order_of_one_worker(case):
    arrivals, order = case
    assert Bench(TWO_CAMERAS).run(arrivals).order() == order


def test_what_no_longer_fits_is_skipped_and_said():
    bench = Bench(TWO_CAMERAS).run([(0, sighting("a", 40, "side"))])
    assert bench.order() == []
    assert [(one.check, one.valid, one.because) for one in bench.said] == [
        ("expiry", False, "skipped: no time (needs 55 ms, 40 ms left)"),
        ("lot", False, "skipped: no time (needs 45 ms, 40 ms left)"),
    ]
    assert bench.planner.counts == {("expiry", "skipped"): 1, ("lot", "skipped"): 1}


def test_it_is_said_as_soon_as_it_is_known():
    bench = Bench({"top": (ANOMALY,)})
    bench.planner.submit(sighting("a", 100), 0)
    assert bench.planner.expire(74 * MS) == []
    assert bench.planner.next_skip_ns == 75 * MS + 1
    assert job_names(bench.planner.expire(75 * MS + 1)) == [("a", "anomaly")]


def test_a_full_room_drops_the_newcomer_and_says_so():
    planner = Bench({"top": (ANOMALY, SERIAL)}, size=2).planner
    said = [planner.submit(sighting(name, 900), 0) for name in "abc"]
    assert [job_names(one) for one in said] == [[], [], [("c", "anomaly"), ("c", "serial")]]
    assert {one.because for one in said[2]} == {"skipped: the queue is full (2 sightings)"}
    assert planner.counts["anomaly", "dropped"] == 1


def test_a_full_room_drops_what_no_verdict_waits_for_rather_than_the_newcomer():
    planner = Bench({"top": (ANOMALY,)}, size=2).planner
    for name in "ab":
        planner.submit(sighting(name, 900), 0)
    planner.forget(["b"])
    assert job_names(planner.submit(sighting("c", 900), 0)) == [("b", "anomaly")]


def test_a_newer_picture_takes_the_place_of_the_older():
    planner = Bench({"top": (ANOMALY,)}).planner
    assert planner.submit(sighting("a", 900, name="old"), 0) == []
    assert planner.submit(sighting("a", 900, name="new"), 0) == []
    job = planner.take(0)
    assert (job.look.sighting.frame.frame_id, planner.take(0)) == ("new", None)
    assert planner.counts == {("anomaly", "superseded"): 1}


def test_an_item_is_given_the_newest_word_on_its_deadline():
    planner = Bench({"top": (ANOMALY,), "side": (EXPIRY,)}).planner
    planner.submit(sighting("a", 900, "top"), 0)
    planner.submit(sighting("a", 300, "side"), 0)
    assert planner.take(0).deadline_ns == 300 * MS
    assert planner.take(0).deadline_ns == 300 * MS


@pytest.mark.parametrize(("vouched", "order"), [(True, ["b", "a"]), (False, ["a", "b"])])
def test_a_second_picture_is_needed_only_while_the_first_has_not_answered(vouched, order):
    bench = Bench({"top": (ANOMALY,)}).run([(0, sighting("a", 900))], vouched=vouched)
    bench.begun.clear()
    bench.run([(100, sighting("a", 900, name="f-2")), (100, sighting("b", 905))], vouched=vouched)
    assert [name for name, _ in bench.order()] == order


def test_what_is_decided_is_done_last_but_done():
    bench = Bench({"top": (ANOMALY,)})
    bench.planner.submit(sighting("a", 900), 0)
    bench.planner.forget(["a", "c"])
    bench.run([(0, sighting("b", 905)), (0, sighting("c", 899))])
    assert [name for name, _ in bench.order()] == ["b", "c", "a"]


@pytest.mark.parametrize(("left_ms", "begun"), [(69, False), (70, True)])
def test_time_is_kept_for_a_picture_that_is_yet_to_come(left_ms, begun):
    """An optional check of 45 ms, while the other camera's required one, of 25 ms, has not even been exposed."""
    lane = {"top": (ANOMALY,), "side": (LOT,)}
    planner = Bench(lane).planner
    planner.submit(sighting("a", left_ms, "side"), 0)
    assert (planner.take(0) is not None) is begun


def test_time_is_kept_for_an_item_of_which_nothing_waits_as_yet():
    planner = Bench({"top": (ANOMALY,), "side": (LOT,)}, workers=2).planner
    planner.submit(sighting("a", 70, "side"), 0)
    assert planner.take(0).deadline_ns == 70 * MS
    planner.submit(sighting("b", 900, "side"), 0)
    assert planner.take(0) is None


def test_while_the_lane_is_strained_only_what_a_verdict_needs_is_done():
    """A required check is skipped at 0 s; an item of which the side is never seen keeps a verdict waiting."""
    views = [(at_ms, sighting(f"at {at_ms}", at_ms + 900, side)) for at_ms in (100, 6000) for side in TWO_CAMERAS]
    half = [(at_ms, sighting(f"half {at_ms}", at_ms + 990)) for at_ms in (100, 6000)]
    order = Bench(TWO_CAMERAS).run([(0, sighting("late", 20)), *views, *half]).order()
    assert [check for name, check in order if name == "at 100"] == ["anomaly", "expiry"]
    assert [check for name, check in order if name == "at 6000"] == ["anomaly", "expiry", "lot", "serial"]


def test_an_item_that_has_missed_a_required_check_stands_behind_one_that_has_not():
    bench = Bench({"top": (ANOMALY,), "side": (EXPIRY,)})
    arrivals = [(0, sighting("a", 50, "side")), (1, sighting("a", 100)), (1, sighting("b", 130))]
    assert bench.run(arrivals).order() == [("b", "anomaly"), ("a", "anomaly")]


def test_a_newer_picture_mends_what_was_missed():
    bench = Bench(TWO_CAMERAS)
    arrivals = [(0, sighting("a", 50, "side")), (1, sighting("a", 500, "side")), (1, sighting("b", 505, "side"))]
    order = [done for done in bench.run(arrivals).order() if done[1] == "expiry"]
    assert order == [("a", "expiry"), ("b", "expiry")]


def test_one_worker_locates_and_the_other_waits_for_the_crop():
    planner = Bench({"top": (ANOMALY, SERIAL)}, workers=2).planner
    planner.submit(sighting("a", 900), 0)
    first = planner.take(0)
    assert (first.look.blocked, planner.take(0)) == (True, None)
    planner.located(first, whole(PIXELS), LOCATE_MS * MS)
    second = planner.take(5 * MS)
    assert second.look.crop is first.look.crop is not None
    assert str(second.question) == "serial"


def test_a_picture_in_which_locating_fails_leaves_all_its_questions_unanswered():
    planner = Bench({"top": (ANOMALY, SERIAL)}).planner
    planner.submit(sighting("a", 900), 0)
    said = planner.failed(planner.take(0), "failed: ValueError")
    assert (job_names(said), planner.take(0)) == ([("a", "anomaly"), ("a", "serial")], None)


def test_an_item_of_which_a_required_check_failed_stands_behind():
    planner = Bench({"top": (ANOMALY,), "side": (EXPIRY,)}).planner
    planner.submit(sighting("a", 900), 0)
    planner.failed(planner.take(0), "failed: ValueError")
    planner.submit(sighting("a", 900, "side"), 0)
    planner.submit(sighting("b", 905), 0)
    assert planner.take(0).deadline_ns == 905 * MS


def test_a_camera_that_no_rule_asks_has_nothing_to_wait_for():
    planner = Bench({"top": (ANOMALY,)}).planner
    assert planner.submit(sighting("a", 900, camera="side"), 0) == []
    assert planner.take(0) is None


def test_items_are_forgotten_when_their_time_is_over():
    bench = Bench({"top": (ANOMALY,)}).run([(0, sighting("a", 900))])
    bench.planner.submit(sighting("b", 2000), 901 * MS)
    bench.planner.expire(901 * MS)
    assert "a" not in bench.planner._room.cases


def test_a_belt_that_stands_fills_no_memory():
    bench = Bench({"top": (ANOMALY,)}, size=1)
    for number in range(100):
        bench.run([(number * 100, sighting(f"i-{number}", 10**9))])
    assert len(bench.planner._room.cases) <= 4


def test_a_cost_is_the_box_s_own_quantile_after_a_few_runs():
    cost = Cost()
    assert (cost.usual_ns, cost.most_ns) == (GUESS_NS, GUESS_NS)
    for _ in range(FEWEST - 1):
        cost.learn(10)
    assert (cost.usual_ns, cost.most_ns) == (10, GUESS_NS)
    for spent_ns in range(100):
        cost.learn(spent_ns)
    assert (cost.usual_ns, cost.most_ns) == (67, 93)


def test_a_check_that_there_was_never_time_for_is_tried_again_in_the_end():
    bench = Bench({"top": (ANOMALY,)})
    bench.planner.submit(sighting("a", 900), 0)
    job = bench.planner.take(0)
    for _ in range(WINDOW):
        job.cost.learn(500 * MS)  # the box was busy with something else
    arrivals = [(1000 + n * 200, sighting(f"i-{n}", 1000 + n * 200 + 100)) for n in range(30)]
    bench.run(arrivals)
    assert 0 < bench.planner.counts["anomaly", "skipped"] < 25
    assert bench.planner.counts["anomaly", "done"] > 5


@dataclass(frozen=True)
class Load:
    """Items as (seen at, time left, cameras), in ms."""

    workers: int
    items: tuple

    def arrivals(self):
        return [
            (at_ms, sighting(f"i-{number}", at_ms + left_ms, camera))
            for number, (at_ms, left_ms, cameras) in enumerate(self.items)
            for camera in cameras
        ]

    def run(self, questions=TWO_CAMERAS):
        return Bench(questions, self.workers).run(self.arrivals())


VIEWS = st.sampled_from([("top",), ("side",), ("top", "side")])


def items_seen_at(at_ms, views):
    """Up to a dozen, with time enough or hardly any."""
    return st.lists(st.tuples(at_ms, st.integers(10, 500), views), min_size=1, max_size=12).map(tuple)


LOADS = st.builds(Load, st.integers(1, 3), items_seen_at(st.integers(0, 300), VIEWS))
ALL_AT_ONCE = st.builds(Load, st.integers(1, 3), items_seen_at(st.just(0), st.just(("top", "side"))))
ONE_WORKER = st.builds(Load, st.just(1), items_seen_at(st.just(0), st.just(("top", "side"))))


@given(LOADS)
def test_every_check_has_exactly_one_end(load):
    bench = load.run()
    ends = sorted(bench.order() + job_names(bench.said))
    wanted = sorted(
        (one.item.item_id, str(question)) for _, one in load.arrivals() for question in TWO_CAMERAS[one.frame.camera]
    )
    assert ends == wanted
    assert list(bench.planner._room.jobs()) == []


@given(LOADS)
def test_what_is_begun_is_in_time(load):
    bench = load.run()
    assert all(now_ns <= job.deadline_ns for now_ns, job in bench.ended)


@given(LOADS)
def test_no_optional_check_is_begun_where_it_makes_a_required_one_late(load):
    for now_ns, job, required, passed_over in load.run().begun:
        spent_ns = COSTS_MS[str(job.question)] * MS
        late = [deadline_ns for deadline_ns, most_ns in passed_over if now_ns + spent_ns + most_ns > deadline_ns]
        assert required or late == []


@given(ONE_WORKER)
def test_the_optional_checks_change_nothing_for_the_required_ones(load):
    """One worker, nothing to come: what is done of the required ones is what were done without the others."""
    bare = {camera: tuple(one for one in asked if one.required) for camera, asked in TWO_CAMERAS.items()}
    alone = load.run(bare).order()
    together = [done for done in load.run().order() if done[1] in ("anomaly", "expiry")]
    assert set(together) == set(alone)


@given(ONE_WORKER)
def test_where_all_required_checks_can_be_done_they_are(load):
    """Earliest deadline first misses none where none need be missed (Jackson 1955), optional ones or not."""
    arrivals = sorted((one for _, one in load.arrivals()), key=lambda one: one.deadline_ns)
    spent_ms, possible = 0, True
    for one in arrivals:
        spent_ms += LOCATE_MS + COSTS_MS["anomaly" if one.frame.camera == "top" else "expiry"]
        possible &= spent_ms * MS <= one.deadline_ns
    if possible:
        skipped = {check for _, check in job_names(load.run().said)}
        assert skipped <= {"lot", "serial"}


@given(ALL_AT_ONCE)
def test_required_checks_of_like_items_come_by_deadline(load):
    """Of items that were done in full, all there from the start, the earlier deadline was begun first."""
    bench = load.run()
    failed = {name for name, check in job_names(bench.said) if check in ("anomaly", "expiry")}
    begun = [job for _, job, *_ in bench.begun if job.question.required]
    firsts = {}
    for job in begun:
        firsts.setdefault(job.look.sighting.item.item_id, job.deadline_ns)
    kept = [deadline_ns for name, deadline_ns in firsts.items() if name not in failed]
    assert kept == sorted(kept)


FIRST, SECOND = asked("anomaly"), Question(None, ("second_look",), required=False, value=10.0, after="anomaly")


def begun_first(questions=(SECOND, FIRST)):
    """A planner of two workers, one of which is at the first question to the only picture."""
    planner = Planner({"top": questions}, 2, 9)
    planner.submit(sighting("i-1", 10_000), 0)
    job = planner.take(0)
    planner.located(job, whole(PIXELS), MS)
    return planner, job


def vouched_for(job, *checks):
    return [replace(answer(check, job.look.sighting, ""), valid=True) for check in checks]


def test_a_question_after_another_waits_for_its_answer():
    planner, first = begun_first()
    assert str(first.question) == "anomaly"
    assert planner.take(0) is None
    planner.done(first, vouched_for(first, "anomaly"), MS)
    assert str(planner.take(0).question) == "second_look"


def test_a_question_that_the_first_has_answered_too_is_spared():
    planner, first = begun_first()
    planner.done(first, vouched_for(first, "anomaly", "second_look"), MS)
    assert planner.take(0) is None
    assert planner.counts == {("anomaly", "done"): 1, ("second_look", "spared"): 1}
    assert planner.expire(20_000 * MS) == []


@pytest.mark.parametrize("required", [True, False])
def test_a_spared_question_leaves_nothing_missing(required):
    planner, first = begun_first((replace(SECOND, required=required), FIRST))
    planner.done(first, vouched_for(first, "anomaly", "second_look"), MS)
    assert not first.look.case.lost
    assert not first.look.case.looks


@pytest.mark.parametrize("end", ["failed", "found nothing"])
def test_a_question_after_one_that_gave_no_answer_is_asked_all_the_same(end):
    planner, first = begun_first()
    if end == "failed":
        planner.failed(first, "failed: OSError")
    else:
        planner.done(first, [answer("anomaly", first.look.sighting, "nothing to see")], MS)
    assert str(planner.take(0).question) == "second_look"


def test_a_question_after_one_that_is_not_asked_waits_for_nothing():
    planner = Planner({"top": (SECOND,)}, 1, 9)
    planner.submit(sighting("i-1", 10_000), 0)
    assert str(planner.take(0).question) == "second_look"


def test_an_answer_spares_only_what_was_to_come_after():
    planner, first = begun_first((FIRST, EXPIRY))
    planner.done(first, vouched_for(first, "anomaly", "expiry"), MS)
    assert str(planner.take(0).question) == "expiry"
