"""Tesseract beside our own recognisers: it names scripts that they lack, and may dissent from a date, never overrule.

When a product is entered, time does not matter: a program is started for each language (pytesseract). On the line,
where a site asks for it, the dissenter runs in process (tesserocr, an extra): some 10 ms a line.
"""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytesseract

from edge.core.calendars import Calendar
from edge.core.date_votes import VOUCH_FROM
from edge.core.dates import Profile, readings
from edge.core.errors import ConfigError
from edge.core.labels import Field
from edge.core.messages import Evidence, Image, Sighting
from edge.inspection.crop import Check, Crop
from edge.inspection.cuts import cut_out, lengthened

LINE_PX = 48  # height of the lines it is given
RIM_PX = 10  # of ground around them: without it, it takes letters for a frame
LINE_MODE = 7  # "treat the image as a single text line"
SURE_FROM = 60  # of Tesseract's 100: below this it says nothing
SURER = 5  # of 100: by so much a script must be surer than those that our recognisers know
LETTERS_MIN = 3  # of a script: fewer may be dirt
RIGHT, WRONG = 0.45, 0.05  # of 307 date lines: Tesseract was sure of what is printed, and of another date (decision 22)

CERTAIN = 0.99  # no reading is surer than this, whatever it says of itself
TESSDATA = tuple(Path(one) for one in ("/usr/share/tesseract-ocr/5/tessdata", "/usr/share/tesseract-ocr/4.00/tessdata"))


@dataclass(frozen=True, slots=True)
class Script:
    """A way to write that our recognisers lack."""

    name: str
    language: str
    letters: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Foreign:
    """Print in such a script."""

    script: Script
    text: str
    confidence: float  # 0 to 100


SCRIPTS: Mapping[str, Script] = {
    "kor": Script("Hangul", "Korean", re.compile("[\u1100-\u11ff\uac00-\ud7a3]")),
    "tha": Script("Thai", "Thai", re.compile("[\u0e01-\u0e5b]")),
    "rus": Script("Cyrillic", "Russian", re.compile("[\u0400-\u04ff]")),
    "ara": Script("Arabic", "Arabic", re.compile("[\u0600-\u06ff]")),
    "ell": Script("Greek", "Greek", re.compile("[\u0370-\u03ff]")),
    "heb": Script("Hebrew", "Hebrew", re.compile("[\u0590-\u05ff]")),
    "hin": Script("Devanagari", "Hindi", re.compile("[\u0900-\u097f]")),
}
"""Tesseract's name of the language → the script; Debian packages them as tesseract-ocr-<name>."""
_LATIN = re.compile("[A-Za-z\u00c0-\u024f]")
KNOWN: Mapping[str, Script] = {
    "eng": Script("Latin", "English", _LATIN),
    "deu": Script("Latin", "German", _LATIN),
    "fra": Script("Latin", "French", _LATIN),
    "spa": Script("Latin", "Spanish", _LATIN),
    "jpn": Script("Kana", "Japanese", re.compile("[\u3040-\u30ff\u4e00-\u9fff]")),
    "chi_sim": Script("Han", "Chinese", re.compile("[\u4e00-\u9fff]")),
}
"""Languages in scripts that our recognisers can read."""


def installed() -> frozenset[str]:
    """The languages that Tesseract can read here; none where it is not installed at all."""
    try:
        return frozenset(pytesseract.get_languages())
    except (pytesseract.TesseractNotFoundError, pytesseract.TesseractError):
        return frozenset()


def lacking(languages: Iterable[str]) -> str:
    """What a technician is told where languages are missing; empty: none is."""
    missing = sorted(set(languages) - installed())
    packages = " ".join(f"tesseract-ocr-{one.replace('_', '-')}" for one in missing)
    return f"not looked for, for Tesseract cannot read them here: {packages} (apt-get install)" if missing else ""


def foreign(picture: Image) -> Foreign | None:
    """The script of a line that our recognisers cannot read, by the language that is surest of its letters.

    Latin capitals look like Greek and Cyrillic ones: who is no surer of a line than a language that our recognisers
    know is not believed.
    """
    least = max((one.confidence + SURER for one in _read(picture, KNOWN)), default=0.0)
    sure = [one for one in _read(picture, SCRIPTS) if one.confidence >= max(SURE_FROM, least)]
    return max(sure, key=lambda one: one.confidence, default=None)


def _read(picture: Image, scripts: Mapping[str, Script]) -> Iterator[Foreign]:
    """In each of the languages that are installed, and is in its script at all."""
    here = installed()
    found = (_in_language(picture, code, script) for code, script in scripts.items() if code in here)
    yield from (one for one in found if one)


