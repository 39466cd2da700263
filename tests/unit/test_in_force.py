"""Which calibrations are believed, and what a running lane makes of them."""

from dataclasses import replace
from datetime import timedelta

import pytest

from edge.core.calibrated import HOW, Calibrated
from edge.core.in_force import UNCALIBRATED, Accepted, Here, Standing, numbers, standing
from edge.core.judge import Recipe, Rule
from edge.core.laid import Laid
from edge.core.messages import Clearing
from tests.unit.lane import GEOMETRY
from tests.unit.test_calibrations import BELT, MADE

RECIPE = Recipe("r", (Rule("anomaly", ("top",), required=True, reject_at=1.0),))
LAID = Laid(GEOMETRY, RECIPE)
HERE = Here("lane1", {"top": "S1", "side": ""}, LAID.numbers())
TOP = replace(BELT, subject="top", serial="S1", values={"counts_per_mm": 10.02, "across_deg": 1.0})
CLEARED = (Clearing("Ann", "alarms"),)


def told(one, *, after=timedelta(days=1), here=HERE, seen=None):
    name = one if isinstance(one, str) else one.name
    return standing({name: one}, here, MADE + after, seen or {})


def test_what_is_accepted_goes_before_the_settings():
    believed = told(TOP)
    assert (believed.refused, believed.warned) == ({}, {})
    assert numbers(believed.good) == {"belt.counts_per_mm": 10.02}
    laid = LAID.by(numbers(believed.good))
    assert laid.geometry == replace(GEOMETRY, counts_per_mm=10.02)
    assert LAID.by({}) == LAID


@pytest.mark.parametrize(
    ("step", "subject", "values", "said"),
    [
        ("gate", "", {"lead_ms": 130.0, "spread_ms": 4.0}, {"belt.lead_ms": 130.0}),
        ("belt", "top", {"counts_per_mm": 9.9}, {"belt.counts_per_mm": 9.9}),
        ("belt", "top", {"place_mm": 412}, {"camera.top.place_mm": 412}),
        ("thresholds", "", {"reject_at.anomaly": 1.25}, {"rule.anomaly.reject_at": 1.25}),
        ("camera", "top", {"to_srgb": [[1.0]]}, {}),
        ("light", "top", {"level": 0.5}, {}),
    ],
)  # fmt: skip
def test_every_step_says_of_the_settings_what_it_found(step, subject, values, said):
    one = replace(BELT, step=step, subject=subject, values=values)
    assert numbers(told(one).good) == said
    assert LAID.by(said).numbers() == {**LAID.numbers(), **said}


@pytest.mark.parametrize(
    ("change", "after", "seen", "why"),
    [
        ({}, 1, 0, None),
        ({"lane": "lane2"}, 1, 0, "it is of lane lane2, this is lane1"),
        ({"serial": "S2"}, 1, 0, "it is for camera S2, S1 is there"),
        ({}, -1, 0, "yet to come: set this box's clock"),
        ({}, 187, 0, "it has expired on 2027-05-25: calibrate anew"),
        ({}, 1, 2, "version 2 was in force, and is gone"),
        ({"values": {"counts_per_mm": 10.6}}, 1, 0, "the settings 10: one is wrong"),
        ({"values": {"counts_per_mm": 10.5}}, 1, 0, None),
        ({"values": {"place_mm": 550.0}}, 1, 0, "says camera.top.place_mm = 550, the settings 400"),
        ({"step": "gate", "values": {"lead_ms": -1.0}}, 1, 0, "says belt.lead_ms = -1"),
        ({"step": "thresholds", "values": {"reject_at.size": 1.0}}, 1, 0, "of which the settings know nothing"),
        ({"subject": "back", "serial": "", "values": {"place_mm": 1.0}}, 1, 0, "of which the settings know nothing"),
    ],
)
def test_what_is_not_believed_is_told_with_what_to_do(change, after, seen, why):
    one = replace(TOP, **change)
    found = told(one, after=timedelta(days=after), seen={one.name: seen})
    assert (one.name in found.refused) is (why is not None)
    assert (one.name in found.good) is (why is None)
    assert why is None or why in found.refused[one.name]


@pytest.mark.parametrize(
    ("days", "good", "warned"),
    [
        (165, True, ""),
        (167, True, "it expires on 2027-05-25: calibrate anew before"),
        (180, True, "it has expired on 2027-05-25: calibrate anew; from 2027-06-01 on no start believes it"),
        (187, False, ""),
    ],
)
def test_a_date_is_told_before_it_comes_and_borne_for_a_while(days, good, warned):
    found = told(TOP, after=timedelta(days=days))
    assert ("belt.top" in found.good) is good
    assert found.warned.get("belt.top", "") == warned


