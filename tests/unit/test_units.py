"""The unit files as systemd reads them: how exposed they leave a daemon, and that each exposure is explained."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from edge.settings import ROOT

MOST = 1.1  # of 10, by `systemd-analyze security`; what is added must not make it worse
UNITS = sorted((ROOT / "systemd").glob("*.service"))
PAGE = ROOT / "docs/operations.md"

pytestmark = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed: `make setup`")


def analysed(unit, *words):
    ran = ("systemd-analyze", "security", "--offline=true", "--no-pager", *words, str(unit))
    return subprocess.run(ran, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_is_no_more_exposed_than_it_was(unit):
    told = re.search(r"Overall exposure level for .*: (\d+\.\d)", analysed(unit).stdout)
    assert float(told[1]) <= MOST


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_each_exposure_that_is_left_is_explained(unit):
    left = {one["name"] for one in json.loads(analysed(unit, "--json=short").stdout) if float(one["exposure"] or 0)}
    explained = re.findall(r"^\| `(.+?)` \|", PAGE.read_text(), re.M)
    assert left == left & {name.replace("\\|", "|") for name in explained}


def sandbox(unit):
    return unit.read_text().partition("# What the kernel keeps it from")[2].partition("[Install]")[0].strip()


def test_all_units_share_one_sandbox():
    assert len(UNITS) == 6
    assert len({sandbox(unit) for unit in UNITS}) == 1


def test_systemd_knows_every_word(tmp_path):
    """`systemd-analyze verify`, with a program that is there."""
    for unit in UNITS:
        command = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.M)
        (tmp_path / unit.name).write_text(command)
    for other in (*(ROOT / "systemd").glob("*.target"), *(ROOT / "systemd").glob("*.timer")):
        shutil.copy(other, tmp_path)
    files = sorted(map(str, Path(tmp_path).iterdir()))
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *files], capture_output=True, text=True, check=False
    )
    assert (verified.returncode, verified.stderr) == (0, "")
