"""What a life of the daemon runs with, as its journal says it: which release, models, calibrations and settings."""

from __future__ import annotations

import getpass
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from hashlib import sha256
from typing import Any

from edge import __version__
from edge.config import Config
from edge.core.calibration import Calibration
from edge.records.journal import Journal, last
from edge.records.ledger_file import STARTED
from edge.records.life import Life
from edge.standing import Found

FOUND = "CalibrationFound"
LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")  # in an address
HIDDEN = "…"


def started(config: Config, models: Mapping[str, str], key: str, found: Found) -> dict[str, Any]:
    """The body of the entry; found: the calibrations on the shelf; key: that seals are signed with (public, hex)."""
    settings, before = told(config), last(config.lane.state, STARTED) or {}
    return {
        "by": who(),
        "version": __version__,
        "version_before": before.get("version"),
        "settings_sha256": sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest(),
        "settings": settings,
        "changed": changes(before["settings"], settings) if "settings" in before else {},
        "models": dict(models),
        "calibrations": [calibration(name, one) for name, one in sorted(found.items())],
        "key": key,
    }


def note_calibrations(life: Life, found: Found) -> None:
    """Write down what has come onto the shelf of a lane that runs, and who signed it."""
    life.note(FOUND, *(calibration(name, one) for name, one in found.items()))


def note(config: Config, kind: str, *bodies: Mapping[str, Any]) -> None:
    """Write entries of a kind into a lane's journal, beside the daemon.

    Raises:
        LedgerRefused: it cannot be written.
    """
    journal = Journal(config.lane.state)
    with closing(journal):
        journal.append([(kind, None, body) for body in bodies], [])


def calibration(name: str, one: Calibration | str) -> dict[str, Any]:
    """A calibration as the journal names it: whose it is, and the digest of what was signed; or why it is refused."""
    if isinstance(one, str):
        return {"name": name, "refused": one}
    made, until = (instant.isoformat(timespec="seconds") for instant in (one.made, one.until))
    signed = sha256(one.said()).hexdigest()
    return {"name": name, "version": one.version, "by": one.by, "made": made, "until": until, "sha256": signed}


def told(config: Config) -> dict[str, Any]:
    """The settings as JSON can hold them, without what opens something."""
    return {name: _hidden(value) for name, value in config.model_dump(mode="json").items()}


def _hidden(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hidden(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_hidden(one) for one in value]
    return LOGIN.sub(HIDDEN, value) if isinstance(value, str) else value


def changes(before: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Keys that differ: what they were, what they are."""
    return {name: [_at(before, name), _at(now, name)] for name in sorted(differing(before, now))}


def differing(one: Mapping[str, Any], other: Mapping[str, Any], above: str = "") -> Iterator[str]:
    """Keys whose values differ, tables.within.tables; a list counts as one value."""
    for name in one.keys() | other.keys():
        here, there = one.get(name), other.get(name)
        if isinstance(here, Mapping) and isinstance(there, Mapping):
            yield from differing(here, there, f"{above}{name}.")
        elif here != there:
            yield f"{above}{name}"


def _at(table: Mapping[str, Any], name: str) -> Any:
    """The value of a key within tables; a key may hold a dot itself."""
    first, _, rest = name.partition(".")
    if name in table or not rest:
        return table.get(name)
    return _at(table[first], rest) if isinstance(table.get(first), Mapping) else None


def who() -> str:
    """Who started this process, as far as it can know."""
    if os.environ.get("INVOCATION_ID"):
        return "systemd"
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"
