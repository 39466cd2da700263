"""Folders of photographs, in the layouts known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.core.errors import ConfigError
from edge.simulator.photographs import Photographed, read_album


def lay(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    return folder


def brief(item: Photographed) -> tuple[str, bool, str, str | None, list[str]]:
    return item.item_id, item.label_bad, item.kind, item.split, sorted(item.pictures)


@pytest.mark.parametrize(
    ("names", "items"),
    [
        (
            ["train/good/0.png", "test/good/0.png", "test/dent/0.png", "ground_truth/dent/0_mask.png"],
            [
                ("test/dent/0", True, "dent", "test", ["top"]),
                ("test/good/0", False, "good", "test", ["top"]),
                ("train/good/0", False, "good", "train", ["top"]),
            ],
        ),
        (
            ["train/normal/a.jpg", "train/anomaly/a.jpg", "test/normal/b.JPG"],
            [
                ("test/normal/b", False, "normal", "test", ["top"]),
                ("train/anomaly/a", True, "anomaly", "train", ["top"]),
                ("train/normal/a", False, "normal", "train", ["top"]),
            ],
        ),
        (
            ["normal/a.bmp", "anomaly/b.bmp"],
            [("anomaly/b", True, "anomaly", None, ["top"]), ("normal/a", False, "normal", None, ["top"])],
        ),
        (
            ["intact/side/1.jpg", "intact/top/1.png", "damaged/side/2.jpg"],
            [
                ("damaged/2", True, "damaged", None, ["side"]),
                ("intact/1", False, "intact", None, ["side", "top"]),
            ],
        ),
    ],
)
def test_a_layout_is_recognised(tmp_path: Path, names: list[str], items: list[object]) -> None:
    album = read_album(lay(tmp_path, *names))
    assert [brief(item) for item in album.items] == items
    assert album.skipped == 0


def test_files_that_are_no_pictures_are_skipped_and_counted(tmp_path: Path) -> None:
    lay(tmp_path, "normal/a.png", "anomaly/b.png")
    (tmp_path / "normal/Thumbs.db").write_bytes(b"no picture")
    (tmp_path / "anomaly/empty.png").write_bytes(b"")
    (tmp_path / "NOTES.md").write_text("beside the pictures")
    album = read_album(tmp_path)
    assert [item.item_id for item in album.items] == ["anomaly/b", "normal/a"]
    assert album.skipped == 2


@pytest.mark.parametrize("names", [[], ["a.png"], ["cats/a.png", "dogs/b.png"], ["train/cat/a.png", "test/dog/b.png"]])
def test_an_unknown_layout_is_refused_with_those_known(tmp_path: Path, names: list[str]) -> None:
    with pytest.raises(ConfigError, match=r"(?s)one of these.*\{intact,damaged\}/VIEW/NAME"):
        read_album(lay(tmp_path, *names))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="absent"):
        read_album(tmp_path / "absent")
