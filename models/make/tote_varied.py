"""Lessons of totes as other cameras, lights and sides would show them."""

from __future__ import annotations

import torch
from torch.nn import functional as of

from edge.inspection.tote_networks import DARK, MIDDLE

Batch = dict[str, torch.Tensor]


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
