"""The ledger in the lake: exactly once whatever is killed; what this release cannot read is kept as it stands."""

import hashlib
import itertools
import json
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime

import polars
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.core.errors import LakeRefused, LaneInUse
from edge.lake.export import OWN, Lane, export
from edge.lake.journal import Bounds
from edge.lake.store import Folder, Store, at
from edge.lake.tables import SCHEMA, TABLES
from edge.lake.verify import verify
from edge.records.journal import Journal, entries
from edge.records.ledger_file import FILE
from edge.records.lock import held
from edge.settings import LaneSettings

ORDER = {"wms_item": "w", "gtin": "04012345678901", "order_line": "o-1", "lot": "L1", "seller": "s", "expiry": None}


def birth(item, **order):
    return "Item", item, {"item_id": item, "length_mm": 120.0, "expected": ORDER | order, "purge": ""}


def verdict(item, disposition="pass", reasons=(), compared=()):
    said = {"item_id": item, "disposition": disposition, "reasons": [*reasons], "compared": [*compared]}
    return "Verdict", item, said | {"recipe": "r", "born_ns": 0, "decided_ns": 2_500_000, "deadline_ns": 4_000_000}


def end(item, how="passed"):
    return "ItemEnd", item, {"item_id": item, "end": how, "eye": "exit"}


def look(item, check="anomaly", **found):
    return "Evidence", item, {"item_id": item, "check": check, "camera": "top", "valid": True} | found


class Site:
    """A lane's journal, and a lake beside it."""

    def __init__(self, folder):
        self.folder, self.lane = folder, Lane("site", "lane", folder / "state")
        self.store = at(str(folder / "lake"))

    def append(self, *said):
        journal = Journal(self.lane.state)
        journal.append(said, [])
        journal.close()

    def export(self, store=None, **bounds):
        return list(export(self.lane, store or self.store, Bounds(**bounds)))

    def faults(self, store=None):
        return [fault for one in verify(self.lane, store or self.store) for fault in one.faults]

    def rows(self, table, store=None):
        return rows(store or self.store, table)


def rows(store, table):
    """All rows of a table, in the order of their entries."""
    files = [name for name in store.names(table) if name.endswith(".parquet")]
    tables = [pq.read_table(pyarrow.BufferReader(store.read(name))) for name in files]
    return sorted((row for one in tables for row in one.to_pylist()), key=lambda row: row["entry"])


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def test_an_item_has_one_row_with_all_that_was_said_until_its_end(site):
    site.append(
        ("CalibrationsInForce", None, {"versions": [["belt", 3]]}),
        ("DaemonStarted", None, {"version": "1.2", "settings_sha256": "ab", "models": {"backbone": "2"}}),
        birth("i", expiry="2027-01-31", attributes=[["challenge", "yes"]]),
        verdict("i", "reject", ["anomaly (top): odd"]),
        ("DivertOutcome", "i", {"item_id": "i", "result": "confirmed", "command_id": "c"}),
        end("i", "diverted"),
    )
    site.export()
    (row,) = site.rows("items")
    assert {key: row[key] for key in ("item_id", "seller", "lot", "end", "disposition", "divert", "software")} == {
        "item_id": "i", "seller": "s", "lot": "L1", "end": "diverted", "disposition": "reject", "divert": "confirmed",
        "software": "1.2",
    }  # fmt: skip
    assert (row["is_test_piece"], str(row["expiry_expected"])) == (True, "2027-01-31")
    assert row["calibrations"] == [{"name": "belt", "value": "3"}]
    assert row["models"] == [{"name": "backbone", "value": "2"}]
    assert (row["decided_after_ms"], row["decided_early_ms"]) == (2.5, 1.5)
    assert row["born_at"].tzinfo is not None
    assert row["born_at"] <= row["decided_at"] <= row["written_at"] <= datetime.now(UTC)


def test_what_is_in_force_is_known_in_a_later_stretch_too(site):
    site.append(("CalibrationsInForce", None, {"versions": [["belt", 1]]}), birth("i"), end("i"))
    site.export(entries=1)
    site.append(birth("j"), ("CalibrationsInForce", None, {"versions": [["belt", 2]]}), end("j"))
    site.export(entries=1)
    assert [row["calibrations"][0]["value"] for row in site.rows("items")] == ["1", "2"]
    assert site.faults() == []


