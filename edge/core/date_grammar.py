"""A beam search for dates in a recogniser's own probabilities.

A recogniser gives each step of a line a probability for every character (CTC, Graves 2006). The beam keeps the texts
that are likeliest so far; a character that is not the likeliest of its step is taken up only where it goes on with a
date. So `2O26` is not made into `2026`: both are kept, each with its probability, and the caller sees how far a date is
from what is most likely printed. Nothing that is expected ever enters here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache

import numpy as np
import numpy.typing as npt

from edge.core.date_forms import DAYS, EXTRAS, LOOSE, MONTHS_ALONE, Extra, Form, plain
from edge.core.dates import DateReading

Steps = npt.NDArray[np.float32]
Read = Callable[[str], Sequence[DateReading]]

BLANK = 0  # CTC's class for "no character"
FAINT = 3e-3  # a character less probable than this is not there
BEAM = 12  # texts that hold a date, or its beginning
FILLERS = 4  # others: they bear what is said against a date
NEGLIGIBLE = 1e-3  # of the likeliest text
TRANSITIONS = 1 << 16  # of the grammar remembered: a few MB
VOCABULARIES = 8  # remembered: a recogniser has one

_State = frozenset[tuple[int, int, str]]
"""Dates that may have been begun: form, part, and what there is of the part."""


class Grammar:
    """Follows a text character by character, and knows which dates it may be the beginning of."""

    def __init__(self, forms: Sequence[Form]) -> None:
        self._words = [[part.words for part in form.parts] for form in forms]
        self._beginnings = [[_beginnings(part.words) for part in form.parts] for form in forms]
        self._after = lru_cache(TRANSITIONS)(self._moved)
        self._complete = lru_cache(TRANSITIONS)(self._ended)
        self.start = frozenset(one for form in range(len(forms)) for one in self._closed(form, 0, ""))

    def after(self, state: _State, character: str) -> _State:
        """What is left of `state` once this character has followed; empty: no date begins like that."""
        return self._after(state, character)

    def complete(self, state: _State) -> bool:
        """Whether the text may end a date here."""
        return self._complete(state)

    def _ended(self, state: _State) -> bool:
        return any(part == len(self._words[form]) for form, part, _ in state)

    def _moved(self, state: _State, character: str) -> _State:
        going_on = (
            (form, part, begun + character)
            for form, part, begun in state
            if part < len(self._words[form]) and begun + character in self._beginnings[form][part]
        )
        return frozenset(place for one in going_on for place in self._closed(*one))

    def _closed(self, form: int, part: int, begun: str) -> Iterator[tuple[int, int, str]]:
        """The place itself, and the beginning of the next part where this one may be complete."""
        yield form, part, begun
        if part < len(self._words[form]) and begun in self._words[form][part]:
            yield from self._closed(form, part + 1, "")


@cache
def _beginnings(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word[:length] for word in words for length in range(len(word) + 1))


@cache
def grammar(extras: frozenset[Extra] = frozenset()) -> Grammar:
    """The grammar of all forms and of those that a profile adds."""
    return Grammar((*DAYS, *MONTHS_ALONE, *LOOSE, *(form for extra in extras for form in EXTRAS[extra])))


@dataclass(slots=True)
class _Text:
    """A text in the beam."""

    text: str
    last: int  # class of its last character
    state: _State
    holds_date: bool  # one was complete on the way
    blank: float = 0.0  # probability of the steps so far, the last of them blank
    sounding: float = 0.0  # the same, the last of them its last character

    @property
    def probability(self) -> float:
        return self.blank + self.sounding

    def followed_by(self, symbol: int) -> float:
        """The probability of what may be followed by this class: the last character again only after a blank."""
        return self.blank if symbol == self.last else self.probability


class _Search:
    """One line's beam."""

    def __init__(self, vocabulary: Sequence[str], grammar: Grammar) -> None:
        self._vocabulary = vocabulary
        self._plain = _plain(tuple(vocabulary))
        self._grammar = grammar

    def texts(self, steps: Steps) -> list[tuple[str, float]]:
        """The texts that are left after the last step, with their share of all that is left."""
        beam = [_Text("", BLANK, self._grammar.start, holds_date=False, blank=1.0)]
        for step in steps:
            beam = _pruned(self._next(beam, step).values())
        total = sum(one.probability for one in beam)
        return [(one.text, one.probability / total) for one in beam]

    def _next(self, beam: Collection[_Text], step: npt.NDArray[np.float32]) -> dict[str, _Text]:
        present = np.flatnonzero(step >= FAINT).tolist()
        likeliest = int(step[1:].argmax()) + 1
        least = NEGLIGIBLE * float(step.max()) * max(one.probability for one in beam) / 2  # it goes on in two ways
        found: dict[str, _Text] = {}
        for one in beam:
            _keep(found, one, step)
            for symbol in present:
                probability = one.followed_by(symbol) * float(step[symbol])
                longer = self._longer(one, symbol, found) if symbol != BLANK and probability > least else None
                if longer and (longer.state or symbol == likeliest):
                    found.setdefault(longer.text, longer).sounding += probability
        return found

    def _longer(self, one: _Text, symbol: int, found: Mapping[str, _Text]) -> _Text:
        """The text with one character more, as it was found already, or its probability still to be filled in."""
        text, character = one.text + self._vocabulary[symbol], self._plain[symbol]
        if text in found:
            return found[text]
        begun = one.state if one.text[-1:].isdigit() else one.state | self._grammar.start
        ended = one.holds_date or (not character.isalnum() and self._grammar.complete(one.state))
        return _Text(text, symbol, self._grammar.after(begun, character), ended)


