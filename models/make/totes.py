"""Make the two networks of totes: drawn scenes, a small U-shaped network for each, a few minutes of a GPU."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional as of
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edge.inspection.tote_networks import DARK, MIDDLE
from models.make import tote_files
from models.make.tote_lessons import lessons

SCENES, OUTLINE_STEPS, ITEM_STEPS = 1000, 8500, 7500
BATCH, RATE, KEPT_BACK = 64, 3e-3, 0.03  # the last: share of the lessons that are only looked at
AVERAGED = 0.999
OPSET = 17

Batch = dict[str, torch.Tensor]


class Twice(nn.Module):
    """Two convolutions, and what came in beside them."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.both = nn.Sequential(
            _met(wide, wide), nn.Conv2d(wide, wide, 3, padding=1, bias=False), nn.BatchNorm2d(wide)
        )

    def forward(self, seen: torch.Tensor) -> torch.Tensor:
        """As many planes as came in."""
        return of.relu(seen + self.both(seen))


class Eye(nn.Module):
    """N × planes × H × W to N × answers × H × W, log odds; inside it works at half the size and less."""

    def __init__(self, planes: int, answers: int, wide: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = _met(planes, wide[0], 4, 2)
        pairs = list(pairwise(wide))
        self.down = nn.ModuleList(nn.Sequential(_met(a, b, 3, 2), Twice(b)) for a, b in pairs)
        self.deep = Twice(wide[-1])
        self.narrow = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairs)
        self.up = nn.ModuleList(_met(a, a) for a, _ in pairs)
        self.answer = nn.Sequential(nn.Conv2d(wide[0], 4 * answers, 3, padding=1), nn.PixelShuffle(2))

    def forward(self, frame: torch.Tensor) -> torch.Tensor:
        """From fine to coarse and back."""
        kept = [self.stem(frame)]
        for one in self.down:
            kept.append(one(kept[-1]))
        seen = self.deep(kept.pop())
        for one, narrow, up in zip(reversed(kept), reversed(self.narrow), reversed(self.up), strict=True):
            seen = up(one + of.interpolate(narrow(seen), scale_factor=2.0, mode="nearest"))
        return self.answer(seen)


def _met(planes: int, wide: int, side: int = 3, stride: int = 1) -> nn.Sequential:
    convolution = nn.Conv2d(planes, wide, side, stride, padding=1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(wide), nn.ReLU())


def make() -> None:
    """Write `models/tote-outline/VERSION/` and `models/tote-items/VERSION/`."""
    print("totes: drawing", flush=True)
    taught = Lessons(lessons(range(SCENES), os.cpu_count() or 1))
    tote_files.write_outline(*trained(outline_task(), taught, OUTLINE_STEPS))
    tote_files.write_items(*trained(items_task(), taught, ITEM_STEPS))


class Lessons:
    """All lessons on the device; what is kept back shows how well it goes."""

    def __init__(self, arrays: dict[str, npt.NDArray[np.uint8]]) -> None:
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.arrays = {name: torch.from_numpy(array).to(self.device) for name, array in arrays.items()}
        number = len(arrays["whole"])
        self.taught = number - max(1, int(KEPT_BACK * number))
        self.asked = range(self.taught, number)

    def some(self, steps: int, fields: Sequence[str]) -> Iterator[Batch]:
        """BATCH of them, drawn anew each time."""
        for _ in range(steps):
            yield self.at(torch.randint(0, self.taught, (BATCH,), device=self.device), fields)

    def at(self, numbers: torch.Tensor, fields: Sequence[str]) -> Batch:
        """Float, channels first, 0 … 255; zones as planes, half-size fields enlarged."""
        return {name: _planes(name, self.arrays[name][numbers]) for name in fields}


def _planes(name: str, some: torch.Tensor) -> torch.Tensor:
    if name == "zone":
        some = torch.stack([some == 1, (some >= 2) & (some < 6), some == 6], dim=1)
    elif some.ndim == 4:
        some = some.permute(0, 3, 1, 2)
    else:
        some = some[:, None]
    some = some.float()
    return of.interpolate(some, scale_factor=2.0) if name in ("zone", "usual") else some


