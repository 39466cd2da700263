"""What a column of the lake holds, and what of a journal's entry may become it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any

NS_PER_US = 1000
INT64 = range(-(2**63), 2**63)


class Odd(Exception):
    """A journal's entry is not as this release knows its kind."""


class Type(StrEnum):
    """The types of the lake: no more than every reader of Parquet has."""

    TEXT = "text"
    WHOLE = "whole number"
    REAL = "number"
    TRUTH = "true or false"
    TIME = "time, UTC, µs"
    DATE = "date"
    TEXTS = "list of texts"
    PAIRS = "list of name, value"
    READINGS = "list of reading, probability"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, holds and means, and where in the entry it stands."""

    name: str
    type: Type
    meaning: str
    path: str = ""  # keys of the entry with dots between; empty: as the name

    def of(self, body: Mapping[str, Any]) -> Any:
        """The column's value; None where the entry has no such key: an older release wrote it.

        Raises:
            Odd: something of another type stands there.
        """
        value: Any = body
        for key in _keys(self.path or self.name):
            value = value.get(key) if isinstance(value, dict) else None
        try:
            return None if value is None else TAKERS[self.type](value)
        except (TypeError, ValueError, OverflowError, LookupError) as error:
            raise Odd(f"{self.path or self.name}: no {self.type}: {str(value)[:80]!a}") from error


@cache
def _keys(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))


def _text(value: Any) -> str:
    """Half a character (a surrogate alone) cannot stand in UTF-8."""
    if not isinstance(value, str):
        raise TypeError
    return value if value.isascii() else value.encode(errors="replace").decode()


def _whole(value: Any) -> int:
    if type(value) is not int or value not in INT64:
        raise TypeError
    return value


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _time(value: Any) -> int:
    """Microseconds since 1970, of nanoseconds."""
    return _whole(value) // NS_PER_US


def _date(value: Any) -> date:
    return date.fromisoformat(value)


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError
    return [_text(one) for one in value]


def _pairs(value: Any) -> list[dict[str, str]]:
    """Of a table, or of a list of pairs."""
    pairs = value.items() if isinstance(value, Mapping) else value
    return [{"name": _text(name), "value": _text(one if isinstance(one, str) else str(one))} for name, one in pairs]


def _readings(value: Any) -> list[dict[str, str | float]]:
    return [{"reading": _text(reading), "probability": _real(belief)} for reading, belief in value]


TAKERS: Mapping[Type, Callable[[Any], Any]] = {
    Type.TEXT: _text,
    Type.WHOLE: _whole,
    Type.REAL: _real,
    Type.TRUTH: _truth,
    Type.TIME: _time,
    Type.DATE: _date,
    Type.TEXTS: _texts,
    Type.PAIRS: _pairs,
    Type.READINGS: _readings,
}
