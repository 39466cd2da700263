"""Lots and serials place by place: what several looks make of each character, weighed together.

A code has no grammar: with a wrong digit it is as good a code. So each look tells what every place may be, the looks'
shares are added, and another code that is nearly as likely stands against the likeliest. Where nobody can see what is
printed (a ring is an O or a 0), the format that a site gives tells it. What is expected never enters here.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product

FAINT = 0.01  # a character less probable than this is not there
CHANGED_MAX = 3  # characters in which a code of the format may differ from the likeliest text
TRIED_MAX = 300  # texts: a line of nonsense may be anything
ALIKE = ("O0", "I1l")  # in many a print nobody can tell these apart
MARKS = "-./_"  # nor these
LENGTH_MIN = 3  # of a code whose format is not known

Place = Mapping[str, float]
"""What a place may be: character → probability."""
Format = re.Pattern[str] | None
"""What a whole code matches; None: no site has told."""

_TOKEN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9./-]*[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class Look:
    """What one look makes of a value."""

    places: tuple[Place, ...]
    weight: float  # of its voice

    @property
    def text(self) -> str:
        """The likeliest character of each place."""
        return "".join(map(_likeliest, self.places))


@dataclass(frozen=True, slots=True)
class Code:
    """A text of the format, and how likely it is; which mark a mark is seldom is sure, and does not count."""

    text: str
    weakest: float  # that the least certain letter or digit is right
    together: float  # that all of it is
    seen: bool  # so it was read; else it is what the format makes of that


def voted(looks: Sequence[Look], wanted: Format) -> tuple[Code, ...]:
    """The codes of the format that all looks together allow, the likeliest first; none: no look shows one.

    A look that shows no code of the format, or one of another length, speaks for nothing, and so against all.
    """
    lengths: defaultdict[int, list[Look]] = defaultdict(list)
    for look in looks:
        if (part := _code_in(look, wanted)) is not None:
            lengths[len(part.places)].append(part)
    if not lengths:
        return ()
    return fitting(_shared(max(lengths.values(), key=_weight), _weight(looks)), wanted)


def fitting(places: Sequence[Place], wanted: Format) -> tuple[Code, ...]:
    """The likeliest text and those that differ in one character; if it is not of the format, the nearest that are."""
    usual = "".join(map(_likeliest, places))
    if _is_code(usual, wanted):
        return _ranked([usual, *_changed(usual, places, 1, wanted)], places, seen=True)
    blurred = [_blurred(place) for place in places]
    nearest = (list(_changed(usual, blurred, number, wanted)) for number in range(1, CHANGED_MAX + 1) if wanted)
    return _ranked(next(filter(None, nearest), []), blurred, seen=False)


def _code_in(look: Look, wanted: Format) -> Look | None:
    """The part of a value that is a code: its first such word; where the format is known, all of it without spaces."""
    words = [slice(*one.span()) for one in _TOKEN.finditer(look.text)]
    parts = [look.places[word] for word in words]
    if wanted:
        parts.append(tuple(place for place in look.places if not _likeliest(place).isspace()))
    return next((replace(look, places=part) for part in parts if fitting(part, wanted)), None)


def _is_code(text: str, wanted: Format) -> bool:
    if wanted:
        return wanted.fullmatch(text) is not None
    return len(text) >= LENGTH_MIN and any(character.isdigit() for character in text)


def _likeliest(place: Place) -> str:
    return max(place, key=place.__getitem__)


def _weight(looks: Iterable[Look]) -> float:
    return sum(look.weight for look in looks)


def _shared(looks: Sequence[Look], total: float) -> list[Place]:
    """Each place by the looks' shares of all voices."""
    pooled: list[defaultdict[str, float]] = [defaultdict(float) for _ in looks[0].places]
    for look in looks:
        for place, shares in zip(look.places, pooled, strict=True):
            for character, probability in place.items():
                shares[character] += probability * look.weight / total
    return list(pooled)


def _changed(usual: str, places: Sequence[Place], number: int, wanted: Format) -> Iterator[str]:
    """The codes that differ from the usual text at so many places."""
    others = [
        [one for one, seen in place.items() if seen >= FAINT and one != character]
        for place, character in zip(places, usual, strict=True)
    ]
    changes = (
        dict(zip(chosen, picked, strict=True))
        for chosen in combinations([index for index, one in enumerate(others) if one], number)
        for picked in product(*(others[index] for index in chosen))
    )
    texts = (_replaced(usual, change) for change in islice(changes, TRIED_MAX))
    return (text for text in texts if _is_code(text, wanted))


def _replaced(text: str, changes: Mapping[int, str]) -> str:
    return "".join(changes.get(index, character) for index, character in enumerate(text))


def _ranked(texts: Iterable[str], places: Sequence[Place], *, seen: bool) -> tuple[Code, ...]:
    """The likeliest first; of those that differ in marks alone, the likeliest."""
    found: dict[str, Code] = {}
    for code in sorted((_code(text, places, seen=seen) for text in texts), key=lambda one: -one.together):
        found.setdefault("".join(filter(str.isalnum, code.text)), code)
    return tuple(found.values())


def _code(text: str, places: Sequence[Place], *, seen: bool) -> Code:
    believed = [_believed(character, place) for character, place in zip(text, places, strict=True)]
    telling = [one for one, character in zip(believed, text, strict=True) if character.isalnum()]
    return Code(text, min(telling, default=0.0), math.prod(believed), seen)


def _believed(character: str, place: Place) -> float:
    """How likely it is; a mark, that it is any."""
    if character.isalnum():
        return place[character]
    return sum(seen for other, seen in place.items() if not other.isalnum())


def _blurred(place: Place) -> Place:
    """The place with each character as likely as all that look like it, and with any mark where there is one."""
    alike = {one: sum(place.get(other, 0.0) for other in group) for group in ALIKE for one in group}
    marks = () if _likeliest(place).isalnum() else MARKS
    return {**dict.fromkeys(marks, FAINT), **place, **{one: seen for one, seen in alike.items() if seen}}
