"""The guided tool as a technician uses it, in a terminal of its own, on a simulated site."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest

from edge.calibrations import Shelf, read_key
from edge.signing import public
from tests.e2e.terminal import PATIENCE_S, ROOT, Terminal

pytestmark = pytest.mark.timeout(900)  # frames of a simulated site are rendered, a second or two each
LANE = Path(__file__).parents[2] / "docs" / "lane.toml"
SITE = 5
TOTE, HEIGHT_MM = "red", 150  # one of its types
ENTER = ""
GUIDE = ("lane.toml", "--camera", "top", "--folder", "lane1", "--by", "Ann", "--key", "ann.pem", "--simulate", SITE)
HAND, LAID, CHART, TURNED = "board in hand", "board on the belt", "flat on the belt", "turned by half"
SHEET, RIDE, AGAIN, EMPTY = "white sheet", "running belt", "riding past once more", "empty tote"
SHOWN = {
    "camera": [HAND] * 10 + [LAID, CHART, TURNED],
    "belt": [RIDE, AGAIN],
    "light": [SHEET],
    "totes": [EMPTY] * 6,
    "thresholds": [],
    "verify": [LAID, CHART, SHEET, RIDE, EMPTY],
}
"""What each step asks for, in its order."""
NAMES = ["belt.top", "camera.top", "light.top", "thresholds", f"totes.{TOTE}", "verify.top"]


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
    return subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture
def guide(folder):
    """Begins the guided tool in a terminal; none is left behind."""
    opened = []

    def begun(*words, environment=()):
        opened.append(Terminal(folder, "guide", *GUIDE, *words, environment=environment))
        return opened[-1]

    yield begun
    for terminal in opened:
        terminal.close()


def shelf(folder):
    return Shelf(folder / "lane1", [public(read_key(folder / "ann.pem"))])


def through(terminal, shows):
    """Press Enter at each of these."""
    for words in shows:
        terminal.read_to(f"(?s){words}.*?gives up")
        terminal.say(ENTER)


def entered(terminal):
    """What no camera sees of the tote."""
    for words, answer in (("name", TOTE), ("rim", HEIGHT_MM), ("wall", ENTER), ("floor", ENTER)):
        terminal.read_to(f"(?s){words}.*?: $")
        terminal.say(answer)


def to_the_end_of(terminal, step):
    """All that a step asks for, up to the question whether it is accepted."""
    if step == "totes":
        entered(terminal)
    if step == "thresholds":
        terminal.read_to("(?s)1.00%: .*measured.*may be rejected: $")
        terminal.say("1")
    through(terminal, SHOWN[step])
    terminal.read_to("What shall it be")


def accepted(terminal, step):
    to_the_end_of(terminal, step)
    terminal.say("accept")
    terminal.read_to(r"kept as .*version \d")
    if step == "totes":
        terminal.read_to("another type of tote")
        terminal.say("no")


def test_a_technician_calibrates_a_camera(folder, guide):
    terminal = guide()
    terminal.read_to("step 1 of 7: camera, camera top")
    to_the_end_of(terminal, "camera")
    assert "What shall it be" in terminal.screen()
    assert shelf(folder).names() == []  # nothing counts before it is accepted
    terminal.say("accept")
    terminal.read_to(r"kept as camera\.top, version 1")
    terminal.read_to("step 2 of 7: belt")
    terminal.interrupt()
    assert terminal.end() == 1
    assert shelf(folder).newest("camera.top").quality["lens_residual_px"] < 1


def test_it_goes_on_where_it_ended_to_the_end_of_the_site(folder, guide):
    terminal = guide("--resume")
    assert "step 1" not in terminal.read_to("step 2 of 7: belt, camera top")
    for step in ("belt", "light", "totes"):
        accepted(terminal, step)
    terminal.read_to("only the daemon moves the gate")
    accepted(terminal, "thresholds")
    accepted(terminal, "verify")
    terminal.read_to("still to be done: gate")
    assert terminal.end() == 0
    assert shelf(folder).names() == NAMES
    belt, tote = shelf(folder).newest("belt.top"), shelf(folder).newest(f"totes.{TOTE}")
    assert belt.values["counts_per_mm"] == pytest.approx(10, rel=0.002)
    assert belt.quality["speed_linearity_percent"] < 0.2
    assert (belt.by, belt.serial, len(belt.frames)) == ("Ann", f"SIM{SITE:04d}", 16)
    assert shelf(folder).newest("thresholds").values == {"reject_at.anomaly": pytest.approx(1, abs=0.2)}
    assert (tote.values["length_mm"], tote.values["width_mm"]) == pytest.approx((300, 200), abs=3)
    for picture in ("top.camera.png", "top.light.png", "top.belt.png", f"top.totes.{TOTE}.png", "top.verify.png"):
        assert cv2.imread(str(folder / picture)) is not None
    again = run(folder, "guide", *GUIDE, "--resume").stdout
    assert all(words in again for words in ("step 5 of 7: gate", "still to be done: gate"))
    assert again.count("step ") == 1
    assert "nothing to do" in run(folder, "guide", *GUIDE, "--resume", "--steps", "camera", "verify").stdout


@pytest.mark.parametrize(
    ("step", "shown"), [(step, shown) for step in SHOWN for shown in (0, 1) if not shown or SHOWN[step][shown:]]
)
def test_giving_up_at_any_step_leaves_the_old_calibration_in_force(folder, guide, step, shown):
    before = on_the_shelf(folder)
    assert before
    terminal = guide("--steps", step)
    if shown and step == "totes":
        entered(terminal)
    through(terminal, SHOWN[step][:shown])
    terminal.read_to("gives up")
    terminal.say("abort")
    terminal.read_to("stays as it was")
    assert terminal.end() == 1
    assert on_the_shelf(folder) == before


@pytest.mark.parametrize("step", ["light", "thresholds"])
def test_a_step_that_is_not_liked_is_done_again_or_left(folder, guide, step):
    before = on_the_shelf(folder)
    terminal = guide("--steps", step)
    to_the_end_of(terminal, step)
    terminal.say("adjust")
    to_the_end_of(terminal, step)
    terminal.say("abort")
    terminal.read_to("stays as it was")
    assert terminal.end() == 1
    assert on_the_shelf(folder) == before


def test_pictures_are_drawn_where_the_terminal_has_colours_enough(folder, guide):
    for words, seen in ((("--no-pictures",), False), ((), True)):
        terminal = guide("--steps", "light", *words, environment=("COLORTERM=truecolor",))
        through(terminal, SHOWN["light"])
        assert ("▀" in terminal.read_to("look at")) == seen
        terminal.interrupt()
        assert terminal.end() == 1


def test_what_is_asked_again_says_why(folder, guide):
    terminal = guide("--steps", "totes")
    terminal.read_to(f"this site's totes: .*{TOTE}")
    for words, answer in (("name", "pink"), ("rim", "tall"), ("wall", ENTER), ("floor", ENTER)):
        terminal.read_to(f"(?s){words}.*?: $")
        terminal.say(answer)
    terminal.read_to("'tall' is no number from 20 to 1000")
    for words, answer in (("name", "pink"), ("rim", 150), ("wall", ENTER), ("floor", ENTER)):
        terminal.read_to(f"(?s){words}.*?: $")
        terminal.say(answer)
    through(terminal, [EMPTY])
    terminal.read_to("no tote 'pink' at this site")
    terminal.interrupt()
    assert terminal.end() == 1


def on_the_shelf(folder):
    """Every file and what is in it."""
    return {path: path.read_bytes() for path in sorted((folder / "lane1").rglob("*")) if path.is_file()}


def test_one_page_shows_all_of_it(folder):
    told = run(folder, "report", "lane1", "--key", "ann.pem", "--out", "page.html")
    assert (told.returncode, "6 parts, 0 of them with faults" in told.stdout) == (0, True), told.stderr
    page = (folder / "page.html").read_text()
    assert page.count("data:image/png;base64,iVBOR") >= 8
    words = ("camera.top, version 1", "Ann", f"SIM{SITE:04d}", "lens residual px", "before and after")
    assert all(one in page for one in words)
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
    assert (strange.returncode, "[calibration]" in strange.stdout) == (1, True)  # where to name it
    path = folder / "lane1" / "belt.top.2.toml"
    path.write_text(path.read_text().replace('"by" = "Bob"', '"by" = "Eve"'))
    assert "changed since it was signed" in run(folder, "diff", "lane1", "belt.top", 1, 2, "--key", "ann.pem").stderr
