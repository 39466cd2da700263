"""The bench of drawn labels: its truth is what is printed, and a label is the same whenever it is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from bench.drawn_labels import drawn_label, languages
from bench.label_inks import TECHNOLOGIES, dots, missing_fonts
from bench.label_texts import LANGUAGES, TODAY, wording
from bench.labels import Result, figures, grouped, measure
from edge.core.date_forms import plain
from edge.core.dates import Purpose, segment_readings
from edge.core.labels import Field, Segment

MODELS = Path(__file__).parents[2] / "models"


@pytest.mark.parametrize("code", LANGUAGES)
def test_what_is_printed_means_what_the_bench_believes(code: str) -> None:
    if code == "ko" and plain("년") != ".":
        pytest.skip("the grammar takes no Hangul signs of year, month and day")
    language = LANGUAGES[code]
    for seed in range(30):
        words = wording(code, np.random.default_rng(seed))
        keyworded = {keyword: value for keyword, value in words.rows if keyword != language.lot}
        value = next(value for keyword, value in keyworded.items() if keyword in language.expiry)
        found = segment_readings(Segment(Field.EXPIRY, "exp", value), TODAY, Purpose.EXPIRY, language.profile)
        assert words.expiry in [one.day for one in found], value
        assert words.produced is None or words.produced < words.expiry


def test_a_label_is_the_same_whenever_it_is_drawn() -> None:
    first, again, other = (drawn_label(number) for number in (5, 5, 6))
    assert np.array_equal(first.image, again.image)
    assert first.wording == again.wording
    assert not np.array_equal(first.image, other.image)


def test_languages_and_technologies_take_turns() -> None:
    count = len(languages())
    drawn = [drawn_label(number) for number in (0, 1, count)]
    assert drawn[0].wording.language == drawn[2].wording.language != drawn[1].wording.language
    assert [one.technology for one in drawn] == [TECHNOLOGIES[0], TECHNOLOGIES[0], TECHNOLOGIES[1]]


def test_a_dot_matrix_is_made_of_dots() -> None:
    ink = dots("EXP 24.12.27", "Latin", 35, np.random.default_rng(1))
    assert ink.max() == 1.0
    assert 0.05 < float((ink > 0.5).mean()) < 0.4
    assert "Latin" not in missing_fonts()


def result(number: int, read: str, **more: object) -> Result:
    known = {"language": "en", "technology": "laser", "truth": "2027-01-02", "produced": "", "lot_right": None}
    return Result(number=number, read=read, spent_ms=10.0, because="", **(known | more))  # type: ignore[arg-type]


def test_figures_tell_unread_from_wrong_and_production_from_expiry() -> None:
    found = figures(
        [
            result(0, "2027-01-02", produced="2026-01-02", lot_right=True),
            result(1, "2026-01-02", produced="2026-01-02", lot_right=False),
            result(2, ""),
            result(3, "2027-01-03"),
        ]
    )
    assert (found["accuracy"], found["valid_but_wrong"], found["date_type_accuracy"]) == (0.25, 0.5, 0.5)
    assert (found["items"], found["lot_accuracy"]) == (4, 0.5)
    assert list(grouped([result(0, ""), result(1, "", technology="inkjet")], lambda one: one.technology)) == [
        "laser",
        "inkjet",
    ]


def test_labels_go_through_the_check_and_a_run_is_taken_up_again(tmp_path: Path) -> None:
    file, console = tmp_path / "results.jsonl", Console(quiet=True)
    first = measure(range(2), 1, MODELS, file, console)
    assert [one.outcome for one in first] == ["right", "right"]
    assert measure(range(2), 1, MODELS, file, console) == first
    assert len(file.read_text().splitlines()) == 2
