"""What is to run down the lane: its geometry, its pace and its items, in one JSON file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from edge.core.errors import ConfigError
from edge.core.topics import MAX_TEXT

S_PER_MINUTE = 60

Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT)]
Level = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT, pattern=r"^[^/+#]+$")]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Counts = Annotated[int, Field(ge=0, lt=2**52)]
Side = Literal["divert", "pass"]

_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True, slots=True)
class Geometry:
    """Where things stand on the lane, in mm behind the induct photoeye, and how the gate moves."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    counts_per_mm: Positive
    camera_mm: Mapping[Text, Positive]  # a camera exposes when an item's centre is at its place
    gate_mm: Positive
    confirm_mm: Positive  # on the reject lane
    exit_mm: Positive  # straight on
    gate_ms: Positive  # from closed to open, and back
    scanner_mm: Positive = 300.0  # the warehouse's scanner stands this far before the induct photoeye
    resync_mm: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0  # a second photoeye; 0: there is none
    gate_eyes: bool = False  # the PLC tells when it drives the gate, and when that has come to an end of its way


@dataclass(frozen=True, slots=True)
class PlannedItem:
    """One item: what the warehouse says of it, what it really is, and how it looks."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    wms_item: Text
    gtin: Text
    order_line: Text
    length_mm: Annotated[float, Field(ge=10, le=2000)]
    pictures: Mapping[Text, Path]  # by camera
    bad: bool = False
    why: str = ""  # what is wrong with it; for people and for the comparison afterwards
    lot: Text | None = None
    expiry: date | None = None
    seller: Text | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the lane."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    site: Level
    lane: Level
    geometry: Geometry
    items: tuple[PlannedItem, ...]
    speed_mm_per_s: Positive
    items_per_minute: Positive
    gap_mm: Positive = 100.0  # the least gap between two items
    seed: int = 0
    start_counts: Counts = 184_220  # an encoder seldom starts at nought
    safe_side: Side = "divert"  # where the gate goes without a heartbeat

    @property
    def pitch_mm(self) -> float:
        """From one leading edge to the next, on average."""
        return self.speed_mm_per_s * S_PER_MINUTE / self.items_per_minute


_ADAPTER = TypeAdapter(Plan)


def read_plan(path: Path) -> Plan:
    """Read a plan; relative pictures are looked for beside it.

    Raises:
        ConfigError: it cannot be read, or is no plan; the message lists every fault.
    """
    try:
        plan = _ADAPTER.validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}): name a plan that `tunnel-edge demo` wrote."
        ) from error
    except ValidationError as error:
        raise _refusal(path, [f"{_place(one['loc'])}: {one['msg']}" for one in error.errors()]) from error
    if faults := list(faults_of(plan)):
        raise _refusal(path, faults)
    return _moved(plan, lambda picture: path.parent / picture)


def write_plan(path: Path, plan: Plan) -> None:
    """Write a plan; pictures beside or below it are named relative to it, so that the folder can be moved.

    Raises:
        ConfigError: the plan contradicts itself; the message lists every fault.
    """
    if faults := list(faults_of(plan)):
        raise _refusal(path, faults)
    path.write_bytes(_ADAPTER.dump_json(_moved(plan, lambda picture: _beside(picture, path.parent)), indent=1))


def faults_of(plan: Plan) -> Iterator[str]:
    """What contradicts what in a plan whose fields are each in range."""
    yield from _geometry_faults(plan.geometry)
    longest = max((item.length_mm for item in plan.items), default=0.0)
    if longest + plan.gap_mm > plan.pitch_mm:
        yield (
            f"items_per_minute: {plan.items_per_minute:g} at {plan.speed_mm_per_s:g} mm/s leave {plan.pitch_mm:.0f} mm "
            f"for each item, but the longest and its gap need {longest + plan.gap_mm:.0f} mm"
        )
    for name, times in Counter(item.wms_item for item in plan.items).items():
        if times > 1:
            yield f"items: '{name}' is there {times} times"
    for item in plan.items:
        for camera in sorted(item.pictures.keys() - plan.geometry.camera_mm.keys()):
            yield f"items: '{item.wms_item}' has a picture for '{camera}', which has no place in camera_mm"


def _geometry_faults(geometry: Geometry) -> Iterator[str]:
    for eye, place_mm in (("confirm_mm", geometry.confirm_mm), ("exit_mm", geometry.exit_mm)):
        if place_mm <= geometry.gate_mm:
            yield f"geometry: {eye} {place_mm:g} is not behind the gate at {geometry.gate_mm:g}"
    for camera, place_mm in geometry.camera_mm.items():
        if place_mm >= geometry.gate_mm:
            yield f"geometry: camera '{camera}' at {place_mm:g} mm is not before the gate at {geometry.gate_mm:g}"


def _refusal(path: Path, faults: list[str]) -> ConfigError:
    return ConfigError(f"{path}: this plan cannot run; correct it:\n" + "\n".join(f"  - {fault}" for fault in faults))


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "plan"


def _moved(plan: Plan, moved: Callable[[Path], Path]) -> Plan:
    """The plan with each picture's path put through `moved`."""
    items = (
        replace(item, pictures={camera: moved(picture) for camera, picture in item.pictures.items()})
        for item in plan.items
    )
    return replace(plan, items=tuple(items))


def _beside(picture: Path, folder: Path) -> Path:
    whole = picture.absolute()
    return whole.relative_to(folder.absolute()) if whole.is_relative_to(folder.absolute()) else whole
