"""GS1 identifiers as barcodes carry them: GTINs, and strings of application identifiers (AI) with their values.

Source: GS1 General Specifications 24, chapters 3 (AIs), 7.8 (processing), 7.9 (check digits), 7.12 (dates); GS1 Digital
Link URI Syntax 1.3 for the same elements in a web address.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import parse_qsl, unquote, urlsplit

from edge.core.dates import full_year
from edge.core.errors import MalformedMessage

SEPARATOR = "\x1d"  # what a reader makes of the FNC1 that ends a value of variable length
GTIN_LENGTHS = (8, 12, 13, 14)
GTIN, LOT, PRODUCED, BEST_BEFORE, EXPIRY, SERIAL = "01", "10", "11", "15", "17", "21"

_AI_LENGTHS = {
    **dict.fromkeys(("00", "01", "02", "03", "04", *map(str, range(10, 23)), "30", "37", *map(str, range(90, 100))), 2),
    **dict.fromkeys(("23", "24", "25", "40", "41", "42", "71"), 3),
    **dict.fromkeys(("31", "32", "33", "34", "35", "36", "39", "43", "70", "72", "80", "81", "82"), 4),
}
"""First two digits → digits of the AI (figure 3.2-1)."""

_PREDEFINED_LENGTHS = {
    "00": 20,
    "01": 16,
    "02": 16,
    "03": 16,
    "04": 18,
    "20": 4,
    "41": 16,
    **dict.fromkeys(map(str, range(11, 20)), 8),
    **dict.fromkeys(map(str, range(31, 37)), 10),
}
"""First two digits → length of AI and value together, where no separator is needed (figure 7.8.5-2)."""


@dataclass(frozen=True, slots=True)
class Label:
    """What a code says of its item; None where it says nothing."""

    gtin: str | None = None  # 14 digits
    lot: str | None = None
    serial: str | None = None
    produced: date | None = None
    best_before: date | None = None
    expiry: date | None = None

    @classmethod
    def of(cls, elements: Mapping[str, str], today: date) -> Label:
        """Take what the appliance knows of; other AIs are left out.

        Raises:
            MalformedMessage: no GTIN where one should be, or no date.
        """
        days = {ai: day(elements[ai], today) for ai in (PRODUCED, BEST_BEFORE, EXPIRY) if ai in elements}
        return cls(
            gtin=checked(elements[GTIN]) if GTIN in elements else None,
            lot=elements.get(LOT),
            serial=elements.get(SERIAL),
            produced=days.get(PRODUCED),
            best_before=days.get(BEST_BEFORE),
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


def elements(message: str) -> dict[str, str]:
    """AI → value, of a string as a reader gives it: FNC1 in front left out, later ones as SEPARATOR.

    Raises:
        MalformedMessage: an unknown AI, an empty or short value, or two values of one AI.
    """
    found: dict[str, str] = {}
    for ai, value in _split(message):
        if not value or found.get(ai, value) != value:
            raise MalformedMessage("gs1", f"AI ({ai}) has {'two values' if value else 'no value'}")
        found[ai] = value
    return found


def linked_elements(address: str) -> dict[str, str]:
    """AI → value, of a GS1 Digital Link (`https://…/01/GTIN/10/LOT?17=YYMMDD`); empty where the address is none."""
    parts = urlsplit(address)
    path = [unquote(part) for part in parts.path.strip("/").split("/")]
    if GTIN not in path:
        return {}
    tail = path[path.index(GTIN) :]
    return dict(parse_qsl(parts.query)) | dict(zip(tail[::2], tail[1::2], strict=False))


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


def _split(message: str) -> Iterator[tuple[str, str]]:
    rest = message
    while rest:
        ai = _identifier(rest)
        length = _PREDEFINED_LENGTHS.get(rest[:2]) or (rest + SEPARATOR).index(SEPARATOR)
        if len(rest) < length or SEPARATOR in rest[:length]:
            raise MalformedMessage("gs1", f"the value of AI ({ai}) is too short")
        yield ai, rest[len(ai) : length]
        rest = rest[length:].removeprefix(SEPARATOR)


def _identifier(rest: str) -> str:
    """The AI that `rest` begins with."""
    ai = rest[: _AI_LENGTHS.get(rest[:2], 0)]
    if not ai or len(ai) != _AI_LENGTHS[rest[:2]] or not _digits(ai):
        raise MalformedMessage("gs1", f"no AI begins with {rest[:4]!r}")
    return ai


def _digits(text: str) -> bool:
    """`isdigit` alone takes digits of other scripts, and superscripts."""
    return text.isascii() and text.isdigit()
