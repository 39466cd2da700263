"""`tunnel-edge text learn` as a technician types it, over drawn pictures; then the line reads by what was learnt."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.date_forms import Order
from edge.core.dates import Profile
from edge.core.labels import Field
from edge.core.messages import Expected, Frame, Image, Item, Sighting
from edge.inspection.assembly import Sessions, known_print, locator
from edge.inspection.layout import SUFFIX, Layout
from edge.pictures import read_picture
from edge.simulator.products import PRODUCTS, Imprint, Product
from edge.simulator.scene import from_the_side

WAIT_S = 120
PRODUCT = PRODUCTS[1]
MODELS = Path(__file__).parents[2] / "models"
FIELDS = {Field.EXPIRY, Field.LOT, Field.SERIAL}
CONTESTED = ("03/04/2027", "05/06/2027", "07/08/2027")


def learn(*words: object) -> subprocess.CompletedProcess[str]:
    return text("learn", *words)


def text(*words: object) -> subprocess.CompletedProcess[str]:
    ran = [sys.executable, "-m", "edge", "text", *map(str, words)]
    return subprocess.run(
        ran, capture_output=True, text=True, timeout=WAIT_S, check=False, stdin=subprocess.DEVNULL, env=None
    )


def side(product: Product, printed: str, number: int) -> Image:
    chance = np.random.default_rng(number)
    return from_the_side(product.side_art(Imprint(printed, f"L{1234 + number}K", f"890123456{number}"), chance), chance)


def written(folder: Path, dates: Sequence[str]) -> list[Path]:
    folder.mkdir()
    paths = [folder / f"{number}.png" for number in range(len(dates))]
    for number, (path, printed) in enumerate(zip(paths, dates, strict=True)):
        cv2.imwrite(str(path), side(PRODUCT, printed, number))
    return paths


@pytest.fixture(scope="module")
def belts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("belts")
    frames = written(folder / "frames", ["01.02.2027"] * 4)
    words = ["belt-colour", "--camera", "side", "--out", str(folder), *map(str, frames)]
    subprocess.run([sys.executable, "-m", "calibration", *words], check=True, timeout=WAIT_S, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def learnt(belts: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of layouts: one product, accepted by name."""
    folder = tmp_path_factory.mktemp("learnt")
    pictures = written(folder / "pictures", ["03.04.2027", "24.12.2027", "05.06.2028", "30.01.2028"])
    product = ("--gtin", PRODUCT.gtin, "--camera", "side", "--belts", belts, "--out", folder / "layouts")
    ran = learn(*product, "--accept", "--by", "Ada", *pictures)
    assert ran.returncode == 0, ran.stderr
    assert "accepted by Ada" in " ".join(ran.stderr.split())
    return folder / "layouts"


def test_a_layout_is_learnt_drawn_and_accepted_by_name(learnt: Path) -> None:
    layout = Layout.load(learnt / PRODUCT.gtin / f"side{SUFFIX}")
    assert {one.field: one.keyword for one in layout.line} == {
        Field.EXPIRY: "EXP",
        Field.LOT: "LOT",
        Field.SERIAL: "SN",
    }
    assert layout.orders == (Order.DAY_FIRST,)
    assert (layout.accepted_by, layout.pictures) == ("Ada", 4)
    assert [one.form for one in layout.line] == ["day", "", ""]
    drawing = cv2.imread(str(learnt / PRODUCT.gtin / "side.print.png"))
    assert drawing is not None
    assert drawing.shape[1] == 1220


@pytest.mark.parametrize("turned", [False, True])
def test_the_line_reads_other_items_by_it(learnt: Path, belts: Path, turned: bool) -> None:
    frame = side(PRODUCT, "09.11.2029", 7)
    frame = np.ascontiguousarray(frame[::-1, ::-1]) if turned else frame
    check = known_print(Sessions(MODELS), FIELDS, lambda: date(2026, 11, 25), Profile(), learnt)
    item = Item("i1", 0, 0, expected=Expected("w1", PRODUCT.gtin, "o1"))
    found = check.inspect(locator(belts)("side", frame), Sighting(Frame("side", "f1", 0, 0.0, frame), item, 0))
    assert {one.check: one.reading for one in found} == {
        "expiry": "2029-11-09",
        "lot": "L1241K",
        "serial": "8901234567",
    }
    assert not any("sought everywhere" in one.because for one in found)


