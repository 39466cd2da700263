"""The evidence of a lane: files and ledger agree, whatever is cut short; what is asked for is found."""

import hashlib
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from edge.core.bodies import body
from edge.core.chain_check import Kind
from edge.core.errors import EvidenceGone
from edge.core.messages import Disposition, End, Expected, ItemEnd
from edge.records.evidence import index
from edge.records.evidence.index import EVIDENCE, INCOMING, of_item, picture, place
from edge.records.evidence.store import FOLDERS, Picture, Store
from edge.records.journal import Journal, entries, items_like, story
from edge.records.ledger_file import FILE, said
from edge.records.proof import prove
from tests.unit.lane import item


def taken(item_id="i-1", content=b"one", what="crop", check="", camera="top", outline=()):
    return Picture(item_id, what, camera, check, "f-1", 5, content, "image/webp", 4, 3, outline)


def name(content):
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path)
    yield store
    store.close()


def rowids(folder):
    base = sqlite3.connect(folder / FILE)
    found = [rowid for (rowid,) in base.execute("SELECT rowid FROM evidence WHERE gone = ''")]
    base.close()
    return found


def files(folder):
    return {path.name for path in (folder / EVIDENCE).rglob("*") if path.is_file()}


def test_a_picture_is_kept_entered_and_read_again(tmp_path, store):
    store.keep([taken(), taken(content=b"hot", what="heat_map", check="anomaly"), taken("i-2", b"two")])
    [crop, heat] = of_item(tmp_path, "i-1")
    assert (crop.what, crop.camera, crop.check, crop.sha256, crop.bytes) == ("crop", "top", "", name(b"one"), 3)
    assert (heat.what, heat.check, picture(tmp_path, heat.sha256)) == ("heat_map", "anomaly", b"hot")
    [(_, kind, told)] = story(tmp_path, "i-1")
    assert (kind, [one["sha256"] for one in told["pictures"]]) == ("EvidenceKept", [name(b"one"), name(b"hot")])
    assert (store.kept, store.bytes) == (3, 9)


def test_what_comes_twice_is_one_file_which_goes_with_the_last_of_its_items(tmp_path, store):
    store.keep([taken(), taken("i-2")])
    store.keep([taken("i-3")])
    assert files(tmp_path) == {name(b"one")}
    first, *others = rowids(tmp_path)
    store.remove("age", [first])
    assert picture(tmp_path, name(b"one")) == b"one"
    store.remove("age", others)
    assert files(tmp_path) == set()
    assert store.bytes == 0


def test_what_is_gone_says_when_and_by_which_rule(tmp_path, store):
    store.keep([taken()])
    store.remove("passed after 30 days", rowids(tmp_path))
    with pytest.raises(EvidenceGone, match=r"removed on 20..-.* UTC by the rule 'passed after 30 days'"):
        picture(tmp_path, name(b"one"))
    assert [one.gone for one in of_item(tmp_path, "i-1")] == ["passed after 30 days"]
    *_, (_, kind, _, told) = entries(tmp_path)
    assert (kind, told["pictures"]) == ("EvidenceRemoved", [{"item_id": "i-1", "sha256": name(b"one")}])


@pytest.mark.parametrize(
    ("asked", "why"),
    [("../../etc/passwd", "names no picture"), ("a" * 64, "was ever kept"), (name(b"one"), "was changed since")],
)
def test_what_cannot_be_shown_says_why(tmp_path, store, asked, why):
    store.keep([taken()])
    place(tmp_path, name(b"one")).write_bytes(b"another")
    with pytest.raises(EvidenceGone, match=why):
        picture(tmp_path, asked)


def test_what_a_crash_left_is_put_in_its_place_if_it_was_entered_and_else_thrown_away(tmp_path, store):
    store.keep([taken()])
    incoming = tmp_path / EVIDENCE / INCOMING
    place(tmp_path, name(b"one")).rename(incoming / name(b"one"))  # a crash after it was entered
    (incoming / name(b"two")).write_bytes(b"tw")  # a crash before
    assert picture(tmp_path, name(b"one")) == b"one"
    Store(tmp_path).close()
    assert files(tmp_path) == {name(b"one")}
    assert place(tmp_path, name(b"one")).exists()