def outline_seen(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and truth of the outline."""
    return logs(batch["whole"]), batch["whole_rim"] / 255


def items_seen(batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Input and truth of the items; the truth's last plane: where the frame is."""
    part = logs(batch["part"])
    planes = torch.cat((part, part - logs(batch["usual"]), batch["zone"]), dim=1)
    return planes, torch.cat((batch["truth"] / 255, batch["seen"]), dim=1)


def logs(picture: torch.Tensor) -> torch.Tensor:
    """As the appliance takes them."""
    return torch.log((picture + DARK) / MIDDLE)


def varied(batch: Batch) -> Batch:
    """Another camera, another light, another side."""
    first = next(iter(batch.values()))
    number, device = len(first), first.device
    order = torch.rand(number, 3, device=device).argsort(dim=1)
    order = torch.where(torch.rand(number, 1, device=device) < 0.5, order, torch.arange(3, device=device))
    gain = torch.exp(0.25 * _lot(number, 1, device) + 0.1 * _lot(number, 3, device))
    bend = torch.exp(0.15 * _lot(number, 1, device))
    for name in batch.keys() & {"whole", "part", "usual"}:
        shuffled = batch[name].gather(1, order[:, :, None, None].expand_as(batch[name]))
        batch[name] = 255 * (shuffled * gain[:, :, None, None] / 255).clamp(0, 1) ** bend[:, :, None, None]
    for name in batch.keys() & {"whole", "part"}:
        batch[name] = _taken(batch[name])
    for axis in (2, 3):
        if torch.rand(1).item() < 0.5:
            batch = {one: plane.flip(axis) for one, plane in batch.items()}
    if "whole" in batch:
        batch["whole"], batch["whole_rim"] = _moved(batch["whole"], batch["whole_rim"])
    return batch


def _taken(picture: torch.Tensor) -> torch.Tensor:
    """In a light that has changed a little, sharp or less so, with noise."""
    number, device = len(picture), picture.device
    waver = torch.exp(0.04 * _lot(number, 1, device) + 0.012 * _lot(number, 3, device))[:, :, None, None]
    much = 0.12 * torch.rand(number, 1, 1, 1, device=device) ** 2
    field = of.interpolate(torch.randn(number, 1, 4, 5, device=device), picture.shape[2:], mode="bicubic")
    picture = picture * waver * torch.exp(much * field)
    soft = of.avg_pool2d(of.avg_pool2d(picture, 2, 1), 2, 1, padding=1)[:, :, : picture.shape[2], : picture.shape[3]]
    share = (torch.rand(number, 1, 1, 1, device=device) - 0.7).clamp(0, 1) / 0.3
    picture = picture * (1 - share) + soft * share
    noise = 6 * torch.rand(number, 1, 1, 1, device=device) ** 2
    return (picture + noise * torch.randn_like(picture)).clamp(0, 255)


def _moved(picture: torch.Tensor, rim: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Half of them nearer, further, turned, partly out of sight."""
    number, device = len(picture), picture.device
    turn, scale = 0.15 * _lot(number, 1, device)[:, 0], torch.exp(0.2 * _lot(number, 1, device))[:, 0]
    shift = 0.35 * _lot(number, 2, device)
    wide = picture.shape[3] / picture.shape[2]
    rows = (
        torch.stack((scale * turn.cos(), -scale * turn.sin() / wide, shift[:, 0]), dim=1),
        torch.stack((scale * turn.sin() * wide, scale * turn.cos(), shift[:, 1]), dim=1),
    )
    grid = of.affine_grid(torch.stack(rows, dim=1), list(picture.shape), align_corners=False)
    still = (torch.rand(number, device=device) < 0.5)[:, None, None, None]
    seen = of.grid_sample(picture, grid, padding_mode="border", align_corners=False)
    true = of.grid_sample(rim, grid, padding_mode="zeros", align_corners=False)
    return torch.where(still, picture, seen), torch.where(still, rim, true)


def _lot(number: int, planes: int, device: torch.device) -> torch.Tensor:
    return torch.randn(number, planes, device=device)


def outline_loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Each pixel, and the share that is covered."""
    return of.binary_cross_entropy_with_logits(found, true) + 0.3 * _uncovered(found, true)


def items_loss(found: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    """Items count by pixel and by share; seams are rare; sticking out is asked of items only."""
    item, seam, over, seen = (true[:, number : number + 1] for number in range(4))
    by_pixel = of.binary_cross_entropy_with_logits(found, true[:, :3], reduction="none")
    known = item * ((over < 0.25) | (over > 0.75))
    return (
        (by_pixel[:, :1] * seen).sum() / seen.sum().clamp(1)
        + 0.3 * _uncovered(found[:, :1], item)
        + (by_pixel[:, 1:2] * seen * (1 + 4 * seam)).sum() / seen.sum().clamp(1)
        + 0.2 * (by_pixel[:, 2:3] * known).sum() / known.sum().clamp(1)
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
    """Frame, frame beside the usual, floor, walls, rim to item, seam, sticks out."""
    fields = ("part", "usual", "zone", "truth", "seen")
    return Task(Eye(9, 3, (16, 32, 64, 96)), fields, items_seen, items_loss)


def trained(task: Task, taught: Lessons, steps: int) -> tuple[bytes, dict[str, float]]:
    """The averaged network as ONNX, and what it is worth on what was kept back."""
    eye = task.eye
    eye = eye.to(taught.device, memory_format=torch.channels_last)
    average = AveragedModel(eye, multi_avg_fn=get_ema_multi_avg_fn(AVERAGED), use_buffers=True)
    ways = torch.optim.AdamW(eye.parameters(), RATE, weight_decay=1e-2)
    began = time.monotonic()
    for step, batch in enumerate(taught.some(steps, task.fields)):
        for group in ways.param_groups:
            group["lr"] = RATE * min(1, (step + 1) / 200) * (0.5 + 0.5 * np.cos(np.pi * step / steps)) + 1e-6
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
            print(f"totes: step {step}, {time.monotonic() - began:.0f} s, {off.item():.4f}", flush=True)
    best = average.module.eval()
    worth = asked(best, task, taught)
    print("totes:", worth, flush=True)
    return exported(best), worth


@torch.no_grad()
def asked(eye: Eye, task: Task, taught: Lessons) -> dict[str, float]:
    """How well it does on what was kept back: intersection over union of the first plane, a picture at a time."""
    shares, alarms = [], []
    for number in taught.asked:
        frame, true = task.seen(taught.at(torch.tensor([number], device=taught.device), task.fields))
        found, wanted = eye(frame)[0, 0] > 0, true[0, 0] > 0.5
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


def exported(eye: Eye) -> bytes:
    """The graph, of any size that is a multiple of 16, batch normalisation folded into the convolutions."""
    eye, buffer = eye.float().cpu(), io.BytesIO()
    sides = {2: "height", 3: "width"}
    torch.onnx.export(
        eye,
        (torch.zeros(1, eye.stem[0].in_channels, 128, 128),),
        buffer,
        dynamo=False,
        opset_version=OPSET,
        input_names=["frame"],
        output_names=["seen"],
        dynamic_axes={"frame": sides, "seen": sides},
    )
    return buffer.getvalue()
