"""`tunnel-edge lake`: the ledger as Parquet tables. The appliance does without what this needs: it is an extra."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence

from edge.core.errors import LakeRefused

NEEDED = ("pyarrow", "fsspec")


def main(arguments: Sequence[str]) -> int:
    """As `edge.lake.command.main`, where what it needs is installed.

    Raises:
        LakeRefused: it is not.
    """
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise LakeRefused(
            f"not installed: {', '.join(missing)}: `pip install 'tunnel-edge[lake]'`, or build the release with it: "
            "`make deb EXTRAS=gige,tesseract,lake`."
        )
    command: Callable[[Sequence[str]], int] = importlib.import_module("edge.lake.command").main
    return command(arguments)
