"""Small parts of the guide: the order of steps, a picture in characters, a page as PDF."""

from __future__ import annotations

import io
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from calibration import pdf, preview
from calibration.item_colours import item_colours
from calibration.normals import limit_of, normals_of
from calibration.order import ORDER, Stage, stages
from edge.config import load
from edge.core.errors import CalibrationRefused
from edge.inspection.colour import Correction, Palette, save_palettes

REPLAYS = Path(__file__).parents[1] / "replays"


def test_every_camera_first_then_what_stands_on_them() -> None:
    order = [stage.name for stage in stages(["top", "side"], "side", ORDER)]
    assert order == [
        *("camera.top", "camera.side", "belt.top", "belt.side", "light.top", "light.side"),
        *("totes", "gate", "thresholds", "verify.top", "verify.side"),
    ]
    assert [*stages(["top"], "top", ["totes", "camera"])] == [Stage("camera", "top"), Stage("totes", "top")]


@pytest.mark.parametrize(("colours", "drawn"), [("truecolor", True), ("256", False), (None, False)])
def test_a_picture_is_drawn_where_there_are_colours_enough(colours: str | None, drawn: bool) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, color_system=colours, width=40)  # type: ignore[arg-type]
    picture = np.zeros((80, 120, 3), np.uint8)
    picture[:, 60:] = (0, 0, 255)
    assert preview.shown(picture, console) == drawn
    assert (screen.getvalue().count(preview.HALF) > 0) == drawn
    assert ("255;0;0" in screen.getvalue()) == drawn
    assert all(line.count(preview.HALF) < 40 for line in screen.getvalue().splitlines())


def test_without_a_printer_it_is_said_how_to_print(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("weasyprint", path=str(Path(sys.executable).parent)):
        pytest.skip("WeasyPrint is installed")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CalibrationRefused, match=r"open .*page\.html in a browser and print it"):
        pdf.printed(tmp_path / "page.html", tmp_path / "page.pdf")


def test_what_prints_badly_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "weasyprint"
    program.write_text("#!/bin/sh\necho no room on the disk >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    if shutil.which("weasyprint", path=str(Path(sys.executable).parent)):
        pytest.skip("WeasyPrint is installed")
    with pytest.raises(CalibrationRefused, match="made no PDF: no room on the disk"):
        pdf.printed(tmp_path / "page.html", tmp_path / "page.pdf")


def test_the_lanes_own_normals_are_read(tmp_path: Path) -> None:
    settings = (REPLAYS / "day" / "lane.toml").read_text()
    path = tmp_path / "lane.toml"
    path.write_text(re.sub(r"references = .*", f'references = "{REPLAYS / "references"}"', settings))
    config = load(path)
    normals = normals_of(config)
    assert normals
    assert all(len(scores) > 4 for products in normals.values() for scores in products.values())
    assert limit_of(config) in ("overkill", "reject_at")
    path.write_text(re.sub(r"references = .*", f'references = "{tmp_path}"', settings))
    with pytest.raises(CalibrationRefused, match="`tunnel-edge references build` first"):
        normals_of(load(path))


def test_items_have_the_colour_that_most_of_them_has(tmp_path: Path) -> None:
    image = np.zeros((90, 90, 3), np.uint8)
    image[:60] = (255, 255, 255)
    image[60:] = (0, 0, 255)
    palette = Palette.of(image, np.full((90, 90), 255, np.uint8), Correction())
    save_palettes(tmp_path / "4006381333931" / "colour.npz", [palette])
    (tmp_path / "4006381333948").mkdir()
    (tmp_path / "4006381333948" / "colour.npz").write_bytes(b"none")
    assert item_colours(tmp_path) == {"4006381333931": pytest.approx((100, 0, 0), abs=0.1)}
