"""`tunnel-edge investigate` over a ledger as a daemon writes it: answers, page, hostile words, lost pictures."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import date
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from bench.written import LOST, MISSED, OUT, PULLED, Written
from edge.__main__ import main
from edge.config import load
from edge.core.errors import ItemUnknown
from edge.core.messages import Expected
from edge.inspection.references import References
from edge.inspection.session import Session, newest
from edge.investigation.anew import Anew
from edge.investigation.facts import gathered
from edge.investigation.main import options_of, told
from edge.investigation.outline import MOST_CORNERS, by_outline, outlined
from edge.records.cited import snapshot
from edge.records.evidence.index import of_item, place
from edge.records.evidence.store import Store
from edge.records.journal import Journal
from edge.records.ledger_file import FILE
from edge.settings import ROOT
from tests.unit.test_changes import label

GTIN = "04000000000017"
HOSTILE = "<script>alert(1)</script>\x1b[2J'\"&{{ 7*7 }}{0}%s"
SETTINGS = """
[lane]
site = "site"
name = "lane"
state = "{folder}/state"
[belt]
counts_per_mm = 10
gate_mm = 1000
confirm_mm = 1100
exit_mm = 1150
[[camera]]
name = "top"
place_mm = 300
node = "ipc://{folder}/frames"
[[camera]]
name = "back"
place_mm = 300
node = "ipc://{folder}/frames"
[inspection]
references = "{folder}/references"
[recipe]
name = "{name}"
[[recipe.rule]]
check = "anomaly"
cameras = ["top"]
reject_at = {limit}
"""


def order(line, **known):
    return Expected(f"w-{line}", GTIN, line, lot="L1", **known)


@pytest.fixture(scope="module")
def learnt(tmp_path_factory):
    folder = tmp_path_factory.mktemp("learnt")
    session = Session.load(newest(ROOT / "models", "backbone"))
    References.build([label(seed) for seed in range(12)], session, 120).save(folder / GTIN / "top.npz")
    return folder


class Lane:
    """A lane that lets everything pass, and its successor that would not."""

    def __init__(self, folder, learnt):
        (folder / "references").symlink_to(learnt)
        self.state = folder / "state"
        self.then, self.now = folder / "then.toml", folder / "now.toml"
        self.then.write_text(SETTINGS.format(folder=folder, name="then", limit=1000))
        self.now.write_text(SETTINGS.format(folder=folder, name="now", limit=1.7))
        self.page = folder / "page.html"

    def ran(self, *items):
        with closing(Written(load(self.then), date.today())) as written:
            return [written.ran(order_of, {"top": crop.image}, way) for order_of, crop, way in items]

    def asked(self, capsys, *words, config=None):
        capsys.readouterr()
        assert told(options_of([str(config or self.now), *words, "--json", "--html", str(self.page)])) == 0
        return json.loads(capsys.readouterr().out)

    def refuses(self, *words):
        with pytest.raises(ItemUnknown) as refused:
            told(options_of([str(self.now), *words]))
        return str(refused.value)

    def parsed(self):
        return ElementTree.fromstring(self.page.read_text())


@pytest.fixture
def lane(tmp_path, learnt):
    return Lane(tmp_path, learnt)


def test_damage_that_the_line_let_pass_is_found_beside_those_most_alike(lane, capsys):
    *_, torn = lane.ran(
        *((order(f"o-{n}"), label(30 + n), OUT) for n in range(5)), (order("t"), label(50, "torn"), OUT)
    )
    main(["complaint", str(lane.now), "--order-line", "o-0", "--by", "Ada", "--why", "dented"])
    [one] = lane.asked(capsys, "--order-line", "t")["items"]
    assert (one["item_id"], one["left"]) == (torn, "left_damaged_unseen")
    assert "By its pictures it looks damaged when it left" in one["headline"]["words"]
    assert {kept["what"] for kept in one["pictures"]} == {"crop", "heat_map"}
    assert len(one["alike"]) == 3
    assert not {other["item_id"] for other in one["alike"]} & {torn, "i-000001"}  # itself, and the one complained of
    assert any("tunnel-edge defects fit" in step for step in one["next_steps"])


def test_then_and_now_are_told_apart_and_now_needs_no_models_where_it_is_not_asked(lane, capsys):
    lane.ran((order("t"), label(50, "torn"), OUT))
    [one] = lane.asked(capsys, "--order-line", "t", "--as-it-was")["items"]
    assert one["left"] == "left_in_doubt"
    assert [sentence["words"] for sentence in one["now"]] == ["It was not looked at again: nobody asked for it."]
    [again] = lane.asked(capsys, "--order-line", "t")["items"]
    assert again["then"] == one["then"]
    assert any("Otherwise than then: the recipe was 'then'" in sentence["words"] for sentence in again["now"])


def test_an_order_line_with_a_replacement_is_followed_through(lane, capsys):
    first, second = lane.ran((order("o"), label(50, "torn"), PULLED), (order("o"), label(31), OUT))
    both = lane.asked(capsys, "--order-line", "o", config=lane.then)
    assert [one["item_id"] for one in both["items"]] == [first, second]
    assert both["items"][0]["left"] == "never_left"
    assert both["summary"].startswith("2 items ran under this order line: 1: never left; 2: ")
    assert any(f"request r-{first}, order line o" in one["words"] for one in both["items"][0]["after"])
    assert lane.asked(capsys, "--item", first)["items"][1]["item_id"] == second
    assert lane.asked(capsys, "--wms-item", "w-o")["items"][0]["item_id"] == first
    assert len(lane.asked(capsys, "--gtin", GTIN, "--lot", "L1")["items"]) == 2


@pytest.mark.parametrize(("way", "left"), [(MISSED, "left_in_doubt"), (LOST, "lost")])
def test_other_ways(lane, capsys, way, left):
    lane.ran((order("o"), label(50, "torn"), way))
    [one] = lane.asked(capsys, "--order-line", "o", config=lane.then)["items"]
    assert one["left"] == left


def test_what_comes_from_outside_is_shown_and_never_obeyed(lane, capsys):
    lane.ran((order(HOSTILE, seller=f"\x00{HOSTILE}"), label(31), OUT))
    lane.asked(capsys, "--order-line", HOSTILE)
    text = lane.page.read_text()
    assert "<script" not in text
    assert "{{" in text  # shown as it came, not reckoned with
    assert "\x1b" not in text
    assert "\x00" not in text
    told(options_of([str(lane.then), "--order-line", HOSTILE, "--as-it-was"]))
    assert "\x1b" not in capsys.readouterr().out
    assert "alert(1)" in "".join(lane.parsed().itertext())


def test_the_page_stands_alone_and_each_sentence_of_it_names_its_source(lane, capsys):
    lane.ran((order("o"), label(31), OUT))
    lane.asked(capsys, "--order-line", "o")
    tree = lane.parsed()
    space = "{http://www.w3.org/1999/xhtml}"
    pictures = [one.get("src") for one in tree.iter(f"{space}img")]
    assert pictures
    assert all(source.startswith("data:image/") for source in pictures)
    assert not {one.tag for one in tree.iter()} & {space + name for name in ("script", "link", "iframe", "object")}
    assert "url(" not in lane.page.read_text()
    assert "http" not in lane.page.read_text().replace("http://www.w3.org/1999/xhtml", "")
    listed = [one for one in tree.iter(f"{space}li") if one.find(f"{space}small") is not None]
    assert len(listed) > 5
    assert all("[" in "".join(one.itertext()) for one in listed)


def test_pictures_that_are_gone_are_said_to_be_with_the_rule(lane, capsys):
    [item] = lane.ran((order("o"), label(31), OUT))
    with closing(Store(lane.state)) as store:
        store.remove("passed after 30 days", [1, 2])
    [one] = lane.asked(capsys, "--order-line", "o")["items"]
    assert any("removed on" in said["words"] and "passed after 30 days" in said["words"] for said in one["unknown"])
    assert "no picture of it is kept" in one["now"][0]["words"]
    assert "No picture of it is kept." in "".join(lane.parsed().itertext())
    assert [kept.gone for kept in of_item(lane.state, item)] == ["passed after 30 days"] * 2


def test_a_picture_that_was_changed_since_is_not_believed(lane, capsys):
    [item] = lane.ran((order("o"), label(31), OUT))
    for kept in of_item(lane.state, item):
        place(lane.state, kept.sha256).write_bytes(b"another")
    [one] = lane.asked(capsys, "--order-line", "o")["items"]
    assert any("was changed since it was kept" in said["words"] for said in one["unknown"])


def test_a_person_who_declined_its_picture_is_heard(lane, capsys):
    [item] = lane.ran((order("o"), label(31), OUT))
    declined = lane.state / "declined" / GTIN / "top" / f"{item}.png"
    declined.parent.mkdir(parents=True)
    cv2.imwrite(str(declined), label(31).image)
    [one] = lane.asked(capsys, "--order-line", "o", config=lane.then)["items"]
    assert one["left"] == "left_damaged_unseen"
    assert "A person took its picture at camera top" in one["because"]["words"]


def test_how_far_the_checks_see_is_told_by_what_persons_have_named(lane, capsys):
    with closing(Written(load(lane.then), date.today())) as written:
        for seed in (50, 51):
            written.sent_as_bad(order(f"p-{seed}"), {"top": label(seed, "torn").image})
            written.sent_as_bad(order(f"p-{seed}"), {"top": label(seed, "torn").image})  # the same piece, once more
        other = replace(order("p-52"), gtin="04000000000024")
        written.sent_as_bad(other, {"top": label(52, "torn").image})
        written.ran(order("c"), {"top": label(32).image}, OUT)
        [asked] = [written.ran(order("o"), {"top": label(31).image}, OUT)]
    for line in ("c", "o"):
        main(["complaint", str(lane.now), "--order-line", line, "--by", "Ada", "--why", "dented"])
    [one] = lane.asked(capsys, "--order-line", "o", "--as-it-was")["items"]
    assert (one["item_id"], one["left"]) == (asked, "left_nothing_found")
    reach = one["reach"]
    assert (reach["found"], reach["named"], reach["complained"]) == (2, 2, 1)  # its own complaint is not counted
    assert (
        ": 2 of 2 test pieces. Besides, customers complained, for whatever reason, of 1 more" in reach["told"]["words"]
    )
    with snapshot(lane.state) as journal:
        kinds = {str(row.entry): row.kind for row in journal._rows("true")}
    assert {kinds[source["name"]] for source in reach["told"]["sources"]} == {"PersonActed", "Verdict", "Disputed"}
    assert reach["told"]["words"] in "".join(lane.parsed().itertext())
    assert any("tunnel-edge challenge start" in step for step in one["next_steps"])


def test_what_was_declined_counts_where_the_line_had_let_it_pass(lane, capsys):
    lane.ran((order("d"), label(31), OUT), (order("e"), label(50, "torn"), OUT), (order("o"), label(32), OUT))
    said = {
        "by": "Ada",
        "what": "decline",
        "gtin": GTIN,
        "camera": "top",
        "items": ["i-000001", "i-000002", "i-000009"],
    }
    with closing(Journal(lane.state)) as journal:
        journal.append([("ReferencesChanged", None, said), ("ReferencesChanged", None, said | {"gtin": "other"})], [])
    [one] = lane.asked(capsys, "--order-line", "o", "--as-it-was")["items"]
    assert (one["reach"]["found"], one["reach"]["named"]) == (0, 1)


@pytest.mark.parametrize("words", [("--order-line", "nobody\x1b"), ("--item", "%"), ("--lot", "L9")])
def test_what_never_ran_is_told_with_how_far_was_looked(lane, words):
    lane.ran((order("o"), label(31), OUT))
    why = lane.refuses(*words)
    assert "no such item ran on this lane (entry 1 of 20" in why
    assert "\x1b" not in why


def test_what_is_asked_about_is_to_be_named(lane):
    with pytest.raises(SystemExit):
        options_of([str(lane.now), "--order-line", ""])


def test_a_lane_without_a_ledger_says_so(lane):
    assert "no ledger can be read there" in lane.refuses("--order-line", "o")
    Journal(lane.state).close()
    assert "is empty" in lane.refuses("--order-line", "o")


def test_too_many_are_not_told(lane):
    lane.ran(*((order(f"o-{n}"), label(31), OUT) for n in range(13)))
    assert "more than 12 items are meant" in lane.refuses("--gtin", GTIN)


def test_a_large_journal_is_never_read_through(lane):
    lane.ran((order("o"), label(31), OUT))
    asked = []
    with snapshot(lane.state) as journal, closing(sqlite3.connect(lane.state / FILE)) as base:
        journal._base.set_trace_callback(asked.append)
        journal.of_item("i-000001")
        journal.complaints("i-000001", "o")
        journal.order_line("i-000001")
        journal.disputed_of(GTIN, 9)
        journal.acts("PersonActed", "challenge", 9)
        journal.ran_as("w-o", GTIN, 0)
        assert journal.ends
        explained = (row[3] for one in asked for row in base.execute(f"EXPLAIN QUERY PLAN {one}"))
        plans = [plan for plan in explained if not plan.startswith("CORRELATED SCALAR SUBQUERY")]
    assert len(asked) == 10
    assert all(plan.startswith("SEARCH") or "USING INDEX" in plan for plan in plans), plans
    assert not any("journal_gtin" in plan for plan in plans)  # of a product there may be millions


def test_an_item_is_found_again_in_its_crop():
    image = np.full((224, 336, 3), 90, np.uint8)
    cv2.rectangle(image, (18, 18), (317, 205), (200, 210, 220), -1)
    cv2.putText(image, "TUNNEL", (60, 120), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (20, 20, 20), 3)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 4, image.shape), 0, 255).astype(np.uint8)
    truth = np.zeros(image.shape[:2], bool)
    truth[18:206, 18:318] = True
    found = outlined(noisy).mask > 0
    assert (found & truth).sum() / (found | truth).sum() > 0.95
    assert (outlined(noisy[:20, :20]).mask == 255).all()


IN_PICTURE = [[4, 5], [90, 6], [80, 70]]


@pytest.mark.parametrize(
    "told_of",
    [
        None,
        "",
        [],
        IN_PICTURE[:2],
        [*IN_PICTURE, [100, 3]],
        [*IN_PICTURE, [3, 80]],
        [*IN_PICTURE, [-1, 3]],
        [*IN_PICTURE, [2**80, 3]],
        [*IN_PICTURE, [3.0, 3]],
        [*IN_PICTURE, [True, 3]],
        [*IN_PICTURE, [3]],
        [*IN_PICTURE, "ab"],
        [*IN_PICTURE, None],
        {"0": [4, 5]},
        IN_PICTURE * MOST_CORNERS,
    ],
)
def test_an_outline_that_is_none_of_the_picture_is_not_believed(told_of):
    image = np.zeros((80, 100, 3), np.uint8)
    assert by_outline(image, told_of) is None
    assert by_outline(image, IN_PICTURE).mask[30, 60] == 255


def test_the_outline_that_was_kept_goes_before_one_that_is_found_again(lane, tmp_path):
    [item] = lane.ran((order("o"), label(31), OUT))
    belts = tmp_path / "belts"
    belts.mkdir()
    (belts / "top.npz").touch()
    config = load(lane.then)
    anew = Anew(config.model_copy(update={"inspection": config.inspection.model_copy(update={"belt_colours": belts})}))
    _, [shown, *_] = gathered(lane.state, item, ["top"])
    height_px, width_px = shown.image().shape[:2]
    corners = [[0, 0], [width_px - 1, 0], [width_px - 1, height_px - 1], [0, height_px - 1]]
    assert shown.outline == corners  # there is no belt: the picture is all item
    of_old = replace(shown, outline=None)
    assert [anew.seen(one).guessed for one in (shown, of_old)] == [False, True]
    assert [bool((anew.seen(one).crop.mask == 255).all()) for one in (shown, of_old)] == [True, False]
