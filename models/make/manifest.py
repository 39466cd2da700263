"""Write `models/<check>/<version>/`: the graph, its manifest and its card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FLOAT32 = "model.fp32.onnx"


def write(folder: Path, model: bytes, manifest: Mapping[str, Any], card: str, exact: bytes | None = None) -> None:
    """Write the three files, and the float32 graph beside a quantized one where it is given (`exact`).

    manifest: check, version, origin, licence; tables `input`, `output` (shapes), `normalisation`
    (mean and std in 0…255, channels), `parity` (what was measured against the float original), `tolerance`
    (how far another way to run it may be off: `edge/select.py`), `extra`. Hashes and sizes are added here.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    named = {**manifest, **_described(model)}
    if exact:
        (folder / FLOAT32).write_bytes(exact)
        named["float32"] = {"file": FLOAT32, **_described(exact)}
    (folder / "manifest.toml").write_text(_toml(named))
    (folder / "CARD.md").write_text(card)


def _described(graph: bytes) -> dict[str, Any]:
    return {"sha256": hashlib.sha256(graph).hexdigest(), "bytes": len(graph)}


def _toml(table: Mapping[str, Any]) -> str:
    """TOML of strings, numbers, booleans and lists, with one level of tables."""
    plain = [f"{key} = {_value(value)}" for key, value in table.items() if not isinstance(value, Mapping)]
    tables = [f"\n[{key}]\n{_toml(value).rstrip()}" for key, value in table.items() if isinstance(value, Mapping)]
    return "\n".join(plain + tables) + "\n"


def _value(value: Any) -> str:
    """A JSON scalar or list is a TOML one too, but for `None`."""
    return json.dumps(value, ensure_ascii=False)
