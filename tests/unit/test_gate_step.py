"""The step `gate`: what it takes and refuses, what it draws, and which test of a journal it looks at."""

import time

import pytest

from calibration.gate_command import FRESH_NS, fired
from calibration.gate_step import PAGE_PX, GateStep
from calibration.steps import Shows
from edge.core.errors import CalibrationRefused
from edge.core.gate_lead import LEAST_SHOTS
from edge.core.messages import FireResult
from edge.records.journal import Journal
from edge.records.sinks import JournalSink
from tests.unit.test_gate_lead import MARGIN_MM, SCALE, shot, shots


def test_shots_are_asked_for_taken_and_told():
    step = GateStep(SCALE, MARGIN_MM)
    assert (step.asks().shows, step.asks().frames) == (Shows.GATE_FIRED, LEAST_SHOTS)
    assert step.take(shots()) == "20 of 20 shots of use, 480 answers"
    assert step.asks() is None
    found = step.found()
    assert set(found.values) == {"lead_ms", "spread_ms", "travel_ms", "network_ms"}
    assert found.values["lead_ms"] == pytest.approx(71, abs=0.5)
    assert found.quality["shots"] == 20
    assert "at least 99% of all orders need no more, with 95% confidence" in found.says
    assert found.picture.shape == (3 * PAGE_PX[1], PAGE_PX[0], 3)
    assert (found.picture.min(), found.picture.max()) == (40, 255)


def test_what_will_not_do_is_not_kept():
    step = GateStep(SCALE, MARGIN_MM)
    with pytest.raises(CalibrationRefused, match="15 are needed"):
        step.take(shots(3))
    assert step.asks() is not None
    with pytest.raises(CalibrationRefused, match="begin this step anew"):
        step.found()


def test_a_few_shots_without_an_end_are_left_out_of_the_picture():
    step = GateStep(SCALE, MARGIN_MM)
    step.take([*shots(20), shot(20, back_counts=None), shot(21, over_counts=None)])
    assert step.found().quality["shots"] == 20


def test_a_gate_whose_time_never_differs_is_drawn_too():
    step = GateStep(SCALE, MARGIN_MM)
    step.take([shot(n) for n in range(20)])
    assert step.found().values["network_ms"] == 4.0


def written(folder, *records):
    journal = Journal(folder)
    JournalSink(journal).write(records)
    journal.close()


def result(outcome, test="t"):
    return FireResult(test, "Ada", outcome, "because of something", 9)


REFUSED, ABORTED, FIRED = result("refused", "x"), result("aborted"), result("fired")


@pytest.mark.parametrize(
    ("results", "told"),
    [
        ((), "the daemon has fired no test"),
        ((REFUSED,), "the daemon has fired no test"),
        ((ABORTED,), "the last fire test was aborted: because of something"),
        ((result("fired", "old"), ABORTED, REFUSED), "the last fire test was aborted"),
    ],
)
def test_a_test_that_tells_nothing_is_refused(tmp_path, results, told):
    written(tmp_path, *shots(2), *results)
    with pytest.raises(CalibrationRefused, match=told):
        fired(tmp_path, time.time_ns())


def test_without_a_journal_there_is_no_test(tmp_path):
    with pytest.raises(CalibrationRefused, match="tunnel-edge fire"):
        fired(tmp_path / "nowhere", time.time_ns())


def test_the_last_test_that_was_made_counts_and_not_for_ever(tmp_path):
    written(tmp_path, shot(7, test="old"), result("fired", "old"), *shots(2), FIRED, REFUSED)
    assert fired(tmp_path, time.time_ns()) == shots(2)
    with pytest.raises(CalibrationRefused, match="more than a day old"):
        fired(tmp_path, time.time_ns() + FRESH_NS)
