"""Real codes, rendered and read back: what they say of the product, and what is not vouched for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from edge.core.errors import MalformedMessage
from edge.core.judge import Answer, Rule, finding
from edge.core.messages import Evidence, Expected, Frame, Image, Item, Sighting
from edge.inspection.codes import CodeCheck, elements, linked_elements
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


@pytest.mark.parametrize(
    ("dates", "reading", "kind"),
    [
        ("(17)270400", "2027-04-30", "expiry"),
        ("(15)270400", "2027-04-30", "best_before"),
        ("(15)270331(17)270400", "2027-04-30", "expiry"),
        ("(11)260101(12)260201(13)260102(16)270101(17)270400", "2027-04-30", "expiry"),
    ],
)
def test_a_code_says_which_date_it_holds(dates: str, reading: str, kind: str) -> None:
    one = inspect(package(drawn(f"(01){GTIN}{dates}(10)L1", Format.DataMatrix, gs1=True)))["expiry"]
    assert (one.reading, one.kind, one.source, one.valid) == (reading, kind, "code", True)


def test_a_code_never_says_that_a_production_date_is_an_expiry() -> None:
    assert "expiry" not in inspect(package(drawn(f"(01){GTIN}(11)260101(13)260102", Format.DataMatrix, gs1=True)))


@pytest.mark.parametrize(
    ("codes", "because"),
    [
        ([], "no code seen"),
        ([drawn("4006381333931", Format.EAN13)], "no code says its expiry"),
    ],
)
def test_what_must_be_answered_is(codes: Sequence[Image], because: str) -> None:
    crop = package(*codes)
    sighting = Sighting(Frame("top", "f-1", 5, 0.0, crop.image), Item("i-1", 0, 0), 10)
    found = CodeCheck(lambda: date(2026, 6, 1), {"code", "expiry"}).inspect(crop, sighting)
    (one,) = (one for one in found if one.check == "expiry")
    assert (one.valid, one.source, one.because) == (False, "code", because)


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
        (
            [drawn(f"(01){GTIN}(17)271300", Format.DataMatrix, gs1=True)],
            "Failed to match '17271300' with GS1 AI (17)",
        ),
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


SEPARATOR = "\x1d"
DATES = st.dates(date(1977, 7, 1), date(2076, 5, 1)).map(lambda day: day.strftime("%y%m%d"))
DIGITS = {"00": 18, "01": 14, "02": 14, "20": 2, "3103": 6}
TEXTS = ("10", "21", "22", "240", "99")
ELEMENT = st.one_of(
    st.tuples(st.sampled_from(("11", "12", "13", "15", "16", "17")), DATES),
    st.sampled_from(sorted(DIGITS)).flatmap(
        lambda ai: st.tuples(st.just(ai), st.text("0123456789", min_size=DIGITS[ai], max_size=DIGITS[ai]))
    ),
    st.tuples(st.sampled_from(TEXTS), st.text("0123456789ABCXYZabc-/.%", min_size=1, max_size=20)),
)


@given(st.lists(ELEMENT, unique_by=lambda pair: pair[0], min_size=1))
def test_any_string_of_elements_comes_back_whole(pairs: list[tuple[str, str]]) -> None:
    message = "".join(ai + value + (SEPARATOR if ai in TEXTS else "") for ai, value in pairs)
    assert elements(message) == dict(pairs)
    assert elements(message.removesuffix(SEPARATOR)) == dict(pairs)


@given(st.text("0123456789AB" + SEPARATOR, max_size=40))
def test_rubbish_is_refused_or_read_but_never_lost(message: str) -> None:
    try:
        found = elements(message)
    except MalformedMessage:
        return
    said = "".join(ai + value for ai, value in found.items())
    assert set(said) == set(message.replace(SEPARATOR, ""))


@pytest.mark.parametrize(
    "message",
    ["01040063813339", "0104006381333931" + "17", "10", "10\x1d21S", "05123", "3", "310", "10A\x1d10B", "1712\x1d0101"],
)
def test_broken_strings_are_refused(message: str) -> None:
    with pytest.raises(MalformedMessage):
        elements(message)


@given(st.text(max_size=60))
def test_no_address_is_too_odd(address: str) -> None:
    linked_elements(address)
    linked_elements(f"https://{address}")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (
            "https://id.gs1.org/01/09506000134352/10/AB%2FC/21/7?17=270400&x=1",
            {"01": "09506000134352", "10": "AB/C", "21": "7", "17": "270400"},
        ),
        ("https://shop.example/p/01/09506000134352", {"01": "09506000134352"}),
        ("https://shop.example/milk", {}),
        ("no address at all", {}),
    ],
)
def test_digital_links(address: str, expected: dict[str, str]) -> None:
    assert linked_elements(address) == expected
