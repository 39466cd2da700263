"""An archive of evidence holds what the ledger says and what is still kept, and shows whatever was changed since."""

import hashlib
import json
import sqlite3
import subprocess
import zipfile

import pytest

from edge.core.errors import EvidenceGone
from edge.records.evidence.archive import faults, write
from edge.records.evidence.store import Store
from edge.records.journal import Journal
from edge.records.ledger_file import FILE
from tests.unit.test_evidence import rowids, taken

HOSTILE = "../../etc/../\\x:\n"


@pytest.fixture
def state(tmp_path):
    """A ledger with two items, of one of which a picture was removed, and one whose name is hostile."""
    journal = Journal(tmp_path)
    journal.append([("DaemonStarted", None, {"version": "1.2"}), ("Item", "i-1", {"item_id": "i-1"})], [])
    journal.append([("Verdict", "i-1", {"disposition": "pass"}), ("Item", HOSTILE, {})], [])
    journal.close()
    store = Store(tmp_path)
    store.keep(
        [
            taken(outline=((0, 0), (3, 0), (3, 2))),
            taken(content=b"hot", what="heat_map", check="anomaly"),
            taken(HOSTILE, b"x" * 10_000),
        ]
    )
    store.remove("age", rowids(tmp_path)[1:2])
    store.close()
    return tmp_path


@pytest.fixture
def archived(state):
    path = state / "claim.zip"
    assert write(path, state, iter(["i-1", HOSTILE]), {"lane": "l"}) == 2
    return path


def test_it_holds_all_that_is_known_and_can_be_checked_without_us(state, archived):
    with zipfile.ZipFile(archived) as archive:
        archive.extractall(state / "out")
        told = json.loads(archive.read("items/i-1/item.json"))
        assert json.loads(archive.read("manifest.json")) == {"format": 1, "lane": "l"}
    assert told["versions"] == {"DaemonStarted": {"version": "1.2"}}
    assert [one["kind"] for one in told["journal"]] == ["Item", "Verdict", "EvidenceKept"]
    assert told["journal"][2]["body"]["pictures"][0]["outline"] == [[0, 0], [3, 0], [3, 2]]
    crop, heat = told["pictures"]
    assert hashlib.sha256((state / "out/items/i-1" / crop["file"]).read_bytes()).hexdigest() == crop["sha256"]
    assert (heat["file"], "by the rule 'age'" in heat["gone"]) == (None, True)
    assert subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=state / "out", check=False).returncode == 0
    assert faults(archived) == []


def test_no_name_leads_out_of_it(archived):
    with zipfile.ZipFile(archived) as archive:
        names = archive.namelist()
    assert all(
        set(name) <= set("/._-") | set(map(chr, range(48, 58))) | set(map(chr, range(65, 123))) for name in names
    )
    assert not [name for name in names if ".." in name or name.startswith("/")]


def again(path, change):
    """The archive with something changed, as a ZIP that is whole."""
    other = path.with_name("other.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(other, "w") as new:
        for name in old.namelist():
            if (content := change(name, old.read(name))) is not None:
                new.writestr(name, content)
        if content := change("", b""):
            new.writestr("items/i-1/more.jpg", content)
    return other


CHANGES = {
    "was changed": lambda name, content: content + b"x" if name.endswith(".webp") else content,
    "is missing": lambda name, content: None if name.endswith(".webp") else content,
    "was added": lambda name, content: content or b"new",
    "item.json: was changed": lambda name, content: content.replace(b'"pass"', b'"fail"'),
}


@pytest.mark.parametrize("told", CHANGES)
def test_what_was_changed_since_is_told(archived, told):
    found = faults(again(archived, CHANGES[told]))
    assert found
    assert all(told in one for one in found)


def test_a_damaged_byte_is_told(archived):
    content = bytearray(archived.read_bytes())
    place = content.index(b"x" * 10_000) + 5_000
    content[place] ^= 1
    archived.write_bytes(content)
    assert [one for one in faults(archived) if "was changed" in one]


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_archive_of_ours_is_refused(tmp_path, content):
    (tmp_path / "claim.zip").write_bytes(content)
    with pytest.raises(EvidenceGone, match="cannot be read as an archive of evidence"):
        faults(tmp_path / "claim.zip")


def test_none_is_overwritten_and_none_is_left_half_written(state, archived):
    before = archived.read_bytes()
    with pytest.raises(FileExistsError, match="name another file"):
        write(archived, state, ["i-1"], {})
    base = sqlite3.connect(state / FILE)
    base.execute("ALTER TABLE evidence RENAME COLUMN camera TO lens")
    base.close()
    with pytest.raises(sqlite3.Error):
        write(state / "second.zip", state, ["i-1"], {})
    assert archived.read_bytes() == before
    assert sorted(path.name for path in state.glob("*.zip*")) == ["claim.zip"]
    assert not list(state.glob(".*zip*"))
