"""Real codes, rendered and read back: what they say of the product, and what is not vouched for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import cv2
import numpy as np
import pytest
import zxingcpp

from edge.core.judge import Answer, Rule, finding
from edge.core.messages import Evidence, Expected, Frame, Image, Item, Sighting
from edge.inspection.codes import CodeCheck
from edge.inspection.crop import Crop
from edge.inspection.locate import whole

GTIN = "04006381333931"
GS1 = f"(01){GTIN}(17)270400(10)L4821A(21)S1"
Format = zxingcpp.BarcodeFormat


def drawn(content: str, form: zxingcpp.BarcodeFormat, **how: bool) -> Image:
    """A code as a printer makes it, three pixels a module, in a quiet zone."""
    code = zxingcpp.create_barcode(content, form, **how)
    return np.array(code.to_image(scale=3, add_quiet_zones=True), np.uint8)


def package(*codes: Image) -> Crop:
    """A grey carton with the codes one below the other."""
    image = np.full((60 + sum(code.shape[0] + 40 for code in codes), 1200), 170, np.uint8)
    top_px = 30
    for code in codes:
        image[top_px : top_px + code.shape[0], 50 : 50 + code.shape[1]] = code
        top_px += code.shape[0] + 40
    return whole(np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR), np.uint8))


def inspect(crop: Crop) -> dict[str, Evidence]:
    sighting = Sighting(Frame("top", "f-1", 5, 0.0, crop.image), Item("i-1", 0, 0), 10)
    found = CodeCheck(lambda: date(2026, 6, 1)).inspect(crop, sighting)
    return {one.check: one for one in found}


@pytest.mark.parametrize(
    ("content", "form", "gtin"),
    [
        ("4006381333931", Format.EAN13, GTIN),
        ("96385074", Format.EAN8, "00000096385074"),
        ("036000291452", Format.UPCA, "00036000291452"),
        ("01234565", Format.UPCE, "00012345000065"),
        ("14006381333938", Format.ITF14, "14006381333938"),
        (GTIN, Format.DataBarOmni, GTIN),
        ("https://id.gs1.org/01/04006381333931/10/A", Format.QRCode, GTIN),
    ],
)
def test_every_symbology_gives_the_same_gtin(content: str, form: zxingcpp.BarcodeFormat, gtin: str) -> None:
    evidence = inspect(package(drawn(content, form)))["code"]
    assert evidence.valid
    assert evidence.reading == gtin
    assert len(evidence.where) == 4


@pytest.mark.parametrize("form", [Format.DataMatrix, Format.Code128, Format.QRCode, Format.DataBarExp])
def test_gs1_codes_say_expiry_lot_and_serial(form: zxingcpp.BarcodeFormat) -> None:
    how = {} if form == Format.DataBarExp else {"gs1": True}
    found = inspect(package(drawn(GS1, form, **how)))
    assert {check: one.reading for check, one in found.items()} == {
        "code": GTIN,
        "expiry": "2027-04-30",
        "lot": "L4821A",
        "serial": "S1",
    }
    assert all(one.valid for one in found.values())


def test_two_codes_of_one_product_agree() -> None:
    found = inspect(package(drawn("4006381333931", Format.EAN13), drawn(GS1, Format.DataMatrix, gs1=True)))
    assert found["code"].valid
    assert found["lot"].reading == "L4821A"


@pytest.mark.parametrize(
    ("codes", "because"),
    [
        ([], "no code seen"),
        ([drawn("1Z999AA10123456784", Format.Code128)], "no code of a product, but '1Z999AA1"),
        ([drawn("4006381333931", Format.EAN13), drawn("96385074", Format.EAN8)], "contradict"),
        ([drawn(f"(01){GTIN}(17)271300", Format.DataMatrix, gs1=True)], "GS1's rules: '271300' is no date"),
    ],
)
def test_what_is_not_vouched_for(codes: Sequence[Image], because: str) -> None:
    found = inspect(package(*codes))
    assert set(found) == {"code"}
    assert not found["code"].valid
    assert because in found["code"].because


@pytest.mark.parametrize("degrees", [0, 90, 180, 8])
def test_where_is_told_in_the_frame_s_pixels(degrees: float) -> None:
    """The item lies turned in the frame; the crop is upright, and knows the way back."""
    crop = package(drawn("4006381333931", Format.EAN13))
    turn = np.array(((1, 0, 800), (0, 1, 800), (0, 0, 1))) @ np.vstack(
        (cv2.getRotationMatrix2D((0.0, 0.0), degrees, 1.0), (0, 0, 1))
    )
    frame = cv2.warpPerspective(crop.image, turn, (1600, 1600))
    here, there = inspect(crop)["code"], inspect(Crop(frame, crop.mask, turn, crop.polygon, located=True))["code"]
    expected = cv2.perspectiveTransform(np.array([here.where]), turn)[0]
    assert np.array(there.where) == pytest.approx(expected, abs=2)


def test_turned_and_read_only_pictures_are_read() -> None:
    crop = package(drawn("4006381333931", Format.EAN13))
    image = np.rot90(crop.image)
    image.setflags(write=False)
    assert inspect(whole(image))["code"].reading == GTIN


@pytest.mark.parametrize(
    ("ordered", "answer"),
    [
        ("4006381333931", Answer.GOOD),
        (GTIN, Answer.GOOD),
        ("04006381333948", Answer.BAD),
        ("12345678", Answer.BAD),  # no GTIN: said rather than passed
    ],
)
def test_judge_compares_the_code_with_the_order(ordered: str, answer: Answer) -> None:
    evidence = inspect(package(drawn("4006381333931", Format.EAN13)))["code"]
    item = Item("i-1", 0, 0, expected=Expected("w-1", ordered, "o-1"))
    rule = Rule("code", ("top",), required=True, agrees="code")
    assert finding(rule, item, [evidence], date(2026, 6, 1)).answer is answer
