"""The teaching commands as a technician types them, over pictures that the simulator draws."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from edge.simulator.draw import normals
from edge.simulator.products import PRODUCTS

WAIT_S = 60
GTIN = PRODUCTS[0].gtin


def command(module, *words):
    ran = [sys.executable, "-m", module, *map(str, words)]
    return subprocess.run(ran, capture_output=True, text=True, timeout=WAIT_S, check=False)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Six sound tops, six with a hole, and a file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for n, views in enumerate(normals(GTIN, 6, seed=3)):
        cv2.imwrite(str(folder / f"good-{n}.png"), views["top"])
        cv2.circle(views["top"], (480, 270), 60, (255, 255, 255), -1)
        cv2.imwrite(str(folder / f"hole-{n}.png"), views["top"])
    (folder / "notes.png").write_text("no picture")
    return folder


@pytest.fixture
def belts(pictures, tmp_path):
    words = ("belt-colour", "--camera", "top", "--out", tmp_path / "belts", *sorted(pictures.glob("good-*.png")))
    ran = command("calibration", *words)
    assert ran.returncode == 0, ran.stderr
    assert "an item was found on 6 of 6 frames" in " ".join(ran.stdout.split())
    return tmp_path / "belts"


def test_a_belt_is_learnt_and_shown(belts):
    sheet = cv2.imread(str(belts / "top.png"))
    assert sheet.shape == (2 * 180, 4 * 320, 3)
    assert np.load(belts / "top.npz")


def test_references_and_a_head_are_made_and_a_broken_picture_is_left_out(pictures, belts, tmp_path):
    made = ("--gtin", GTIN, "--camera", "top", "--out", tmp_path, "--belts", belts)
    good = sorted(pictures.glob("good-*.png"))
    ran = command("edge", "references", "build", *made, *good, pictures / "notes.png")
    assert ran.returncode == 0, ran.stderr
    assert "left out" in ran.stderr
    assert "notes.png: no picture" in ran.stderr
    rows = [f"{path},{'good,' if 'good' in path.name else 'bad,torn'}" for path in sorted(pictures.glob("*-*.png"))]
    (tmp_path / "labels.csv").write_text("\n".join(["picture,label,type", *rows]))
    ran = command("edge", "defects", "fit", *made, tmp_path / "labels.csv")
    assert ran.returncode == 0, ran.stderr
    assert sorted(path.name for path in (tmp_path / GTIN).iterdir()) == ["top.head.npz", "top.npz", "top.second.npz"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("picture,label\na.png,dented\n", "labels dented are not known: say good or bad"),
        ("picture,label\n", "labels (none) are not known"),
        ("file,what\nx,y\n", "give a CSV with the columns picture,label"),
        ("picture,label\ngone.png,good\n", "give 5 or more of each"),
    ],
)
def test_labels_that_will_not_do_are_told(tmp_path, content, told):
    (tmp_path / "labels.csv").write_text(content)
    ran = command(
        "edge", "defects", "fit", "--gtin", GTIN, "--camera", "top", "--out", tmp_path, tmp_path / "labels.csv"
    )
    assert ran.returncode == 1
    assert told in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("belt-colour", "--camera", "top", "--out", "x", "a.png"), "1 frames are too few"),
        (("belt-colour", "--camera", "top", "--out", "x", *["gone.png"] * 4), "gone.png: No such file"),
    ],
)
def test_frames_that_will_not_do_are_told(words, told):
    ran = command("calibration", *words)
    assert ran.returncode == 1
    assert told in ran.stderr
