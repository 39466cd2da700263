"""What labels say in 28 languages: keywords, dates, lots; and what that means, which the appliance is not told.

The keywords are a printer's, written down here anew: a bench that drew the appliance's own table would measure little.
Native readers have yet to check them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from edge.core.calendars import BUDDHIST_AHEAD, Calendar
from edge.core.date_forms import Order
from edge.core.date_words import MONTH_NAMES
from edge.core.dates import Profile

Random = np.random.Generator
TODAY = date(2026, 6, 1)
LOT_LETTERS = "ABCEFHKMNPRT"


@dataclass(frozen=True, slots=True)
class Language:
    """A language on labels."""

    name: str
    script: str
    expiry: Sequence[str]
    production: str
    lot: str
    forms: str  # of dates, with blanks between: d, m, y, Y (four digits), N (the month's name); _ is a space
    order: Order = Order.DAY_FIRST
    calendar: Calendar = Calendar.COMMON

    @property
    def profile(self) -> Profile:
        """What a product's layout, or a lane, says of its dates."""
        return Profile(frozenset({self.order}), self.calendar)


@dataclass(frozen=True, slots=True)
class Wording:
    """What stands on one label, and what it means."""

    language: str
    rows: tuple[tuple[str, str], ...]  # keyword and value, from top to bottom
    expiry: date
    produced: date | None
    lot: str | None


_DOTS, _SLASHES, _NAMED = "d.m.Y d.m.y m.Y", "d/m/Y d/m/y m/Y", "d_N_Y dNY N_Y"
_YEAR_FIRST = Order.YEAR_FIRST

LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        "English", "Latin", ("BEST BEFORE", "EXP", "USE BY"), "MFG", "LOT", f"{_SLASHES} {_NAMED} d-m-Y Y-m-d"
    ),
    "en-us": Language(
        "English (US)", "Latin", ("BEST BY", "EXP", "USE BY"), "MFD", "LOT", "m/d/Y m/d/y N_d_Y", Order.MONTH_FIRST
    ),
    "de": Language(
        "German", "Latin", ("Mindestens haltbar bis", "MHD", "Verw. bis"), "Hergestellt am", "Ch.-B.", _DOTS
    ),
    "fr": Language(
        "French", "Latin", ("À consommer avant", "DLC", "DDM"), "Fabriqué le", "LOT", f"{_SLASHES} {_NAMED}"
    ),
    "es": Language(
        "Spanish", "Latin", ("Consumir antes de", "Caducidad", "VTO"), "FAB", "LOTE", f"{_SLASHES} {_NAMED}"
    ),
    "it": Language("Italian", "Latin", ("Da consumarsi entro", "SCAD"), "PROD", "LOTTO", f"{_SLASHES} {_NAMED}"),
    "pt": Language("Portuguese", "Latin", ("Validade", "VAL"), "FAB", "LOTE", f"{_SLASHES} {_NAMED}"),
    "nl": Language("Dutch", "Latin", ("Ten minste houdbaar tot", "THT", "TGT"), "PROD", "LOT", f"d-m-Y {_DOTS}"),
    "sv": Language("Swedish", "Latin", ("Bäst före",), "Tillverkad", "LOT", "Y-m-d Y.m.d d_N_Y", _YEAR_FIRST),
    "da": Language("Danish", "Latin", ("Bedst før", "Mindst holdbar til"), "Produceret", "LOT", f"{_DOTS} d_N_Y"),
    "nb": Language("Norwegian", "Latin", ("Best før", "Siste forbruksdag"), "Produsert", "LOT", f"{_DOTS} d_N_Y"),
    "fi": Language("Finnish", "Latin", ("Parasta ennen", "Viimeinen käyttöpäivä"), "Valmistettu", "ERÄ", _DOTS),
    "pl": Language("Polish", "Latin", ("Najlepiej spożyć przed", "Należy spożyć do"), "Data prod.", "LOT", _DOTS),
    "cs": Language("Czech", "Latin", ("Minimální trvanlivost do", "Spotřebujte do"), "Vyrobeno", "ŠARŽE", _DOTS),
    "hu": Language(
        "Hungarian", "Latin", ("Minőségét megőrzi", "Fogyasztható"), "Gyártva", "LOT", "Y.m.d Y-m-d", _YEAR_FIRST
    ),
    "ro": Language("Romanian", "Latin", ("A se consuma de preferință înainte de", "EXP"), "Fabricat", "LOT", _DOTS),
    "tr": Language("Turkish", "Latin", ("SKT", "TETT", "Son kullanma tarihi"), "ÜT", "PARTİ", f"{_DOTS} {_SLASHES}"),
    "id": Language("Indonesian", "Latin", ("Baik digunakan sebelum", "EXP"), "Diproduksi", "LOT", f"d_N_Y {_SLASHES}"),
    "vi": Language("Vietnamese", "Latin", ("HSD", "Hạn sử dụng"), "NSX", "LÔ", _SLASHES),
    "el": Language("Greek", "Greek", ("Ανάλωση κατά προτίμηση πριν από", "ΛΗΞΗ"), "ΠΑΡ", "LOT", f"{_SLASHES} d_N_Y"),
    "ru": Language("Russian", "Cyrillic", ("Годен до", "Употребить до"), "Изготовлено", "Партия", f"{_DOTS} d_N_Y"),
    "ja": Language(
        "Japanese", "Kana, Han", ("賞味期限", "消費期限"), "製造日", "ロット", "Y.m.d y.m.d Y年m月d日", _YEAR_FIRST
    ),
    "zh": Language(
        "Chinese", "Han", ("有效期至", "保质期至"), "生产日期", "批号", "Y.m.d Y-m-d Y年m月d日 Ymd", _YEAR_FIRST
    ),
    "ko": Language("Korean", "Hangul", ("소비기한", "유통기한"), "제조", "LOT", "Y.m.d Y년_m월_d일", _YEAR_FIRST),
    "th": Language(
        "Thai", "Thai", ("ควรบริโภคก่อน", "หมดอายุ"), "ผลิต", "LOT", "d/m/y d/m/Y d_N_y", calendar=Calendar.BUDDHIST
    ),
    "ar": Language("Arabic", "Arabic", ("تاريخ الانتهاء", "انتهاء"), "تاريخ الإنتاج", "LOT", _SLASHES),
    "he": Language("Hebrew", "Hebrew", ("לשימוש עד", "תאריך תפוגה"), "תאריך ייצור", "LOT", f"{_SLASHES} {_DOTS}"),
    "hi": Language("Hindi", "Devanagari", ("उपयोग की अंतिम तिथि", "उपयोग से पहले"), "निर्माण तिथि", "LOT", _SLASHES),
}


