"""Finding the item: drawn belts, drawn items."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.cameras.part import filled
from edge.core.errors import PictureUnreadable, ReferencesRefused
from edge.core.frames import Sent
from edge.inspection.belt import BeltColour
from edge.inspection.locate import locate, whole
from edge.investigation.outline import by_outline

BLUE, WHITE, DARK = (190, 90, 30), (245, 245, 245), (30, 30, 30)


def belt_frame(seed: int = 0) -> np.ndarray:
    """A grey roller conveyor, 960 × 540, rolled on a bit for each seed."""
    frame = np.full((540, 960, 3), 140, np.uint8)
    for top in range(-40 + 13 * seed % 40, 540, 40):
        cv2.line(frame, (0, top), (960, top), (60, 60, 60), 8)
    noise = np.random.default_rng(seed).normal(0, 3, frame.shape)
    return np.clip(frame + noise, 0, 255).astype(np.uint8)


def with_box(frame: np.ndarray, box: tuple, colour: tuple[int, int, int]) -> np.ndarray:
    return cv2.fillPoly(frame.copy(), [np.intp(cv2.boxPoints(box))], colour)


def overlap(polygon: tuple, box: tuple) -> float:
    """Intersection over union of an outline and a box."""
    drawn = [
        cv2.fillPoly(np.zeros((540, 960), np.uint8), [np.intp(points)], 1) for points in (polygon, cv2.boxPoints(box))
    ]
    return float((drawn[0] & drawn[1]).sum() / (drawn[0] | drawn[1]).sum())


@pytest.fixture(scope="module")
def belt() -> BeltColour:
    box = ((480, 270), (300, 160), 20)
    return BeltColour.learn([with_box(belt_frame(seed), box, WHITE) for seed in range(6)])


@pytest.mark.parametrize(("longest_px", "alike"), [(4096, 1.0), (120, 0.97)])
@pytest.mark.parametrize("degrees", [0, 20])
def test_the_outline_that_is_kept_beside_a_crop_gives_its_mask_again(belt, degrees, longest_px, alike) -> None:
    crop = locate(with_box(belt_frame(9), ((500, 260), (300, 160), degrees), BLUE), belt)
    copy, outline = crop.kept(longest_px)
    again = by_outline(copy, json.loads(json.dumps(outline)))
    assert again is not None
    assert again.mask.shape == copy.shape[:2]
    there = cv2.resize(crop.mask, copy.shape[1::-1], interpolation=cv2.INTER_NEAREST) > 0
    assert ((again.mask > 0) & there).sum() >= alike * ((again.mask > 0) | there).sum()


@pytest.mark.parametrize("degrees", [-40, -20, 0, 10, 30, 42])
@pytest.mark.parametrize("colour", [BLUE, WHITE, DARK])
def test_item_is_found_and_turned_upright(belt: BeltColour, degrees: float, colour: tuple[int, int, int]) -> None:
    box = ((500, 260), (300, 160), degrees)
    crop = locate(with_box(belt_frame(9), box, colour), belt)
    assert crop.located
    assert overlap(crop.polygon, box) > 0.8
    height_px, width_px = crop.image.shape[:2]
    assert width_px / height_px == pytest.approx((300 + 36) / (160 + 36), rel=0.12)
    assert np.mean(np.abs(crop.image[crop.mask > 0].astype(int) - colour).max(axis=1) < 30) > 0.8


def test_item_of_the_belt_s_own_colour_is_found_by_its_smoothness(belt: BeltColour) -> None:
    box = ((480, 280), (320, 220), 0)
    crop = locate(with_box(belt_frame(9), box, (140, 140, 140)), belt)
    assert crop.located
    assert overlap(crop.polygon, box) > 0.7


@pytest.mark.parametrize("gain", [0.94, 1.06])
def test_lamps_may_waver(belt: BeltColour, gain: float) -> None:
    box = ((500, 260), (300, 160), 10)
    frame = np.clip(with_box(belt_frame(9), box, BLUE) * gain, 0, 255).astype(np.uint8)
    assert overlap(locate(frame, belt).polygon, box) > 0.8
    assert not locate(np.clip(belt_frame(9) * gain, 0, 255).astype(np.uint8), belt).located


def test_shadow_is_no_part_of_the_item(belt: BeltColour) -> None:
    box = ((480, 270), (300, 160), 0)
    shaded = belt_frame(9)
    shaded[200:370, 340:650] = shaded[200:370, 340:650] * 0.93
    assert overlap(locate(with_box(shaded, box, WHITE), belt).polygon, box) > 0.85


def cast_dark(frame: np.ndarray) -> np.ndarray:
    """What stands over the belt takes the light from the middle of its far end."""
    shade = np.ones(frame.shape[:2], np.float32)
    cv2.ellipse(shade, (480, 0), (260, 120), 0, 0, 360, 0.35, -1)
    return (frame * cv2.GaussianBlur(shade, (0, 0), 20)[..., None]).astype(np.uint8)


def test_a_dark_place_that_no_side_shows_is_no_item() -> None:
    box = ((480, 330), (300, 160), 0)
    belt = BeltColour.learn([cast_dark(with_box(belt_frame(seed), box, WHITE)) for seed in range(8)])
    assert overlap(locate(cast_dark(with_box(belt_frame(9), box, WHITE)), belt).polygon, box) > 0.8
    assert not locate(cast_dark(belt_frame(9)), belt).located


def test_items_that_reach_the_sides_of_most_frames_are_not_taken_for_the_belt() -> None:
    boxes = [((480 + 350 * (-1) ** seed, 50 + 55 * seed), (300, 70), 0) for seed in range(9)]
    belt = BeltColour.learn([with_box(belt_frame(seed), box, BLUE) for seed, box in enumerate(boxes)])
    box = ((500, 260), (300, 160), 0)
    assert overlap(locate(with_box(belt_frame(9), box, BLUE), belt).polygon, box) > 0.8


def test_item_that_is_partly_coloured_like_the_belt_is_found_whole(belt: BeltColour) -> None:
    box = ((480, 270), (320, 260), 0)
    frame = with_box(with_box(belt_frame(9), box, (140, 140, 140)), ((480, 180), (320, 80), 0), BLUE)
    assert overlap(locate(frame, belt).polygon, box) > 0.8


def test_crop_maps_back_to_the_frame(belt: BeltColour) -> None:
    frame = with_box(belt_frame(9), ((500, 260), (300, 160), 25), BLUE)
    cv2.circle(frame, (520, 250), 6, (0, 0, 255), -1)
    crop = locate(frame, belt)
    rows, columns = np.nonzero((crop.image == (0, 0, 255)).all(axis=2))
    seen = np.array([[[columns.mean(), rows.mean()]]])
    assert cv2.perspectiveTransform(seen, crop.to_frame)[0, 0] == pytest.approx((520, 250), abs=1.5)


@pytest.mark.parametrize(
    "box", [None, ((480, 270), (20, 20), 0), ((480, 270), (900, 500), 0)], ids=["none", "tiny", "huge"]
)
def test_whole_frame_where_no_item_stands_out(belt: BeltColour, box: tuple | None) -> None:
    frame = belt_frame(9) if box is None else with_box(belt_frame(9), box, BLUE)
    crop = locate(frame, belt)
    assert not crop.located
    assert crop.image.shape == frame.shape
    assert crop.mask.all()
    assert crop.to_frame == pytest.approx(np.eye(3))


def test_item_at_the_rim_stays_in_its_crop(belt: BeltColour) -> None:
    crop = locate(with_box(belt_frame(9), ((930, 260), (200, 160), 0), BLUE), belt)
    assert crop.located
    assert max(x for x, _ in crop.polygon) <= 960


def test_items_at_the_side_of_some_frames_are_not_learnt_as_belt() -> None:
    frames = [belt_frame(seed) for seed in range(6)]
    frames[1:3] = [with_box(frame, ((60, 270), (300, 300), 0), BLUE) for frame in frames[1:3]]
    assert locate(with_box(belt_frame(9), ((500, 260), (300, 160), 0), BLUE), BeltColour.learn(frames)).located


def test_belt_needs_frames() -> None:
    with pytest.raises(PictureUnreadable, match="record"):
        BeltColour.learn([])


def test_belt_is_kept(belt: BeltColour, tmp_path: Path) -> None:
    belt.save(tmp_path / "belts" / "top.npz")
    again = BeltColour.load(tmp_path / "belts" / "top.npz")
    assert np.array_equal(again.colours, belt.colours)
    assert np.array_equal(again.textures, belt.textures)
    assert [path.name for path in (tmp_path / "belts").iterdir()] == ["top.npz"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04cut short"])
def test_damaged_belt_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "top.npz"
    path.write_bytes(content)
    with pytest.raises(ReferencesRefused, match="anew"):
        BeltColour.load(path)


def test_whole_frame_has_its_corners_as_outline() -> None:
    assert whole(np.zeros((10, 20, 3), np.uint8)).polygon == ((0, 0), (19, 0), (19, 9), (0, 9))


@pytest.mark.parametrize("degrees", [-20, 0, 10, 42])
@pytest.mark.parametrize("colour", [BLUE, WHITE, DARK])
@pytest.mark.parametrize("along", ["rows", "columns"])
def test_an_item_is_found_alike_in_the_part_that_a_node_sent(belt, degrees, colour, along) -> None:
    box = ((500, 260), (300, 160), degrees)
    frame = with_box(belt_frame(9), box, colour)
    corners = np.array(cv2.boxPoints(box))
    (left, top), (right, bottom) = corners.min(axis=0).astype(int) - 60, corners.max(axis=0).astype(int) + 60
    rows, columns = (slice(max(0, top), bottom), slice(None)) if along == "rows" else (slice(None), slice(left, right))
    at_px = (rows.start or 0, columns.start or 0)
    image, shown = filled(Sent("top", "life", 1, 1, 0, 1, frame[rows, columns], at_px, frame.shape[:2]))
    assert image.shape == frame.shape
    in_part, in_whole = locate(image, belt, shown), locate(frame, belt)
    assert in_part.located
    assert overlap(in_part.polygon, box) > 0.8
    assert np.abs(np.array(in_part.polygon) - np.array(in_whole.polygon)).max() < 12


def test_where_nothing_is_found_only_what_was_shown_is_looked_at(belt) -> None:
    crop = locate(belt_frame(9), belt, (100, 300, 200, 500))
    assert not crop.located
    assert crop.image.shape == (200, 300, 3)


def test_what_was_filled_up_holds_no_item(belt) -> None:
    frame = with_box(belt_frame(9), ((200, 270), (300, 160), 0), BLUE)
    assert locate(frame, belt).located
    assert not locate(frame, belt, (0, 540, 500, 960)).located
