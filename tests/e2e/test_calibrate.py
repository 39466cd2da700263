"""The guided tool as a technician uses it, in a terminal of its own, on a simulated site."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import cv2
import pytest

from edge.calibrations import Shelf, public, read_key

LANE = Path(__file__).parents[2] / "docs" / "lane.toml"
PATIENCE_S = 120
SITE = 3
ENTER = ""
GUIDE = ("lane.toml", "--camera", "top", "--folder", "lane1", "--by", "Ann", "--key", "ann.pem", "--simulate", SITE)


class Terminal:
    """A program in a terminal: what it says, and what is typed."""

    def __init__(self, folder, *words):
        self._ours, theirs = pty.openpty()
        command = [sys.executable, "-m", "calibration", *map(str, words)]
        self._process = subprocess.Popen(
            command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs, env=os.environ | {"TERM": "dumb"}
        )
        os.close(theirs)
        self._unread = ""

    def read_to(self, words):
        """Read on until it says this; what it said before."""
        end_s = time.monotonic() + PATIENCE_S
        while not re.search(words, self._unread):
            assert time.monotonic() < end_s, self._unread
            if select.select([self._ours], [], [], 0.1)[0]:
                self._unread += self._read()
        before, self._unread = re.split(words, self._unread, maxsplit=1)
        return before

    def say(self, words):
        os.write(self._ours, f"{words}\n".encode())

    def end(self):
        """Its exit code."""
        while self._process.poll() is None:
            if select.select([self._ours], [], [], 0.1)[0]:
                self._unread += self._read()
        os.close(self._ours)
        return self._process.returncode

    def _read(self):
        try:
            return os.read(self._ours, 4096).decode(errors="replace")
        except OSError:  # it has ended
            return ""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not Path("/dev/pts/ptmx").exists():
        pytest.skip("needs /dev/pts: in a chroot no terminal is to be had")
    one = tmp_path_factory.mktemp("site")
    shutil.copy(LANE, one / "lane.toml")
    made = run(one, "key", "ann.pem")
    assert re.search(r'trusted = \["[0-9a-f]{64}"\]', made.stdout), made.stderr
    return one


def run(folder, *words):
    command = [sys.executable, "-m", "calibration", *map(str, words)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE_S, check=False)


def guide(folder, *words):
    return Terminal(folder, "guide", *GUIDE, *words)


def shelf(folder):
    return Shelf(folder / "lane1", [public(read_key(folder / "ann.pem"))])


def through(terminal, shows):
    """Press Enter at each of these."""
    for words in shows:
        terminal.read_to(f"(?s){words}.*?gives up")
        terminal.say(ENTER)


SHEET = "white sheet"
HAND, LAID, CHART, TURNED, RIDE = (
    "board in hand",
    "board on the belt",
    "flat on the belt",
    "turned by half",
    "running belt",
)
CAMERA = [HAND] * 10 + [LAID, CHART, TURNED]


def test_a_technician_calibrates_a_camera_and_its_belt(folder):
    terminal = guide(folder)
    through(terminal, CAMERA)
    terminal.read_to("What shall it be")
    assert shelf(folder).names() == []  # nothing counts before it is accepted
    terminal.say("accept")
    terminal.read_to(r"kept as camera\.top, version 1")
    for shows, says in (
        ([SHEET], "of the brightest"),
        ([RIDE], "counts a millimetre"),
        ([LAID, CHART], "diagonal is right"),
    ):
        through(terminal, shows)
        terminal.read_to(says)
        terminal.say("accept")
    assert terminal.end() == 0
    assert shelf(folder).names() == ["belt.top", "camera.top", "light.top", "verify.top"]
    kept = shelf(folder).newest("belt.top")
    assert kept.values["counts_per_mm"] == pytest.approx(10, rel=0.002)
    assert (kept.by, kept.serial, len(kept.frames)) == ("Ann", f"SIM{SITE:04d}", 8)
    assert shelf(folder).newest("camera.top").quality["lens_residual_px"] < 1
    for picture in ("top.camera.png", "top.light.png", "top.belt.png", "top.verify.png"):
        assert cv2.imread(str(folder / picture)) is not None
    assert "nothing to do" in run(folder, "guide", *GUIDE, "--resume").stdout


@pytest.mark.parametrize("steps", range(4))
def test_giving_up_leaves_the_old_calibration_in_force(folder, steps):
    before = shelf(folder).newest("belt.top")
    terminal = guide(folder, "--steps", "camera")
    through(terminal, CAMERA[:steps])
    terminal.read_to("gives up")
    terminal.say("abort")
    terminal.read_to("stays as it was")
    assert terminal.end() == 1
    assert (shelf(folder).newest("belt.top"), shelf(folder).versions("camera.top")) == (before, [1])


def test_a_step_that_is_not_liked_is_done_again_or_left(folder):
    terminal = guide(folder, "--steps", "belt")
    through(terminal, [RIDE])
    terminal.read_to("What shall it be")
    terminal.say("adjust")
    through(terminal, [RIDE])
    terminal.read_to("What shall it be")
    terminal.say("abort")
    assert terminal.end() == 1
    assert shelf(folder).versions("belt.top") == [1]


def test_one_page_shows_all_of_it(folder):
    told = run(folder, "report", "lane1", "--key", "ann.pem", "--out", "page.html")
    assert (told.returncode, "4 parts, 0 of them with faults" in told.stdout) == (0, True), told.stderr
    page = (folder / "page.html").read_text()
    assert page.count("data:image/png;base64,iVBOR") == 4
    assert all(words in page for words in ("camera.top, version 1", "Ann", f"SIM{SITE:04d}", "lens residual px"))
    strange = run(folder, "report", "lane1", "--out", "page.html")
    assert (strange.returncode, "trusted does not name" in (folder / "page.html").read_text()) == (1, True)


def test_what_is_calibrated_can_be_listed_compared_and_brought_back(folder):
    words = "lane1", "belt.top", 1, "--key", "ann.pem", "--by", "Bob"
    assert "version 1 again, as version 2" in run(folder, "revert", *words).stdout
    assert shelf(folder).newest("belt.top").by == "Bob"
    listed = run(folder, "list", "lane1", "--key", "ann.pem")
    assert (listed.returncode, "camera.top" in listed.stdout) == (0, True)
    assert run(folder, "diff", "lane1", "belt.top", 1, 2, "--key", "ann.pem").returncode == 0
    strange = run(folder, "list", "lane1")
    assert (strange.returncode, "does not name" in strange.stdout) == (1, True)
    path = folder / "lane1" / "belt.top.2.toml"
    path.write_text(path.read_text().replace('"by" = "Bob"', '"by" = "Eve"'))
    assert "changed since it was signed" in run(folder, "diff", "lane1", "belt.top", 1, 2, "--key", "ann.pem").stderr
