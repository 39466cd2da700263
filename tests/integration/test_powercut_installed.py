"""The power cut at every write of what people install beside the ledger: the old or the new is there, and is whole."""

import random
import sys
from datetime import UTC, datetime

import pytest

from bench.powercut.calls import watched
from bench.powercut.disk import Disk, laid
from bench.powercut.endings import endings
from edge import sealed, signing
from edge.calibrations import Shelf
from edge.core.calibration import Calibration
from edge.inspection import runtime
from edge.lake.store import at

TOLD = "/told"
HEAD = """
import sys
from pathlib import Path
folder = Path(sys.argv[1])
told = open(folder / "told", "ab", buffering=0)
"""


def told_and_left(script, tmp_path):
    """Lines that were told, and a folder with what may lie there when the power is cut after each call of a script."""
    root, chance, told = tmp_path / "disk", random.Random(1), []
    root.mkdir()
    calls = watched([sys.executable, "-c", HEAD + script, str(root)], root, tmp_path / "log")
    disk = Disk(str(root))
    for number, call in enumerate(calls):
        if call.path.endswith(TOLD):
            told += call.data.decode().split()
        else:
            disk.apply(call)
        for ending, image in endings(disk, chance):
            left = tmp_path / f"{number} {ending}"
            left.mkdir()
            laid(image, str(root), left)
            yield tuple(told), left


FILE = """
from edge import disk
disk.made(folder / "a")
for content in (b"1" * 5000, b"2" * 5000):
    disk.written(folder / "a" / "b", content)
    told.write(content[:1] + b"\\n")
"""


def file_in(left):
    path = left / "a" / "b"
    content = path.read_bytes() if path.exists() else b""
    assert content in (b"", b"1" * 5000, b"2" * 5000)
    return content[:1].decode()


LAKE = """
from edge.lake.store import at
lake = at(str(folder / "lake"))
for number in b"12":
    lake.keep(f"t/day={number}/part", bytes([number]) * 5000)
    lake.claim(f"log/{number}", bytes([number]) * 5000)
    told.write(bytes([number]) + b"\\n")
"""


def exported_in(left):
    lake = at(str(left / "lake"))
    found = [number for number in "12" if lake.read(f"log/{ord(number)}")]
    for number in found:
        assert lake.read(f"t/day={ord(number)}/part") == lake.read(f"log/{ord(number)}") == number.encode() * 5000
    return found[-1] if found else ""


SHELF = """
from tests.integration.test_powercut_installed import calibrated
from edge import signing
from edge.calibrations import Shelf
key = signing.make(folder / "keys" / "ada.key")
shelf = Shelf(folder / "shelf", [signing.public(key)])
for _ in range(2):
    told.write(b"%d\\n" % shelf.write(calibrated(), key, {"picture": b"p" * 5000}).version)
"""


def calibrated():
    now = datetime(2026, 1, 31, tzinfo=UTC)
    return Calibration("one", "belt", "", "", 1, "Ada", now, now, "", (), {}, {"mm_per_count": 0.5}, {})


def calibration_in(left):
    key = left / "keys" / "ada.key"
    shelf = Shelf(left / "shelf", [signing.public(signing.load(key))] if key.exists() else [])
    assert list(shelf.broken("belt")) == []
    newest = shelf.newest("belt")
    return str(newest.version) if newest else ""


RUNTIME = """
from edge.inspection import runtime
for threads in (1, 2):
    runtime.write(folder / "etc" / "runtime.toml", {"f" * 64: runtime.Runtime(threads=threads)})
    told.write(b"%d\\n" % threads)
"""


def runtime_in(left):
    path = left / "etc" / "runtime.toml"
    return str(runtime.read(path)["f" * 64].threads) if path.exists() else ""


REFERENCES = """
import numpy as np
from edge import sealed
for number in (1, 2):
    sealed.write(folder / "0401" / "top.npz", {"coreset": np.full(5000, number)}, "a model")
    told.write(b"%d\\n" % number)
"""


def references_in(left):
    path = left / "0401" / "top.npz"
    return str(sealed.read(path, "a model")["coreset"][0]) if path.exists() else ""


UNIT_FILES = """
from edge import releases
releases.UNIT_FILES = folder / "system"
for number, names in (b"1", ("tunnel-edge@.service", "tunnel-edge-old.timer")), (b"2", ("tunnel-edge@.service",)):
    release = folder / number.decode()
    release.mkdir()
    for name in names:
        (release / name).write_bytes(number * 5000)
    releases._put_unit_files(release)
    told.write(number + b"\\n")
"""


def unit_file_in(left):
    path = left / "system" / "tunnel-edge@.service"
    content = path.read_text() if path.exists() else ""
    assert content in ("", "1" * 5000, "2" * 5000)
    return content[:1]


@pytest.mark.parametrize(
    ("script", "found_in"),
    [
        pytest.param(FILE, file_in, id="a file in one step"),
        pytest.param(LAKE, exported_in, id="what was exported"),
        pytest.param(SHELF, calibration_in, id="a calibration"),
        pytest.param(RUNTIME, runtime_in, id="the chosen runtime"),
        pytest.param(REFERENCES, references_in, id="references"),
        pytest.param(UNIT_FILES, unit_file_in, id="the unit files of a release"),
    ],
)
def test_what_was_installed_is_there_whole_wherever_the_power_is_cut(script, found_in, tmp_path):
    told = ()
    for told, left in told_and_left(script, tmp_path):
        assert found_in(left) >= max(told, default=""), left.name
    assert told == ("1", "2")
