"""Layouts of print as files: readable, sealed, refused where somebody or something changed them."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from edge.core.calendars import Calendar
from edge.core.date_forms import Extra, Order
from edge.core.dates import Granularity, Profile
from edge.core.errors import ReferencesRefused
from edge.core.labels import Field
from edge.inspection.assembly import verify_layouts
from edge.inspection.layout import SUFFIX, Layout, PrintedLine
from edge.inspection.references import Library
from tests.unit.prints import layout, line

GTIN = "04012345678901"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / GTIN / f"side{SUFFIX}"


def test_a_layout_is_what_it_was(path: Path) -> None:
    known = layout(
        line(Field.EXPIRY, keyword='賞味 "期限"', form="yearless"),
        line(Field.LOT),
        orders=(Order.DAY_FIRST,),
        calendar=Calendar.BUDDHIST,
        extras=(Extra.YEARLESS,),
        shelf_life_days=90,
    )
    known.save(path)
    again = Layout.load(path)
    assert again.model_copy(update={"seal": ""}) == known
    assert again.profile == Profile(
        frozenset({Order.DAY_FIRST}), Calendar.BUDDHIST, (Extra.YEARLESS,), 90, Granularity.DAY
    )
    assert again.fields == {Field.EXPIRY, Field.LOT}


@pytest.mark.parametrize(
    ("form", "granularity"), [("day", Granularity.DAY), ("month", Granularity.MONTH), ("", None), ("julian", "day")]
)
def test_how_exact_its_expiry_is_is_known(form: str, granularity: Granularity | None) -> None:
    known = layout(line(Field.EXPIRY, form=form), line(Field.PRODUCTION, form="month" if form != "month" else "day"))
    assert known.profile.granularity == granularity


def test_a_person_can_read_it(path: Path) -> None:
    layout(line(Field.EXPIRY, keyword="BEST BEFORE")).save(path)
    content = tomllib.loads(path.read_text())
    assert (content["accepted_by"], content["accepted_on"]) == ("Ada", "2026-11-25")
    assert content["line"][0]["keyword"] == "BEST BEFORE"
    assert path.read_text().startswith("# Where the print is")


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ('orders = ["DMY"]', 'orders = ["MDY"]', "changed since Ada accepted it"),
        ('accepted_by = "Ada"', 'accepted_by = "Bob"', "changed since Bob accepted it"),
        ('orders = ["DMY"]', 'orders = ["DYM"]', "orders.0"),
        ('gtin = "04012345678901"', "", "gtin: Field required"),
        ('camera = "side"', 'camera = "side"\nexpected = "2027-01-01"', "expected: Extra inputs"),
        ("[[line]]", "[[line", "cannot be read"),
    ],
)
def test_a_changed_or_strange_layout_is_refused(path: Path, before: str, after: str, told: str) -> None:
    layout(line(Field.EXPIRY), orders=(Order.DAY_FIRST,)).save(path)
    path.write_text(path.read_text().replace(before, after, 1))
    with pytest.raises(ReferencesRefused) as refused:
        Layout.load(path)
    assert told in str(refused.value)
    assert "tunnel-edge text learn" in str(refused.value)


def test_half_a_file_is_refused(path: Path) -> None:
    layout(line(Field.EXPIRY)).save(path)
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.raises(ReferencesRefused):
        Layout.load(path)


def test_every_layout_of_a_folder_is_verified(path: Path, tmp_path: Path) -> None:
    verify_layouts(tmp_path / "none")
    layout(line(Field.EXPIRY)).save(path)
    verify_layouts(tmp_path)
    path.write_text("")
    with pytest.raises(ReferencesRefused, match="no layout of print"):
        verify_layouts(tmp_path)


def test_the_library_knows_only_what_is_there(path: Path, tmp_path: Path) -> None:
    layout(line(Field.EXPIRY)).save(path)
    library = Library(tmp_path, SUFFIX, Layout.load)
    assert library.find(GTIN, "side") == Layout.load(path)
    assert library.find(GTIN, "top") is None
    assert library.find("../x", "side") is None


def test_a_line_knows_its_place_in_pixels() -> None:
    corners = ((0.1, 0.2), (0.5, 0.2), (0.5, 0.3), (0.1, 0.3))
    placed = PrintedLine(field=Field.LOT, keyword="LOT", corners=corners, across=0.0, down=0.0).place(400, 200)
    assert placed.tolist() == [[40, 40], [200, 40], [200, 60], [40, 60]]
    assert layout(line(Field.LOT)).accepted_on == date(2026, 11, 25)
