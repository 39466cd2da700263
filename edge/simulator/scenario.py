"""What is to go wrong on a virtual lane, how often and for how long: one small TOML file a scenario."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from edge.core.errors import ConfigError
from edge.simulator.events import Eye
from edge.simulator.plan import Geometry

SHIPPED = Path(__file__).parent / "scenarios"

_STRICT = ConfigDict(extra="forbid")


def _rising(span: tuple[float, float]) -> tuple[float, float]:
    if span[0] > span[1]:
        raise ValueError(f"{span[0]:g} is more than {span[1]:g}")
    return span


Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Span = Annotated[tuple[Amount, Amount], AfterValidator(_rising)]
"""Least and most: each value between them is as likely as any other."""


class Kind(StrEnum):
    """What can go wrong; `amount` is of the unit named here."""

    SLIP = "slip"  # one item stays behind the belt, mm
    BELT_STOP = "belt_stop"  # the belt stands, and runs again
    JAM = "jam"  # one item is caught and the belt runs on below it; the PLC raises its guard after `amount` ms
    HAND_REMOVAL = "hand_removal"  # one item is taken off
    DOUBLE_FEED = "double_feed"  # two items without a gap; `likely` of all items, at all times
    BLOCKED_EYE = "blocked_eye"  # something stays before an eye
    NOISY_EYE = "noisy_eye"  # an eye flickers every `amount` ms
    ENCODER_DROPOUT = "encoder_dropout"  # the PLC's `belt` messages stop coming
    GATE_STUCK = "gate_stuck"  # it stays where it is
    GATE_SLOW = "gate_slow"  # it needs `amount` times its time
    BROKER_DOWN = "broker_down"  # nothing comes through and both sides know it
    PARTITION = "partition"  # the box is cut off, and does not know it
    DEAF = "deaf"  # half-open: the box hears nothing, but is heard
    MUTE = "mute"  # half-open: the box hears, but is not heard
    DUPLICATES = "duplicates"  # messages come twice; `likely` of them
    DELAYS = "delays"  # messages come later by up to `amount` ms; `likely` of them
    REORDERING = "reordering"  # messages overtake each other by up to `amount` ms; `likely` of them
    DAEMON_KILLED = "daemon_killed"  # the box dies, and comes back from its journal
    PLC_RESTARTED = "plc_restarted"  # its counts and edge numbers begin anew
    CLOCK_STEP = "clock_step"  # the box's wall clock jumps by `amount` s


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong again and again."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    kind: Kind
    every_s: Span = (20.0, 40.0)  # from the end of one to the next
    lasts_s: Span = (0.0, 0.0)
    amount: Span = (0.0, 0.0)  # how much, in the kind's unit
    likely: Share = 1.0  # share of the messages or items that it strikes
    eye: Eye = "induct"


@dataclass(frozen=True, slots=True)
class Items:
    """What comes down the belt."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    length_mm: Span = (120.0, 280.0)
    gap_mm: Span = (120.0, 300.0)
    bad_share: Share = 0.05


@dataclass(frozen=True, slots=True)
class Belt:
    """How the belt runs."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    speed_mm_per_s: Span = (300.0, 600.0)
    speed_lasts_s: Span = (5.0, 30.0)
    restart_s: Span = (2.0, 4.0)  # after a stop: until a person has looked, cleared it, and started the belt


@dataclass(frozen=True, slots=True)
class Oracle:
    """An inspector that knows the truth, and errs as often as it is told to."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    latency_ms: Positive = 60.0  # the median
    spread: Amount = 0.25  # standard deviation of the latency's logarithm
    workers: Annotated[int, Field(ge=1, le=64)] = 2
    overlooks: Share = 0.0  # bad items that look good
    overkills: Share = 0.0  # good items that look bad
    silent: Share = 0.0  # frames that nothing can be said of


@dataclass(frozen=True, slots=True)
class Delays:
    """How long messages take."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    message_ms: Span = (0.5, 3.0)
    frame_ms: Span = (5.0, 12.0)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A lane, what comes down it, and what goes wrong."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    name: str
    what: str
    lane: Geometry
    items: Items = Items()
    belt: Belt = Belt()
    oracle: Oracle = Oracle()
    network: Delays = Delays()
    fault: tuple[Fault, ...] = ()


_ADAPTER = TypeAdapter(Scenario)


def names() -> list[str]:
    """The scenarios that come with the simulator, `nominal` first."""
    return sorted((path.stem for path in SHIPPED.glob("*.toml")), key=lambda name: (name != "nominal", name))


def shipped(name: str) -> Scenario:
    """One of them.

    Raises:
        ConfigError: there is none of that name.
    """
    if name not in names():
        raise ConfigError(f"there is no scenario '{name}': choose one of {', '.join(names())}.")
    return read_scenario(SHIPPED / f"{name}.toml")


def read_scenario(path: Path) -> Scenario:
    """Read a scenario.

    Raises:
        ConfigError: it cannot be read, or is no scenario; the message lists every fault.
    """
    try:
        return _ADAPTER.validate_python(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}): name a scenario (TOML).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: no TOML ({error}): correct it.") from error
    except ValidationError as error:
        faults = (f"  - {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{path}: this scenario cannot run; correct it:\n" + "\n".join(faults)) from error
