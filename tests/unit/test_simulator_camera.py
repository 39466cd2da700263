"""The lane's cameras: what they read, what they send, and what they say is missing."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import zmq

from edge.core.errors import PictureUnreadable
from edge.core.frames import decode_frame
from edge.pictures import read_picture
from edge.simulator.camera import Cameras
from edge.simulator.events import Exposure
from edge.simulator.feed import Feed


def test_a_picture_is_read_as_it_was_written(tmp_path: Path) -> None:
    colours = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    cv2.imwrite(str(tmp_path / "a.png"), colours)
    assert np.array_equal(read_picture(tmp_path / "a.png"), colours)


def test_a_mono_picture_becomes_one_of_three_channels(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 6), 9, np.uint8))
    assert read_picture(tmp_path / "a.png").shape == (4, 6, 3)


@pytest.mark.parametrize(("content", "why"), [(None, "No such file"), (b"", "empty"), (b"text", "no picture")])
def test_what_is_no_picture_is_said(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "a.png"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(PictureUnreadable, match=why):
        read_picture(path)


def test_a_trigger_sends_its_frame(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((4, 6, 3), 7, np.uint8))
    endpoint = f"ipc://{tmp_path}/frames"
    with zmq.Context() as context, context.socket(zmq.SUB) as receiver, Cameras(Feed(endpoint)) as cameras:
        receiver.subscribe(b"")
        receiver.connect(endpoint)
        while not receiver.poll(20):  # until the publisher knows of its subscriber
            cameras.prepare(0, {"top": tmp_path / "a.png"})
            cameras.expose(Exposure(0, "top", 12_345, 678))
        frame = decode_frame(receiver.recv_multipart())
    assert (frame.camera, frame.belt_counts, frame.exposed_ns) == ("top", 12_345, 678)
    assert np.array_equal(frame.image, np.full((4, 6, 3), 7))
    assert cameras.missing == {}


def test_a_trigger_without_a_picture_sends_nothing_and_is_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Cameras(Feed(f"ipc://{tmp_path}/frames")) as cameras:
        cameras.prepare(0, {"side": tmp_path / "absent.png"})
        cameras.expose(Exposure(0, "side", 12_345, 678))
        cameras.expose(Exposure(0, "rear", 12_345, 678))
    assert cameras.sent == {}
    assert cameras.missing == {"side": 1, "rear": 1}
    assert "camera side: no frame" in capsys.readouterr().err