def test_of_two_that_say_the_same_the_later_counts_and_the_older_is_told():
    side = replace(TOP, subject="side", serial="", made=MADE + timedelta(hours=1), values={"counts_per_mm": 10.1})
    found = standing({"belt.top": TOP, "belt.side": side}, HERE, MADE + timedelta(days=1))
    assert numbers(found.good) == {"belt.counts_per_mm": 10.1}
    assert "do belt.top anew" in found.warned["belt.top"]


def test_one_that_vanished_is_refused_and_so_is_what_cannot_be_read():
    found = standing({"camera.top": "it is not signed"}, HERE, MADE, {"belt.top": 3})
    assert found.refused == {
        "camera.top": "it is not signed",
        "belt.top": "version 3 was in force, and is gone: restore it, or calibrate anew",
    }


def accepted(version, counts_per_mm=10.02):
    return Accepted(version, MADE.isoformat(), {"belt.counts_per_mm": counts_per_mm})


def begun(good, refused=None, seen=None):
    """A lane that starts with this on its shelf."""
    calibrated = Calibrated(LAID, good, seen or {})
    word = calibrated.hear(Standing(good, refused or {}), ())
    return calibrated, word


def test_a_lane_without_calibrations_says_nothing_of_them():
    calibrated = Calibrated(LAID)
    word = calibrated.hear(UNCALIBRATED, ())
    assert (word.labels, word.troubles, word.waits, word.unsafe) == ({}, {}, "", "")
    assert calibrated.change("Held", {}) is None
    assert calibrated.news(1) == ()


@pytest.mark.parametrize(
    ("state", "items", "applied"),
    [("Held", {}, True), ("Held", {"i-1": 1}, False), ("Execute", {}, False), ("Aborted", {}, False)],
)
def test_a_new_version_comes_into_force_while_held_and_empty_and_waits_else(state, items, applied):
    calibrated, word = begun({"belt.top": accepted(1)})
    assert (word.labels, word.waits) == ({"belt.top": "1"}, "")
    assert [one.versions for one in calibrated.news(1)] == [(("belt.top", 1),)]
    after = Standing({"belt.top": accepted(2, 10.05)})
    assert calibrated.hear(after, ()).waits == f"belt.top version 2 waits: {HOW}"
    laid = calibrated.change(state, items)
    assert (laid is not None) is applied
    word = calibrated.hear(after, ())
    assert word.labels == {"belt.top": "2" if applied else "1"}
    assert bool(word.waits) is not applied
    (news,) = calibrated.news(2) if applied else [None]
    if applied:
        assert laid == LAID.by({"belt.counts_per_mm": 10.05})
        assert (news.versions, news.numbers) == ((("belt.top", 2),), (("belt.counts_per_mm", 10.05),))
    assert calibrated.news(3) == ()
    assert calibrated.change("Held", {}) is None or not applied


def test_what_will_not_do_for_long_is_said_beside_its_version():
    calibrated, _ = begun({"belt.top": accepted(1)})
    word = calibrated.hear(Standing({"belt.top": accepted(1)}, {}, {"belt.top": "it expires on 2027-05-25"}), ())
    assert word.labels == {"belt.top": "1; it expires on 2027-05-25"}
    assert word.troubles == {"belt.top": "it expires on 2027-05-25"}


def test_what_moves_nothing_need_not_wait():
    calibrated, _ = begun({"belt.top": accepted(1)})
    seen = Accepted(1, MADE.isoformat())
    calibrated.hear(Standing({"belt.top": accepted(2), "camera.top": seen}), ())
    assert calibrated.change("Execute", {"i-1": 1}) is None, "nothing is laid out anew"
    assert [one.versions for one in calibrated.news(1)] == [(("belt.top", 2), ("camera.top", 1))]


def test_what_goes_bad_while_the_lane_runs_stays_in_force():
    calibrated, _ = begun({"belt.top": accepted(1)})
    word = calibrated.hear(Standing({}, {"belt.top": "changed since it was signed"}), ())
    assert word.labels == {"belt.top": "1; refused: changed since it was signed"}
    assert word.unsafe == ""
    assert calibrated.change("Held", {}) is None


@pytest.mark.parametrize(("name", "unsafe"), [("belt.top", True), ("gate", True), ("camera.top", False)])
def test_only_what_decisions_rest_on_must_be_believed_from_the_start(name, unsafe):
    calibrated, word = begun({}, {name: "not signed"}, {name: 3})
    assert (name in word.unsafe) is unsafe
    assert [one.known for one in calibrated.news(1)] == [((name, 3),)]
    refused = Standing({}, {name: "not signed"})
    assert calibrated.hear(refused, CLEARED).unsafe == ""
    assert [one.known for one in calibrated.news(2)] == [()], "cleared by a person: it is no longer missed"


def test_what_is_read_once_needs_a_restart():
    calibrated, _ = begun({"totes": accepted(1)})
    word = calibrated.hear(Standing({"totes": accepted(2)}), ())
    assert word.waits == "totes version 2 needs a restart of the daemon"
    assert calibrated.change("Held", {}) is None
    assert word.labels == {"totes": "1"}