def test_what_is_contested_is_asked_and_accepted_only_with_an_answer(belts: Path, tmp_path: Path) -> None:
    pictures = written(tmp_path / "pictures", CONTESTED)
    words = ("--gtin", PRODUCT.gtin, "--camera", "side", "--belts", belts, "--out", tmp_path / "layouts", *pictures)
    path = tmp_path / "layouts" / PRODUCT.gtin / f"side{SUFFIX}"
    proposed, refused = learn(*words), learn(*words, "--accept", "--by", "Ada")
    assert proposed.returncode == 0
    assert "CONTESTED: 03/04/2027, 05/06/2027, 07/08/2027 may be DMY or MDY: say which with --order" in proposed.stderr
    assert "not accepted" in proposed.stderr
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    assert not path.exists()
    assert learn(*words, "--accept", "--by", "Ada", "--order", "MDY").returncode == 0
    assert Layout.load(path).orders == (Order.MONTH_FIRST,)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--accept", "gone.png"), "--accept needs --by NAME"),
        (("gone.png",), "0 pictures are too few"),
        (("--kind", "1=colour", "gone.png"), "say NUMBER=KIND"),
        (("--order", "DYM", "gone.png"), "--order"),
    ],
)
def test_what_will_not_do_is_told(tmp_path: Path, words: Sequence[str], told: str) -> None:
    ran = learn("--gtin", PRODUCT.gtin, "--camera", "side", "--out", tmp_path, *words)
    assert ran.returncode in (1, 2)
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_date_without_a_keyword_needs_a_person_to_say_what_it_is(tmp_path: Path) -> None:
    paths = []
    for number, printed in enumerate(("03.04.2027", "24.12.2027", "30.01.2028")):
        picture = np.full((300, 600, 3), 225, np.uint8)
        cv2.putText(picture, printed, (60, 150), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (30, 30, 30), 2, cv2.LINE_AA)
        paths.append(tmp_path / f"{number}.png")
        cv2.imwrite(str(paths[-1]), picture)
    words = ("--gtin", PRODUCT.gtin, "--camera", "top", "--out", tmp_path, *paths)
    asked = learn(*words)
    assert "CONTESTED: line 1: a date of which kind? Say with --kind 1=expiry" in asked.stderr
    told = learn(*words, "--kind", "1=expiry", "--accept", "--by", "Ada")
    assert told.returncode == 0, told.stderr
    [one] = Layout.load(tmp_path / PRODUCT.gtin / f"top{SUFFIX}").line
    assert (one.field, one.keyword, one.form) == (Field.EXPIRY, "", "day")
    check = known_print(Sessions(MODELS), {Field.EXPIRY}, lambda: date(2026, 11, 25), Profile(), tmp_path)
    frame = read_picture(paths[1])
    item = Item("i1", 0, 0, expected=Expected("w1", PRODUCT.gtin, "o1"))
    [read] = check.inspect(locator(None)("top", frame), Sighting(Frame("top", "f1", 0, 0.0, frame), item, 0))
    assert read.reading == "2027-12-24"


def test_the_expiry_on_a_photograph_is_read_with_every_day_that_it_may_mean(tmp_path: Path) -> None:
    [clear, contested] = written(tmp_path / "pictures", ["21.11.2027", "03/04/2027"])
    told = text("read", tmp_path / "pictures", Path(__file__))
    assert told.returncode == 0, told.stderr
    rows = {name: line for line in told.stdout.splitlines() for name in (clear.name, contested.name) if name in line}
    assert "2027-11-21" in rows[clear.name]
    assert "or" in rows[contested.name].split("│")[2]
    assert "left out" in told.stderr  # this file is no picture
    assert "2027-04-03" in text("read", "--order", "DMY", contested).stdout
