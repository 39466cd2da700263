"""A page as PDF, by WeasyPrint (the extra `pdf`) or Chromium: each is too large to be installed with every box."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from edge.core.errors import CalibrationRefused

PATIENCE_S = 120
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
NONE = (
    "neither WeasyPrint nor Chromium is installed: `pip install weasyprint` (with Debian's libpangoft2-1.0-0 and "
    "libharfbuzz-subset0), or open {page} in a browser and print it: its style sheet fits A4"
)


def printed(page: Path, out: Path) -> str:
    """Print a page; says by what.

    Raises:
        CalibrationRefused: there is nothing to print it with, or that failed.
    """
    command = next(_commands(page, out), None)
    if command is None:
        raise CalibrationRefused(NONE.format(page=page))
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if done.returncode or not out.is_file():
        raise CalibrationRefused(f"{command[0]} made no PDF: {done.stderr.strip()[-500:]}")
    return Path(command[0]).name


def _commands(page: Path, out: Path) -> Iterator[list[str]]:
    """Those whose program is there."""
    own = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    if weasyprint := shutil.which("weasyprint", path=own):
        yield [weasyprint, str(page), str(out)]
    for browser in filter(None, map(shutil.which, BROWSERS)):
        as_root = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses its sandbox to root
        say = ["--headless", *as_root, "--no-pdf-header-footer", f"--print-to-pdf={out}", page.resolve().as_uri()]
        yield [browser, *say]
