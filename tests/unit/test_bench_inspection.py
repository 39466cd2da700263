"""How `bench.inspection` reckons: on looks that take known times."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bench.inspection import company, spent_ns, timed
from bench.looks import Heard, Look, Model
from edge.core.messages import Image
from edge.inspection.runtime import SHIPPED
from edge.inspection.session import newest, read_manifest

MODELS = Path(__file__).resolve().parents[2] / "models"
PICTURE = np.zeros((8, 8, 3), np.uint8)
LINE = np.random.default_rng(0).standard_normal((1, 3, 48, 160)).astype(np.float32)


@pytest.fixture(scope="module")
def reader() -> Model:
    folder = newest(MODELS, "text-recogniser")
    manifest = read_manifest(folder)
    return Model(Heard.open(folder, manifest, SHIPPED), Heard.open(folder, manifest, SHIPPED))


def slow_steps(_: Image) -> Iterator[str]:
    time.sleep(0.02)
    yield "first"
    yield "second"


def test_the_bare_runs_are_those_of_the_look_and_no_others(reader: Model) -> None:
    look = Look("text", [reader], lambda _: [reader.ours.run(LINE) for _ in range(3)], slow_steps)
    for _ in range(2):
        reader.fastest.batches.clear()  # type: ignore[attr-defined]
        list(timed(look, PICTURE, 0.0))
        assert len(reader.fastest.batches) == 3  # type: ignore[attr-defined]


def test_each_step_is_timed_by_itself_and_held_against_the_bare_runs(reader: Model) -> None:
    look = Look("text", [reader], lambda _: reader.ours.run(LINE), slow_steps)
    spans = dict(timed(look, PICTURE, 0.0))
    assert list(spans) == ["all in", "bare run", "first", "second"]
    assert spans["first"][0] >= 20_000_000 > spans["second"][0]
    assert len({bare_ns for _, bare_ns in spans.values()}) == 1


def test_a_call_is_timed() -> None:
    assert spent_ns(lambda: time.sleep(0.01)) >= 10_000_000


def test_the_company_goes_when_the_measurement_ends() -> None:
    with company() as others:
        assert len(others) == os.cpu_count()
        assert all(other.poll() is None for other in others)
    assert all(other.poll() is not None for other in others)
