"""The words beside a date, a lot or a serial, in 40 languages and 11 scripts, and what each of them means.

Use by and best before are two things in law (Regulation (EU) No 1169/2011, article 24 and annex X), and so are made and
packed. Sources: that annex; Regulation (EC) No 2295/2003, annex I, which gives best before, sell by and packed in the
Union's languages; what was seen in photographs. Native readers have yet to check the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from enum import StrEnum

from edge.core.label_words_latin import LATIN
from edge.core.label_words_wide import WIDE

ANY_LANGUAGE = "mul"


class Kind(StrEnum):
    """What a word says of the value beside it."""

    USE_BY = "use_by"  # after that day it is deemed unsafe
    BEST_BEFORE = "best_before"  # after that day it may have lost something
    EXPIRY = "expiry"  # the end, of whichever kind: medicines, and where the words do not tell
    SELL_BY = "sell_by"
    PRODUCTION = "production"
    PACKED = "packed"  # or frozen
    LOT = "lot"
    SERIAL = "serial"
    DURATION = "duration"  # how long it lasts, from something
    OTHER = "other"  # telephone, article number, price: never a date, a lot or a serial


WORDS: Mapping[str, Mapping[str, str]] = {**LATIN, **WIDE}
"""Language → kind → words with commas between."""

TRAILING = ("까지", "제조", "제조일", "製造", "生产")
"""Words that may follow their value: `2026.05.04 까지`."""


def phrases() -> Iterator[tuple[str, Kind, str]]:
    """Every phrase with its kind and language."""
    for language, kinds in WORDS.items():
        for kind, words in kinds.items():
            yield from ((phrase.strip(), Kind(kind), language) for phrase in words.split(","))


def by_kind() -> Mapping[Kind, tuple[str, ...]]:
    """Kind → its phrases in all languages, each once."""
    found: defaultdict[Kind, dict[str, None]] = defaultdict(dict)
    for phrase, kind, _ in phrases():
        found[kind][phrase] = None
    return {kind: tuple(words) for kind, words in found.items()}
