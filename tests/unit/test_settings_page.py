"""The page of all settings is in step with the types; every key says what it is for, and in which unit."""

import re
import tomllib
from collections import defaultdict
from typing import Annotated

import pytest
from pydantic import Field

from edge.config import Config, load
from edge.node.settings import NodeConfig
from edge.settings import ROOT, Section
from edge.settings_page import FILES, Key, Table, page, tables

TABLES = [
    pytest.param(table, id=f"{model.__name__} {table.title}") for model in FILES.values() for table in tables(model)
]
EXAMPLES = [("lane.toml", Config), ("node.toml", NodeConfig)]
HEADING = re.compile(r"^(?:# )?\[\[?([\w.]+)\]", re.MULTILINE)
COMMENTED_OUT = re.compile(r"^# (?=\[|\w+ += )", re.MULTILINE)


class Fan(Section):
    """A fan."""

    speed: float = Field(1.5, ge=0, lt=9)
    """How fast it
    turns [1/s]."""
    run_on_s: int | None = Field(None, gt=0)
    """After the belt stopped; left out: `a|b`."""
    odd: float
    shares: dict[Annotated[str, Field(pattern="^a+$")], Annotated[float, Field(le=1)]] = Field({}, max_length=9)
    """Of each [share]."""


class Cabinet(Section):
    """A whole file."""

    fan: tuple[Fan, ...] = Field(min_length=1, max_length=2)


def test_the_page_is_what_the_types_give():
    told = "make it anew: python -m edge.settings_page > docs/settings.md"
    assert (ROOT / "docs" / "settings.md").read_text() == page(), told


def test_a_table_is_told_in_a_technicians_words():
    assert list(tables(Cabinet)) == [
        Table(
            "[[fan]]",
            "A fan.",
            "1 to 2 entries.",
            (
                Key("speed", "number", "1/s", "from 0 below 9", "`1.5`", "How fast it turns."),
                Key("run_on_s", "whole number", "s", "above 0", "–", "After the belt stopped; left out: `a|b`."),
                Key("odd", "number", "", "", "", ""),
                Key("shares", "table of names: number", "share", "0 to 9 entries; `^a+$`; to 1", "`{}`", "Of each."),
            ),
        )
    ]


@pytest.mark.parametrize("table", TABLES)
def test_every_key_says_what_it_is_for_and_in_which_unit(table):
    assert table.purpose
    for key in table.keys:
        assert key.purpose, f"{table.title} {key.name}: say beneath it what it is for"
        told = key.unit or ("table of" in key.takes and " units" in key.purpose)
        assert told or "number" not in key.takes, f"{table.title} {key.name}: give its unit, by its name or in brackets"


@pytest.mark.parametrize("model", FILES.values(), ids=lambda one: one.__name__)
def test_no_key_of_the_types_is_left_out(model):
    types = model.model_json_schema()
    written = {key.name for table in tables(model) for key in table.keys}
    written |= set(re.findall(r"\w+", " ".join(table.title for table in tables(model))))
    for one in (types, *types["$defs"].values()):
        assert set(one.get("properties", ())) <= written


def said_of(text):
    """What an example says of each table, by the table's name."""
    _, *parts = HEADING.split(text)
    said = defaultdict(str)
    for name, words in zip(parts[::2], parts[1::2], strict=True):
        said[name] += words
    return said


@pytest.mark.parametrize(("example", "model"), EXAMPLES, ids=["lane.toml", "node.toml"])
def test_the_examples_show_every_table_and_name_every_key(example, model):
    said = said_of((ROOT / "docs" / example).read_text())
    for table in tables(model):
        name = table.title.strip("[]")
        within, _, inline = name.rpartition(".")
        assert name in said or re.search(rf"\b{inline}\b", said[within]), f"{example} does not show {table.title}"
        words = set(re.findall(r"\w+", said.get(name, said[within])))
        assert {key.name for key in table.keys} <= words, f"of {table.title} in {example}"


def test_what_is_commented_out_in_the_example_is_good_too(tmp_path):
    text = COMMENTED_OUT.sub("", (ROOT / "docs" / "lane.toml").read_text())
    (tmp_path / "lane.toml").write_text(text)
    config = load(tmp_path / "lane.toml")
    assert len(config.camera) > len(tomllib.loads((ROOT / "docs" / "lane.toml").read_text())["camera"])
    assert config.nodes is not None
