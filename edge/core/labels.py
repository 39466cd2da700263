"""Keywords on print: what a line says of itself (expiry, lot, serial, …), and where its value begins.

The words are those of packages in Europe's main languages, Japanese and Chinese; native readers have yet to check them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum


class Field(StrEnum):
    """What a value is."""

    EXPIRY = "expiry"
    PRODUCTION = "production"
    SELL_BY = "sell_by"
    LOT = "lot"
    SERIAL = "serial"
    OTHER = "other"  # telephone, article number, price: never a date, a lot or a serial


@dataclass(frozen=True, slots=True)
class Segment:
    """A keyword and what follows it, up to the next keyword."""

    field: Field | None  # None: print before or without a keyword
    keyword: str
    value: str


KEYWORDS: dict[Field, tuple[str, ...]] = {
    Field.EXPIRY: (
        *("exp", "expiry", "expires", "exp date", "expiry date", "expiration date", "use by", "use before", "xp"),
        *("bb", "bbe", "bbd", "bf", "best before", "best before end", "best by", "best if used by"),
        *("à consommer avant", "à consommer de préférence avant", "à consommer jusqu'au", "dlc", "ddm"),
        *("mindestens haltbar bis", "mhd", "verw bis", "verwendbar bis", "zu verbrauchen bis", "haltbar bis"),
        *("consumir antes de", "consumir preferentemente antes de", "cad", "caducidad", "vto", "vence"),
        *("da consumarsi entro", "da consumarsi preferibilmente entro", "scad", "scadenza"),
        *("ten minste houdbaar tot", "te gebruiken tot", "tht", "tgt", "validade", "val", "bäst före"),
        *("najlepiej spożyć przed", "należy spożyć do", "skt", "tett", "son kullanma"),
        *("賞味期限", "消費期限", "有效期至", "有效期", "保质期至", "此日期前最佳"),
    ),
    Field.PRODUCTION: (
        *("mfg", "mfd", "mfg date", "manufactured", "prod", "production", "production date", "pro date", "pkd"),
        *("packed on", "pd", "fd", "p:", "fab", "fabriqué le", "hergestellt am", "üt", "製造", "製造日", "生产日期"),
    ),
    Field.SELL_BY: ("sell by", "display until"),
    Field.LOT: ("lot", "lot no", "lot nr", "lote", "lotto", "batch", "batch no", "bn", "ch b", "charge", "批号"),
    Field.SERIAL: ("sn", "s n", "serial", "serial no", "serial number", "ser no"),
    Field.OTHER: ("tel", "phone", "fax", "art nr", "ref", "pzn", "gtin", "ean", "nc", "price", "preis"),
}

MISREAD_LETTERS = str.maketrans("8015", "bois")  # in a keyword, never in a value
FUZZY_LETTERS = 6  # from this length on letters of a keyword may be misread,
MISREAD_SHARE = 0.3  # this share of them

FIRST_IDEOGRAPH = "\u3000"

LONE_LOT = "l"  # before digits: `L049261203`

_GAP_MARKS = " .,:;/'_-"
_GAP = rf"[{_GAP_MARKS}]*"


def segments(text: str) -> tuple[Segment, ...]:
    """Cut a line at its keywords; print without any is one segment without a field."""
    found = _keywords(folded(text))
    if not found:
        return (_guessed(text),)
    ends = [match.start() for match in found[1:]] + [len(text)]
    head = text[: found[0].start()].strip()
    before = (Segment(None, "", head),) if head else ()
    return before + tuple(_segment(text, match, end) for match, end in zip(found, ends, strict=True))


def _keywords(text: str) -> list[re.Match[str]]:
    """All keywords in folded text; an L right behind another one is the value's own: `LOT L0492`."""
    found: list[re.Match[str]] = []
    for match in _PATTERN.finditer(text):
        follows = bool(found) and not text[found[-1].end() : match.start()].strip(_GAP_MARKS)
        if not (follows and match.group() == LONE_LOT):
            found.append(match)
    return found


def same_lot(one: str, other: str) -> bool:
    """Whether two lots are one: case, spaces and dashes aside, and the L that may stand before any lot.

    Source: Directive 2011/91/EU, article 4: the indication "shall be preceded by the letter L", unless clear without.
    """
    return _bare_lot(one) == _bare_lot(other)


def _bare_lot(lot: str) -> str:
    return re.sub(r"^l(?=\d)", "", re.sub(r"[\s./-]", "", lot.lower()))


def folded(text: str) -> str:
    """The text in lower case without accents, character for character: positions stay."""
    return "".join(_folded_character(character) for character in text)


def _folded_character(character: str) -> str:
    plain = unicodedata.normalize("NFKD", character).lower()
    return plain[0] if plain and plain[0] != " " else character


def _segment(text: str, match: re.Match[str], end: int) -> Segment:
    field = _FIELDS[_letters(match.group())]
    return Segment(field, text[match.start() : match.end()], text[match.end() : end].lstrip(" .,:;").rstrip())


def _guessed(text: str) -> Segment:
    """A long keyword that the recogniser misread in a letter or two still tells what its line is."""
    head = re.match(r"[^:]*:|(?:\D|\d(?!\d))*", text)
    misread = head.group() if head else ""
    letters = _letters(misread.translate(MISREAD_LETTERS))
    for known, field in _FIELDS.items():
        if _near(letters, known):
            return Segment(field, misread.strip(), text[len(misread) :].strip())
    return Segment(None, "", text.strip())


def _near(misread: str, known: str) -> bool:
    allowed = int(len(known) * MISREAD_SHARE)
    return len(known) >= FUZZY_LETTERS and abs(len(misread) - len(known)) <= allowed >= _edits(misread, known)


def _edits(first: str, second: str) -> int:
    """Levenshtein's distance: letters to insert, delete or replace."""
    row = list(range(len(second) + 1))
    for index, letter in enumerate(first):
        above, row = row, [index + 1]
        for place, other in enumerate(second):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (letter != other)))
    return row[-1]


def _letters(text: str) -> str:
    """Letters alone, folded: `Verw. bis:` and `VERW.BIS` are one keyword."""
    return re.sub(r"[\W\d_]+", "", folded(text))


def _expression(keyword: str) -> str:
    """The keyword with any punctuation between its words; in Latin letters never the start of a longer word."""
    words = [re.escape(word) for word in re.split(r"[\s']+", folded(keyword))]
    boundary = "" if keyword >= FIRST_IDEOGRAPH else "(?![a-z])"
    return _GAP.join(words) + boundary


def _pattern() -> re.Pattern[str]:
    """All keywords, the longest first; before digits a lone L is a lot too."""
    keywords = sorted((one for words in KEYWORDS.values() for one in words), key=len, reverse=True)
    spelled = "|".join(_expression(one) for one in keywords)
    misread = rf"ch{_GAP}8(?=\W|$)|5n"  # digits for letters in the shortest: Ch.-B., SN
    return re.compile(rf"(?<![a-z0-9])(?:{spelled}|{misread}|{LONE_LOT}(?={_GAP}\d))")


_FIELDS = {_letters(word): field for field, words in KEYWORDS.items() for word in words}
_FIELDS |= {LONE_LOT: Field.LOT, "ch": Field.LOT, "n": Field.SERIAL}
_PATTERN = _pattern()
