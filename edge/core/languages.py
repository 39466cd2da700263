"""Which language a package speaks, by the words beside its dates and by the names of its months."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from edge.core.date_words import MONTH_NAMES
from edge.core.labels import meant
from edge.core.spelling import folded

LONG = 4  # letters: shorter names of months are the same in half of Europe


def languages(keywords: Iterable[str], print_: Iterable[str]) -> tuple[str, ...]:
    """ISO 639-1 codes of the languages that the words tell; of words of several languages those that others tell too.

    keywords: as they stand beside dates and lots; print_: what is searched for names of months.
    """
    said = [frozenset(meaning.languages) for meaning in map(meant, keywords) if meaning]
    said += [_BY_MONTH[word] for text in print_ for word in re.findall(r"[^\W\d_]+", folded(text)) if word in _BY_MONTH]
    told: set[str] = set()
    for spoken_in in sorted(filter(None, said), key=lambda one: (len(one), sorted(one))):
        if not told & spoken_in:
            told |= spoken_in
    return tuple(sorted(told))


def spoken(told: str, wanted: str) -> bool:
    """Whether the wanted language (`de`, `pt-BR`) is among those told (`de fr`)."""
    return wanted.split("-")[0].lower() in {one.split("-")[0] for one in told.split()}


def _by_month() -> dict[str, frozenset[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for language, names in MONTH_NAMES.items():
        for name in re.split(r"[,\s]+", names):
            if len(name) >= LONG:
                found[folded(name)].add(language)
    return {name: frozenset(spoken_in) for name, spoken_in in found.items()}


_BY_MONTH = _by_month()
