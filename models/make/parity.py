"""How far a quantized backbone is from the float one, and how much faster."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import onnxruntime

from edge.inspection.references import nearest

Tensor = npt.NDArray[np.float32]
Run = Callable[[Tensor], Tensor]

TURNS = 60
STRIDE = 16  # every 16th patch stands for its picture: the scores need only be comparable


def measured(exact: bytes, small: bytes, pictures: Sequence[Tensor]) -> dict[str, float]:
    """Both graphs on the same pictures (each 1 × 3 × H × W, normalised), on one thread."""
    runs = [runner(exact), runner(small)]
    patches = [np.stack([run(picture) for picture in pictures]) for run in runs]
    cosines = np.sum(patches[0] * patches[1], -1) / np.prod([np.linalg.norm(each, axis=-1) for each in patches], axis=0)
    scores = [image_scores(each) for each in patches]
    return {
        "cosine_mean": round(float(cosines.mean()), 4),
        "cosine_p1": round(float(np.quantile(cosines, 0.01)), 4),
        "image_score_difference_mean": round(float(np.mean(np.abs(scores[1] / scores[0] - 1))), 4),
        "time_ratio_int8_to_float": round(time_ratio(runs[1], runs[0], pictures[0]), 2),
    }


def image_scores(patches: Tensor) -> Tensor:
    """For each picture of the second half, its largest distance to the patches of the first half (every STRIDE-th)."""
    half = len(patches) // 2
    known = patches[:half, ::STRIDE].reshape(-1, patches.shape[-1])
    return np.array([nearest(each, known).max() for each in patches[half:]], np.float32)


def runner(model: bytes) -> Run:
    """The graph on one thread, as a function from picture to patches (1024 × 152)."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda picture: session.run(None, {name: picture})[0][0]


def time_ratio(first: Run, second: Run, picture: Tensor) -> float:
    """Median time of `first` over that of `second`, taken in turns so that both see the same machine."""
    spent = np.array([[seconds(run, picture) for run in (first, second)] for _ in range(TURNS)])
    return float(np.median(spent[:, 0]) / np.median(spent[:, 1]))


def seconds(run: Run, picture: Tensor) -> float:
    """Time of one run."""
    start = time.perf_counter()
    run(picture)
    return time.perf_counter() - start
