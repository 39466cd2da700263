"""Read the codes on an item: the GTIN, and what a GS1 code says beside it. What is ordered never enters here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import cv2
import numpy as np
import zxingcpp
from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementStrings
from biip.gs1_messages import GS1Message

from edge.core import gs1
from edge.core.errors import MalformedMessage
from edge.core.labels import Field, Kind
from edge.core.messages import Evidence, Point, Sighting
from edge.inspection.crop import Crop, answer

CODE, SOURCE = "code", "code"
SYMBOLOGIES = "EANUPC|ITF14|DataBar|DataBarExp|DataBarLtd|Code128|DataMatrix|QRCode"
BARE_GTINS = frozenset({"EAN/UPC", "ITF"})  # symbologies that hold a GTIN and nothing else

SAID: dict[str, Callable[[gs1.Label], str | date | None]] = {
    CODE: lambda label: label.gtin,
    Field.EXPIRY: lambda label: label.expiry or label.best_before,  # where there are both, AI 17 is what must not pass
    Field.LOT: lambda label: label.lot,
    Field.SERIAL: lambda label: label.serial,
}
"""Check → what a code says of it."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """What one code says of one check."""

    reading: str  # dates as YYYY-MM-DD
    where: tuple[Point, ...]  # the code's corners in the frame's pixels
    kind: str  # of a date: expiry or best_before


@dataclass(frozen=True, slots=True)
class _Code:
    """A code that could be read; an empty label: it is none of a product, or breaks GS1's rules."""

    text: str
    where: tuple[Point, ...]
    label: gs1.Label
    fault: str = ""


class CodeCheck:
    """Evidence `code` (the GTIN, 14 digits), and `expiry`, `lot`, `serial` where a code holds them or must."""

    def __init__(self, today: Callable[[], date], wanted: Collection[str] = (CODE,)) -> None:
        """Take what must be answered in any case, and the site's calendar day.

        today: gives two-digit years their century.
        """
        self._formats = zxingcpp.barcode_formats_from_str(SYMBOLOGIES)
        self._today = today
        self._wanted = frozenset(wanted)

    def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
        """Evidence `code` is invalid where no code names a product, or two name different ones."""
        codes = list(self._codes(crop))
        claims = {check: list(_claims(codes, said)) for check, said in SAID.items()}
        return [
            _judged(check, made, codes, sighting) for check, made in claims.items() if made or check in self._wanted
        ]

    def _codes(self, crop: Crop) -> Iterator[_Code]:
        grey = np.asarray(cv2.cvtColor(crop.image, cv2.COLOR_BGR2GRAY), np.uint8)
        for barcode in zxingcpp.read_barcodes(grey, self._formats, text_mode=zxingcpp.TextMode.Plain):
            where = _in_frame(barcode.position, crop)
            try:
                label = gs1.Label.of(_elements(barcode), self._today())
            except MalformedMessage as error:
                yield _Code(barcode.text, where, gs1.Label(), str(error))
            else:
                yield _Code(barcode.text, where, label)


def _elements(barcode: zxingcpp.Barcode) -> dict[str, str]:
    """Application identifier → value; empty for a code of something else, such as an address label's."""
    if str(barcode.symbology) in BARE_GTINS:
        return {gs1.GTIN: barcode.text}
    if barcode.content_type == zxingcpp.ContentType.GS1:
        return elements(barcode.text)
    return linked_elements(barcode.text)


def elements(message: str) -> dict[str, str]:
    """AI → value, of a string as a reader gives it: FNC1 in front left out, later ones as group separators.

    Raises:
        MalformedMessage: an unknown AI, a value that the AI does not allow, or two values of one AI.
    """
    try:
        return _by_ai(GS1Message.parse(message).element_strings)
    except ParseError as error:
        raise MalformedMessage("gs1", str(error).split(" pattern ")[0]) from error


def linked_elements(address: str) -> dict[str, str]:
    """The same of a GS1 Digital Link (`https://…/01/GTIN/10/LOT?17=YYMMDD`); empty where the address is none."""
    try:
        return _by_ai(GS1DigitalLinkURI.parse(address).element_strings)
    except (ParseError, ValueError):
        return {}


def _by_ai(strings: GS1ElementStrings) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in strings:
        if found.setdefault(one.ai.ai, one.value) != one.value:
            raise MalformedMessage("gs1", f"AI ({one.ai.ai}) has two values")
    return found


def _claims(codes: Sequence[_Code], said: Callable[[gs1.Label], str | date | None]) -> Iterator[_Claim]:
    for code in codes:
        if value := said(code.label):
            yield _Claim(str(value), code.where, _kind(code.label) if isinstance(value, date) else "")


def _kind(label: gs1.Label) -> str:
    return Kind.EXPIRY.value if label.expiry else Kind.BEST_BEFORE.value


def _judged(check: str, claims: Sequence[_Claim], codes: Sequence[_Code], sighting: Sighting) -> Evidence:
    """Vouch for the one thing that all codes say; only print is read with a probability."""
    source = "" if check == CODE else SOURCE
    readings = sorted({claim.reading for claim in claims})
    if len(readings) != 1:
        because = f"the codes contradict each other: {', '.join(readings)}" if readings else _silence(codes, check)
        return replace(answer(check, sighting, because), source=source)
    said = answer(check, sighting, f"the code says {readings[0]}")
    one = claims[0]
    return replace(said, reading=one.reading, where=one.where, kind=one.kind, source=source, valid=True)


def _silence(codes: Sequence[_Code], check: str) -> str:
    """Why no code names a product, or says what was asked."""
    if check != CODE and any(code.label.gtin for code in codes):
        return f"no code says its {check}"
    if faults := [code.fault for code in codes if code.fault]:
        return f"a code breaks GS1's rules: {faults[0]}"
    return f"no code of a product, but {codes[0].text[:40]!r}" if codes else "no code seen"


def _in_frame(position: zxingcpp.Position, crop: Crop) -> tuple[Point, ...]:
    corners = (position.top_left, position.top_right, position.bottom_right, position.bottom_left)
    pixels = np.array([[(corner.x, corner.y) for corner in corners]], np.float64)
    return tuple((float(x), float(y)) for x, y in cv2.perspectiveTransform(pixels, crop.to_frame)[0])
