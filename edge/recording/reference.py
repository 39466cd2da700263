"""What was decided in a run, as lines that people can read and compare, and where two runs differ."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import Any

from edge.core.bodies import body
from edge.core.errors import RecordingRefused
from edge.core.messages import Announcement, DivertAck, Evidence
from edge.core.ports import Record
from edge.recording.tape import Announced, Silenced

CAME_IN = (Announcement, Evidence, DivertAck)  # nobody decided these
LANE = "the lane"  # what concerns no item
NEVER = "–"
LONGEST_BYTES = 256 * 2**20

Told = Mapping[str, Any]
"""One line: at_ns (since the start), record (its kind), and the record's fields."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that was said otherwise."""

    item: str
    what: str
    then: str
    now: str


def lines_of(records: Iterable[Record | Announced | Silenced], at_ns: int, began_ns: int) -> Iterator[str]:
    """One line for each decision; all times are since the start."""
    for one in records:
        if not isinstance(one, CAME_IN):
            told = {name: _since(began_ns, name, value) for name, value in body(one).items()}
            yield json.dumps({"at_ns": at_ns - began_ns, "record": type(one).__name__, **told}, ensure_ascii=False)


def _since(began_ns: int, name: str, value: Any) -> Any:
    return value - began_ns if name.endswith("_ns") and value is not None else value


def read(path: Path) -> list[Told]:
    """The lines of a reference.

    Raises:
        RecordingRefused: it cannot be read, or is none.
    """
    try:
        if path.stat().st_size > LONGEST_BYTES:
            raise RecordingRefused(f"{path}: more than {LONGEST_BYTES >> 20} MB: this is no reference.")
        *lines, _ = path.read_text(encoding="utf-8").split("\n")  # the last was not finished, or is empty
        told = [json.loads(line) for line in lines]
    except OSError as error:
        raise RecordingRefused(f"{path}: {error.strerror}: name a reference, or write one with --accept.") from error
    except (ValueError, RecursionError) as error:
        raise RecordingRefused(f"{path}: a line is no JSON ({str(error)[:80]}): restore the file.") from error
    if not all(isinstance(one, dict) and isinstance(one.get("at_ns"), int) and "record" in one for one in told):
        raise RecordingRefused(f"{path}: a line lacks at_ns or record: restore the file, or write one with --accept.")
    return told


def write(path: Path, lines: Iterable[str]) -> None:
    """Make these the reference.

    Raises:
        RecordingRefused: the file cannot be written.
    """
    try:
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    except OSError as error:
        raise RecordingRefused(f"{path}: {error.strerror}: name a file that can be written.") from error


def differences(then: Iterable[Told], now: Iterable[Told]) -> list[Difference]:
    """Everything that is not the same, item by item; where a verdict changed, the rest of its item is left out."""
    before, after = _by_item(then), _by_item(now)
    found = []
    for item in sorted(dict.fromkeys((*before, *after)), key=LANE.__eq__):  # the lane last
        of_item = list(_of_item(item, before.get(item, []), after.get(item, [])))
        changed = [one for one in of_item if one.what == "verdict"]
        found += changed or of_item
    return found


def changed_verdicts(then: Iterable[Told], now: Iterable[Told]) -> list[Difference]:
    """Items that are judged otherwise: what the eyes saw afterwards followed from what was decided then."""
    before, after = (_by_item(one for one in told if one["record"] == "Verdict") for told in (then, now))
    both = ((item, before.get(item, []), after.get(item, [])) for item in dict.fromkeys((*before, *after)))
    return [one for item, *of_item in both for one in _of_item(item, *of_item) if one.what == "verdict"]


def _by_item(told: Iterable[Told]) -> dict[str, list[Told]]:
    found: defaultdict[str, list[Told]] = defaultdict(list)
    for one in told:
        found[str(one.get("item_id") or LANE)].append(one)
    return found


def _of_item(item: str, then: Sequence[Told], now: Sequence[Told]) -> Iterator[Difference]:
    """Records are held against each other by their kind and number."""
    item = _named(item, (*now, *then))
    for kind in dict.fromkeys(one["record"] for one in (*then, *now)):
        of_kind = ([one for one in told if one["record"] == kind] for told in (then, now))
        for before, after in zip_longest(*of_kind):
            yield from _of_record(item, kind, before, after)


def _named(item: str, told: Iterable[Told]) -> str:
    """With its order line, by which people know it."""
    orders = (one["order_line"] for one in told if one.get("order_line"))
    return " ".join((item, *map(str, islice(orders, 1))))


def _of_record(item: str, kind: str, then: Told | None, now: Told | None) -> Iterator[Difference]:
    if then is None or now is None or (kind == "Verdict" and then.get("disposition") != now.get("disposition")):
        yield Difference(item, "verdict" if kind == "Verdict" else kind, _summary(then), _summary(now))
        return
    for name in dict.fromkeys((*then, *now)):
        if then.get(name, NEVER) != now.get(name, NEVER):
            yield Difference(item, f"{kind} {name}", _value(then.get(name, NEVER)), _value(now.get(name, NEVER)))


def _summary(told: Told | None) -> str:
    """What a record says, for a person."""
    if told is None:
        return NEVER
    if told["record"] == "Verdict":
        return f"{told.get('disposition')}: {'; '.join(map(str, told.get('reasons') or ()))}"
    return ", ".join(f"{name} {_value(value)}" for name, value in told.items() if name not in ("record", "item_id"))


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
