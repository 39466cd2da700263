"""The OCR pair: boxes where print is drawn, and the text that is drawn there."""

from __future__ import annotations

import math
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.labels import KEYWORDS
from edge.core.messages import Image
from edge.inspection.detector import TextBox, TextDetector
from edge.inspection.recogniser import WIDTH_MAX_PX, LineReader, greedy
from edge.inspection.session import Session, newest

MODELS = Path(__file__).parents[2] / "models"
UNREAD = set("ưșțạảấốớụử") | set("使凍出分列加効包厂品失存工序次產用番結號装裝記賞食")  # of the scripts that it reads
READ_SCRIPTS = {"LATIN", "CJK"}


@pytest.fixture(scope="module")
def detector() -> TextDetector:
    return TextDetector(Session.load(newest(MODELS, "text-detector")))


@pytest.fixture(scope="module")
def reader() -> LineReader:
    return LineReader(Session.load(newest(MODELS, "text-recogniser")))


def drawn(text: str, width_px: int = 420, height_px: int = 60) -> Image:
    picture = np.full((height_px, width_px, 3), 225, np.uint8)
    return np.asarray(
        cv2.putText(picture, text, (12, height_px - 18), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 30, 30), 2), np.uint8
    )


@pytest.mark.parametrize(
    ("classes", "text"),
    [([0, 0, 0], ""), ([1, 1, 0, 1, 2], "aab"), ([1, 2, 2, 2, 0], "ab"), ([2, 0, 2, 2, 0, 1], "bba")],
)
def test_greedy_drops_blanks_and_repeats(classes: list[int], text: str) -> None:
    steps = np.full((len(classes), 3), 0.1, np.float32)
    steps[np.arange(len(classes)), classes] = 0.8
    line = greedy(steps, ("", "a", "b"))
    assert line.text == text
    assert line.confidences == pytest.approx([0.8] * len(text))
    assert line.weakest == pytest.approx(0.8 if text else 0.0)


@pytest.mark.parametrize("text", ["12.2082", "2026-05-04", "0903950312389", "LOT AB1234", "Verw.bis:"])
def test_reads_drawn_lines(reader: LineReader, text: str) -> None:
    line = reader.read(drawn(text))
    assert line.text.replace(" ", "") == text.replace(" ", "")
    assert len(line.confidences) == len(line.text)


def test_reads_mono_pictures_as_colour_ones(reader: LineReader) -> None:
    picture = drawn("20.11.2027")
    assert reader.read(picture[..., 0].copy()).text == reader.read(picture).text == "20.11.2027"


def test_the_probabilities_of_a_step_sum_to_one(reader: LineReader) -> None:
    steps = reader.read(drawn("10 2027")).steps
    np.testing.assert_allclose(steps.sum(axis=1), 1.0, atol=1e-4)


def test_long_lines_are_squeezed_and_empty_ones_read_as_nothing(reader: LineReader) -> None:
    wide = reader.read(np.full((20, 4000, 3), 200, np.uint8))
    assert wide.text == ""
    assert wide.steps.shape[0] <= WIDTH_MAX_PX / 8 + 1
    assert reader.read(np.full((40, 1), 200, np.uint8)).weakest == 0.0


def test_the_vocabulary_holds_the_keywords(reader: LineReader) -> None:
    extra = Session.load(newest(MODELS, "text-recogniser")).manifest.extra
    known = set(extra["vocabulary"])
    characters = {c for words in KEYWORDS.values() for word in words for c in word if c.isalpha()}
    assert {c for c in characters if unicodedata.name(c).split()[0] in READ_SCRIPTS} - known == UNREAD


@pytest.mark.parametrize("degrees", [0, 12, -20, 90])
def test_finds_a_line_at_any_angle(detector: TextDetector, degrees: float) -> None:
    picture = np.full((300, 300, 3), 225, np.uint8)
    cv2.putText(picture, "20.11.2027", (60, 160), cv2.FONT_HERSHEY_SIMPLEX, 1.0, (30, 30, 30), 2)
    top, left = np.argwhere(picture[..., 0] < 128).min(axis=0)
    bottom, right = np.argwhere(picture[..., 0] < 128).max(axis=0)
    turn = cv2.getRotationMatrix2D((150, 150), degrees, 1.0)
    [box] = detector.find(np.asarray(cv2.warpAffine(picture, turn, (300, 300), borderValue=(225, 225, 225)), np.uint8))
    assert math.dist(box.centre, turn @ ((left + right) / 2, (top + bottom) / 2, 1)) < 5
    axis = (math.cos(math.radians(degrees)), -math.sin(math.radians(degrees)))
    assert abs(np.dot(box.along, axis)) > 0.98
    assert box.length_px == pytest.approx(right - left, abs=15)


def test_finds_small_pictures_lines_in_their_own_pixels(detector: TextDetector) -> None:
    small = cv2.resize(drawn("LOT 4711"), None, fx=0.4, fy=0.4, interpolation=cv2.INTER_AREA)
    [box] = detector.find(np.asarray(small, np.uint8))
    assert 0 < box.centre[0] < 100
    assert box.height_px < 24


def test_finds_nothing_on_a_bare_surface(detector: TextDetector) -> None:
    assert detector.find(np.full((200, 320, 3), 128, np.uint8)) == []


def test_a_box_read_backwards_has_its_corners_turned() -> None:
    box = TextBox((50.0, 20.0), (1.0, 0.0), 40.0, 10.0, 0.9)
    np.testing.assert_allclose(box.corners(), [(30, 15), (70, 15), (70, 25), (30, 25)])
    np.testing.assert_allclose(box.towards((-1.0, 0.1)).corners(), np.roll(box.corners(), 2, axis=0))