def wording(code: str, random: Random) -> Wording:
    """A label in this language: an expiry, in half of them a production date, in most of them a lot."""
    language = LANGUAGES[code]
    expiry = TODAY + timedelta(days=int(random.integers(-60, 1100)))
    produced = expiry - timedelta(days=int(random.integers(60, 900)))
    form = str(random.choice(language.forms.split()))
    expiry, produced = (_meant(one, form) for one in (expiry, produced))
    lot = f"{random.choice(list(LOT_LETTERS))}{random.integers(10**4, 10**7)}"
    dated, lotted = bool(random.random() < 0.5), bool(random.random() < 0.75)
    rows = [(str(random.choice(language.expiry)), _printed(expiry, form, code, language, random))]
    if dated:
        first = _first(produced, form)
        rows.insert(int(random.integers(2)), (language.production, _printed(first, form, code, language, random)))
        produced = first
    if lotted:
        rows.insert(int(random.integers(len(rows) + 1)), (language.lot, lot))
    return Wording(code, tuple(rows), expiry, produced if dated else None, lot if lotted else None)


def _meant(day: date, form: str) -> date:
    """A month alone means its last day."""
    return day if "d" in form else (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _first(day: date, form: str) -> date:
    return day if "d" in form else day.replace(day=1)


def _printed(day: date, form: str, code: str, language: Language, random: Random) -> str:
    year = day.year + (BUDDHIST_AHEAD if language.calendar is Calendar.BUDDHIST else 0)
    name = _name(code, day.month, random) if "N" in form else ""
    parts = {"d": f"{day.day:02}", "m": f"{day.month:02}", "y": f"{year % 100:02}", "Y": str(year), "N": name, "_": " "}
    return "".join(parts.get(letter, letter) for letter in form)


def _name(code: str, month: int, random: Random) -> str:
    """One of the month's names, as packages print it: the shortest in capitals, or one in full."""
    names = MONTH_NAMES[code.partition("-")[0]].split(",")[month - 1].split()
    return names[0].upper() if random.random() < 0.7 and code != "th" else str(random.choice(names))
