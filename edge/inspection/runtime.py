"""How a model is run on this box: which graph, on which execution provider, on how many threads."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime

from edge import disk

log = logging.getLogger(__name__)

CPU, OPENVINO = "CPUExecutionProvider", "OpenVINOExecutionProvider"
PROVIDERS = (CPU, OPENVINO)  # those that compute on the box's own processor
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Runtime:
    """One way to run a model."""

    graph: str = "model.onnx"  # file in the model's folder
    provider: str = CPU
    threads: int = 1

    def __str__(self) -> str:
        return f"{self.graph}, {self.provider.removesuffix('ExecutionProvider')} × {self.threads}"


SHIPPED = Runtime()

Chosen = Mapping[str, Runtime]
"""By the SHA-256 that a model's manifest names: a new model is measured anew."""


def write(path: Path, chosen: Chosen) -> None:
    """Write what was chosen on this machine, in one step, with a seal over the rest of the file."""
    parts = ["[machine]", *_lines(machine())]
    for model_sha256, one in chosen.items():
        table: dict[str, str | int] = {
            "model": model_sha256,
            "graph": one.graph,
            "provider": one.provider,
            "threads": one.threads,
        }
        parts += ["", "[[runtime]]", *_lines(table)]
    body = "\n".join(parts) + "\n"
    disk.made(path.parent)
    disk.written(path, f"{_sealing(body)}\n{body}".encode())


def read(path: Path) -> Chosen:
    """What `write` was given; nothing, and a warning, if the file is damaged or speaks of another machine.

    A record makes a lane faster and never stops it: without one, models run as they were shipped.
    """
    try:
        table = _unsealed(path.read_text())
        _demand_here(table["machine"])
        return {one["model"]: Runtime(one["graph"], one["provider"], one["threads"]) for one in table["runtime"]}
    except (OSError, KeyError, ValueError) as error:  # no TOML and no UTF-8 are ValueErrors
        log.warning("%s is left out, models run as shipped: %s: run `tunnel-edge models select`", path, error)
        return {}


def machine() -> dict[str, str | int]:
    """What the figures depend on: the processor, its cores, ONNX Runtime and what it can run on."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "onnxruntime": onnxruntime.__version__,
        "providers": " ".join(available()),
    }


def available() -> tuple[str, ...]:
    """The PROVIDERS that are installed."""
    return tuple(provider for provider in PROVIDERS if provider in onnxruntime.get_available_providers())


def _demand_here(measured_on: Mapping[str, str | int]) -> None:
    here = machine()
    if measured_on != here:
        raise ValueError(f"it was measured on {measured_on}, this is {here}")


def _processor() -> str:
    """The processor's name and a digest of what it can do: two of one name may differ in that."""
    told = dict(line.replace("\t", "").split(": ", 1) for line in _first_core() if ": " in line)
    abilities = told.get("flags", told.get("Features", ""))  # as x86 and ARM call them
    name = told.get("model name", platform.machine())
    return f"{name}, abilities {hashlib.sha256(abilities.encode()).hexdigest()[:12]}"


def _first_core() -> list[str]:
    return CPUINFO.read_text().split("\n\n")[0].splitlines() if CPUINFO.is_file() else []


def _lines(table: Mapping[str, str | int]) -> list[str]:
    """Plain strings and whole numbers are the same in JSON and TOML."""
    return [f"{key} = {json.dumps(value)}" for key, value in table.items()]


def _unsealed(text: str) -> dict[str, Any]:
    """The table below the seal.

    Raises:
        ValueError: something was changed, or this is another kind of file.
    """
    seal, _, body = text.partition("\n")
    if seal != _sealing(body):
        raise ValueError("the file was changed or damaged")
    return tomllib.loads(body)


def _sealing(body: str) -> str:
    """The first line: against accidents, not against forgers."""
    return f'seal = "{hashlib.sha256(body.encode()).hexdigest()}"'
