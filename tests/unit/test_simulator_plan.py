"""A plan goes to its file and back; a wrong one is refused with all its faults."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from edge.core.errors import ConfigError
from edge.simulator.plan import Geometry, Plan, PlannedItem, read_plan, write_plan

GEOMETRY = Geometry(10.0, {"top": 400.0, "side": 500.0}, 1500.0, 1700.0, 1750.0, 80.0)


def plan_in(folder: Path) -> Plan:
    item = PlannedItem(
        wms_item="w-1",
        gtin="04012345678901",
        order_line="o-1",
        length_mm=180.0,
        pictures={"top": folder / "pictures" / "top.png", "side": Path("/elsewhere/side.png")},
        bad=True,
        why="dent",
        lot="L1",
        expiry=date(2027, 3, 12),
        seller="s-1",
    )
    return Plan("site", "lane", GEOMETRY, (item, replace(item, wms_item="w-2")), 500.0, 60.0, seed=7)


def test_a_plan_survives_its_file(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    write_plan(tmp_path / "plan.json", plan)
    assert read_plan(tmp_path / "plan.json") == plan


def test_a_folder_with_its_plan_can_be_moved(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    write_plan(tmp_path / "here" / "plan.json", plan_in(tmp_path / "here"))
    (tmp_path / "here").rename(tmp_path / "there")
    assert read_plan(tmp_path / "there" / "plan.json") == plan_in(tmp_path / "there")


def broken(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "plan.json"
    write_plan(path, plan_in(tmp_path))
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return path


def test_faults_of_fields_are_said_all_at_once(tmp_path: Path) -> None:
    path = broken(tmp_path, speed_mm_per_s=-1, safe_side="up", colour="red", site="a/b")
    with pytest.raises(ConfigError) as refused:
        read_plan(path)
    for fault in ("speed_mm_per_s: ", "safe_side: ", "colour: ", "site: "):
        assert f"  - {fault}" in str(refused.value)


def test_contradictions_are_said_all_at_once(tmp_path: Path) -> None:
    plan = plan_in(tmp_path)
    geometry = replace(GEOMETRY, camera_mm={"top": 1600.0}, confirm_mm=1400.0, exit_mm=1500.0)
    with pytest.raises(ConfigError) as refused:
        write_plan(
            tmp_path / "plan.json",
            replace(plan, geometry=geometry, items_per_minute=200.0, items=(plan.items[0], plan.items[0])),
        )
    for fault in (
        "confirm_mm 1400 is not behind the gate at 1500",
        "exit_mm 1500 is not behind the gate at 1500",
        "camera 'top' at 1600 mm is not before the gate at 1500",
        "items_per_minute: 200 at 500 mm/s leave 150 mm for each item, but the longest and its gap need 280 mm",
        "'w-1' is there 2 times",
        "'w-1' has a picture for 'side', which has no place in camera_mm",
    ):
        assert fault in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff"])
def test_a_file_that_is_no_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "plan.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"plan\.json"):
        read_plan(path)


def test_a_plan_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_plan(tmp_path / "absent.json")
