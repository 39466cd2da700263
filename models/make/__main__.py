"""Make the shipped models: `python -m models.make [MAKER …]`; without a name, all that need no GPU."""

from __future__ import annotations

import argparse
import time
from importlib import import_module
from pathlib import Path

MODELS = Path(__file__).resolve().parent.parent
MAKERS = ("backbone", "second_stage", "text")
LONG = ("totes",)  # only when it is named: a day without a GPU


def main() -> None:
    """Run the makers that are named, one after the other."""
    parser = argparse.ArgumentParser(prog="python -m models.make", description=__doc__)
    parser.add_argument(
        "makers", nargs="*", metavar="MAKER", help=f"of {', '.join(MAKERS + LONG)}; without one: {', '.join(MAKERS)}"
    )
    named = parser.parse_args().makers
    if unknown := set(named) - {*MAKERS, *LONG}:
        parser.error(f"no such maker: {', '.join(sorted(unknown))}; there are {', '.join(MAKERS + LONG)}")
    for maker in named or MAKERS:
        run(maker)


def run(maker: str) -> None:
    """Run one; imported here, for each needs packages that the others do not."""
    print(f"== {maker}", flush=True)
    start = time.monotonic()
    import_module(f"models.make.{maker}").make()
    print(f"== {maker}: done in {time.monotonic() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
