"""Print on products with a layout: read where it should be, sought everywhere where that fails."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from edge import sealed
from edge.core.date_forms import Order
from edge.core.dates import Profile
from edge.core.labels import Field
from edge.core.messages import Evidence, Sighting
from edge.inspection.assembly import Sessions, known_print
from edge.inspection.crop import Crop, answer
from edge.inspection.detector import Finder, TextBox
from edge.inspection.known_print import KnownPrint, turned
from edge.inspection.layout import SUFFIX, Layout
from edge.inspection.layout_finder import LayoutFinder
from edge.inspection.locate import whole
from edge.inspection.references import Library
from tests.unit.prints import GTIN, label, layout, line, seen

MODELS = Path(__file__).parents[2] / "models"
WANTED = (Field.EXPIRY, Field.LOT)
ANY, DMY = Profile(), Profile(frozenset({Order.DAY_FIRST}))


class Everywhere:
    """Stands for the detector."""

    def find(self, picture: object) -> list[TextBox]:
        return []

    def find_turned(self, picture: object, before: object) -> list[TextBox]:
        return []


class Canned:
    """A check that vouches for what it was told to, and remembers who asked."""

    def __init__(self, found: dict[str, set[Field]], rivals: Sequence[str] = ()) -> None:
        self._found = found
        self._rivals = rivals
        self.asked: list[tuple[str, frozenset[Field], Profile]] = []

    def make(self, finder: Finder, fields: Collection[Field], profile: Profile) -> Canned.Asked:
        return Canned.Asked(self, "layout" if isinstance(finder, LayoutFinder) else "detector", fields, profile)

    class Asked:
        def __init__(self, canned: Canned, where: str, fields: Collection[Field], profile: Profile) -> None:
            self.canned, self.where, self.fields, self.profile = canned, where, frozenset(fields), profile

        def inspect(self, crop: Crop, sighting: Sighting) -> Sequence[Evidence]:
            self.canned.asked.append((self.where, self.fields, self.profile))
            vouched = self.canned._found[self.where]
            blank = [answer(field.value, sighting, self.where) for field in Field if field in self.fields]
            return [self._told(one, vouched) for one in blank]

        def _told(self, one: Evidence, vouched: set[Field]) -> Evidence:
            rivals = tuple((text, 0.5) for text in self.canned._rivals)
            return replace(
                one,
                reading=self.where,
                valid=Field(one.check) in vouched,
                rivals=rivals,
                where=((0.0, 0.0),) * bool(rivals),
            )


def known(tmp_path: Path, canned: Canned) -> KnownPrint:
    return KnownPrint(canned.make, Everywhere(), WANTED, ANY, Library(tmp_path, SUFFIX, Layout.load))


def saved(tmp_path: Path, *fields: Field) -> None:
    lines = [line(field, row, field.value) for row, field in enumerate(fields)]
    layout(*lines, orders=(Order.DAY_FIRST,)).save(tmp_path / GTIN / f"side{SUFFIX}")


def test_what_the_layout_gives_is_taken_and_nobody_else_is_asked(tmp_path: Path) -> None:
    canned = Canned({"layout": {Field.EXPIRY, Field.LOT}, "detector": set()})
    saved(tmp_path, Field.EXPIRY, Field.LOT)
    found = known(tmp_path, canned).inspect(*seen(label(())))
    assert [(one.check, one.reading, one.valid) for one in found] == [
        ("expiry", "layout", True),
        ("lot", "layout", True),
    ]
    assert canned.asked == [("layout", frozenset(WANTED), DMY)]
    assert {one.learnt for one in found} == {sealed.named(tmp_path / GTIN / f"side{SUFFIX}")}


def test_what_it_does_not_give_is_sought_everywhere_with_the_products_own_profile(tmp_path: Path) -> None:
    canned = Canned({"layout": {Field.EXPIRY}, "detector": {Field.LOT}})
    saved(tmp_path, Field.EXPIRY, Field.LOT)
    expiry, lot = known(tmp_path, canned).inspect(*seen(label(())))
    assert (expiry.reading, lot.reading) == ("layout", "detector")
    assert lot.because == "detector (sought everywhere; not where the layout says: layout)"
    assert canned.asked[1] == ("detector", frozenset({Field.LOT}), DMY)


@pytest.mark.parametrize(("rivals", "sought"), [(("L4B", "L48"), {Field.EXPIRY}), (("L4B",), set(WANTED))])
def test_a_code_in_doubt_is_not_sought_elsewhere(tmp_path: Path, rivals: Sequence[str], sought: set[Field]) -> None:
    canned = Canned({"layout": set(), "detector": set()}, rivals)
    saved(tmp_path, Field.EXPIRY, Field.LOT)
    known(tmp_path, canned).inspect(*seen(label(())))
    assert canned.asked[1][:2] == ("detector", sought)


def test_what_the_layout_does_not_know_is_sought_everywhere(tmp_path: Path) -> None:
    canned = Canned({"layout": {Field.EXPIRY}, "detector": {Field.LOT}})
    saved(tmp_path, Field.EXPIRY)
    _, lot = known(tmp_path, canned).inspect(*seen(label(())))
    assert lot.because == "detector (sought everywhere; not in the layout)"
    assert canned.asked[0] == ("layout", frozenset({Field.EXPIRY}), DMY)


@pytest.mark.parametrize("gtin", [None, "99999999"])
def test_other_products_are_read_as_before(tmp_path: Path, gtin: str | None) -> None:
    canned = Canned({"layout": set(), "detector": set(WANTED)})
    saved(tmp_path, Field.EXPIRY)
    found = known(tmp_path, canned).inspect(*seen(label(()), gtin))
    assert [one.because for one in found] == ["detector", "detector"]
    assert canned.asked == [("detector", frozenset(WANTED), ANY)]


def test_a_refused_layout_vouches_for_nothing(tmp_path: Path) -> None:
    canned = Canned({"layout": set(WANTED), "detector": set(WANTED)})
    saved(tmp_path, Field.EXPIRY)
    path = tmp_path / GTIN / f"side{SUFFIX}"
    path.write_text(path.read_text().replace("DMY", "MDY"))
    found = known(tmp_path, canned).inspect(*seen(label(())))
    assert [one.valid for one in found] == [False, False]
    assert all("changed since Ada accepted it" in one.because for one in found)
    assert canned.asked == []


@pytest.mark.parametrize(
    ("height", "width", "turns", "expected"),
    [(100, 200, 0, (100, 200)), (200, 100, 0, (100, 200)), (100, 200, 1, (200, 100)), (100, 105, 0, (100, 105))],
)
def test_an_item_that_lies_across_is_turned(height: int, width: int, turns: int, expected: tuple[int, int]) -> None:
    crop = whole(np.zeros((height, width, 3), np.uint8))
    assert turned(crop, layout(line(Field.LOT), quarter_turns=turns)).image.shape[:2] == expected


@pytest.fixture(scope="module")
def sessions() -> Sessions:
    return Sessions(MODELS)


def real(sessions: Sessions, folder: Path) -> KnownPrint:
    return known_print(sessions, WANTED, lambda: date(2026, 11, 25), ANY, folder)


def test_a_date_is_read_where_the_layout_says_and_in_its_order(sessions: Sessions, tmp_path: Path) -> None:
    saved(tmp_path, Field.EXPIRY, Field.LOT)
    expiry, lot = real(sessions, tmp_path).inspect(*seen(label(("EXP 03.04.2027", "LOT L1234A"))))
    assert (expiry.reading, lot.reading) == ("2027-04-03", "L1234A")
    assert "sought" not in expiry.because + lot.because


def test_a_production_date_where_the_expiry_should_be_is_no_expiry(sessions: Sessions, tmp_path: Path) -> None:
    saved(tmp_path, Field.EXPIRY, Field.LOT)
    expiry, _ = real(sessions, tmp_path).inspect(*seen(label(("MFG 03.04.2026", "LOT L1234A"))))
    assert not expiry.valid
    assert expiry.reading is None


def test_a_date_without_a_keyword_is_what_the_layout_says_of_its_place(sessions: Sessions, tmp_path: Path) -> None:
    layout(line(Field.EXPIRY), orders=(Order.DAY_FIRST,)).save(tmp_path / GTIN / f"side{SUFFIX}")
    check = known_print(sessions, {Field.EXPIRY}, lambda: date(2026, 11, 25), ANY, tmp_path)
    [bare] = check.inspect(*seen(label(("24.12.2027",))))
    [produced] = check.inspect(*seen(label(("MFG 24.12.2025",))))
    assert bare.reading == "2027-12-24"
    assert produced.reading is None


@pytest.mark.parametrize(("printed", "read"), [("EXP 14.06.2027", "2027-06-14"), ("EXP 06.2027", None)])
def test_half_a_date_is_none_on_a_product_that_prints_days(
    sessions: Sessions, tmp_path: Path, printed: str, read: str | None
) -> None:
    layout(line(Field.EXPIRY, form="day"), orders=(Order.DAY_FIRST,)).save(tmp_path / GTIN / f"side{SUFFIX}")
    check = known_print(sessions, {Field.EXPIRY}, lambda: date(2026, 11, 25), ANY, tmp_path)
    [one] = check.inspect(*seen(label((printed,))))
    assert one.reading == read