def test_each_reason_of_a_reject_is_a_defect_with_its_type(site):
    told = {"check": "expiry", "agreement": "short_dated", "printed": "2026-12-01", "expected": "2027-01-01"}
    reasons = [
        "expiry (side): 5 days left",
        "defect (top+side): damaged 90%",
        "anomaly (top): odd",
        "of another release",
    ]
    site.append(birth("i"), look("i", "defect", kind="dent"), verdict("i", "reject", reasons, [told]), end("i"))
    site.append(birth("j"), verdict("j", "pass", ["anomaly (top): fine"]), end("j"))
    site.export()
    found = [tuple(row[key] for key in ("check", "type", "cameras", "printed")) for row in site.rows("defects")]
    assert found == [
        ("expiry", "short_dated", "side", "2026-12-01"),
        ("defect", "dent", "top+side", None),
        ("anomaly", "anomaly", "top", None),
        ("", "", "", None),
    ]
    assert site.rows("defects")[3]["because"] == "of another release"


def test_what_changes_with_time_is_told_event_by_event(site):
    group = {"kind": "lot", "gtin": "g", "key": "L1", "told": "L 1"}
    site.append(
        ("LotHold", None, {"hold_id": "h", "group": group, "order_lines": ["o"], "items": 9, "rejected": 4}),
        ("ReplacementRequest", "i", {"request_id": "r", "item_id": "i", "reasons": ["odd"]}),
        ("RequestAnswered", None, {"request": "r", "status": "out_of_stock", "transport": "http", "attempts": 2}),
        ("RequestGivenUp", None, {"request": "h", "because": "nobody answers", "attempts": 50}),
        ("RequestRevived", None, {"request": "h", "by": "ada"}),
        ("LotRelease", None, {"hold_id": "h", "group": group, "by": "ada"}),
    )
    site.export()
    events = [(row["request"], row["event"], row["about"], row["status"]) for row in site.rows("requests")]
    assert events == [
        ("h", "owed", "lot", None), ("r", "owed", "replacement", None), ("r", "answered", None, "out_of_stock"),
        ("h", "given_up", None, None), ("h", "revived", None, None),
    ]  # fmt: skip
    assert [(row["event"], row["group_told"], row["by"]) for row in site.rows("lots")] == [
        ("hold", "L 1", None), ("release", "L 1", "ada"),
    ]  # fmt: skip
    assert [(row["what"], row["by"]) for row in site.rows("acts")] == [("revive", "ada"), ("release", "ada")]


def test_pictures_kept_and_taken_away(site):
    kept = [{"what": "crop", "camera": "top", "check": "", "sha256": one, "bytes": 9, "width_px": 3} for one in "ab"]
    site.append(
        ("EvidenceKept", "i", {"item_id": "i", "pictures": kept}),
        ("EvidenceRemoved", None, {"rule": "age", "pictures": [{"item_id": "i", "sha256": "a"}]}),
    )
    site.export()
    found = [(row["event"], row["item_id"], row["sha256"], row["rule"]) for row in site.rows("pictures")]
    assert found == [("kept", "i", "a", None), ("kept", "i", "b", None), ("removed", "i", "a", "age")]


ODD = [
    pytest.param("Evidence", {"item_id": "i", "score": "high"}, id="a text where a number should be"),
    pytest.param("Evidence", {"item_id": "i", "alike": 2**70}, id="a number that no column holds"),
    pytest.param("Evidence", {"item_id": "i", "rivals": 5}, id="no list"),
    pytest.param("Evidence", {"item_id": "i", "valid": 1}, id="no truth"),
    pytest.param("Verdict", {"item_id": "i", "compared": "none"}, id="a text for a list"),
    pytest.param("Verdict", {"item_id": "i", "compared": ["none"]}, id="no tables in the list"),
    pytest.param("ItemEnd", {"end": "passed"}, id="of no item"),
    pytest.param("EvidenceKept", {"pictures": {"sha256": "a"}}, id="a table for a list"),
    pytest.param("LotHold", {"hold_id": "h", "group": "L1"}, id="a group of another shape"),
    pytest.param("Item", [1], id="no table"),
]


