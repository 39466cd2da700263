"""Keywords on print: what a line says of itself (expiry, lot, serial, …), and where its value begins.

The words are a table by language, `label_words`. A word of production that was misread is never taken for one of
expiry: a keyword that is near to both is none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from edge.core.label_words import ANY_LANGUAGE, TRAILING, by_kind, phrases
from edge.core.label_words import Kind as Kind
from edge.core.spelling import GAP, GAP_MARKS, edits, expression, fewest_edits, fingerprint, letters
from edge.core.spelling import folded as folded


class Field(StrEnum):
    """What a value is to the appliance; in law it may be one of several kinds."""

    EXPIRY = "expiry"
    PRODUCTION = "production"
    SELL_BY = "sell_by"
    LOT = "lot"
    SERIAL = "serial"
    SIZE = "size"  # it and the language have no keyword: they are in all that is printed
    LANGUAGE = "language"
    OTHER = "other"  # never a date, a lot or a serial


KEYLESS = frozenset({Field.SIZE, Field.LANGUAGE})
CODES = frozenset({Field.LOT, Field.SERIAL})

FIELD_OF: Mapping[Kind, Field] = {
    Kind.USE_BY: Field.EXPIRY,
    Kind.BEST_BEFORE: Field.EXPIRY,
    Kind.EXPIRY: Field.EXPIRY,
    Kind.SELL_BY: Field.SELL_BY,
    Kind.PRODUCTION: Field.PRODUCTION,
    Kind.PACKED: Field.PRODUCTION,
    Kind.LOT: Field.LOT,
    Kind.SERIAL: Field.SERIAL,
    Kind.DURATION: Field.OTHER,
    Kind.OTHER: Field.OTHER,
}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a keyword says."""

    kind: Kind
    languages: tuple[str, ...] = ()  # ISO 639-1; none: it is used in any

    @property
    def field(self) -> Field:
        """What its value is to the appliance."""
        return FIELD_OF[self.kind]

    def __str__(self) -> str:
        said = self.kind.value.replace("_", " ")
        return f"{said}, {'/'.join(self.languages)}" if self.languages else said


@dataclass(frozen=True, slots=True)
class Segment:
    """A keyword and what follows it, up to the next keyword."""

    field: Field | None  # None: print before or without a keyword
    keyword: str
    value: str


MISREAD_LETTERS = str.maketrans("8015", "bois")  # in a keyword, never in a value
ALIKE_IN_PRINT = str.maketrans("OI", "01")  # in a lot: no one who prints lots would tell two apart by these
FUZZY_LETTERS = 6  # from this length on letters of a keyword may be misread,
MISREAD_SHARE = 0.3  # this share of them
MISREAD_REMEMBERED = 1 << 12  # the texts that one line may be have few letters that differ

REMEMBERED = 1024  # texts of lines: each is asked for several times over
LONE_LOT = "l"  # before digits: `L049261203`

_TRAILING = frozenset(map(folded, TRAILING))
_BEFORE_VALUE, _AFTER_VALUE = " .,:;°#№", " .,:;"


@lru_cache(REMEMBERED)
def segments(text: str) -> tuple[Segment, ...]:
    """Cut a line at its keywords; print without any is one segment without a field."""
    found = _keywords(folded(text))
    if not found:
        return (_guessed(text),)
    head = text[: found[0].start()].strip()
    if _is_value_of(head, text, found):
        return (Segment(_meaning(found[0]).field, found[0].group(), head),)
    ends = [match.start() for match in found[1:]] + [len(text)]
    before = (Segment(None, "", head),) if head else ()
    return before + tuple(_segment(text, match, end) for match, end in zip(found, ends, strict=True))


def meant(keyword: str) -> Meaning | None:
    """What a keyword says as it was read, letters misread and all; None: nothing that is known."""
    return _MEANINGS.get(letters(keyword)) or _nearest(letters(keyword.translate(MISREAD_LETTERS)))


def same_lot(one: str, other: str) -> bool:
    """Whether two lots are one, by what of them counts."""
    return bare_lot(one) == bare_lot(other)


def bare_lot(lot: str) -> str:
    """What of a lot counts: case, spaces and dashes do not, nor whether O is 0 and I is 1, nor the L before any lot.

    Source: Directive 2011/91/EU, article 4: the indication "shall be preceded by the letter L", unless clear without.
    """
    plain = re.sub(r"[\s./-]", "", lot).upper().translate(ALIKE_IN_PRINT)
    return re.sub(r"^L(?=\d)", "", plain)


def _keywords(text: str) -> list[re.Match[str]]:
    """All keywords in folded text; an L right behind another one is the value's own: `LOT L0492`."""
    found: list[re.Match[str]] = []
    for match in _PATTERN.finditer(text):
        lead = text[found[-1].end() if found else 0 : match.start()]
        follows = bool(found) and not lead.strip(GAP_MARKS)
        if not (follows and match.group() == LONE_LOT) and not _part_of_production(lead, match):
            found.append(match)
    return found


def _part_of_production(lead: str, match: re.Match[str]) -> bool:
    """Whether a short word of expiry is rather what became of a longer one of production: `verpakt xp`, `bf date`."""
    if len(letters(match.group())) >= FUZZY_LETTERS or _meaning(match).field is not Field.EXPIRY:
        return False
    tail = re.match(r"\D*", match.string[match.end() :])
    around = letters(lead + match.group() + (tail.group() if tail else ""))
    return any(_MEANINGS[known].field is Field.PRODUCTION for _, known in _near(around))


