"""Write the two networks of totes: in INT8, with what that cost, their manifests and cards."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from edge.inspection.tote_networks import ITEMS, OUTLINE, items_batch, outline_batch
from models.make import manifest, parity

VERSION = "1.0.0"
FOLDER = Path(__file__).resolve().parent.parent
CALIBRATION, PARITY = 48, 48  # lessons, from the last ones: those that were only looked at
TOLERANCE = 0.02  # of a mask

Tensor = npt.NDArray[np.float32]
Lessons = Mapping[str, npt.NDArray[np.uint8]]


class Shown(CalibrationDataReader):
    """Feeds lessons to the quantizer."""

    def __init__(self, batches: Sequence[Tensor]) -> None:
        self._batches = iter(batches)

    def get_next(self) -> dict[str, Tensor] | None:
        """One batch, or None after the last."""
        batch = next(self._batches, None)
        return None if batch is None else {"frame": batch}


def write_outline(exact: bytes, lessons: Lessons) -> None:
    """From the float32 graph and lessons it was not taught."""
    batches = [outline_batch(one) for one in lessons["whole"][-CALIBRATION - PARITY :]]
    shapes = {"input": {"frame": [1, 3, "h", "w"]}, "output": {"seen": [1, 2, "h", "w"]}}
    _write(OUTLINE, exact, batches, shapes, OUTLINE_CARD)


def write_items(exact: bytes, lessons: Lessons) -> None:
    """From the float32 graph and lessons it was not taught."""
    parts = [lessons[name][-CALIBRATION - PARITY :] for name in ("part", "usual", "zone")]
    batches = [items_batch(*one) for one in zip(*parts, strict=True)]
    shapes = {"input": {"frame": [1, 9, "h", "w"]}, "output": {"seen": [1, 3, "h", "w"]}}
    _write(ITEMS, exact, batches, shapes, ITEMS_CARD)


def _write(name: str, exact: bytes, batches: Sequence[Tensor], shapes: Mapping[str, Any], card: str) -> None:
    small = quantized(exact, batches[:CALIBRATION])
    measured = compared(exact, small, batches[CALIBRATION:])
    described = {
        "check": name,
        "version": VERSION,
        "origin": "trained on drawn scenes by models/make/totes.py",
        "licence": "Apache-2.0",
        **shapes,
        "normalisation": {"mean": [0, 0, 0], "std": [1, 1, 1], "channels": "BGR"},
        "parity": {"set": f"{PARITY} drawn scenes", **measured},
        "tolerance": {"mask": TOLERANCE},
    }
    manifest.write(FOLDER / name / VERSION, small, described, card + _table(measured), exact)
    print(f"{name}: {len(small) / 1e6:.2f} MB, {measured}", flush=True)


def quantized(exact: bytes, batches: Sequence[Tensor]) -> bytes:
    """INT8: unsigned activations, signed weights of 7 bits (`backbone.eight_bits` says why), one scale per channel.

    First and last convolution stay float: what goes in is a logarithm that spans much, what comes out log odds.
    """
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        quant_pre_process(onnx.load_from_string(exact), before, skip_symbolic_shape=True)
        nodes = [node.name for node in onnx.load(before).graph.node if node.op_type == "Conv"]
        quantize_static(
            before,
            after,
            Shown(batches),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "Add", "Resize"],
            nodes_to_exclude=[nodes[0], nodes[-1]],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return after.read_bytes()


def compared(exact: bytes, small: bytes, batches: Sequence[Tensor]) -> dict[str, float]:
    """How far the masks of the first plane differ, and the time."""
    runs = [parity.runner(exact), parity.runner(small)]
    off = []
    for batch in batches:
        one, other = (run(batch)[0] > 0 for run in runs)
        off.append(float((one != other).sum() / max(1, one.sum())))
    return {
        "mask_difference_mean": round(float(np.mean(off)), 4),
        "mask_difference_p90": round(float(np.quantile(off, 0.9)), 4),
        "time_ratio_int8_to_float": round(parity.time_ratio(runs[1], runs[0], batches[0]), 2),
    }


def _table(measured: Mapping[str, float]) -> str:
    return f"""
**INT8:** QDQ, per channel; the first and the last convolution stay float32. `model.fp32.onnx` is the same in float32.

| against float32, on {PARITY} drawn scenes | |
|---|---|
| share of a mask that differs, mean | {measured["mask_difference_mean"]} |
| the same, worst decile | {measured["mask_difference_p90"]} |
| time, INT8 / float32, one thread, on the machine that made it | {measured["time_ratio_int8_to_float"]} |
"""


MADE = """
**Made by** `make tote-models`, from nothing: `models/make/tote_scenes.py` draws 1000 scenes of six frames (half of them
simulated sites, from seed 1000 on; half wilder: other sizes, colours, labels, mouldings, belts, light, JPEG; touching
and stacked boxes, bags), `models/make/totes.py` teaches, with noise, blur, gain and swapped colours. Sites 0 to 999
were never drawn. On one H200 with 8 processor cores it takes 8 minutes, without a GPU a day; each run gives other
numbers, of the same quality. No photograph was used. The shipped one saw {scenes} scenes in {steps} steps of 64 frames.
"""

OUTLINE_CARD = f"""# Outline of totes {VERSION}

A U-shaped network of 0.45 million weights. In: a frame in half its size (about 3.6 mm a pixel), BGR,
ln((value + 8) / 128), sides multiples of 32. Out: log odds that a pixel lies within the outer, and within the inner
edge of an open tote's rim, whatever hides the rim.

**For:** where a tote stands, to some millimetres; its edges are then looked for there. **Not for:** what lies in it.
{MADE.format(scenes=325, steps=8200)}"""

ITEMS_CARD = f"""# Items in totes {VERSION}

A U-shaped network of 0.57 million weights. In, about 1.8 mm a pixel, sides multiples of 16: the part of a frame that
shows a tote (three planes, BGR, ln((value + 8) / 128)); the same less how that tote looks when it is empty, as it was
learnt at the site (three planes); floor, walls and rim (three planes of 0 and 1). Out: log odds that a pixel shows an
item, the border between two, an item that sticks out.

**For:** what lies in a tote whose type and place are known. A new site or type needs no training: only another look.
**Not for:** naming items. Whether one sticks out is told little better than by chance.
{MADE.format(scenes=987, steps=7500)}"""