@pytest.mark.parametrize(("kind", "body"), ODD)
def test_an_entry_of_another_shape_is_kept_as_it_stands_and_stops_nothing(site, kind, body):
    site.append(birth("j"), (kind, None, body), end("j"))
    site.export()
    (other,) = site.rows("others")
    assert (other["kind"], json.loads(other["body"]), bool(other["odd"])) == (kind, body, True)
    assert [row["item_id"] for row in site.rows("items")] == ["j"]
    assert site.faults() == []


def test_what_is_no_json_is_kept_too(site):
    site.append(birth("i"))
    with sqlite3.connect(site.lane.state / FILE) as base:
        base.execute("INSERT INTO journal (wall_ns, kind, item, body) VALUES (0, 'Verdict', NULL, '{')")
    base.close()
    site.export()
    (other,) = site.rows("others")
    assert (other["body"], other["odd"].partition(":")[0]) == ("{", "no JSON")
    assert "others/site=site/lane=lane/date=1970-01-01/" in site.store.names("others")[0]


def test_a_table_without_rows_is_there_too(site):
    site.append(birth("i"))
    site.export()
    for table in TABLES:
        assert (len(site.store.names(table.name)), site.rows(table.name)) == (1, [])
    assert site.faults() == []


def test_a_life_of_another_shape_makes_no_item_odd(site):
    site.append(
        ("DaemonStarted", None, {"version": "1"}), ("DaemonStarted", None, {"version": 2}), birth("i"), end("i")
    )
    site.export()
    assert [row["software"] for row in site.rows("items")] == ["1"]
    assert [row["odd"] is None for row in site.rows("others")] == [True, False]


def test_kinds_of_a_newer_release_are_kept_whole(site):
    site.append(("PalletWeighed", "i", {"kg": 5, "nested": {"a": [1]}}))
    site.export()
    (row,) = site.rows("others")
    assert (row["kind"], row["item_id"], row["odd"]) == ("PalletWeighed", "i", None)
    assert json.loads(row["body"]) == {"kg": 5, "nested": {"a": [1]}}


def test_a_ledger_of_an_older_release_is_read(site):
    """Before lots, comparisons and eyes were written."""
    order = {"wms_item": "w", "gtin": "g", "order_line": "o", "lot": None, "expiry": None}
    site.append(
        ("Item", "i", {"item_id": "i", "born_ns": 1, "leading_edge_counts": 5, "expected": order}),
        ("Verdict", "i", {"item_id": "i", "disposition": "pass", "reasons": [], "skipped": [], "recipe": "r"}),
        ("ItemEnd", "i", {"item_id": "i", "end": "passed"}),
    )
    site.export()
    (row,) = site.rows("items")
    assert (row["end"], row["gtin"], row["seller"], row["eye"], row["decided_after_ms"]) == ("passed", "g", *[None] * 3)


HOSTILE = ["O'Neil; DROP TABLE items", 'a "b"\nc\r\t', "../../etc", "日本\x00x", "half \ud800 a character", "", " "]


@pytest.mark.parametrize("seller", HOSTILE)
def test_names_from_outside_come_back_as_they_were(site, seller):
    site.append(birth("i", seller=seller), end("i"))
    site.export()
    assert site.rows("items")[0]["seller"] == seller.encode(errors="replace").decode()


@pytest.mark.parametrize("name", ["a/b", "../x", "ü", "a b", "a=b", ""])
def test_a_lane_whose_name_is_no_folders_is_refused_by_the_settings(name, tmp_path):
    with pytest.raises(ValueError, match="pattern"):
        LaneSettings(site="site", name=name, state=tmp_path)


@pytest.mark.parametrize("name", ["..", "a/b", "a=b", "100%"])
def test_no_name_leads_out_of_the_lake(tmp_path, name):
    site = Site(tmp_path)
    site.lane = Lane(name, name, tmp_path / "state")
    site.append(birth("i"), end("i"))
    site.export()
    assert site.faults() == []
    assert {path.name for path in tmp_path.iterdir()} == {"state", "lake"}
    assert len(site.store.names("items")) == 1


