"""Write `models/<check>/<version>/`: the graph, its manifest and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def write(folder: Path, model: bytes, manifest: Mapping[str, Any], card: str) -> None:
    """Write the three files; `sha256` and `bytes` are added to the manifest here.

    manifest: check, version, origin, licence; tables `input`, `output` (shapes), `normalisation`
    (mean and std in 0…255, channels), `parity` (what was measured against the float original), `extra`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    named = {**manifest, "sha256": hashlib.sha256(model).hexdigest(), "bytes": len(model)}
    (folder / "manifest.toml").write_text(_toml(named))
    (folder / "CARD.md").write_text(card)


def _toml(table: Mapping[str, Any]) -> str:
    """TOML of strings, numbers, booleans and lists, with one level of tables."""
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    tables = [f"\n[{key}]\n{_toml(value).rstrip()}" for key, value in table.items() if isinstance(value, Mapping)]
    return "\n".join(plain + tables) + "\n"


def _value(value: Any) -> str:
    """A JSON scalar or list is a TOML one too, but for `None`."""
    return json.dumps(value, ensure_ascii=False)
