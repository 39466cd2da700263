"""One good file; every fault told at once, with the key that was meant."""

import re

import pytest

from edge.config import load
from edge.core.errors import ConfigError
from edge.core.lots import OFF
from edge.settings import ROOT

GOOD = """
[lane]
site = "site1"
name = "lane1"
state = "/var/lib/tunnel-edge/lane1"
[belt]
counts_per_mm = 10
gate_mm = 1500
confirm_mm = 1700
exit_mm = 1750
[[camera]]
name = "top"
place_mm = 400
node = "tcp://127.0.0.1:5570"
[inspection]
references = "/var/lib/tunnel-edge/references"
[recipe]
name = "standard"
[[recipe.rule]]
check = "anomaly"
cameras = ["top"]
reject_at = 1.0
"""


def loaded(tmp_path, text):
    path = tmp_path / "lane.toml"
    path.write_text(text)
    return load(path)


def test_a_good_file_gives_geometry_and_recipe(tmp_path):
    config = loaded(tmp_path, GOOD)
    assert config.geometry().cameras_mm == {"top": 400}
    (rule,) = config.judged_by().rules
    assert (rule.check, rule.required, rule.reject_at) == ("anomaly", True, 1.0)


@pytest.mark.parametrize(
    ("kind", "free"),
    [
        ('node = "tcp://127.0.0.1:5570"', frozenset()),
        (
            'gige = "Maker-Model-1"\nfeatures = { TriggerMode = "On", ExposureTime = 500.0 }\ntriggered = true',
            frozenset(),
        ),
        ('gige = "Maker-Model-1"', frozenset({"top"})),
        ('node = "tcp://192.0.2.7:5571"\nnode_key = "node.key"', frozenset({"top"})),
        ('node = "tcp://192.0.2.7:5571"\nnode_key = "node.key"\ntriggered = true', frozenset()),
        ('opencv = "/dev/video0"\nsettings = { width = 1280, format = "MJPG" }', frozenset({"top"})),
    ],
)
def test_a_camera_is_of_one_kind(tmp_path, kind, free):
    text = GOOD.replace('node = "tcp://127.0.0.1:5570"', kind)
    config = loaded(tmp_path, text.replace("[inspection]", '[nodes]\nkey = "box.key_secret"\n[inspection]'))
    assert config.geometry().free_running == free


@pytest.mark.parametrize(
    "endpoint", ["ipc:///run/frames", "tcp://localhost:5570", "tcp://127.0.77.2:1", "tcp://[::1]:1"]
)
def test_a_feed_of_this_machine_needs_no_keys(tmp_path, endpoint):
    assert loaded(tmp_path, GOOD.replace("tcp://127.0.0.1:5570", endpoint)).camera[0].node == endpoint


@pytest.mark.parametrize("endpoint", ["tcp://192.0.2.7:5571", "tcp://127.evil.example:1", "tcp://localhost.example:1"])
def test_a_node_on_another_machine_needs_a_key(tmp_path, endpoint):
    with pytest.raises(ConfigError, match="another machine: give node_key, made by `tunnel-edge node keys`"):
        loaded(tmp_path, GOOD.replace("tcp://127.0.0.1:5570", endpoint))


