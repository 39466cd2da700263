"""What the lane went by when it judged an item: program, settings, models, calibrations, recipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from edge.core.grounds import Cited, Facts, Sentence


def went_by(facts: Facts) -> Iterator[Sentence]:
    """By entry; what no entry tells is said too."""
    for one in facts.in_force:
        yield Sentence(f"{VERSIONS[one.kind]} (since {one.written}): {_listed(one)}.", (one.source,))
    for kind in sorted(VERSIONS.keys() - {one.kind for one in facts.in_force}):
        yield Sentence(f"{VERSIONS[kind]}: nobody can say, no entry tells it.", (facts.absence,))
    recipes = [(one.body["recipe"], one.source) for one in facts.of("Verdict")]
    for recipe, source in recipes:
        yield Sentence(f"Recipe: {recipe}.", (source,))


VERSIONS: Mapping[str, str] = {
    "DaemonStarted": "Program, settings and models",
    "CalibrationsInForce": "Calibrations",
}


def _listed(one: Cited) -> str:
    if one.kind == "CalibrationsInForce":
        return ", ".join(f"{name} {version}" for name, version in one.body["versions"]) or "none"
    body = one.body
    models = ", ".join(f"{name} {version}" for name, version in (body.get("models") or {}).items())
    return f"{body.get('version', '?')}, settings {str(body.get('settings_sha256', '?'))[:12]}; {models or 'no models'}"
