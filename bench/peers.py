"""The first stage beside published methods as anomalib ships them, in turn on the same pictures, one thread each.

`make peers && .venv-peers/bin/python -m bench.peers [--turns N] [--bank N] [--json FILE]`

Times alone: the peers' weights are random, and so is what they have learnt. Each is timed
from what it is given in practice: ours from a frame, in which it finds the item; theirs from a picture of 256 px.
"""

from __future__ import annotations

import argparse
import importlib
import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from bench.inspection import LEARNT, NS_PER_MS, SELECT_RUNS, WARM_UP, model, pictures, spent_ns
from bench.looks import first_stage
from edge.core.messages import Image
from edge.inspection.session import newest
from edge.select import measure
from edge.settings import ROOT

SIDE_PX = 256
BANK = 20_480  # patches: 10 % of those of 200 pictures, PatchCore's own share
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
OURS = "ours, first stage, all in"

Call = Callable[[Image], object]
Times = npt.NDArray[np.float64]


def main() -> int:
    """Print the table."""
    options = _options()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    console = Console()
    frames, _ = pictures(None)
    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        calls = {OURS: _ours(frames, Path(folder), console)} | _peers(options.bank)
        measured = timed(calls, frames[LEARNT:], options.turns, console)
    _print(measured, console)
    if options.json:
        options.json.write_text(json.dumps(measured, indent=1) + "\n")
    return 0


def timed(calls: dict[str, Call], frames: Sequence[Image], turns: int, console: Console) -> dict[str, dict[str, float]]:
    """Median and 99th percentile of each call, and the median of its ratio to ours of the same turn."""
    spans: dict[str, list[float]] = defaultdict(list)
    for turn in track(range(-WARM_UP, turns), "timing", console=console, transient=True):
        frame = frames[turn % len(frames)]
        for name, call in calls.items():
            spans[name] += [spent_ns(partial(call, frame)) / NS_PER_MS] * (turn >= 0)
    ours = np.array(spans[OURS])
    return {name: _row(np.array(found), ours) for name, found in spans.items()}


def _row(times_ms: Times, ours_ms: Times) -> dict[str, float]:
    p50_ms, p99_ms = np.percentile(times_ms, (50, 99))
    return {"p50_ms": float(p50_ms), "p99_ms": float(p99_ms), "ratio_to_ours": float(np.median(times_ms / ours_ms))}


def _ours(frames: Sequence[Image], folder: Path, console: Console) -> Call:
    trials = measure(newest(ROOT / "models", "backbone"), 1, SELECT_RUNS, console)
    return first_stage(model("backbone", trials, 1), frames[:LEARNT], folder).inspect


def _peers(bank: int) -> dict[str, Call]:
    _complete_torchvision()
    patchcore, padim = _patchcore(bank), _padim()
    return {
        f"anomalib PatchCore, WideResNet-50, {bank} patches": lambda image: patchcore(_batch(image)),
        "anomalib PaDiM, ResNet-18": lambda image: padim(_batch(image)),
    }


def _complete_torchvision() -> None:
    """Let torchvision be imported without its compiled operators, which no method here uses.

    The registry's wheel cannot load them beside a CPU build of torch, and then misses those it describes in Python.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def _patchcore(bank: int) -> torch.nn.Module:
    """As published, with a random memory."""
    from anomalib.models.image.patchcore.torch_model import PatchcoreModel

    network = PatchcoreModel(layers=("layer2", "layer3"), backbone="wide_resnet50_2", pre_trained=False)
    network.memory_bank = torch.randn(bank, 1536)
    return network.eval()


def _padim() -> torch.nn.Module:
    """As published (100 channels), with random statistics of each patch."""
    from anomalib.models.image.padim.torch_model import PadimModel

    network = PadimModel(backbone="resnet18", layers=["layer1", "layer2", "layer3"], pre_trained=False)
    patches = (SIDE_PX // 4) ** 2
    network.gaussian.mean = torch.randn(network.n_features, patches)
    network.gaussian.inv_covariance = torch.eye(network.n_features).repeat(patches, 1, 1)
    return network.eval()


def _batch(image: Image) -> torch.Tensor:
    """1 × 3 × 256 × 256, normalised."""
    small = cv2.cvtColor(cv2.resize(image, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
    planes = (np.asarray(small, np.float32) / 255 - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(np.ascontiguousarray(planes.transpose(2, 0, 1)[None]))


def _print(measured: dict[str, dict[str, float]], console: Console) -> None:
    table = Table("", "p50 ms", "p99 ms", "ratio to ours", title="One thread")
    for name, row in measured.items():
        table.add_row(name, *(f"{value:.2f}" for value in row.values()))
    console.print(table)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Time published methods beside the first stage.")
    parser.add_argument("--turns", type=int, default=30, help="of each (default: %(default)s)")
    parser.add_argument("--bank", type=int, default=BANK, help="patches that PatchCore keeps (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="file for the figures")
    return parser.parse_args()


if __name__ == "__main__":
    raise SystemExit(main())