def test_two_readers_find_the_same(site):
    site.append(
        *itertools.chain.from_iterable((birth(f"i-{n}"), look(f"i-{n}", score=n / 7), end(f"i-{n}")) for n in range(50))
    )
    site.export(entries=20)
    by_polars = polars.scan_parquet(
        site.folder / "lake" / "items" / "**" / "*.parquet", hive_partitioning=True
    ).collect()
    by_arrow = pyarrow.dataset.dataset(site.folder / "lake" / "items", partitioning="hive").to_table()
    assert (
        sorted(by_polars["item_id"]) == sorted(by_arrow["item_id"].to_pylist()) == sorted(f"i-{n}" for n in range(50))
    )
    assert by_polars["lane"].unique().to_list() == ["lane"]
    assert sum(row["score"] for row in site.rows("checks")) == pytest.approx(sum(range(50)) / 7)


def test_types_are_those_that_every_reader_has(site):
    """Spark reads no unsigned numbers, no nanoseconds, and no keys that are not in the schema."""
    from edge.lake.parquet import schema

    plain = {"string", "int64", "double", "bool", "timestamp[us, tz=UTC]", "date32[day]", "list<element: string>"}
    named = {"name: string, value: string", "reading: string, probability: double"}
    for table in TABLES:
        for field in schema(table):
            told = str(field.type).replace("item: ", "element: ")
            assert told in plain | {f"list<element: struct<{one}>>" for one in named}, f"{table.name}.{field.name}"
            assert field.nullable


def test_nothing_new_writes_nothing(site):
    site.append(birth("i"), end("i"))
    site.export()
    before = {name: site.store.read(name) for name in site.store.names("")}
    assert site.export() == []
    assert {name: site.store.read(name) for name in site.store.names("")} == before


def test_stretches_are_bounded_by_entries_and_by_bytes(site):
    site.append(*(look("i", because="x" * 1000) for _ in range(10)))
    assert [one.span.last for one in site.export(entries=4, bytes=2_500)] == [2, 4, 6, 8, 10]
    assert len(site.rows("checks")) == 10


def test_an_empty_journal_and_none_at_all(site):
    with pytest.raises(LakeRefused, match="no journal"):
        site.export()
    site.append()
    assert site.export() == []
    assert site.faults() == []


def test_what_is_no_ledger_is_told(site):
    site.lane.state.mkdir()
    (site.lane.state / FILE).write_text("no database " * 100)
    with pytest.raises(LakeRefused, match="cannot be read"):
        site.export()


def test_a_second_exporter_on_the_box_is_refused(site):
    site.append(birth("i"))
    with held(site.lane.state / OWN), pytest.raises(LaneInUse):
        site.export()


class Meanwhile(Folder):
    """Before the n-th object is written, something else happens once."""

    def __init__(self, of, number, what):
        super().__init__(of._base, of.root)
        self.left, self.what = number, what

    def keep(self, name, content):
        self.left -= 1
        if self.left == 0:
            self.what()
        super().keep(name, content)


@pytest.mark.parametrize("number", [1, 2, 4, 7])
@pytest.mark.parametrize("most", [3, 7, 100])
def test_a_second_exporter_elsewhere_does_no_harm(tmp_path, number, most):
    """Of a copy of the ledger, in the middle of the first one's run, with other bounds."""
    first, second = Site(tmp_path), Site(tmp_path)
    first.append(*itertools.chain.from_iterable((birth(f"i-{n}"), end(f"i-{n}")) for n in range(20)))
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / FILE).write_bytes((tmp_path / "state" / FILE).read_bytes())
    second.lane = Lane("site", "lane", tmp_path / "copy")
    first.export(Meanwhile(first.store, number, lambda: second.export(entries=most)), entries=7)
    assert Counter(row["item_id"] for row in first.rows("items")) == Counter(f"i-{n}" for n in range(20))
    assert first.faults() == []