def _in_language(picture: Image, code: str, script: Script) -> Foreign | None:
    """What Tesseract reads of the line in one language, where that is in the language's own script."""
    told = pytesseract.image_to_data(
        _framed(picture), lang=code, config=f"--psm {LINE_MODE}", output_type=pytesseract.Output.DICT
    )
    words = [(word, float(sure)) for word, sure in zip(told["text"], told["conf"], strict=True) if word.strip()]
    own = [(word, sure) for word, sure in words if script.letters.search(word)]
    if sum(len(script.letters.findall(word)) for word, _ in own) < LETTERS_MIN:
        return None
    confidence = float(np.mean([sure for _, sure in own]))
    return Foreign(script, " ".join(word for word, _ in words), confidence)


class LineTesseract:
    """Tesseract in process, one engine per thread."""

    def __init__(self, language: str = "eng") -> None:
        """Start an engine, to see that there is one.

        Raises:
            ConfigError: the extra or the language is not installed.
        """
        self._language = language
        self._engines = threading.local()
        self._engine()

    def read(self, picture: Image) -> tuple[str, int]:
        """The text of a line (BGR or mono, upright), and how sure Tesseract is of it, 0 to 100."""
        framed, engine = _framed(picture), self._engine()
        height_px, width_px = framed.shape
        engine.SetImageBytes(framed.tobytes(), width_px, height_px, 1, width_px)
        return str(engine.GetUTF8Text()).strip(), int(engine.MeanTextConf())

    def _engine(self) -> Any:
        if not hasattr(self._engines, "one"):
            self._engines.one = _engine(self._language)
        return self._engines.one


class Dissenter:
    """A check of print, and Tesseract's word on each date that it vouches for.

    Where Tesseract is sure of another valid date on the same line, the date's probability falls, and the evidence with
    it where that is below what the check vouches from. Tesseract's own date is told, and never taken.
    """

    def __init__(self, check: Check, second: LineTesseract, today: Callable[[], date]) -> None:
        """Take the check, Tesseract, and the site's calendar day."""
        self._check = check
        self._second = second
        self._today = today

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """The check's own evidence; expiries that Tesseract reads otherwise are less probable."""
        return [self._heard(one, sighting) for one in self._check.inspect(crop, sighting)]

    def _heard(self, one: Evidence, sighting: Sighting) -> Evidence:
        if one.check != Field.EXPIRY.value or not one.valid or len(one.where) != 4:
            return one
        line = cut_out(sighting.frame.image, lengthened(np.array(one.where, np.float32)), LINE_PX)
        text, sure = self._second.read(line)
        days = {day.isoformat() for day in allowed(text, self._today())} if sure >= SURE_FROM else set()
        return doubted(one, text) if days and one.reading not in days else one


def allowed(text: str, today: date) -> set[date]:
    """Every day that the text may mean in any order and calendar: how this product is read is the check's affair."""
    profiles = [Profile(calendar=calendar) for calendar in Calendar]
    return {one.day for profile in profiles for one in readings(text, today, profile=profile)}


def doubted(one: Evidence, text: str) -> Evidence:
    """The evidence after Tesseract was sure of another date.

    By Bayes: the check is wrong with 1 − p, and then Tesseract would be right as often as it is; or the check is right,
    and Tesseract as wrong as it seldom is.
    """
    before = min(one.probability or 0.0, CERTAIN)
    after = before * WRONG / (before * WRONG + (1 - before) * RIGHT)
    stands = after >= VOUCH_FROM
    told = f'{one.because}; Tesseract read "{text}": {before:.2f} became {after:.2f}'
    return replace(one, probability=after, because=told, valid=stands, reading=one.reading if stands else None)


def _framed(picture: Image) -> Image:
    """Grey, dark on light, with ground around it."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY) if picture.ndim == 3 else picture
    ground = float(np.median(grey))
    upright = grey if ground >= 128 else 255 - grey
    rim = (max(ground, 255 - ground),)
    return np.asarray(cv2.copyMakeBorder(upright, *(RIM_PX,) * 4, cv2.BORDER_CONSTANT, value=rim), np.uint8)


def _engine(language: str) -> Any:
    try:
        tesserocr = importlib.import_module("tesserocr")
    except ImportError as error:
        raise ConfigError(
            "inspection.dissenter: tesserocr is not installed: pip install 'tunnel-edge[tesseract]', or leave it out."
        ) from error
    return _opened(tesserocr, language)


def _opened(tesserocr: Any, language: str) -> Any:
    """The engine, with the language data that Debian's Tesseract has."""
    folder = next((one for one in TESSDATA if (one / f"{language}.traineddata").is_file()), None)
    if folder is None:
        raise ConfigError(
            f"inspection.dissenter: Tesseract has no data for {language}: apt-get install tesseract-ocr-{language}."
        )
    return tesserocr.PyTessBaseAPI(path=str(folder), lang=language, psm=LINE_MODE)