@lru_cache(VOCABULARIES)
def _plain(vocabulary: tuple[str, ...]) -> tuple[str, ...]:
    """Each character as the forms know it."""
    return tuple(map(plain, vocabulary))


def _keep(found: dict[str, _Text], one: _Text, step: npt.NDArray[np.float32]) -> None:
    """The same text: a blank, or its last character going on."""
    same = found.get(one.text) or found.setdefault(one.text, _Text(one.text, one.last, one.state, one.holds_date))
    same.blank += one.probability * float(step[BLANK])
    same.sounding += one.sounding * float(step[one.last])


def _pruned(texts: Collection[_Text]) -> list[_Text]:
    """The likeliest of those that hold a date or begin one, and of the others."""
    least = NEGLIGIBLE * max(one.probability for one in texts)
    ranked = sorted((one for one in texts if one.probability >= least), key=lambda one: -one.probability)
    dates = [one for one in ranked if one.state or one.holds_date]
    return dates[:BEAM] + [one for one in ranked if not (one.state or one.holds_date)][:FILLERS]


def search(
    steps: Steps, vocabulary: Sequence[str], read: Read, extras: frozenset[Extra] = frozenset()
) -> tuple[DateReading, ...]:
    """Every date that the line allows, the likeliest first; what is missing to a sum of 1 speaks for no date.

    steps: steps × classes, each step's probabilities; class 0 is CTC's blank.
    read: the dates that a text allows; of one text's dates each has the whole probability of the text.
    """
    found: defaultdict[object, list[tuple[float, DateReading]]] = defaultdict(list)
    for text, share in _Search(vocabulary, grammar(extras)).texts(steps):
        for one in read(text):
            found[one.day].append((share, one))
    together = [_together(ones) for ones in found.values()]
    return tuple(sorted(together, key=lambda one: (-one.probability, one.day)))


def _together(ones: Sequence[tuple[float, DateReading]]) -> DateReading:
    """One day's readings as the likeliest of them, with the probability of all."""
    _, likeliest = max(ones, key=lambda one: one[0])
    return replace(likeliest, probability=min(1.0, sum(share for share, _ in ones)))