def test_a_ledger_from_a_backup_is_refused_and_a_new_one_begins_anew(site):
    site.append(birth("i"), end("i"))
    backup = (site.lane.state / FILE).read_bytes()
    site.append(birth("j"), end("j"))
    site.export()
    for path in site.lane.state.glob(f"{FILE}*"):
        path.unlink()
    (site.lane.state / FILE).write_bytes(backup)
    with pytest.raises(LakeRefused, match="went on otherwise"):
        site.export()
    (site.lane.state / FILE).unlink()
    site.append(birth("k"), end("k"))
    site.export()
    assert sorted(row["item_id"] for row in site.rows("items")) == ["i", "j", "k"]


def test_verify_finds_what_is_gone_changed_or_twice(site):
    site.append(*itertools.chain.from_iterable((birth(f"i-{n}"), end(f"i-{n}")) for n in range(9)))
    site.export(entries=6)
    assert site.faults() == []
    files = site.store.names("items")
    assert [len(site.rows("items")), len(files)] == [9, 3]
    good = site.store.read(files[1])
    site.store.take_away(files[1])
    assert site.faults() == [f"{files[1]}: is gone"]
    site.store.keep(files[1], good[:20] + bytes([good[20] ^ 1]) + good[21:])
    assert site.faults() == [f"{files[1]}: was changed"]
    site.store.keep(files[1], good)
    twice = files[1].replace("date=", "date=1970-01-01/x=")
    site.store.keep(twice, good)
    assert site.faults() == [f"{twice}: no stretch speaks of it: its rows may be there twice"]
    site.store.take_away(twice)
    log = site.store.names("_log")[1]
    said = site.store.read(log)
    site.store.take_away(log)
    assert f"{files[1]}: no stretch speaks of it: its rows may be there twice" in site.faults()
    assert any("entries 7 to 12 are missing" in fault for fault in site.faults())
    site.store.keep(log, said.replace(b"{", b"[", 1))
    with pytest.raises(LakeRefused, match="not to be understood"):
        site.faults()


def test_what_a_release_killed_before_an_upgrade_had_written_is_swept(site):
    """The stretch was begun by one that had another table for its entries."""
    site.append(birth("i"), end("i"))
    site.export()
    (log,) = site.store.names("_log")
    site.store.keep(log, site.store.read(log).replace(b'"done": true', b'"done": false'))
    (file,) = site.store.names("items")
    other = file.replace("date=", "date=1970-01-01/x=")
    site.store.keep(other, site.store.read(file))
    site.export()
    assert site.store.names("items") == [file]
    assert site.faults() == []


class Killed(BaseException):
    """As `kill -9`: nobody sees to anything afterwards."""


class Fate:
    """After so many operations that write, everything ends: before the last one, in its middle, or after it."""

    def __init__(self):
        self.left, self.how = None, "before"

    def __call__(self, do, half):
        if self.left is None:
            return do()
        self.left -= 1
        if self.left > 0:
            return do()
        if self.left == 0 and self.how != "before":
            {"half": half, "after": do}[self.how]()
        raise Killed


class MortalFolder(LocalFileSystem):
    cachable = False

    def __init__(self, fate):
        super().__init__()
        self.fate = fate

    def open(self, path, mode="rb", **words):
        if "w" not in mode:
            return super().open(path, mode, **words)
        return self.fate(lambda: super(MortalFolder, self).open(path, mode), lambda: self._torn(path))

    def _torn(self, path):
        with super().open(path, "wb") as file:
            file.write(b"PAR1 and no more")

    def mv(self, one, other):
        self.fate(lambda: super(MortalFolder, self).mv(one, other), lambda: None)

    def link(self, one, other):
        self.fate(lambda: super(MortalFolder, self).link(one, other), lambda: None)

    def rm_file(self, path):
        self.fate(lambda: super(MortalFolder, self).rm_file(path), lambda: None)


class MortalObjects(MemoryFileSystem):
    cachable = False

    def __init__(self, fate):
        super().__init__()
        self.store, self.pseudo_dirs, self.fate = {}, [""], fate

    def pipe_file(self, path, value, mode="overwrite", **words):
        self.fate(lambda: super(MortalObjects, self).pipe_file(path, value, mode), lambda: None)


