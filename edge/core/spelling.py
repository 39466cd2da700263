"""How words are compared with print: folded, letters alone, letters apart; and one expression for many phrases."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import cache

GAP_MARKS = " .,:;/'’°_-"
GAP = rf"[{GAP_MARKS}]*"

_SAME_LETTERS = {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ς": "σ"}  # they have no parts to take away
_FIRST_HANGUL, _LAST_HANGUL = "\uac00", "\ud7a3"  # whose parts are letters, not accents
_END = ""  # in a tree: a phrase may end here
_GAP = " "
_MASK_BITS = 61  # of a fingerprint; a prime, so that alphabets spread over it

_Tree = dict[str, "_Tree"]


def folded(text: str) -> str:
    """The text in lower case without accents, digits of every script as 0 to 9, character for character."""
    return "".join(_folded_character(character) for character in text)


@cache
def _folded_character(character: str) -> str:
    if _FIRST_HANGUL <= character <= _LAST_HANGUL:
        return character
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    plain = unicodedata.normalize("NFKD", character).lower()
    first = plain[0] if plain and plain[0] != " " else character
    return _SAME_LETTERS.get(first, first)


def letters(text: str) -> str:
    """Letters alone, folded: `Verw. bis:` and `VERW.BIS` are one keyword."""
    return re.sub(r"[\W\d_]+", "", folded(text))


def edits(first: str, second: str, most: int) -> int:
    """Levenshtein's distance: letters to insert, delete or replace; `most` + 1 where it is more than that."""
    row = list(range(len(second) + 1))
    for index, letter in enumerate(first):
        above, row = row, [index + 1]
        for place, other in enumerate(second):
            row.append(min(row[-1] + 1, above[place + 1] + 1, above[place] + (letter != other)))
        if min(row) > most:
            break
    return min(row[-1], most + 1)


def fingerprint(text: str) -> int:
    """The set of a text's letters as bits."""
    mask = 0
    for letter in text:
        mask |= 1 << (ord(letter) % _MASK_BITS)
    return mask


def fewest_edits(first: str, second: str) -> int:
    """What two texts are apart at least: a letter that the other one lacks is an edit."""
    ours, theirs = Counter(first), Counter(second)
    return max((ours - theirs).total(), (theirs - ours).total())


def expression(phrases: Iterable[str]) -> str:
    """One expression for all phrases, with any punctuation between their words, the longest that fits."""
    tree: _Tree = {}
    for phrase in phrases:
        branch = tree
        for character in re.sub(r"[\s'’-]+", _GAP, folded(phrase)):
            branch = branch.setdefault(character, {})
        branch[_END] = {}
    return _grown(tree)


def _grown(tree: _Tree) -> str:
    """The expression of a tree: letters before gaps before the end."""
    order = sorted(key for key in tree if key not in (_GAP, _END)) + [_GAP] * (_GAP in tree) + [_END] * (_END in tree)
    spelled = [_step(key) + (_grown(tree[key]) if tree[key] else "") for key in order]
    return spelled[0] if len(spelled) == 1 else f"(?:{'|'.join(spelled)})"


def _step(key: str) -> str:
    return GAP if key == _GAP else re.escape(key)
