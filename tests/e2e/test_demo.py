"""The demo as a newcomer runs it: one command, every process real."""

import json
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest


def demo(folder, *arguments):
    command = [sys.executable, "-m", "edge", "demo", "--report", "report", "--json", "out.json", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=200, check=False)


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    return demo(folder, "--items", 20, "--rate", 90), folder


def test_it_ends_with_the_books(shown):
    ran, _ = shown
    assert ran.returncode == 0, ran.stdout + ran.stderr
    last = ran.stdout.strip().splitlines()[-1]
    numbers = re.fullmatch(
        r"conservation: inducted=20 passed=(\d+) diverted=(\d+) missed=0 no_decision=(\d+) on_belt=0 violations=0", last
    )
    assert numbers, last
    assert sum(map(int, numbers.groups())) == 20


def test_every_verdict_is_told_as_it_falls(shown):
    ran, _ = shown
    assert len(re.findall(r"^\d{6}  (pass|reject|no decision) ", ran.stdout, re.MULTILINE)) == 20


def test_the_bad_ones_are_pulled_off_and_ordered_again(shown):
    figures = json.loads((shown[1] / "out.json").read_text())
    assert figures["items"] == 20
    assert figures["diverts"]["true"] >= 4  # of 6; a small dent may go unseen
    assert figures["diverts"]["missed"] == 0
    replacements = figures["replacements"]
    assert replacements["owed"] == figures["diverts"]["true"] + figures["diverts"]["false"]
    assert replacements["acknowledged"] == replacements["owed"]
    assert replacements["received_more_than_once"] == 0
    assert figures["latency_ms"]["p50"] > 0


def test_the_report_shows_every_item_with_its_pictures(shown):
    page = (shown[1] / "report" / "index.html").read_text()
    assert page.count("<article") == 20
    pictures = re.findall(r'<img loading="lazy" src="([^"]+)"', page)
    assert len(pictures) >= 40
    for picture in pictures:
        assert cv2.imread(str(shown[1] / "report" / picture)) is not None


def photograph(path, bad, chance):
    """A grey box on a dark, noisy belt; a bad one has a white hole."""
    image = chance.integers(20, 60, (240, 320, 3), dtype=np.uint8)
    x, y = chance.integers(80, 110), chance.integers(60, 80)
    image[y : y + 100, x : x + 140] = (150, 160, 170)
    image[y + 20 : y + 40, x + 20 : x + 120] = (40, 40, 160)
    if bad:
        cv2.circle(image, (int(x) + 70, int(y) + 70), 18, (255, 255, 255), -1)
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image)


def test_a_folder_of_photographs_runs_with_a_picture_that_is_none(tmp_path):
    chance = np.random.default_rng(1)
    for n in range(8):
        photograph(tmp_path / f"data/train/good/{n}.png", False, chance)
    for n in range(4):
        photograph(tmp_path / f"data/test/good/{n}.png", False, chance)
        photograph(tmp_path / f"data/test/hole/{n}.png", True, chance)
    (tmp_path / "data/test/hole/x.png").write_bytes((tmp_path / "data/test/hole/0.png").read_bytes()[:400])
    ran = demo(tmp_path, "--data", "data")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["items"] == 9
    assert figures["auroc"] == 1.0
    assert figures["conservation"]["no_decision"] == 1  # nobody saw it, so it did not pass
    assert figures["diverts"]["missed"] == 0


def test_an_unknown_folder_is_told_what_layouts_there_are(tmp_path):
    (tmp_path / "data").mkdir()
    ran = demo(tmp_path, "--data", "data")
    assert ran.returncode == 1
    assert "train/good/NAME" in ran.stderr
    assert "Traceback" not in ran.stderr