ITEMS = st.sampled_from(["a", "b", "c"])
SAID = st.one_of(
    st.builds(birth, ITEMS, seller=st.sampled_from(["n", "s'"])),
    st.builds(verdict, ITEMS, st.sampled_from(["pass", "reject"]), st.just(["anomaly (top): odd"])),
    st.builds(look, ITEMS, score=st.floats(0, 2)),
    st.builds(end, ITEMS),
    st.just(("Weird", None, {"x": 1})),
    st.just(("Evidence", None, {"score": "odd"})),
)
RUNS = st.tuples(
    st.lists(SAID, max_size=8), st.integers(1, 14), st.sampled_from(["before", "half", "after"]), st.integers(1, 6)
)


def expected(state):
    """What must stand in the lake, by the journal alone: table → entries of its rows."""
    found = {"items": [], "checks": [], "defects": [], "others": []}
    verdicts, ended = {}, set()
    for number, (_, kind, item, body) in enumerate(entries(state), 1):
        if kind == "Verdict":
            verdicts[item] = body["disposition"]
        elif kind == "Evidence":
            found["checks" if item else "others"].append(number)
        elif kind == "ItemEnd" and item not in ended:
            ended.add(item)
            found["items"].append(number)
            found["defects"] += [number] if verdicts.get(item) == "reject" else []
        elif kind in ("ItemEnd", "Weird"):
            found["others"].append(number)
    return found


@pytest.mark.parametrize(
    ("store", "files"), [(Folder, MortalFolder), (Store, MortalObjects)], ids=["folder", "objects"]
)
@settings(max_examples=30, deadline=None)
@given(runs=st.lists(RUNS, min_size=1, max_size=5))
def test_whatever_grows_and_is_killed_each_row_is_there_once(tmp_path_factory, store, files, runs):
    folder, fate = tmp_path_factory.mktemp("killed"), Fate()
    site = Site(folder)
    site.store = store(files(fate), str(folder / "lake"))
    for said, fate.left, fate.how, most in runs:
        site.append(*said)
        with suppress(Killed):
            site.export(entries=most)
        fate.left = None
        for table in expected(site.lane.state):
            found = Counter((row["entry"], row.get("type")) for row in site.rows(table))
            assert not found or max(found.values()) == 1, "twice, or half written"
    site.export()
    for table, numbers in expected(site.lane.state).items():
        assert [row["entry"] for row in site.rows(table)] == numbers, table
    assert site.faults() == []


def test_the_appliance_knows_nothing_of_parquet():
    said = (
        "import sys, edge.app, edge.__main__, edge.lake.main; print({'pyarrow', 'fsspec', 's3fs'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"


def test_what_is_not_installed_is_named_with_what_to_do(tmp_path):
    said = (
        "import sys; sys.modules['pyarrow'] = None; import importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name: None if name == 'pyarrow' else find(name);"
        "from edge.__main__ import main; sys.exit(main(['lake', 'export', 'x.toml']))"
    )
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, check=False)
    assert (ran.returncode, "tunnel-edge[lake]" in ran.stderr, "Traceback" in ran.stderr) == (1, True, False)


def test_a_store_that_nobody_knows_is_told(tmp_path):
    with pytest.raises(LakeRefused, match="nowhere"):
        at("nowhere://x/y")


def test_a_full_or_forbidden_folder_is_told(site):
    site.append(birth("i"), end("i"))
    (site.folder / "file").write_text("")
    with pytest.raises(LakeRefused, match="is there room"):
        site.export(at(str(site.folder / "file" / "lake")))


SCHEMAS = {1: "b5c20e6721e7d9ba"}
"""Of each schema that was released, what its tables were: `verify` reckons anew what this one alone has written."""


def test_tables_that_change_are_another_schema():
    told = [(t.name, sorted(t.kinds), [(one.name, one.type) for one in t.columns]) for t in TABLES]
    digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]
    assert SCHEMAS[SCHEMA] == digest, "raise SCHEMA, and add its digest here; a column that was released stays"
