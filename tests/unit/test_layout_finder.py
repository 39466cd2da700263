"""Lines found where a layout says that they are, without a network."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.core.labels import Field
from edge.inspection.layout import Ink
from edge.inspection.layout_finder import LayoutFinder
from tests.unit.prints import HEIGHT_PX, LEFT_PX, LINE_PX, TOPS_PX, WIDTH_PX, label, line

ROWS = ("EXP 24.12.2027", "LOT L1234A", "SN 0903950312")
LINES = [line(field, row, field.value) for row, field in enumerate((Field.EXPIRY, Field.LOT, Field.SERIAL))]


def test_each_line_is_found_in_its_place() -> None:
    boxes = LayoutFinder(LINES).find(label(ROWS))
    tops = sorted(round(box.centre[1] - box.height_px / 2) for box in boxes)
    assert len(boxes) == 3
    assert all(abs(top - place) <= 12 for top, place in zip(tops, TOPS_PX, strict=True))
    assert all(0.5 * LINE_PX < box.height_px < 1.5 * LINE_PX for box in boxes)


@pytest.mark.parametrize("degrees", [-8, -3, 4, 9])
def test_print_that_lies_aslant_is_found_aslant(degrees: float) -> None:
    turn = cv2.getRotationMatrix2D((WIDTH_PX / 2, HEIGHT_PX / 2), -degrees, 1)
    picture = cv2.warpAffine(label(ROWS), turn, (WIDTH_PX, HEIGHT_PX), borderMode=cv2.BORDER_REPLICATE)
    wide = [one.model_copy(update={"down": 0.2, "across": 0.2}) for one in LINES]
    boxes = LayoutFinder(wide).find(np.asarray(picture, np.uint8))
    assert len(boxes) == 3
    assert [round(float(np.degrees(np.arctan2(box.along[1], box.along[0])))) for box in boxes] == pytest.approx(
        [degrees] * 3, abs=2
    )


def test_a_date_with_a_faint_middle_is_one_line() -> None:
    picture = label(ROWS)
    picture[TOPS_PX[0] : TOPS_PX[0] + LINE_PX, LEFT_PX + 150 : LEFT_PX + 190] = 224
    boxes = LayoutFinder(LINES[:1]).find(picture)
    assert len(boxes) == 1
    assert boxes[0].length_px > 220


def test_light_print_on_a_dark_ground_is_found_where_the_layout_says_so() -> None:
    light = [one.model_copy(update={"ink": Ink.LIGHT}) for one in LINES]
    assert len(LayoutFinder(light).find(label(ROWS, ink=240, ground=60))) == 3


def test_what_stands_elsewhere_is_left_alone() -> None:
    assert len(LayoutFinder(LINES[2:]).find(label(ROWS))) == 1
    assert LayoutFinder(LINES).find(np.full((HEIGHT_PX, WIDTH_PX, 3), 128, np.uint8)) == []
    assert LayoutFinder(LINES).find(np.full((3, 2, 3), 128, np.uint8)) == []


def test_the_only_print_in_a_place_without_a_keyword_is_what_the_layout_says() -> None:
    bare = LayoutFinder([line(Field.EXPIRY, 0, "")])
    assert [box.label for box in bare.find(label(("24.12.2027",)))] == ["expiry"]


def test_of_two_prints_in_such_a_place_neither_is() -> None:
    wide = line(Field.EXPIRY, 0, "", down=0.3)
    assert [box.label for box in LayoutFinder([wide]).find(label(("24.12.2025", "24.12.2027")))] == ["", ""]


def test_a_printed_keyword_is_never_replaced() -> None:
    assert {box.label for box in LayoutFinder(LINES).find(label(ROWS))} == {""}
