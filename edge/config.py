"""The settings of one lane, from one TOML file: typed, ranged, unknown keys refused, all faults at once."""

from __future__ import annotations

import difflib
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

from pydantic import Field, ValidationError, model_validator

from edge.core.belt import Geometry
from edge.core.errors import ConfigError
from edge.core.in_force import Here
from edge.core.judge import Recipe, Rule
from edge.core.laid import Laid
from edge.core.lots import OFF, LotLimits
from edge.core.supervision import Limits
from edge.settings import (
    BeltSettings,
    BrokerSettings,
    CalibrationSettings,
    CameraSettings,
    InspectionSettings,
    LaneSettings,
    MetricsSettings,
    NodesSettings,
    Section,
    TapSettings,
)
from edge.settings_audit import AuditSettings
from edge.settings_evidence import EvidenceSettings
from edge.settings_lake import LakeSettings
from edge.settings_ledger import LedgerSettings
from edge.settings_recipe import LimitSettings, LotSettings, RecipeSettings
from edge.settings_warehouse import WarehouseSettings

Model = TypeVar("Model", bound=Section)


class Config(Section):
    """The whole file of a lane."""

    lane: LaneSettings
    broker: BrokerSettings = BrokerSettings()
    belt: BeltSettings
    camera: Annotated[tuple[CameraSettings, ...], Field(min_length=1, max_length=32)]
    nodes: NodesSettings | None = None
    inspection: InspectionSettings
    recipe: RecipeSettings
    limits: LimitSettings = LimitSettings()
    lots: LotSettings | None = None
    evidence: EvidenceSettings = EvidenceSettings()
    warehouse: WarehouseSettings = WarehouseSettings()
    metrics: MetricsSettings = MetricsSettings()
    tap: TapSettings = TapSettings()
    calibration: CalibrationSettings = CalibrationSettings()
    lake: LakeSettings = LakeSettings()
    audit: AuditSettings = AuditSettings()
    ledger: LedgerSettings = LedgerSettings()

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        names = [camera.name for camera in self.camera]
        asked = sorted({camera for rule in self.recipe.rule for camera in rule.cameras} - set(names))
        faults = [f"recipe.rule: there is no camera '{camera}'" for camera in asked]
        faults += [f"camera '{c.name}' stands behind the gate" for c in self.camera if c.place_mm >= self.belt.gate_mm]
        if self.nodes is None and any(camera.node_key for camera in self.camera):
            faults.append("nodes.key is missing: the nodes must know this box by its own key")
        if len({(c.node, c.node_key) for c in self.camera}) > len({c.node for c in self.camera}):
            faults.append("two cameras of one node name different keys of it")
        if len(set(names)) < len(names):
            faults.append("two cameras have the same name")
        if min(self.belt.confirm_mm, self.belt.exit_mm) <= self.belt.gate_mm:
            faults.append("belt: the confirm and exit eyes must stand downstream of gate_mm")
        if self.ledger.archive and self.ledger.keep_days <= self.inspection.learn_after_days:
            faults.append(
                "ledger.keep_days: must be more than inspection.learn_after_days, by which items are learnt from"
            )
        if faults:
            raise ValueError("; ".join(faults))
        return self

    def of_state(self, state: Path | None) -> Config:
        """The same lane, with its ledger in another folder; None: where it is."""
        return self.model_copy(update={"lane": self.lane.model_copy(update={"state": state})}) if state else self

    def geometry(self) -> Geometry:
        """The belt as the core knows it."""
        belt = self.belt.model_dump(exclude={"stale_after_ms"})
        free = frozenset(camera.name for camera in self.camera if camera.runs_free)
        places_mm = {camera.name: camera.place_mm for camera in self.camera}
        return Geometry(cameras_mm=places_mm, free_running=free, **belt)

    def laid(self) -> Laid:
        """The lane as the settings have it."""
        return Laid(self.geometry(), self.judged_by())

    def here(self) -> Here:
        """What calibrations are held against."""
        days = (timedelta(days=one) for one in (self.calibration.warn_days, self.calibration.grace_days))
        serials = {camera.name: str(camera.gige or camera.opencv or "") for camera in self.camera}
        return Here(self.lane.name, serials, self.laid().numbers(), *days)

    def borne(self) -> Limits:
        """The limits as the core knows them."""
        return Limits(**self.limits.model_dump())

    def lots_watched(self) -> LotLimits:
        """What a site bears of lots, as the core knows it; without a section no lots are watched."""
        return LotLimits(**self.lots.model_dump()) if self.lots else OFF

    def judged_by(self) -> Recipe:
        """The recipe as the core knows it."""
        rules = tuple(Rule(**rule.model_dump(exclude={"format", "value"})) for rule in self.recipe.rule)
        return Recipe(self.recipe.name, rules, self.recipe.divert_undecided)


def load(path: Path) -> Config:
    """Read a lane's settings.

    Raises:
        ConfigError: as `read`.
    """
    return read(path, Config, "tunnel-edge check")


def read(path: Path, model: type[Model], mended: str) -> Model:
    """Read the settings that a model describes.

    mended: the command that tells whether they are good.

    Raises:
        ConfigError: the file cannot be read, is no TOML, or has faults; the message lists them all.
    """
    try:
        return model.model_validate(tomllib.loads(path.read_text()))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}: name a readable file.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: no TOML: {error}.") from error
    except ValidationError as error:
        faults = "\n".join(f"  {_told(dict(fault), model)}" for fault in error.errors())
        raise ConfigError(f"{path}: mend these, then try `{mended} {path}`:\n{faults}") from error


def _told(fault: dict[str, Any], model: type[Section]) -> str:
    """One fault as a person would say it."""
    place = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{place}: no such key{_meant(fault['loc'], model)}"
    if fault["type"] == "missing":
        return f"{place}: is missing"
    got = "" if isinstance(fault["input"], dict) else f" (got {fault['input']!r})"
    return f"{place}: {fault['msg']}{got}".removeprefix(": ")


def _meant(place: tuple[str | int, ...], model: type[Section]) -> str:
    """The key that was probably meant, by name."""
    section: Any = model
    for part in place[:-1]:
        section = _inner(section, part)
    close = difflib.get_close_matches(str(place[-1]), list(getattr(section, "model_fields", ())), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _inner(section: Any, part: str | int) -> Any:
    """The section that a field of a section holds, through Annotated and tuples."""
    if isinstance(part, int):
        return section
    annotation: Any = section.model_fields[part].annotation
    return getattr(annotation, "__args__", (annotation,))[0]
