"""What a field of a message from outside may be; whatever else is refused with what it was."""

from __future__ import annotations

import math

MAX_NAME, MAX_TOLD = 64, 400  # characters of a name, and of what is said for a person


def instant(value: object) -> int:
    """A time, ns."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{str(value)[:40]} is no time in ns")
    return value


def signed(value: object) -> int:
    """A span of time, ns, either way."""
    if not isinstance(value, int) or isinstance(value, bool) or not -(2**63) < value < 2**63:
        raise ValueError(f"{str(value)[:40]} is no span of time in ns")
    return value


def count(value: object) -> int:
    """How many."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**63:
        raise ValueError(f"{str(value)[:40]} is no number of things")
    return value


def finite(value: object) -> float:
    """A number."""
    number = float(value)  # type: ignore[arg-type]
    if not math.isfinite(number):
        raise ValueError(f"{value} is no count")
    return number


def name(value: object) -> str:
    """What something is called."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise ValueError(f"{str(value)[:40]} is no name")
    return value


def told(value: object) -> str:
    """What is said for a person, cut where it is too long."""
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]} is no text")
    return value[:MAX_TOLD]
