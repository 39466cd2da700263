"""What the products of a run were judged by: fingerprints of their files, to tell later whether these are the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edge.sealed import named


def fingerprints(references: Path, gtins: Iterable[str]) -> dict[str, str]:
    """`<gtin>/<camera>.npz` → the beginning of its SHA-256, for every file of these products."""
    known = sorted(gtin for gtin in gtins if gtin.isascii() and gtin.isdigit())  # others could name any folder
    paths = (path for gtin in known for path in sorted((references / gtin).glob("*.npz")))
    return {f"{path.parent.name}/{path.name}": named(path) for path in paths}


def others(references: Path, then: Mapping[str, str]) -> Iterator[str]:
    """The files that are not as they were then."""
    now = fingerprints(references, {name.partition("/")[0] for name in then})
    return (name for name in sorted(then.keys() | now.keys()) if then.get(name) != now.get(name))
