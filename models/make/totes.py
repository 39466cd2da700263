"""Make the two networks of totes: drawn scenes, a small U-shaped network for each, a few minutes of a GPU."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as of
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edge.inspection.tote_networks import ITEMS, LEAN_PX, OUTLINE
from models.make import tote_files
from models.make.tote_eye import Eye, exported
from models.make.tote_lessons import LEAN_STEPS, keep
from models.make.tote_shelf import MOST_SCENES, Lessons, planes
from models.make.tote_varied import Batch, logs, varied

STEPS = 24_000
LIMIT_S = 60 * float(os.environ.get("TOTE_MINUTES", "inf"))  # of teaching: what comes first ends it
RATE = 3e-3
ASKED = 60  # scenes of those, at most
SPAWNED = multiprocessing.get_context("spawn")
AVERAGED = 0.999
OVER_WEIGHT = 0.4  # of what sticks out, in the items' loss


def make() -> None:
    """Write `models/tote-outline/VERSION/` and `models/tote-items/VERSION/`: drawn and taught at once."""
    with tempfile.TemporaryDirectory() as name, multiprocessing.Pool(max(1, (os.cpu_count() or 1) - 2)) as pool:
        folder = Path(name)
        drawn = pool.map_async(partial(keep, folder=folder), range(MOST_SCENES), chunksize=1)
        teachers = [SPAWNED.Process(target=teach, args=(one, folder)) for one in TASKS]
        for one in teachers:
            one.start()
        while any(one.is_alive() for one in teachers):
            teachers[0].join(1)
            if drawn.ready() and not drawn.successful():
                _ended(teachers)
                drawn.get()
    if any(one.exitcode for one in teachers):
        raise SystemExit("totes: a network was not taught; its error stands above.")


def _ended(teachers: Sequence[multiprocessing.process.BaseProcess]) -> None:
    for one in teachers:
        one.terminate()


def teach(name: str, folder: Path) -> None:
    """One of the two, in a process of its own, from the scenes that appear in a folder."""
    task, write = TASKS[name]
    write(*trained(task(), Lessons(folder, task().fields)))


def outline_seen(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and truth of the outline."""
    return logs(batch["whole"]), batch["whole_rim"] / 255


def items_seen(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and truth of the items; the truth's last plane: where the frame is."""
    part = logs(batch["part"])
    planes = torch.cat(
        (part, part - logs(batch["usual"]), batch["zone"], batch["lean"] / (LEAN_STEPS * LEAN_PX)), dim=1
    )
    return planes, torch.cat((batch["truth"] / 255, batch["seen"]), dim=1)


def outline_loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Each pixel, and the share that is covered."""
    return of.binary_cross_entropy_with_logits(found, true) + 0.3 * _uncovered(found, true)


def items_loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Items count by pixel and by share; seams are rare; sticking out is asked of items only."""
    item, seam, over, seen = (true[:, number : number + 1] for number in range(4))
    known = item * ((over < 0.25) | (over > 0.75))
    by_pixel = of.binary_cross_entropy_with_logits(found, true[:, :3], reduction="none")
    return (
        (by_pixel[:, :1] * seen).sum() / seen.sum().clamp(1)
        + 0.3 * _uncovered(found[:, :1], item)
        + (by_pixel[:, 1:2] * seen * (1 + 4 * seam)).sum() / seen.sum().clamp(1)
        + OVER_WEIGHT * (by_pixel[:, 2:3] * known).sum() / known.sum().clamp(1)
    )


def _uncovered(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """1 − Dice's share, of each picture."""
    sure = torch.sigmoid(found)
    both, all_of = (sure * true).sum(dim=(1, 2, 3)), (sure + true).sum(dim=(1, 2, 3))
    return (1 - (2 * both + 50) / (all_of + 50)).mean()


@dataclass(frozen=True, slots=True)
class Task:
    """What one network is taught."""

    eye: Eye
    fields: Sequence[str]
    seen: Callable[[Batch], tuple[torch.Tensor, torch.Tensor]]
    loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def outline_task() -> Task:
    """Frame to outer and inner edge of the rim."""
    return Task(Eye(3, 2, (16, 32, 48, 64, 64)), ("whole", "whole_rim"), outline_seen, outline_loss)


def items_task() -> Task:
    """Frame, frame beside the usual, floor, walls, rim, how wide a side is seen to item, seam, sticks out."""
    fields = ("part", "usual", "zone", "lean", "truth", "seen")
    return Task(Eye(11, 3, (16, 32, 64, 96)), fields, items_seen, items_loss)


TASKS = {
    OUTLINE: (outline_task, tote_files.write_outline),
    ITEMS: (items_task, tote_files.write_items),
}


def trained(task: Task, taught: Lessons) -> tuple[bytes, dict[str, float]]:
    """The averaged network as ONNX, and what it is worth on what was kept back."""
    eye = task.eye
    eye = eye.to(taught.device, memory_format=torch.channels_last)
    average = AveragedModel(eye, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED), use_buffers=True)
    ways = torch.optim.AdamW(eye.parameters(), RATE, weight_decay=1e-2)
    began, done = 0.0, 0.0
    for step, batch in enumerate(taught.some()):
        began = began or time.monotonic()
        done = max(step / STEPS, (time.monotonic() - began) / LIMIT_S)
        if done >= 1:
            break
        for group in ways.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * done)) + 1e-6
        frame, true = task.seen(varied(batch))
        with torch.autocast(taught.device.type, torch.bfloat16, enabled=taught.device.type == "cuda"):
            found = eye(frame.contiguous(memory_format=torch.channels_last))
        off = task.loss(found.float(), true)
        ways.zero_grad(set_to_none=True)
        off.backward()
        nn.utils.clip_grad_norm_(eye.parameters(), 1.0)
        ways.step()
        average.update_parameters(eye)
        if step % 500 == 0:
            told = f"{time.monotonic() - began:.0f} s, {len(taught.scenes)} scenes, {off.item():.4f}"
            print(f"totes: {len(task.fields)} fields, step {step}, {told}", flush=True)
    best = average.module.eval()
    worth = {"taught_scenes": len(taught.scenes), "taught_steps": step, **asked(best, task, taught)}
    print("totes:", worth, flush=True)
    return exported(best), worth


@torch.no_grad()
def asked(eye: Eye, task: Task, taught: Lessons) -> dict[str, float]:
    """How well it does on what was kept back: intersection over union of the first plane, a picture at a time."""
    shares, alarms = [], []
    for some in taught.asked[:ASKED]:
        frame, true = task.seen(planes({name: array.to(taught.device) for name, array in some.items()}))
        for found, wanted in zip(eye(frame)[:, 0] > 0, true[:, 0] > 0.5, strict=True):
            if wanted.any():
                shares.append(float((found & wanted).sum() / (found | wanted).sum()))
            else:
                alarms.append(float(found.sum()))
    middle, worst = np.quantile(shares or [np.nan], (0.5, 0.1))
    return {
        "frames": len(shares),
        "iou_median": round(float(middle), 3),
        "iou_worst_decile": round(float(worst), 3),
        "frames_without": len(alarms),
        "of_them_right": sum(1 for one in alarms if one == 0),
    }
