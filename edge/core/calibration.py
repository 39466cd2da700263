"""One step of a site's calibration as an object: who found what, when, from what, how well, and until when it holds."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

from edge.core.errors import CalibrationRefused

Value = float | int | str | Sequence[Any]
STEPS = ("camera", "belt", "totes", "light", "gate", "thresholds", "verify")
TEXTS = ("lane", "step", "subject", "serial", "by", "before")
ABOUT = frozenset({*TEXTS, "version", "made", "until", "frames"})
TABLES = ("quality", "values", "files")
MAX_TEXT = 200
MAX_NUMBERS = 4096  # in one value: what is larger is a file beside it


@dataclass(frozen=True, slots=True)
class Calibration:
    """What a technician accepted. Numbers only; larger things lie beside it, named by their SHA-256."""

    lane: str
    step: str
    subject: str  # the camera, the tote type, …; empty: the lane
    serial: str  # of the camera that it is for; empty: of none
    version: int  # 1, 2, …
    by: str  # a person
    made: datetime  # UTC
    until: datetime  # UTC; from then on it is not believed
    before: str  # digest of the version before; empty: there is none
    frames: tuple[str, ...]  # SHA-256 of the pictures it was made from
    quality: Mapping[str, float]  # figures, units in their names
    values: Mapping[str, Value]  # what it is for, units in their names
    files: Mapping[str, str]  # name → SHA-256

    @property
    def name(self) -> str:
        """Step and subject."""
        return f"{self.step}.{self.subject}" if self.subject else self.step

    def said(self) -> bytes:
        """The words that are signed: JSON with sorted keys."""
        told = asdict(self) | {"made": _spelled(self.made), "until": _spelled(self.until)}
        return json.dumps(told, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()

    def table(self) -> dict[str, Any]:
        """As tables of TOML: `about`, `quality`, `values`, `files`."""
        about = {one.name: getattr(self, one.name) for one in fields(self) if one.name not in TABLES}
        about |= {"made": _spelled(self.made), "until": _spelled(self.until), "frames": list(self.frames)}
        return {"about": about, **{name: dict(getattr(self, name)) for name in TABLES}}


def of_table(table: Mapping[str, Any], where: str) -> Calibration:
    """What `table` gave.

    Raises:
        CalibrationRefused: something is missing, too much, or no number; all of it is told.
    """
    faults = list(_faults(table))
    if faults:
        raise CalibrationRefused(f"{where}: no calibration: {'; '.join(faults)}. Restore it, or calibrate anew.")
    about = dict(table["about"])
    about |= {"made": _instant(about["made"]), "until": _instant(about["until"]), "frames": tuple(about["frames"])}
    known: dict[str, Any] = about | {name: dict(table[name]) for name in TABLES}
    return Calibration(**known)


def against(calibration: Calibration, lane: str, serial: str, now: datetime) -> Iterator[str]:
    """Why it is not to be believed here and now, each with what to do; nothing: it is.

    serial: of the camera that is there; empty: not known.
    """
    yield from elsewhere(calibration, lane, serial, now)
    if now >= calibration.until:
        yield f"it has expired on {calibration.until:%Y-%m-%d}: calibrate anew"


def elsewhere(calibration: Calibration, lane: str, serial: str, now: datetime) -> Iterator[str]:
    """Why it is not of here, whatever its age; as `against`."""
    if calibration.lane != lane:
        yield f"it is of lane {calibration.lane}, this is {lane}: calibrate this lane"
    if calibration.serial and serial and calibration.serial != serial:
        yield f"it is for camera {calibration.serial}, {serial} is there: calibrate this camera, or put the other back"
    if now < calibration.made:
        yield f"it was made on {calibration.made:%Y-%m-%d %H:%M}, which is yet to come: set this box's clock"


def differences(one: Calibration, other: Calibration) -> Iterator[tuple[str, Value | None, Value | None]]:
    """What differs: name, here, there; None: there is none."""
    for table in TABLES:
        here, there = getattr(one, table), getattr(other, table)
        for name in sorted(here.keys() | there.keys()):
            if here.get(name) != there.get(name):
                yield f"{table}.{name}", here.get(name), there.get(name)


def _faults(table: Mapping[str, Any]) -> Iterator[str]:
    for name in ("about", *TABLES):
        if not isinstance(table.get(name), Mapping):
            yield f"[{name}] is missing"
            return
    about = table["about"]
    yield from (f"about.{name} is missing" for name in sorted(ABOUT - about.keys()))
    yield from (f"about.{name} is unknown" for name in sorted(about.keys() - ABOUT))
    yield from (f"about.{name} is no text" for name in TEXTS if name in about and not _is_text(about[name]))
    if about.get("step") not in STEPS:
        yield f"about.step is none of {', '.join(STEPS)}"
    if not _is_whole(about.get("version")):
        yield "about.version is no number from 1 on"
    yield from (f"about.{name} is no time in UTC" for name in ("made", "until") if not _is_instant(about.get(name)))
    if not (isinstance(about.get("frames"), list) and all(_is_text(one) for one in about["frames"])):
        yield "about.frames is no list of texts"
    yield from (f"quality.{name} is no number" for name, one in table["quality"].items() if not _is_number(one))
    yield from (f"values.{name} is nothing known" for name, one in table["values"].items() if not _is_value(one))
    yield from (f"files.{name} is no text" for name, one in table["files"].items() if not _is_text(one))


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and len(value) <= MAX_TEXT


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_value(value: object, room: int = MAX_NUMBERS) -> bool:
    """A number, a text, or lists of such."""
    if isinstance(value, list):
        return len(value) <= room and all(_is_value(one, room // max(1, len(value))) for one in value)
    return _is_number(value) or _is_text(value)


def _is_instant(value: object) -> bool:
    try:
        _instant(str(value))
    except ValueError:
        return False
    return True


def _instant(value: str) -> datetime:
    """UTC and nothing else: a file that says another hour was not written here."""
    instant = datetime.fromisoformat(value)
    if instant.utcoffset() != timedelta(0):
        raise ValueError(value)
    return instant


def _spelled(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds")
