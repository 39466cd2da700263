"""Records as JSON can hold them: what stands in the journal and in the reference of a recording."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from datetime import date
from typing import Any

from edge.core.messages import Evidence, Verdict
from edge.core.ports import Record

IN_MEMORY = frozenset({"picture", "look"})  # fields that no journal entry holds
IF_ANY = frozenset({"learnt"})  # and those that one holds where there is something to say


def body(record: Any) -> dict[str, Any]:
    """A record as JSON can hold it, without pictures."""
    told = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {name: _plain(value) for name, value in told.items() if _is_entered(name, value)}


def _is_entered(name: str, value: Any) -> bool:
    return name not in IN_MEMORY and (bool(value) or name not in IF_ANY)


def _plain(value: Any) -> Any:
    if isinstance(value, Evidence):
        return f"{value.check}/{value.camera}/{value.frame_id}"  # it has an entry of its own
    if dataclasses.is_dataclass(value):
        return body(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def unillustrated(record: Record) -> Record:
    """The record without its pictures: a queue that a slow disk has filled must not hold them."""
    if isinstance(record, Evidence) and (record.picture is not None or record.look is not None):
        return replace(record, picture=None, look=None)
    if isinstance(record, Verdict):
        return replace(record, evidence=tuple(replace(one, picture=None, look=None) for one in record.evidence))
    return record