def _is_value_of(head: str, text: str, found: list[re.Match[str]]) -> bool:
    """Whether the line's one keyword is of those that follow their value, and ends it."""
    last = found[-1]
    alone = len(found) == 1 and not text[last.end() :].strip(_AFTER_VALUE)
    return alone and last.group() in _TRAILING and any(character.isdecimal() for character in head)


def _segment(text: str, match: re.Match[str], end: int) -> Segment:
    value = text[match.end() : end].lstrip(_BEFORE_VALUE).rstrip()
    return Segment(_meaning(match).field, text[match.start() : match.end()], value)


def _guessed(text: str) -> Segment:
    """A long keyword that the recogniser misread in a letter or two still tells what its line is."""
    head = re.match(r"[^:]*:|(?:\D|\d(?!\d))*", text)
    misread = head.group() if head else ""
    meaning = _nearest(letters(misread.translate(MISREAD_LETTERS)))
    if meaning is None:
        return Segment(None, "", text.strip())
    return Segment(meaning.field, misread.strip(), text[len(misread) :].strip())


@lru_cache(MISREAD_REMEMBERED)
def _nearest(misread: str) -> Meaning | None:
    """The meaning of the keyword that these letters come nearest to; None where production is near it too."""
    near = sorted(_near(misread))
    if not near:
        return None
    best, meaning = near[0][0], _MEANINGS[near[0][1]]
    others = [(apart, _MEANINGS[known].field) for apart, known in near if _MEANINGS[known].field is not meaning.field]
    in_doubt = any(field is Field.PRODUCTION or apart == best for apart, field in others)
    return None if in_doubt else meaning


def _near(misread: str) -> Iterator[tuple[int, str]]:
    """Edits and keyword, of those that a share of misread letters would make of these."""
    seen = fingerprint(misread)
    for known, mask in _LONG_NEAR.get(len(misread), ()):
        allowed = int(len(known) * MISREAD_SHARE)
        if (mask & ~seen).bit_count() > allowed:
            continue
        if fewest_edits(misread, known) <= allowed and (apart := edits(misread, known, allowed)) <= allowed:
            yield apart, known


def _by_length(words: Iterable[str]) -> dict[int, list[tuple[str, int]]]:
    """Number of letters read → the long keywords that so many may be, with their fingerprints."""
    found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
    for known in words:
        allowed = int(len(known) * MISREAD_SHARE)
        for length in range(len(known) - allowed, len(known) + allowed + 1):
            found[length].append((known, fingerprint(known)))
    return dict(found)


def _meaning(match: re.Match[str]) -> Meaning:
    return _MEANINGS[letters(match.group())]


def _meanings() -> dict[str, Meaning]:
    """Letters of each keyword → what it says, and in which languages."""
    kinds: dict[str, Kind] = {}
    languages: defaultdict[str, set[str]] = defaultdict(set)
    for phrase, kind, language in phrases():
        kinds.setdefault(letters(phrase), kind)
        languages[letters(phrase)].add(language)
    found = {known: Meaning(kind, _told(languages[known])) for known, kind in kinds.items()}
    return found | {LONE_LOT: Meaning(Kind.LOT), "ch": Meaning(Kind.LOT), "n": Meaning(Kind.SERIAL)}


def _told(languages: set[str]) -> tuple[str, ...]:
    return () if ANY_LANGUAGE in languages else tuple(sorted(languages))


def _pattern() -> re.Pattern[str]:
    """All keywords, the longest that fits; before digits a lone L is a lot too.

    A keyword is never the end or the beginning of a longer word, where its script has spaces between words.
    """
    spelled = [folded(phrase) for words in by_kind().values() for phrase in words]
    latin, unspaced = ([one for one in spelled if re.match(letter, one)] for letter in ("[a-zßæœþð]", _IDEOGRAPH))
    spaced = [one for one in spelled if one not in set(latin) | set(unspaced)]
    misread = rf"(?<!\S)(?:ch{GAP}8(?=\W|$)|5n)"  # digits for letters in the shortest: Ch.-B., SN; no part of a lot
    western = rf"(?<![a-z0-9])(?:{expression(latin)}(?![a-zßæœþð])|{misread}|{LONE_LOT}(?={GAP}\d))"
    return re.compile(rf"{western}|(?<![^\W_]){expression(spaced)}(?![^\W\d_]|{_VOWEL_SIGN})|{expression(unspaced)}")


_IDEOGRAPH = "[\u3000-\u9fff\uac00-\ud7a3]"  # Han, Kana and Hangul
_VOWEL_SIGN = "[\u0900-\u0903\u093a-\u094d\u0981-\u0983\u09bc-\u09cd\u0e30-\u0e4e]"  # Devanagari, Bengali, Thai

KEYWORDS: Mapping[Field, tuple[str, ...]] = {
    field: tuple(word for kind, words in by_kind().items() if FIELD_OF[kind] is field for word in words)
    for field in Field
    if field in FIELD_OF.values()
}
_MEANINGS = _meanings()
_LONG_NEAR = _by_length(known for known in _MEANINGS if len(known) >= FUZZY_LETTERS)
_PATTERN = _pattern()
