"""What stands in a recording's files, and how it is checked when it is read.

`recording.json` says what it is; `lane.toml` are the settings of then; `tape.jsonl.gz` holds one line for each turn in
which something came in (zcat shows it); `frames/<SHA-256>.png` are the pictures that showed an item; `journal.jsonl` is
what was decided.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from datetime import date
from typing import Annotated, Any, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, TypeAdapter, create_model

from edge.core.bodies import IF_ANY, IN_MEMORY, body
from edge.core.in_force import Standing
from edge.core.messages import Evidence, Frame, Span
from edge.core.recovery import Start
from edge.recording.tape import SILENT_TURNS, Turn

FORMAT = 1
HEAD, SETTINGS, TAPE, JOURNAL, FRAMES = "recording.json", "lane.toml", "tape.jsonl.gz", "journal.jsonl", "frames"
LONGEST_LINE = 16 * 2**20  # bytes of the tape; every topic's inbox full of long messages is less

Instant = Annotated[int, Field(ge=0, lt=2**63)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_STRICT = ConfigDict(extra="forbid", frozen=True)
_HINTS = get_type_hints(Evidence)
_TOLD: dict[str, Any] = {
    one.name: (_HINTS[one.name], "" if one.name in IF_ANY else ...)
    for one in fields(Evidence)
    if one.name not in IN_MEMORY
}


class Ended(BaseModel):
    """How a recording ended."""

    model_config = _STRICT

    because: str
    turns: int
    items: int  # that left the lane
    sha256: dict[str, Sha256]  # of the tape and the settings
    references: dict[str, str] = {}  # of the products that came: file → its fingerprint


class Head(BaseModel):
    """What a recording is of."""

    model_config = _STRICT

    format: int
    made_by: str  # the version of tunnel-edge
    recorded: str  # wall clock
    lane: str
    start: Start
    models: dict[str, str]  # check → version
    ended: Ended | None = None  # None: it was not brought to its end


class ToldFrame(BaseModel):
    """A frame that came."""

    model_config = _STRICT

    camera: str
    frame_id: str
    exposed_ns: Instant
    belt_counts: Annotated[float, Field(allow_inf_nan=False)]
    fault: str = ""
    shown: Span | None = None  # as `Frame.shown`
    sha256: Sha256 | None = None  # of its picture's file; None: it showed no item, and none was kept


_ToldEvidence = create_model("_ToldEvidence", __config__=_STRICT, **_TOLD)


def _evidence(told: Any) -> tuple[Evidence, ...]:
    if not isinstance(told, list):
        raise ValueError("a list of evidence is expected")  # noqa: TRY004 - what pydantic turns into a fault
    return tuple(Evidence(**_ToldEvidence.model_validate(one).model_dump()) for one in told)


class Line(BaseModel):
    """A turn in which something came in, after some in which nothing did."""

    model_config = _STRICT

    instants_ns: Annotated[tuple[Instant, ...], Field(min_length=1, max_length=SILENT_TURNS)]
    said: dict[str, list[tuple[Instant, dict[str, Any]]]] = {}
    frames: tuple[ToldFrame, ...] = ()
    faults: dict[str, str] | None = None  # what cameras say of themselves; None: as before
    doubts: dict[str, str] | None = None  # what the inspector says of cameras; None: as before
    evidence: Annotated[tuple[Evidence, ...], PlainValidator(_evidence)] = ()
    today: date | None = None
    calibrations: Standing | None = None  # None: as before
    unwritten_s: Annotated[int, Field(ge=0)] | None = None  # as `Ledger.unwritten_s`; None: as before


HEADS, LINES = TypeAdapter(Head), TypeAdapter(Line)


def line_of(turn: Turn, pictures: dict[int, str]) -> bytes:
    """A turn as a line of the tape; pictures: number of the frame in the turn → SHA-256 of its picture's file."""
    told: dict[str, Any] = {
        "instants_ns": turn.instants_ns,
        "said": turn.said,
        "frames": [_frame(frame, pictures.get(number)) for number, frame in enumerate(turn.frames)],
        "evidence": [body(one) for one in turn.evidence],
        "today": turn.today and turn.today.isoformat(),
        "calibrations": turn.calibrations and asdict(turn.calibrations),
        "unwritten_s": turn.unwritten_s,
    }
    kept = {name: value for name, value in told.items() if value not in (None, [], {})}
    changed = {"faults": turn.faults, "doubts": turn.doubts}
    kept |= {name: dict(faults) for name, faults in changed.items() if faults is not None}
    return json.dumps(kept, separators=(",", ":")).encode() + b"\n"


def _frame(frame: Frame, sha256: str | None) -> dict[str, Any]:
    told = {one.name: getattr(frame, one.name) for one in fields(Frame) if one.name != "image"}
    return {**told, "sha256": sha256}
