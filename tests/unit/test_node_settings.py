"""A node's settings: one good file, and every fault told at once."""

import pytest

from edge.core.aim import Lens
from edge.core.errors import ConfigError
from edge.node.settings import load
from edge.settings import ROOT

GOOD = """
[node]
listen = "tcp://0.0.0.0:5571"
key = "node.key_secret"
boxes = ["box.key"]
[[camera]]
name = "back"
gige = "Maker-Model-1"
sees_mm = 420
belt_runs = "left"
"""


def loaded(tmp_path, text):
    path = tmp_path / "node.toml"
    path.write_text(text)
    return load(path)


def test_the_example_that_is_shipped_is_good():
    assert load(ROOT / "docs" / "node.toml").camera[0].belt_runs == "left"


def test_a_good_file_says_how_each_camera_sees_the_belt(tmp_path):
    assert loaded(tmp_path, GOOD).camera[0].lens == Lens(420, "left", 40)


@pytest.mark.parametrize(
    ("spoiled", "told"),
    [
        (GOOD.replace("gige", "opencv_"), "no such key; did you mean 'opencv'?"),
        (GOOD.replace('gige = "Maker-Model-1"', ""), "give one of gige and opencv"),
        (GOOD + 'opencv = "/dev/video0"', "give one of gige and opencv"),
        (GOOD + "place_mm = 300", "no such key"),
        (GOOD.replace('"left"', '"sideways"'), "belt_runs"),
        (GOOD.replace("420", "0"), "sees_mm"),
        (GOOD.replace('["box.key"]', "[]"), "boxes"),
        (GOOD + GOOD[GOOD.index("[[camera]]") :], "two cameras have the same name"),
        (GOOD.replace("tcp://", "ipc://"), "listen"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, spoiled, told):
    with pytest.raises(ConfigError, match="tunnel-edge node check") as fault:
        loaded(tmp_path, spoiled)
    assert told in str(fault.value)
