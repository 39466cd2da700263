"""Expiry, lot and serial off drawn labels: what is vouched for, and what is not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.dates import Order, Profile
from edge.core.labels import Field
from edge.core.messages import Evidence, Frame, Image, Item, Sighting
from edge.inspection.crop import Crop
from edge.inspection.cuts import quarter_turned
from edge.inspection.detector import TextBox, TextDetector
from edge.inspection.reading_order import heading, quarter_turns, reading_direction
from edge.inspection.recogniser import Line, LineReader
from edge.inspection.session import Session, newest
from edge.inspection.text import TextCheck

MODELS = Path(__file__).parents[2] / "models"
LABEL = (("SN:", "0903950312389"), ("LOT:", "ZK120910-47"), ("EXP:", "12.2082"))
WIDTH_PX, HEIGHT_PX = 640, 480
LEFT_PX, TOP_PX = 140, 120  # of the label in the frame


@pytest.fixture(scope="module")
def models() -> tuple[TextDetector, LineReader]:
    detector, reader = (Session.load(newest(MODELS, f"text-{name}")) for name in ("detector", "recogniser"))
    return TextDetector(detector), LineReader(reader)


def check(models: tuple[TextDetector, LineReader], *wanted: Field, **how: object) -> TextCheck:
    return TextCheck(*models, wanted, today=lambda: date(2026, 11, 22), **how)  # type: ignore[arg-type]


def label(rows: Sequence[tuple[str, str]], column_px: int = 110) -> Image:
    """A frame with a pale label on a dark belt."""
    frame = np.full((HEIGHT_PX, WIDTH_PX, 3), 70, np.uint8)
    frame[TOP_PX : TOP_PX + 200, LEFT_PX : LEFT_PX + 360] = 225
    for index, (keyword, value) in enumerate(rows):
        for text, left_px in ((keyword, LEFT_PX + 12), (value, LEFT_PX + 12 + column_px)):
            place = (left_px, TOP_PX + 50 + 50 * index)
            cv2.putText(frame, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, (30, 30, 30), 2)
    return frame


def crop(frame: Image, left_px: int = LEFT_PX, width_px: int = 360) -> Crop:
    to_frame = np.array(((1.0, 0.0, left_px), (0.0, 1.0, TOP_PX), (0.0, 0.0, 1.0)))
    return Crop(frame, np.full((200, width_px), 255, np.uint8), to_frame, (), True)


def inspected(text_check: TextCheck, frame: Image, turns: int = 0, **where: int) -> dict[str, Evidence]:
    cut = crop(frame, **where)
    for _ in range(turns):
        cut = quarter_turned(cut)
    sighting = Sighting(Frame("side", "f1", 7, 0.0, frame), Item("i1", 0, 0), 0)
    return {one.check: one for one in text_check.inspect(cut, sighting)}


@pytest.mark.parametrize("turns", range(4))
def test_reads_a_label_whichever_way_the_crop_lies(models: tuple[TextDetector, LineReader], turns: int) -> None:
    found = inspected(check(models, Field.EXPIRY, Field.LOT, Field.SERIAL), label(LABEL), turns)
    assert {name: one.reading for name, one in found.items()} == {
        "expiry": "2082-12-31",
        "lot": "ZK120910-47",
        "serial": "0903950312389",
    }
    assert all(one.valid and one.probability is not None and one.probability > 0.5 for one in found.values())


def test_says_where_it_read_what(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.SERIAL), label(LABEL))["serial"]
    assert (one.item_id, one.frame_id, one.camera, one.exposed_ns) == ("i1", "f1", "side", 7)
    assert one.because.startswith('read "SN 0903950312389" (')
    (left, top), (right, bottom) = np.min(one.where, axis=0), np.max(one.where, axis=0)
    assert LEFT_PX + 100 < left < right < LEFT_PX + 360
    assert TOP_PX + 15 < top < bottom < TOP_PX + 70
    assert one.picture is not None
    assert one.picture.shape[1] <= 320


@pytest.mark.parametrize(
    ("row", "seen"),
    [
        (("EXP:", "03.04.2026"), "may be 2026-03-04 ("),
        (("EXP:", "31.02.2026"), "not a value of this kind"),
        (("EXP:", "05.2015"), "not a value of this kind"),
        (("MFG:", "05.2026"), "; made on 2026-05-01"),
        (("", "05.2026"), "no keyword of expiry"),
    ],
)
def test_vouches_for_no_date_that_is_in_doubt(
    models: tuple[TextDetector, LineReader], row: tuple[str, str], seen: str
) -> None:
    one = inspected(check(models, Field.EXPIRY), label([row]))["expiry"]
    assert not one.valid
    assert one.reading is None
    assert seen in one.because


def test_every_reading_is_told_with_its_probability(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.EXPIRY), label([("EXP:", "03.04.2026")]))["expiry"]
    assert [day for day, probability in one.rivals if probability > 0.2] == ["2026-03-04", "2026-04-03"]
    assert (one.source, one.kind) == ("print", "expiry")


@pytest.mark.parametrize(
    ("keyword", "kind", "said"),
    [
        ("BEST BEFORE:", "best_before", ", best before, en)"),
        ("USE BY:", "use_by", ", use by, en)"),
        ("Verwendbar bis:", "expiry", ", expiry, de)"),
        ("EXP:", "expiry", ", expiry)"),
    ],
)
def test_what_the_words_call_the_date_is_told(
    models: tuple[TextDetector, LineReader], keyword: str, kind: str, said: str
) -> None:
    one = inspected(check(models, Field.EXPIRY), label([(keyword, "05.2027")], column_px=220))["expiry"]
    assert (one.reading, one.kind) == ("2027-05-31", kind)
    assert said in one.because


def test_how_long_a_product_lasts_is_no_date(models: tuple[TextDetector, LineReader]) -> None:
    rows = [("Shelf life:", "12 months"), ("MFG:", "05.2026")]
    one = inspected(check(models, Field.EXPIRY), label(rows, column_px=170))["expiry"]
    assert (one.valid, one.reading) == (False, None)
    assert "is a duration: made on 2026-05-01, it would end on 2027-05-01" in one.because


def test_two_dates_without_keywords_prove_nothing(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.EXPIRY), label([("13.05.2026", ""), ("13.05.2027", "")]))["expiry"]
    assert not one.valid
    assert "2026-05-13, 2027-05-13 stand without a keyword, 365 days apart" in one.because
    assert [day for day, _ in one.rivals] == ["2026-05-13", "2027-05-13"]


class Confusing(LineReader):
    """Takes some words for others, whatever its model says."""

    def __init__(self, session: Session, words: Mapping[str, str]) -> None:
        super().__init__(session)
        self._words = words

    def read(self, picture: Image) -> Line:
        line = super().read(picture)
        for word, other in self._words.items():
            line = replace(line, text=line.text.replace(word, other))
        return line


@pytest.mark.parametrize(
    ("row", "words", "day"),
    [
        ("EXP 12.2027", {"EXP": "E4P"}, "2027-12-31"),
        ("MFG 12.2027", {"MFG": "H4G"}, None),
        ("E4P 12.2027", {}, None),  # the larger one knows no keyword either
    ],
)
def test_a_keyword_that_was_misread_is_asked_of_the_larger_recogniser(
    models: tuple[TextDetector, LineReader], row: str, words: Mapping[str, str], day: str | None
) -> None:
    tiny = Confusing(Session.load(newest(MODELS, "text-recogniser")), words)
    small = LineReader(Session.load(newest(MODELS, "text-recogniser-small")))
    one = inspected(check((models[0], tiny), Field.EXPIRY, second=small), label([(row, "")]))["expiry"]
    assert one.reading == day


def test_sizes_and_languages_are_read(models: tuple[TextDetector, LineReader]) -> None:
    rows = [("12 x 33 cl", ""), ("Mindestens haltbar bis", ""), ("Per 100 g", "")]
    found = inspected(check(models, Field.SIZE, Field.LANGUAGE), label(rows))
    assert found["size"].reading == "12 x 33 cl"
    assert found["size"].picture is not None
    assert found["language"].reading is None  # a keyword without a value says nothing yet
    rows = [("Mindestens haltbar bis 05.2027", "")]
    assert inspected(check(models, Field.LANGUAGE), label(rows))["language"].reading == "de"


def test_where_no_size_is_printed_none_is_vouched_for(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.SIZE), label(LABEL))["size"]
    assert (one.valid, one.because) == (False, "no size was read")


def test_a_profile_settles_the_order_of_a_date(models: tuple[TextDetector, LineReader]) -> None:
    day_first = check(models, Field.EXPIRY, profile=Profile({Order.DAY_FIRST}))
    assert inspected(day_first, label([("EXP:", "03.04.2026")]))["expiry"].reading == "2026-04-03"


def test_production_and_expiry_are_told_apart(models: tuple[TextDetector, LineReader]) -> None:
    found = inspected(check(models, Field.EXPIRY), label([("MFG:", "05.2026"), ("EXP:", "05.2028")]))
    assert found["expiry"].reading == "2028-05-31"


def test_a_serial_of_another_format_is_not_vouched_for(models: tuple[TextDetector, LineReader]) -> None:
    strict = check(models, Field.SERIAL, formats={Field.SERIAL: r"\d{13}"})
    assert inspected(strict, label(LABEL))["serial"].valid
    assert not inspected(strict, label([("SN:", "090395031238")]))["serial"].valid


def test_two_serials_contradict_each_other(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.SERIAL), label([("SN: 09035 SN: 71124", "")]))["serial"]
    assert not one.valid
    assert "may be 09035 (" in one.because


def test_a_line_that_the_crop_cuts_is_read_whole_from_the_frame(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.SERIAL), label(LABEL), width_px=290)["serial"]
    assert one.reading == "0903950312389"


def test_a_line_that_the_frame_cuts_is_not_vouched_for(models: tuple[TextDetector, LineReader]) -> None:
    frame = np.ascontiguousarray(label(LABEL)[:, : LEFT_PX + 240])
    one = inspected(check(models, Field.SERIAL), frame, width_px=240)["serial"]
    assert not one.valid
    assert "runs out of the picture" in one.because


def test_a_bare_surface_gives_invalid_evidence(models: tuple[TextDetector, LineReader]) -> None:
    one = inspected(check(models, Field.LOT), np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8))["lot"]
    assert not one.valid
    assert one.because.endswith("no print seen")


@pytest.mark.parametrize("degrees", [0, 30, -40, 80])
def test_the_heading_is_that_of_most_print(degrees: float) -> None:
    along = (float(np.cos(np.radians(degrees))), float(np.sin(np.radians(degrees))))
    boxes = [TextBox((0, 0), along, 100, 10, 1), TextBox((0, 0), (-along[0], -along[1]), 80, 10, 1)]
    boxes.append(TextBox((0, 0), (-along[1], along[0]), 20, 10, 1))
    assert abs(float(np.dot(heading(boxes), along))) > 0.99


SERIAL_FORMAT = {Field.SERIAL: r"\d{13}"}


def serial_of(models: tuple[TextDetector, LineReader], rows: Sequence[tuple[str, str]], turns: int = 0) -> Evidence:
    return inspected(check(models, Field.SERIAL, formats=SERIAL_FORMAT), label(rows), turns)["serial"]


def test_a_value_whose_keyword_was_misread_is_told_by_its_format(models: tuple[TextDetector, LineReader]) -> None:
    one = serial_of(models, [("S%:", "0903950312389"), *LABEL[1:]])
    assert (one.valid, one.reading) == (True, "0903950312389")
    assert one.because.startswith('read "0903950312389" without its keyword (')


@pytest.mark.parametrize(
    "rows",
    [
        [("", "0903950312389"), *LABEL[1:]],  # nothing stands where a keyword should be
        [("S%:", "0903950312389")],  # no keyword of its column was read
        [("S%:", "4006381333931"), *LABEL[1:]],  # a GTIN
        [("Tel:", "0903950312389"), *LABEL[1:]],  # another keyword
        [("S%:", "0903950312389"), ("S%:", "0903950312372"), LABEL[2]],  # two of them
    ],
)
def test_what_may_be_anything_is_no_serial(
    models: tuple[TextDetector, LineReader], rows: Sequence[tuple[str, str]]
) -> None:
    assert not serial_of(models, rows).valid


def test_the_format_tells_an_o_from_a_zero(models: tuple[TextDetector, LineReader]) -> None:
    formed = check(models, Field.LOT, formats={Field.LOT: r"[A-Z]{2}\d{6}-\d[A-Z]"})
    one = inspected(formed, label([("SN:", "0903950312389"), ("LOT:", "K0120910-47")]))["lot"]
    assert not one.valid  # no 7 is a letter
    one = inspected(formed, label([("SN:", "0903950312389"), ("LOT:", "K0120910-4T")]))["lot"]
    assert (one.valid, one.reading) == (True, "KO120910-4T")


class Counted:
    """A detector that is asked only so often."""

    def __init__(self, detector: TextDetector) -> None:
        self._detector = detector
        self.asked = 0

    def find(self, picture: Image) -> list[TextBox]:
        self.asked += 1
        return self._detector.find(picture)

    def find_turned(self, picture: Image, before: Sequence[TextBox]) -> list[TextBox]:
        return self._detector.find_turned(picture, before)


@pytest.mark.parametrize(("turns", "asked"), [(0, 1), (1, 2), (2, 1), (3, 2)])
def test_print_is_turned_before_it_is_read(models: tuple[TextDetector, LineReader], turns: int, asked: int) -> None:
    counted = Counted(models[0])
    one = inspected(TextCheck(counted, models[1], [Field.SERIAL], today=date.today), label(LABEL), turns)["serial"]
    assert (one.reading, counted.asked) == ("0903950312389", asked)


def test_legible_print_is_not_turned_for_want_of_a_keyword(models: tuple[TextDetector, LineReader]) -> None:
    counted = Counted(models[0])
    rows = [("LOT:", "ZK120910-47"), ("EXP:", "12.2082")]
    one = inspected(TextCheck(counted, models[1], [Field.SERIAL], today=date.today), label(rows))["serial"]
    assert (one.valid, counted.asked) == (False, 1)


@pytest.mark.parametrize("turns", range(4))
def test_lines_begin_in_one_column(turns: int) -> None:
    turn = np.linalg.matrix_power(np.array(((0.0, -1.0), (1.0, 0.0))), turns)
    along = turn @ (1.0, 0.0)
    middles = [(turn @ (40 + length / 2, 20 * row), length) for row, length in enumerate((100.0, 80.0, 60.0))]
    boxes = [TextBox((middle[0], middle[1]), (along[0], along[1]), length, 14, 1) for middle, length in middles]
    assert np.allclose(reading_direction(boxes), along)
    assert quarter_turns(reading_direction(boxes)) == -turns % 4
