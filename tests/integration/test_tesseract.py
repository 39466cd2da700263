"""With Tesseract itself: which script is beside a date, and what it says of a line, in process."""

from __future__ import annotations

import builtins
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageDraw, ImageFont

from edge.core.errors import ConfigError
from edge.core.labels import Field
from edge.core.messages import Image
from edge.inspection import tesseract
from edge.inspection.assembly import Sessions, text_check
from edge.inspection.tesseract import Dissenter, LineTesseract, foreign, installed
from tests.unit.prints import label, seen

FONT = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")
MODELS = Path(__file__).parents[2] / "models"
TODAY = date(2026, 11, 25)


def written(text: str) -> Image:
    canvas = Pillow.new("RGB", (700, 64), (230, 230, 230))
    ImageDraw.Draw(canvas).text((20, 12), text, fill=(20, 20, 20), font=ImageFont.truetype(str(FONT), 34))
    return np.asarray(canvas, np.uint8)


@pytest.mark.parametrize(
    ("text", "script", "language"),
    [("Годен до 24.12.2027", "Cyrillic", "Russian"), ("Ανάλωση κατά 24/12/27", "Greek", "Greek")],
)
def test_a_script_that_our_recognisers_lack_is_named(text: str, script: str, language: str) -> None:
    found = foreign(written(text))
    assert found is not None, f"installed: {sorted(installed())}: run `make setup`"
    assert (found.script.name, found.script.language) == (script, language)
    assert found.text.split()[0] == text.split()[0]


@pytest.mark.parametrize("text", ["BEST BEFORE 24.12.2027", "24.12.2027", ""])
def test_latin_print_is_not_foreign(text: str) -> None:
    assert foreign(written(text)) is None


def test_a_line_is_read_in_process() -> None:
    text, sure = LineTesseract().read(written("EXP 24.12.2027"))
    assert text == "EXP 24.12.2027"
    assert sure > 80


def test_light_print_on_a_dark_ground_is_read_too() -> None:
    assert LineTesseract().read(np.asarray(255 - written("EXP 24.12.2027")))[0] == "EXP 24.12.2027"


def test_it_agrees_with_what_is_printed_and_dissents_from_what_is_not() -> None:
    check = text_check(Sessions(MODELS), {Field.EXPIRY}, lambda: TODAY)
    crop, sighting = seen(label(("EXP 24.12.2027",)))
    [plain] = check.inspect(crop, sighting)
    [agreed] = Dissenter(check, LineTesseract(), lambda: TODAY).inspect(crop, sighting)
    assert (agreed.reading, agreed.because) == ("2027-12-24", plain.because)
    other = label(("EXP 24.12.2028",))
    swapped = sighting.__class__(
        sighting.frame.__class__("side", "f1", 7, 0.0, other), sighting.item, sighting.deadline_ns
    )
    heard = Dissenter(Once(plain), LineTesseract(), lambda: TODAY)
    [doubted] = heard.inspect(crop, swapped)
    assert (doubted.probability or 0) < (plain.probability or 0)
    assert 'Tesseract read "EXP 24.12.2028"' in doubted.because


class Once:
    """A check that says the same whatever it sees."""

    def __init__(self, said: object) -> None:
        self._said = said

    def inspect(self, crop: object, sighting: object) -> list[object]:
        return [self._said]


def test_a_language_that_is_not_installed_is_refused_with_its_package() -> None:
    with pytest.raises(ConfigError, match="apt-get install tesseract-ocr-xyz"):
        LineTesseract("xyz")


def test_without_the_extra_the_dissenter_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__
    monkeypatch.setattr(tesseract.importlib, "import_module", lambda name: real(f"no_{name}"))
    with pytest.raises(ConfigError, match=r"pip install 'tunnel-edge\[tesseract\]'"):
        LineTesseract()


def test_pictures_of_one_channel_will_do() -> None:
    grey = np.asarray(cv2.cvtColor(written("EXP 24.12.2027"), cv2.COLOR_BGR2GRAY), np.uint8)
    assert LineTesseract().read(grey)[0] == "EXP 24.12.2027"
