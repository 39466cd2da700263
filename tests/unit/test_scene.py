"""Which photographs run, which teach, and what the labels may say."""

import pytest

from edge.core.errors import ConfigError
from edge.demo.scene import LABELS_PER_CLASS, photographed


def folder_of(tmp_path, *names):
    for name in names:
        path = tmp_path / "data" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # The signature is all that is looked at here: no picture is read.
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(8))
    return tmp_path / "data"


def labelled(tmp_path, *rows):
    path = tmp_path / "labels.csv"
    path.write_text("\n".join(["item,label", *rows]))
    return path


def checks(scene):
    return [(rule.check, rule.cameras, rule.required) for rule in scene.rules]


def test_a_folder_with_a_training_split_teaches_from_it_and_runs_the_rest(tmp_path):
    data = folder_of(tmp_path, "train/good/0", "train/good/1", "test/good/0", "test/dent/0")
    scene = photographed(data, None, 1)
    assert sorted(one.wms_item for one in scene.items) == ["test/dent/0", "test/good/0"]
    assert [len(paths) for paths in scene.normals.values()] == [2]
    assert (scene.labelled, scene.fitted) == ({}, frozenset())
    assert checks(scene) == [("anomaly", ("top",), True)]


def test_without_a_split_every_item_runs_and_the_labelled_ones_are_known(tmp_path):
    names = [f"{kind}/{view}/{n:013d}" for kind in ("intact", "damaged") for view in ("side", "top") for n in range(50)]
    scene = photographed(folder_of(tmp_path, *names), None, 1)
    assert len(scene.items) == 100
    assert len(scene.fitted) == 2 * LABELS_PER_CLASS
    assert {key[1]: len(rows) for key, rows in scene.labelled.items()} == {"side": 40, "top": 40}
    assert checks(scene)[0] == ("defect", ("side", "top"), True)
    assert scene.serials["intact/0000000000007"] == "0000000000007"


def test_never_more_than_half_of_a_class_is_taken_for_labels(tmp_path):
    names = [f"{kind}/{n}" for kind in ("normal", "anomaly") for n in range(10)]
    scene = photographed(folder_of(tmp_path, *names), None, 1)
    assert len(scene.fitted) == 10


def test_the_draw_is_the_same_for_the_same_seed_only(tmp_path):
    data = folder_of(tmp_path, *[f"{kind}/{n}" for kind in ("normal", "anomaly") for n in range(40)])
    assert photographed(data, None, 1).fitted == photographed(data, None, 1).fitted
    assert photographed(data, None, 1).fitted != photographed(data, None, 2).fitted


def test_labels_come_from_a_list_or_from_another_folder(tmp_path):
    data = folder_of(tmp_path, *[f"{kind}/{n}" for kind in ("normal", "anomaly") for n in range(4)])
    listed = photographed(data, labelled(tmp_path, "normal/0,good", "anomaly/1,bad"), 1)
    assert listed.fitted == {"normal/0", "anomaly/1"}
    other = folder_of(tmp_path / "other", *[f"{kind}/x{n}" for kind in ("normal", "anomaly") for n in range(3)])
    assert [len(rows) for rows in photographed(data, other, 1).labelled.values()] == [6]


def test_heads_learn_the_kinds_that_the_folders_are_named_after(tmp_path):
    names = ["good/0", "good/1", "dent/0", "tear/0"]
    data = folder_of(tmp_path, "train/good/0", *[f"test/{name}" for name in names])
    labels = labelled(tmp_path, *[f"test/{name},{'good' if 'good' in name else 'bad'}" for name in names])
    (rows,) = photographed(data, labels, 1).labelled.values()
    assert [kind for _, kind in rows] == ["", "", "dent", "tear"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("nobody,good", "there is no item 'nobody'"),
        ("normal/0,bad", "labelled otherwise than its folder"),
        ("normal/0,dented", "say good or bad"),
    ],
)
def test_labels_that_cannot_be_are_told(tmp_path, row, told):
    data = folder_of(tmp_path, *[f"{kind}/{n}" for kind in ("normal", "anomaly") for n in range(4)])
    with pytest.raises(ConfigError, match=told):
        photographed(data, labelled(tmp_path, row), 1)


def test_sound_ones_alone_have_nothing_to_run(tmp_path):
    with pytest.raises(ConfigError, match="0 items to run"):
        photographed(folder_of(tmp_path, "train/good/0", "train/good/1"), None, 1)