def test_a_sweep_finds_files_without_an_entry_and_entries_without_a_file(tmp_path, store):
    store.keep([taken(), taken("i-2", b"two")])
    place(tmp_path, name(b"one")).unlink()
    stray = place(tmp_path, name(b"three"))
    stray.parent.mkdir(exist_ok=True)
    stray.write_bytes(b"three")
    for number in range(FOLDERS):
        store.sweep(number)
    assert files(tmp_path) == {name(b"two")}
    assert [one.gone for one in of_item(tmp_path, "i-1")] == ["missing"]
    assert dict(store.removed) == {"missing": 1}


def test_an_audit_counts_what_two_cameras_saw_alike_of_one_item(tmp_path, store):
    store.keep([taken(), taken(camera="side")])
    first, _ = rowids(tmp_path)
    store.remove("too old", [first])
    assert [one for one in prove(tmp_path, []).breaks if one.kind is Kind.EVIDENCE] == []
    with closing(sqlite3.connect(tmp_path / FILE)) as base, base:
        base.execute("UPDATE evidence SET gone = ''")
    assert [one.kind for one in prove(tmp_path, []).breaks] == [Kind.EVIDENCE]


def test_what_was_entered_but_not_put_in_its_place_is_not_written_over(tmp_path, store):
    place(tmp_path, name(b"one")).parent.symlink_to("nowhere")
    store.keep([taken()])
    with pytest.raises(sqlite3.IntegrityError):
        store.keep([taken("i-2", camera=None)])
    assert picture(tmp_path, name(b"one")) == b"one"


def test_what_cannot_be_entered_leaves_nothing_behind(tmp_path, store):
    with pytest.raises(sqlite3.Error):
        store.keep([taken(content=b"one"), taken(camera={})])  # a camera that SQLite cannot hold
    assert (files(tmp_path), of_item(tmp_path, "i-1"), list(entries(tmp_path)), store.kept) == (set(), [], [], 0)


ORDERS = {
    "i-1": Expected("w-1", "04000000000017", "o-1", lot="L1", seller="acme", expiry=date(2027, 3, 12)),
    "i-2": Expected("w-2", "04000000000017", "o-2", lot="L2", seller="acme"),
    "i-3": Expected("w-3", "04000000000024", "o-1", lot="L1"),
}


@pytest.fixture
def ledger(tmp_path, store):
    journal = Journal(tmp_path)
    for item_id, expected in ORDERS.items():
        journal.append([("Item", item_id, body(item(item_id, expected=one))) for one in (None, expected, expected)], [])
        end = End.DIVERTED if item_id == "i-2" else End.PASSED
        journal.append([("ItemEnd", item_id, body(ItemEnd(item_id, end, None, 1)))], [])
        journal.append([("Verdict", item_id, {"disposition": Disposition.PASS})], [])
    journal.close()
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, ["i-3", "i-2", "i-1"]),
        ({"order_line": "o-1"}, ["i-3", "i-1"]),
        ({"gtin": "04000000000017"}, ["i-2", "i-1"]),
        ({"lot": "L1", "gtin": "04000000000017"}, ["i-1"]),
        ({"seller": "acme", "most": 1}, ["i-2"]),
        ({"seller": "acme", "end": "diverted"}, ["i-2"]),
        ({"end": "passed", "from_ns": 0, "to_ns": 2**62}, ["i-3", "i-1"]),
        ({"disposition": "pass", "lot": "L2"}, ["i-2"]),
        ({"from_ns": 2**62}, []),
        ({"order_line": "' OR 1=1 --"}, []),
    ],
)
def test_items_are_found_the_newest_first(ledger, asked, found):
    assert index.items(ledger, **asked) == found


@pytest.mark.parametrize("words", ["i-2", "-2", "o-2", "w-2"])
def test_an_item_is_meant_by_its_name_the_end_of_it_or_its_order(ledger, words):
    assert items_like(ledger, words, 5) == ["i-2"]


def test_nothing_is_found_where_there_is_no_ledger(tmp_path):
    assert index.items(tmp_path / "nowhere") == of_item(tmp_path / "nowhere", "i-1") == []


@pytest.mark.parametrize("column", ["order_line", "wms_item", "gtin", "lot", "seller"])
def test_each_way_to_ask_has_an_index(ledger, column):
    asked = f"SELECT item FROM journal WHERE kind = 'Item' AND {said(f'expected.{column}')} = 'x'"
    base = sqlite3.connect(ledger / FILE)
    [(*_, plan)] = base.execute("EXPLAIN QUERY PLAN " + asked)
    base.close()
    assert f"USING INDEX journal_{column} (" in plan
