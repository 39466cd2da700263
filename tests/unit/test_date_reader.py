"""Votes of several looks, lines of a region, and the expiry that is read there."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.date_forms import Extra, Order
from edge.core.date_votes import latest, voted
from edge.core.dates import DateReading, Granularity, Profile, Purpose, readings
from edge.core.messages import Image
from edge.core.twins import is_damaged_twin
from edge.inspection.assembly import Sessions, date_reader
from edge.inspection.cascade import Cascade, Look
from edge.inspection.date_reader import COARSE_AREA_PX, REGION_AREA_PX, SCENE_AREA_PX, DateReader
from edge.inspection.detector import TextBox, TextDetector
from edge.inspection.naming import Seen, expiring
from edge.inspection.recogniser import Line, LineReader
from edge.inspection.region import central, joined

MODELS = Path(__file__).parents[2] / "models"
AREAS_PX = (REGION_AREA_PX, COARSE_AREA_PX, SCENE_AREA_PX)
TODAY = date(2026, 6, 1)
YEARLESS = Profile(extras={Extra.YEARLESS})


def reading(day: date, text: str, probability: float) -> DateReading:
    return DateReading(day, Granularity.DAY, Order.DAY_FIRST, text, probability)


FIFTH = date(2022, 1, 5), "2022.01.05"
SIXTH = date(2022, 1, 6), "2022.01.06"


def test_the_doubts_of_looks_that_agree_multiply() -> None:
    [one] = voted([[reading(*SIXTH, 0.6)], [reading(*SIXTH, 0.7)]])
    assert one.probability == pytest.approx(1 - 0.4 * 0.3)


def test_looks_that_disagree_speak_against_each_other() -> None:
    first, second = voted([[reading(*FIFTH, 0.8)], [reading(*SIXTH, 0.9)]])
    assert (first.day, second.day) == (SIXTH[0], FIFTH[0])
    assert first.probability + second.probability == pytest.approx(1.0)


def test_two_dates_on_one_line_are_no_rivals() -> None:
    line = [reading(*FIFTH, 0.9), reading(*SIXTH, 0.9)]
    assert [one.probability for one in voted([line, line])] == pytest.approx([0.99, 0.99])


def test_two_orders_of_the_same_print_are_no_rivals() -> None:
    days = [reading(date(2026, 4, 3), "03/04/26", 0.4), reading(date(2026, 3, 4), "03/04/26", 0.4)]
    assert [one.probability for one in voted([days, []])] == pytest.approx([0.4, 0.4])


@pytest.mark.parametrize(("purpose", "day"), [(Purpose.EXPIRY, "2028-02-29"), (Purpose.PRODUCTION, "2024-02-29")])
def test_29_february_without_a_year_is_that_of_the_nearest_leap_year(purpose: Purpose, day: str) -> None:
    assert [one.day.isoformat() for one in readings("29 FEB", TODAY, purpose, YEARLESS)] == [day]


@pytest.mark.parametrize("text", ["40 NOV", "30 FEB", "1209", "EUR 27.09"])
def test_no_date_without_a_year(text: str) -> None:
    assert readings(text, TODAY, profile=YEARLESS) == ()


def test_from_and_to_are_two_dates() -> None:
    found = readings("28/05/2025-28/05/2027", TODAY)
    assert [one.day.isoformat() for one in found] == ["2025-05-28", "2027-05-28"]


def test_eight_digits_that_begin_with_the_year_are_not_contested() -> None:
    found = readings("20251101", TODAY, profile=Profile({Order.DAY_FIRST}))
    assert [one.day.isoformat() for one in found] == ["2025-11-01"]


@pytest.mark.parametrize(
    ("texts", "days"),
    [
        (("2021.01.26", "2021.06.25"), ["2021-06-25"]),
        (("21.01.26", "21.06.25"), []),  # the order says which of them is the later
        (("03.04.26", "31.01.26"), ["2026-04-03"]),  # the day first, as the other print shows
        (("03.04.26",), ["2026-03-04", "2026-04-03"]),
        (("04 SEP 26", "2027.05.04"), ["2027-05-04"]),
    ],
)
def test_the_later_date_is_one_of_an_order_that_all_prints_of_a_product_allow(
    texts: tuple[str, ...], days: list[str]
) -> None:
    since = date(2016, 1, 1)  # without a keyword nothing older is taken
    found = latest(one for text in texts for one in readings(text, TODAY) if one.day >= since)
    assert [one.day.isoformat() for one in found] == days


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2022.02.04까지", ["2022-02-04"]),
        ("2022.02.04ME", ["2022-02-04"]),
        ("04.13.2022A", ["2022-04-13"]),
        ("04.13.22A", []),
        ("2022.2.4A", []),
        ("5.3.74%", []),
        ("EXP 20.04 27", []),  # half a date
        ("EXP 20.04", ["2020-04-30"]),
        ("EXP 08 0010", []),  # no year of an era has four digits
    ],
)
def test_what_stands_right_behind_a_date_may_make_it_none(text: str, days: list[str]) -> None:
    assert [one.day.isoformat() for one in readings(text, TODAY)] == days


@pytest.mark.parametrize(
    ("text", "damaged"),
    [
        ("06.11.2", True),
        ("2987.2026", True),
        ("10.10.20", True),  # half a date, though it is one
        ("15.09.2024", False),  # a date, and earlier
        ("OT26.08.2025", False),  # the same behind letters that mean nothing
        ("OT26.12.2025", True),
        ("754kJ/183k", False),
        ("12:34", False),
        ("03583657 10:05", False),
        ("NETTO", False),
    ],
)
def test_what_is_left_of_a_date_beside_one_leaves_open_which_is_the_later(text: str, damaged: bool) -> None:
    [best] = (one for one in readings("26.09.2025", TODAY) if one.order is Order.DAY_FIRST)
    assert is_damaged_twin(text, readings(text, TODAY), best, partial(readings, today=TODAY)) is damaged


def seen(text: str, centre: tuple[float, float], length_px: float = 100) -> Seen:
    dates = tuple(replace(one, probability=0.9) for one in readings(text, TODAY))
    line = Line(text, (1.0,) * len(text), (), np.zeros((0, 0), np.float32), ())
    return Seen(Look(np.zeros((1, 1, 3), np.uint8), line, dates), TextBox(centre, (1, 0), length_px, 20, 0.9))


EARLY, LATE = "2025.10.04", "2025.10.10"


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        ([seen("MFG", (50, 50)), seen(EARLY, (50, 75))], []),  # above
        ([seen("MFG", (50, 50)), seen(EARLY, (200, 52))], []),  # to the left
        ([seen("MFG", (50, 50)), seen(EARLY, (50, 150))], [EARLY]),  # far above
        ([seen("MFG", (50, 50)), seen(EARLY, (200, 52)), seen(LATE, (50, 75))], [LATE]),  # beside it goes before below
        ([seen("EXP", (50, 50)), seen(EARLY, (50, 75)), seen(LATE, (50, 200))], [EARLY]),  # named goes before later
        ([seen(f"EXP {EARLY}", (50, 50)), seen(LATE, (50, 200))], [EARLY]),
        ([seen("LOT", (50, 50)), seen(f"EXP {EARLY}", (50, 75))], [EARLY]),  # a line's own keyword goes before
        ([seen("NUTRITION", (50, 50)), seen(EARLY, (50, 75))], [EARLY]),
    ],
)
def test_a_keyword_beside_or_above_a_date_says_what_it_is(lines: list[Seen], left: list[str]) -> None:
    assert [one.text for look in expiring(lines) for one in look.dates] == left


def test_words_of_a_row_are_one_line() -> None:
    left, right = TextBox((50, 50), (1, 0), 40, 20, 0.9), TextBox((110, 52), (1, 0), 60, 20, 0.8)
    below = TextBox((80, 90), (1, 0), 100, 20, 0.9)
    found = joined([right, below, left])
    assert len(found) == 2
    row = min(found, key=lambda box: box.centre[1])
    assert (row.length_px, row.score) == (pytest.approx(110), 0.8)


def test_small_and_outlying_print_of_a_region_is_left_out() -> None:
    date_line, clock = TextBox((100, 50), (1, 0), 120, 30, 0.9), TextBox((100, 80), (1, 0), 40, 12, 0.9)
    edge = TextBox((100, 2), (1, 0), 120, 30, 0.9)
    assert central([clock, edge, date_line], np.zeros((100, 200, 3), np.uint8)) == [date_line]


@pytest.fixture(scope="module")
def reader() -> DateReader:
    return date_reader(Sessions(MODELS), lambda: TODAY, Profile({Order.DAY_FIRST}, extras={Extra.YEARLESS}))


def drawn(*lines: str) -> Image:
    picture = np.full((60 + 50 * len(lines), 420, 3), 225, np.uint8)
    for index, text in enumerate(lines):
        cv2.putText(picture, text, (60, 65 + 50 * index), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (30, 30, 30), 2)
    return picture


@pytest.mark.parametrize(
    ("lines", "day"),
    [
        (("16 NOV",), date(2026, 11, 16)),
        (("20.11.2027",), date(2027, 11, 20)),
        (("17.09.2025", "15.12.2025"), date(2025, 12, 15)),
        (("15.12.2025", "17.09.2025"), date(2025, 12, 15)),
        (("17.09.2025", "15.12.2"), None),  # what is left of it may have been later
        (("EXP 17.09.2025", "15.12.2"), date(2025, 9, 17)),
        (("MFG 20.11.2027",), None),
        (("MFG", "20.11.2027"), None),
        (("31.02.2027",), None),
        (("EUR 27.09",), None),
        (("0800 10 30 72",), None),
        (("20.11.2057",), None),
        (("EXP 20.11.2057",), date(2057, 11, 20)),
    ],
)
def test_a_region_gives_the_later_date_and_no_production_date(
    reader: DateReader, lines: tuple[str, ...], day: date | None
) -> None:
    found = reader.region(drawn(*lines))
    assert [one.day for one in found] == ([day] if day else [])


def test_a_line_on_its_head_is_read_too(reader: DateReader) -> None:
    line = drawn("20.11.2027")[25:80]
    for picture in (line, np.asarray(cv2.rotate(line, cv2.ROTATE_180), np.uint8)):
        [found] = reader.line(picture)
        assert found.day == date(2027, 11, 20)


def test_a_bare_surface_bears_no_date(reader: DateReader) -> None:
    bare = np.full((100, 300, 3), 200, np.uint8)
    assert (reader.region(bare), reader.line(bare)) == ((), ())


class Counted(LineReader):
    """Counts what it is asked to read."""

    asked = 0

    def read(self, picture: Image) -> Line:
        self.asked += 1
        return super().read(picture)

    def read_sharp(self, picture: Image) -> Line:
        self.asked += 1
        return super().read_sharp(picture)


@pytest.mark.parametrize(
    ("lines", "asked"),
    [
        (("20.11.2027",), 0),  # sure at first glance
        (("20.11.2027", "NETTO 500 g"), 0),
        (("20.11.2027", "4417 2903"), 1),  # may be a later date that was misread
        (("417 29", "5 x 80"), 2),  # no date at any glance: once each, not once more in each way of seeing the region
        (("Z", "8"), 0),  # too short
    ],
)
def test_the_larger_recogniser_is_asked_where_that_may_change_something(lines: tuple[str, ...], asked: int) -> None:
    sessions = Sessions(MODELS)
    near, coarse, far = (TextDetector(sessions.of("text-detector"), area) for area in AREAS_PX)
    small = Counted(sessions.of("text-recogniser-small"))
    cascade = Cascade(LineReader(sessions.of("text-recogniser")), small)
    profile = Profile({Order.DAY_FIRST})
    reader = DateReader(near, coarse, far, cascade, today=lambda: TODAY, profile=profile, height_px=small.height_px)
    reader.region(drawn(*lines))
    assert small.asked == asked


def test_words_of_a_product_are_read_as_one_line(reader: DateReader) -> None:
    picture = np.full((400, 900, 3), 225, np.uint8)
    for text, left_px in (("MFG 20", 100), ("11", 300), ("2027", 380)):
        cv2.putText(picture, text, (left_px, 205), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (30, 30, 30), 3)
    assert reader.anywhere(picture) == ()


def test_the_date_of_a_product_is_not_the_one_below_a_keyword_of_production(reader: DateReader) -> None:
    picture = np.full((700, 900, 3), 225, np.uint8)
    for text, place in (("MFG", (100, 150)), ("20.11.2025", (100, 205)), ("20.11.2027", (100, 500))):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 1.4, (30, 30, 30), 3)
    assert [one.day for one in reader.anywhere(picture)] == [date(2027, 11, 20)]
    assert reader.anywhere(picture[:300]) == ()


def test_a_month_in_digits_alone_may_be_a_price_even_in_a_region() -> None:
    reader = date_reader(Sessions(MODELS), lambda: TODAY)
    assert reader.region(drawn("12.26")) == ()
    assert [one.day for one in reader.region(drawn("EXP 12.26"))] == [date(2026, 12, 31)]
