"""GS1 identifiers as codes carry them: GTINs, and what the values of application identifiers (AI) mean.

Source: GS1 General Specifications 24, chapters 3 (AIs), 7.9 (check digits), 7.12 (dates). Which AIs a code holds is
read in `edge.inspection.codes`.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from edge.core.dates import full_year
from edge.core.errors import MalformedMessage

GTIN_LENGTHS = (8, 12, 13, 14)
GTIN, LOT, SERIAL = "01", "10", "21"
PRODUCED, PACKED, BEST_BEFORE, SELL_BY, EXPIRY = DATES = "11", "13", "15", "16", "17"


@dataclass(frozen=True, slots=True)
class Label:
    """What a code says of its item; None where it says nothing."""

    gtin: str | None = None  # 14 digits
    lot: str | None = None
    serial: str | None = None
    produced: date | None = None
    packed: date | None = None
    best_before: date | None = None
    sell_by: date | None = None
    expiry: date | None = None

    @classmethod
    def of(cls, elements: Mapping[str, str], today: date) -> Label:
        """Take what the appliance knows of; other AIs are left out.

        Raises:
            MalformedMessage: no GTIN where one should be, or no date.
        """
        days = {ai: day(elements[ai], today) for ai in DATES if ai in elements}
        return cls(
            gtin=checked(elements[GTIN]) if GTIN in elements else None,
            lot=elements.get(LOT),
            serial=elements.get(SERIAL),
            produced=days.get(PRODUCED),
            packed=days.get(PACKED),
            best_before=days.get(BEST_BEFORE),
            sell_by=days.get(SELL_BY),
            expiry=days.get(EXPIRY),
        )


def check_digit(body: str) -> str:
    """The digit that follows `body`: weights 3 and 1 from the right, modulo 10."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def normalised(code: str) -> str | None:
    """GTIN-8, -12, -13 or -14 as 14 digits; None: no GTIN, or its check digit does not fit."""
    if len(code) not in GTIN_LENGTHS or not _digits(code) or check_digit(code[:-1]) != code[-1]:
        return None
    return code.zfill(14)


def checked(code: str) -> str:
    """The same where a GTIN must stand.

    Raises:
        MalformedMessage: it is none.
    """
    gtin = normalised(code)
    if gtin is None:
        raise MalformedMessage("gtin", f"{code!r} is no GTIN (length, or check digit)")
    return gtin


def day(value: str, today: date) -> date:
    """`YYMMDD` within −49 … +50 years of today; day 00 is the last of the month (3.4.2, 7.12).

    Raises:
        MalformedMessage: no such day.
    """
    if len(value) != 6 or not _digits(value):
        raise MalformedMessage("date", f"{value!r} is no date (YYMMDD)")
    year, month, number = full_year(int(value[:2]), today), int(value[2:4]), int(value[4:])
    try:
        return date(year, month, number or monthrange(year, month)[1])
    except ValueError as error:
        raise MalformedMessage("date", f"{value!r} is no date ({error})") from error


def _digits(text: str) -> bool:
    """`isdigit` alone takes digits of other scripts, and superscripts."""
    return text.isascii() and text.isdigit()
