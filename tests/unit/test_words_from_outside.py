"""What a warehouse, a person or a print says is shown as it is: rich takes words in brackets for its own markup."""

from __future__ import annotations

import pytest

from edge.__main__ import main
from edge.records.journal import Journal
from edge.settings import ROOT
from tests.unit.test_story import BORN, EVIDENCE, ORDER

ODD = "[/bold] [red]odd[/red]"


@pytest.fixture
def config(tmp_path):
    state = tmp_path / "state"
    item = BORN | {"expected": ORDER | {"order_line": ODD, "wms_item": ODD, "seller": ODD}}
    journal = Journal(state)
    journal.append(
        [
            ("Item", "lane-1", item),
            ("Evidence", "lane-1", EVIDENCE | {"because": ODD, "reading": ODD}),
            ("ItemEnd", "lane-1", {"item_id": "lane-1", "end": "passed", "eye": "exit", "ended_ns": 6_000_000_000}),
            ("PersonActed", None, {"by": ODD, "what": "clear", "why": ODD}),
        ],
        [],
    )
    journal.close()
    path = tmp_path / "lane.toml"
    path.write_text((ROOT / "docs/lane.toml").read_text().replace("/var/lib/tunnel-edge/lane1", str(state)))
    return str(path)


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "CONFIG", "lane-1"],
        ["explain", "CONFIG", ODD],
        ["evidence", "CONFIG", "find", "--order-line", ODD],
        ["evidence", "CONFIG", "show", "lane-1"],
        ["audit", "CONFIG", "log"],
        ["challenge", "holds", "CONFIG"],
    ],
    ids=" ".join,
)
def test_words_in_brackets_are_shown_as_they_are(config, words, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "400")
    assert main([config if one == "CONFIG" else one for one in words]) == 0
    assert ODD in capsys.readouterr().out
