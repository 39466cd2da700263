"""What the sentinel reads of a lane's settings: by itself, so that a fault in the daemon's reading is not shared."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.core.errors import ConfigError
from edge.sentinel.promises import Places

Level = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
Millimetres = Annotated[float, Field(ge=0, le=100_000)]


class Section(BaseModel):
    """A table of the file; keys that are the daemon's alone are passed over."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class Lane(Section):
    """Which lane."""

    site: Level
    """Name of the site, as in every MQTT topic."""
    name: Level
    """Name of the lane."""


class Broker(Section):
    """Where its broker listens."""

    host: str = "127.0.0.1"
    """Name or address of the machine that the broker runs on."""
    port: Annotated[int, Field(ge=1, le=65_535)] = 1883
    """Where it listens [TCP port]."""
    ca: Path | None = None
    """Certificate of whom to trust; left out: in clear."""
    certificate: Path | None = None
    """As the daemon's file names it; the unit has one of the sentinel's own by that name."""
    key: Path | None = None
    """The secret key of the certificate, likewise."""


class Belt(Section):
    """Where things stand, with the daemon's defaults."""

    counts_per_mm: Annotated[float, Field(gt=0, le=1000)]
    """What the encoder counts for each mm of belt."""
    gate_mm: Millimetres
    """Place of the gate, downstream of the induct photoeye, as all places."""
    confirm_mm: Millimetres
    """Place of the eye on the reject lane."""
    exit_mm: Millimetres
    """Place of the eye on the good lane."""
    margin_mm: Millimetres = 30
    """The gate's window begins this far before the item."""
    tolerance_mm: Millimetres = 60
    """How far from its reckoned place an item may be seen."""
    patience_mm: Millimetres = 300
    """How far an item may travel past an eye before it counts as unseen."""
    shortest_mm: Millimetres = 10
    """What is shorter is noise at the eye."""


class Recipe(Section):
    """What becomes of what is not decided."""

    divert_undecided: bool = True
    """It goes to the reject lane; false: it passes the gate."""


class Settings(Section):
    """As much of the lane's file as the sentinel needs."""

    lane: Lane
    belt: Belt
    broker: Broker = Broker()
    recipe: Recipe = Recipe()

    @property
    def places(self) -> Places:
        """The belt as the account knows it."""
        return Places(**self.belt.model_dump(), divert_undecided=self.recipe.divert_undecided)


def read_settings(path: Path) -> Settings:
    """Read a lane's settings.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or lacks or misstates what the sentinel needs.
    """
    try:
        return Settings.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: name the lane's settings file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no TOML: {error}.") from error
    except ValidationError as error:
        faults = "\n".join(f"  {'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise ConfigError(f"{path}: mend these, then try `tunnel-edge check {path}`:\n{faults}") from error
