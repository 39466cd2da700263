"""Whether two releases answer alike: `tunnel-edge parity keep FILE` by the one, `parity compare FILE` by the other.

An update of ONNX Runtime, of a library or of our own code around the models must not change what they say.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from pathlib import Path

from edge import sealed
from edge.core.errors import ModelRefused
from edge.inspection.runtime import SHIPPED
from edge.inspection.session import Manifest, Session, Tensor, newest, read_manifest
from edge.select import DRAWN, tolerance
from edge.settings import ROOT

MAKER = "tunnel-edge parity"
BATCHES = 8  # of each model; references are learnt from half of them

Answers = Mapping[str, Tensor]


def main(arguments: Sequence[str]) -> int:
    """`tunnel-edge parity keep | compare FILE`.

    Raises:
        ModelRefused: a model that both have answers otherwise, by more than its manifest tolerates.
        ReferencesRefused: the file is damaged.
    """
    parser = argparse.ArgumentParser(prog="tunnel-edge parity", description="Do two releases' models answer alike?")
    parser.add_argument("verb", choices=("keep", "compare"))
    parser.add_argument("file", type=Path, help="questions and answers of the shipped models (.npz)")
    parser.add_argument("--models", type=Path, default=ROOT / "models", help="folder of models (default: %(default)s)")
    options = parser.parse_args(arguments)
    if options.verb == "keep":
        sealed.write(options.file, dict(answers(options.models)), MAKER)
    else:
        told = compare(sealed.read(options.file, MAKER), options.models)
        print("\n".join(told))  # noqa: T201 - the command's own voice
    return 0


def answers(models: Path) -> Iterator[tuple[str, Tensor]]:
    """What each shipped model is asked, and says."""
    for check in DRAWN:
        manifest, session = _opened(models, check)
        for number, batch in enumerate(islice(DRAWN[check](manifest), BATCHES)):
            yield f"{manifest.sha256}.{number}.asked", batch
            yield f"{manifest.sha256}.{number}.said", session.run(batch)[0]


def compare(kept: Answers, models: Path) -> list[str]:
    """Ask our models what another release's were asked; a line for each.

    Raises:
        ModelRefused: one of them answers otherwise; all that do are named.
    """
    told: list[str] = []
    apart: list[str] = []
    for check in DRAWN:
        manifest, session = _opened(models, check)
        asked, said = _of(kept, manifest, "asked"), _of(kept, manifest, "said")
        if not asked:
            told.append(f"{check}: another model, not compared")
            continue
        difference, most = tolerance(models / check, manifest)
        differs = difference(said, [session.run(batch)[0] for batch in asked])
        (told if differs <= most else apart).append(f"{check}: differs by {differs:.4f} (at most {most:g})")
    if apart:
        raise ModelRefused("; ".join(apart))
    return told


def _opened(models: Path, check: str) -> tuple[Manifest, Session]:
    folder = newest(models, check)
    manifest = read_manifest(folder)
    return manifest, Session.open(folder, manifest, SHIPPED)


def _of(kept: Answers, manifest: Manifest, what: str) -> list[Tensor]:
    """In the order in which they were asked; none, if that was another model."""
    names = (f"{manifest.sha256}.{number}.{what}" for number in count())
    return list(_until_missing(kept, names))


def _until_missing(kept: Answers, names: Iterator[str]) -> Iterator[Tensor]:
    for name in names:
        if name not in kept:
            return
        yield kept[name]