def test_the_box_needs_a_key_of_its_own_and_one_of_each_node(tmp_path):
    two = GOOD.replace(
        "[inspection]", '[[camera]]\nname = "side"\nplace_mm = 1\nnode = "tcp://127.0.0.1:5570"\n[inspection]'
    )
    with pytest.raises(ConfigError) as told:
        loaded(tmp_path, two.replace("5570", '5570"\nnode_key = "a.key', 1))
    assert "nodes.key is missing" in str(told.value)
    assert "two cameras of one node name different keys of it" in str(told.value)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("counts_per_mm = 10", "counts_per_mm = 0", ["belt.counts_per_mm", "greater than 0", "got 0"]),
        ("counts_per_mm = 10", "", ["belt.counts_per_mm: is missing"]),
        ("gate_mm", "gat_mm", ["belt.gat_mm: no such key; did you mean 'gate_mm'?", "belt.gate_mm: is missing"]),
        ("place_mm = 400", "plaze_mm = 400", ["camera.0.plaze_mm: no such key; did you mean 'place_mm'?"]),
        ("[lane]", "[lain]\nx = 1\n[lane]", ["lain: no such key; did you mean 'lane'?"]),
        ('cameras = ["top"]', 'cameras = ["tip"]', ["there is no camera 'tip'"]),
        ("place_mm = 400", "place_mm = 1600", ["camera 'top' stands behind the gate"]),
        ("confirm_mm = 1700", "confirm_mm = 1400", ["must stand downstream of gate_mm"]),
        ('check = "anomaly"', 'check = "anomalie"', ["recipe.rule.0.check"]),
        ("tcp://127", "127", ["camera.0.node"]),
        ('node = "tcp://127.0.0.1:5570"', "", ["give one of node, gige and opencv"]),
        ('node = "', 'gige = "x"\nnode = "', ["give one of node, gige and opencv"]),
        ('node = "', 'features = { Width = 9 }\nnode = "', ["features and chunks are for a gige camera"]),
        ('node = "', 'settings = { rate = 9 }\nnode = "', ["settings are for an opencv camera"]),
        ('node = "tcp:', 'settings = { rat = 9 }\nopencv = "tcp:', ["camera.0.settings.rat"]),
        ("reject_at = 1.0", "reject_at = nan", ["recipe.rule.0.reject_at"]),
        ("reject_at = 1.0", "required = false\nreject_at = 1.0", ["every item would pass unseen"]),
        ("reject_at = 1.0", 'agrees = "expiry"', ["anomaly cannot agree with 'expiry'"]),
        ('check = "anomaly"', 'check = "expiry"', ["expiry reads and has no score"]),
        ("reject_at = 1.0", "reject_at = 1.0\nleast_days = 30", ["least_days is for a rule of expiry that agrees"]),
        ("reject_at = 1.0", 'reject_at = 1.0\nsource = "code"', ["no code says anomaly"]),
        ("reject_at = 1.0", 'source = "stamp"', ["recipe.rule.0.source"]),
        ('name = "top"', 'name = "../top"', ["camera.0.name"]),
        ("reject_at = 1.0", 'format = "["', ["recipe.rule.0.format"]),
        ("[lane]", "[lane", ["no TOML"]),
    ],
)
def test_a_fault_is_named_with_what_was_meant(tmp_path, old, new, told):
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, GOOD.replace(old, new, 1))
    assert [words for words in told if words not in str(refusal.value)] == []


def test_all_faults_are_told_at_once_and_the_next_step(tmp_path):
    text = GOOD.replace("counts_per_mm = 10", "counts_per_mm = -1").replace("place_mm", "palce_mm")
    with pytest.raises(ConfigError) as refusal:
        loaded(tmp_path, text)
    for words in ("counts_per_mm", "palce_mm", "camera.0.place_mm: is missing", "tunnel-edge check"):
        assert words in str(refusal.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"gone\.toml: No such file"):
        load(tmp_path / "gone.toml")


def test_the_example_in_the_documentation_is_good():
    config = load(ROOT / "docs" / "lane.toml")
    assert set(config.geometry().cameras_mm) == {"top", "side"}


def test_lots_are_watched_where_the_site_says_what_is_usual(tmp_path):
    assert loaded(tmp_path, GOOD).lots_watched() is OFF
    lots = '[lots]\nusual_share = 0.02\nproducts = {"04012345678901" = 0.05}\ngroups = ["lot"]\n'
    watched = loaded(tmp_path, GOOD + lots).lots_watched()
    assert (watched.usual_share, watched.products, watched.groups) == (0.02, {"04012345678901": 0.05}, ("lot",))


@pytest.mark.parametrize(
    ("lots", "told"),
    [
        ("", "lots.usual_share: is missing"),
        ("usual_share = 0.5", "less than or equal to 0.2"),
        ("usual_share = 0.01\nfalse_holds = 0", "lots.false_holds"),
        ('usual_share = 0.01\nproducts = {"abc" = 0.01}', "lots.products.abc"),
        ('usual_share = 0.01\ngroups = ["lots"]', "lots.groups.0"),
        ("usual_share = 0.01\nleast_item = 9", "did you mean 'least_items'"),
    ],
)
def test_a_fault_in_what_a_site_says_of_lots_is_told(tmp_path, lots, told):
    with pytest.raises(ConfigError, match=re.escape(told)):
        loaded(tmp_path, f"{GOOD}[lots]\n{lots}\n")


def test_days_that_are_learnt_from_are_not_put_away_before(tmp_path):
    away = '[ledger]\narchive = "/mnt/archive"\nkeep_days = {}\n'
    assert loaded(tmp_path, GOOD + away.format(14.5)).ledger.keep_days == 14.5
    with pytest.raises(ConfigError, match=r"ledger\.keep_days: must be more than inspection\.learn_after_days"):
        loaded(tmp_path, GOOD + away.format(14))
