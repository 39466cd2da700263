"""The network that both of a tote's are: small, U-shaped; and its graph."""

from __future__ import annotations

import io
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as of

OPSET = 17


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
