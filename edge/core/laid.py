"""How a lane is laid out: what its decisions go by beside what they are told; by settings and calibrations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from edge.core.belt import Geometry
from edge.core.judge import Recipe, Rule

LIMITS = ("reject_at", "overkill")  # of a rule


@dataclass(frozen=True, slots=True)
class Laid:
    """Where things stand, and how strictly they are judged."""

    geometry: Geometry
    recipe: Recipe

    def numbers(self) -> dict[str, float]:
        """What a calibration may go before, by its name in the settings."""
        places = {f"camera.{name}.place_mm": place for name, place in self.geometry.cameras_mm.items()}
        limits = {f"rule.{rule.check}.{name}": getattr(rule, name) for rule in self.recipe.rules for name in LIMITS}
        belt = {"belt.counts_per_mm": self.geometry.counts_per_mm, "belt.lead_ms": self.geometry.lead_ms}
        return {**belt, **places, **{name: limit for name, limit in limits.items() if limit is not None}}

    def by(self, numbers: Mapping[str, float]) -> Laid:
        """The same lane, by these numbers in place of the settings'."""
        here = self.geometry
        places = {name: numbers.get(f"camera.{name}.place_mm", place) for name, place in here.cameras_mm.items()}
        geometry = replace(
            here,
            counts_per_mm=numbers.get("belt.counts_per_mm", here.counts_per_mm),
            lead_ms=numbers.get("belt.lead_ms", here.lead_ms),
            cameras_mm=places,
        )
        rules = tuple(_by(rule, numbers) for rule in self.recipe.rules)
        return Laid(geometry, replace(self.recipe, rules=rules))


def _by(rule: Rule, numbers: Mapping[str, float]) -> Rule:
    """A limit that the settings name; what they leave out, no calibration brings in."""
    named = {name: limit for name in LIMITS if (limit := getattr(rule, name)) is not None}
    return replace(rule, **{name: numbers.get(f"rule.{rule.check}.{name}", limit) for name, limit in named.items()})
