"""Days of a ledger that are put away: nothing is lost, what is needed stays, and whatever is tampered with is found."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys
from functools import partial
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import edge.ledger as ledger_command
import edge.records.put_away as put_away_module
from bench import tampering_put_away
from bench.tampering import unguarded
from edge.__main__ import main
from edge.core.answers import Outcome, Reply
from edge.core.bodies import body
from edge.core.errors import ArchiveRefused, LaneInUse
from edge.core.messages import ReplacementRequest
from edge.core.orders import command_id_of
from edge.lake.export import Lane as LakeLane
from edge.lake.export import export
from edge.lake.journal import Bounds
from edge.lake.store import at
from edge.lake.verify import verify
from edge.records import exported
from edge.records.archiving import Wanted
from edge.records.audit_key import own
from edge.records.cited import snapshot
from edge.records.evidence.store import Picture, Store
from edge.records.journal import Journal, counted, rows
from edge.records.ledger_file import enter, opened
from edge.records.lock import held
from edge.records.outbox import LedgerOutbox
from edge.records.proof import prove
from edge.records.put_away import OWN, done_s, put_away
from edge.records.restored import restore
from edge.records.seals import add_seal
from edge.records.sinks import JournalSink
from edge.records.size import size
from edge.settings import ROOT
from edge.signing import public
from tests.unit.lane import item as born

SITE = "test/lane"
BRIDGE = {"to": 5, "hash": "0" * 64, "seal": 1, "file": "", "sha256": "", "by": "Eve", "kept": 0, "digest": ""}
KILLED = """
import os, shutil, signal, sys
from functools import partial
from pathlib import Path
from random import Random
import edge.records.put_away as one
from edge.records.audit_key import known
from edge.records.archiving import Wanted
state, archive, copies = map(Path, sys.argv[1:])
steps = 0

def step(at):
    global steps
    steps += 1
    if steps == at:
        os.kill(os.getpid(), signal.SIGKILL)

def run(copy, at):
    opened = one.opened
    def watched(folder):
        base = opened(folder)
        base.set_trace_callback(lambda statement: step(at) if not statement.startswith("SELECT") else None)
        return base
    one.opened = watched
    files = ("open", "os.rename", "os.remove")
    sys.addaudithook(lambda event, said: step(at) if event in files and str(copy) in str(said[0]) else None)
    key = known(copy / "state", None)
    list(one.put_away(copy / "state", Wanted(copy / "archive", "test/lane", "Ada", key, 2**62, None, 30, 5)))

at, ended = 0, False
while not ended:
    at += max(1, at // 40)
    copy = copies / f"{at:05}"
    shutil.copytree(state, copy / "state", ignore=shutil.ignore_patterns("*-shm"))
    shutil.copytree(archive, copy / "archive")
    if not (child := os.fork()):
        run(copy, at)
        os._exit(0)
    ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


class Lane:
    """A lane's state, written by the appliance's own parts."""

    def __init__(self, folder: Path) -> None:
        self.state, self.archive = folder / "state", folder / "archive"
        self.archive.mkdir()
        self.journal = Journal(self.state)
        self.outbox = LedgerOutbox(self.state)
        self.store = Store(self.state)
        self.base = opened(self.state)
        self.key = own(self.state, None)

    def close(self):
        for one in (self.journal, self.outbox, self.store, self.base):
            one.close()

    def enter(self, *entries):
        self.journal.append(entries, [])

    def seal(self):
        add_seal(self.base, self.state, SITE, self.key, "time")

    def owe(self, item):
        JournalSink(self.journal).write([ReplacementRequest(f"r-{item}", item, f"o-{item}", "0401", ("torn",))])

    def answer(self, item):
        self.outbox.answered(Reply(f"r-{item}", Outcome.OTHER, "accepted", "", "mqtt"))

    def picture(self, item, name=""):
        content = f"{item} {name} {self.store.kept}".encode()
        self.store.keep([Picture(item, "crop", "top", "", f"f{name}", 1, content, "image/jpeg", 2, 2)])

    def forget(self, item):
        asked = "SELECT rowid FROM evidence WHERE item = ? AND gone = '' LIMIT 1"
        self.store.remove("age", [row[0] for row in self.base.execute(asked, (item,))])

    def put_away(self, **more):
        wanted = {"archive": self.archive, "before_ns": 2**62, "segment": 30, "restart": 5} | more
        return list(put_away(self.state, Wanted(lane=SITE, by="Ada", key=self.key, **wanted)))

    def rows(self):
        return list(rows(self.state, 1, None))

    def prove(self, **more):
        return prove(self.state, [public(self.key)], **more)

    def breaks(self, **more):
        return [(one.kind.value, one.first, one.last, one.told) for one in self.prove(**more).breaks]


@pytest.fixture
def lane(tmp_path):
    one = Lane(tmp_path)
    yield one
    one.close()


def item(lane, name):
    lane.enter(("Item", name, body(born(name))), ("Noted", name, {"n": 1}), ("Spoken", None, {"n": 1}))


def watched(state, heard):
    """The ledger, with an ear on each statement before it is carried out."""
    base = opened(state)
    base.set_trace_callback(heard)
    return base


def old(lane, days=6):
    """Days of items; of each day one has a picture, one is owed and answered, one is owed."""
    lane.enter(("DaemonStarted", None, {"by": "systemd"}), ("ScaleLearnt", None, {"n": 0}))
    for day in range(days):
        names = [f"i-{day}-{number}" for number in range(6)]
        for name in names:
            item(lane, name)
        lane.picture(names[0])
        lane.owe(names[1])
        lane.answer(names[1])
        lane.owe(names[2])
        lane.enter(*(("ItemEnd", name, {"item_id": name, "end": "passed", "eye": "exit"}) for name in names))
        lane.enter(("PersonActed", None, {"by": "Ada", "what": "clear"}), ("ScaleLearnt", None, {"n": day}))
        lane.seal()


def commanded(name):
    told = {"command_id": command_id_of(name)}
    return ("DivertCommand", name, told), ("DivertAck", None, told)


def test_what_is_still_needed_stays_and_the_rest_is_in_the_archive(lane):
    lane.enter(("DaemonStarted", None, {"by": "systemd"}), *commanded("i-0-2"), *commanded("i-0-3"))
    lane.enter(("RequestAnswered", None, {"request": "a hold's", "status": "accepted"}))
    old(lane)
    lane.picture("i-0-4")
    lane.forget("i-0-4")
    lane.forget("i-1-0")
    lane.enter(("Disputed", "i-1-5", {"item_id": "i-1-5", "by": "Ben"}))
    before = lane.rows()
    *_, bridge = lane.put_away()
    stays = {(kind, name) for entry, _, kind, name, _, _ in lane.rows() if entry <= bridge.to}
    of_items = {name for _, name in stays if name}
    assert of_items >= {"i-0-0", "i-0-2", "i-1-2", "i-1-5"}
    assert not of_items & {"i-0-3", "i-0-1", "i-1-0", "i-1-1", "i-1-3"}
    assert {kind for kind, name in stays if not name} == {
        *("DaemonStarted", "PersonActed", "ScaleLearnt", "DivertAck", "RequestAnswered")
    }
    acks = [json.loads(row[4])["command_id"] for row in lane.rows() if row[2] == "DivertAck"]
    assert acks == [command_id_of("i-0-2")]
    assert sum(row[2] == "ScaleLearnt" for row in lane.rows()) == 1  # the last alone
    there = set(lane.rows())
    assert {row for row in before if row[0] > bridge.to} <= there
    assert "r-i-0-2" in dict(lane.base.execute("SELECT request, state FROM outbox"))
    assert "r-i-0-1" not in dict(lane.base.execute("SELECT request, state FROM outbox"))
    assert not lane.base.execute("SELECT 1 FROM evidence WHERE item = 'i-1-0'").fetchall()
    assert lane.breaks() == lane.breaks(archive=lane.archive) == []
    assert lane.base.execute("PRAGMA freelist_count").fetchone()[0] >= 0
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        lane.base.execute("DELETE FROM journal WHERE entry = 1")


def test_what_is_needed_no_longer_goes_with_the_next_run(lane):
    old(lane)
    *_, bridge = lane.put_away()
    assert bridge.kept == sum(row[0] <= bridge.to for row in lane.rows())
    for name in ("i-0-0", "i-1-0"):
        lane.forget(name)
    lane.answer("i-0-2")
    lane.seal()
    *_, again = lane.put_away(before_ns=0, restart=0)  # no new segment: what was stated is stated anew
    assert (again.to, again.kept < bridge.kept) == (bridge.to, True)
    assert not {"i-0-0", "i-1-0"} & {row[3] for row in lane.rows()}
    assert {row[3] for row in lane.rows()} >= {"i-0-2"}  # its answer is behind the bridge
    assert lane.breaks() == lane.breaks(archive=lane.archive) == []


def test_what_a_release_without_a_chain_wrote_is_put_away_as_it_is(lane):
    for more in (0, 1):
        lane.base.executemany("INSERT INTO journal (wall_ns, kind, body) VALUES (?, 'Spoken', '{}')", [(1,)] * 5)
        lane.base.commit()
        old(lane, 2 + more)
    before = lane.rows()
    lane.put_away()
    assert lane.breaks() == lane.breaks(archive=lane.archive) == []
    again = lane.archive.parent / "again"
    _, last = restore(list(lane.archive.iterdir()), again)
    assert list(rows(again, 1, None)) == before[:last]
    assert before[0] == lane.rows()[0]
    assert before[0][5] is None


def test_only_what_is_old_and_sealed_goes_and_never_what_a_start_reads(lane):
    old(lane)
    last = len(lane.rows())
    assert lane.put_away(before_ns=0) == lane.put_away(restart=last) == lane.put_away(until=3) == []
    *_, bridge = lane.put_away(until=70, restart=0)
    assert bridge.to < 70


def test_what_is_written_about_an_item_meanwhile_keeps_it(lane, monkeypatch):
    old(lane)
    told = []

    def disputed(statement):
        if statement.startswith("DROP TRIGGER") and not told:
            told.append(statement)
            raise AssertionError("the lock is held: too late")
        if statement.startswith("BEGIN IMMEDIATE") and not disputed.done:
            disputed.done = True
            lane.enter(("Disputed", "i-0-3", {"item_id": "i-0-3", "by": "Ben"}))

    disputed.done = False
    monkeypatch.setattr(put_away_module, "opened", lambda state: watched(state, disputed))
    *_, bridge = lane.put_away()
    assert {row[2] for row in lane.rows() if row[3] == "i-0-3" and row[0] <= bridge.to} >= {"Item", "Noted"}
    assert lane.breaks(archive=lane.archive) == []


def test_the_archive_must_be_there_and_go_on_where_it_was(lane, tmp_path):
    old(lane, 3)
    with pytest.raises(ArchiveRefused, match="is no folder"):
        lane.put_away(archive=tmp_path / "gone")
    lane.put_away()
    old(lane, 3)
    lane.archive.rename(tmp_path / "unmounted")
    lane.archive.mkdir()
    before = lane.rows()
    with pytest.raises(ArchiveRefused, match="mount the archive"):
        lane.put_away()
    assert lane.rows() == before
    lane.archive.rmdir()
    (tmp_path / "unmounted").rename(lane.archive)
    assert lane.put_away()
    assert lane.breaks(archive=lane.archive) == []


def test_a_full_archive_loses_nothing(lane, tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", place]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        old(lane, 12)
        lane.enter(*(("Spoken", None, {"n": f"{n} {hashlib.sha256(bytes(n)).hexdigest()}"}) for n in range(300)))
        lane.seal()
        before = {row[0] for row in lane.rows()}
        with pytest.raises(ArchiveRefused, match="make room"):
            lane.put_away(archive=place, segment=400)
        assert before <= {row[0] for row in lane.rows()}
        assert lane.breaks() == []
    finally:
        subprocess.run(["umount", place], check=True)
    assert lane.put_away(segment=400)
    assert lane.breaks(archive=lane.archive) == []


def test_two_at_once_are_one(lane):
    old(lane)
    with held(lane.state / OWN), pytest.raises(LaneInUse):
        lane.put_away()


def spoil(lane, *statements):
    with unguarded(lane.state) as base:
        for statement in statements:
            base.execute(statement)


def test_what_is_not_as_it_was_sealed_is_not_put_away(lane):
    old(lane)
    spoil(lane, "UPDATE journal SET body = '{}' WHERE entry = 9")
    before = lane.rows()
    with pytest.raises(ArchiveRefused, match="entry 9"):
        lane.put_away()
    assert (lane.rows(), list(lane.archive.iterdir())) == (before, [])


def test_what_stays_is_not_stated_anew_where_it_was_changed(lane):
    old(lane)
    lane.put_away()
    spoil(lane, "UPDATE journal SET body = '{}' WHERE entry = 1")
    lane.forget("i-0-0")
    with pytest.raises(ArchiveRefused, match="are not those that were to stay"):
        lane.put_away()


def test_a_segment_that_lies_there_and_is_damaged_or_another_is_refused(lane):
    old(lane, 4)
    shutil.copytree(lane.state, lane.archive.parent / "older")
    lane.put_away()
    (first, *_) = sorted(lane.archive.iterdir())
    content = first.read_bytes()
    shutil.rmtree(lane.state)
    shutil.copytree(lane.archive.parent / "older", lane.state)
    before = lane.rows()
    for damaged in (content[:-20], content[:30] + b"x" + content[31:], b""):
        first.write_bytes(damaged)
        with pytest.raises(ArchiveRefused, match=r"damaged|not what was sealed|entry"):
            lane.put_away()
    assert lane.rows() == before
    first.write_bytes(content)
    assert lane.put_away()
    assert lane.breaks(archive=lane.archive) == []


@pytest.mark.parametrize("kind", [*tampering_put_away.FOUND, *tampering_put_away.BY_THE_ARCHIVE])
def test_every_tampering_is_found(lane, kind):
    old(lane)
    lane.put_away()
    old(lane, 1)
    lane.archive.rename(lane.state / "archive")
    lane.close()
    for seed in range(4):
        copy = lane.archive.parent / f"copy-{seed}"
        shutil.copytree(lane.state, copy, ignore=shutil.ignore_patterns("*-shm"))
        (tampering_put_away.FOUND | tampering_put_away.BY_THE_ARCHIVE)[kind](copy, Random(seed))
        archive = copy / "archive" if kind in tampering_put_away.BY_THE_ARCHIVE else None
        assert prove(copy, [public(lane.key)], archive=archive).breaks, seed


def test_a_head_of_what_was_put_away_is_held_against_the_archive(lane):
    old(lane)
    before = lane.rows()
    head = (40, before[39][5].hex())
    *_, bridge = lane.put_away()
    ends = (bridge.to, before[bridge.to - 1][5].hex())
    assert lane.breaks(heads=[ends]) == lane.breaks(heads=[ends], archive=lane.archive) == []
    assert [one[0] for one in lane.breaks(heads=[(bridge.to, "0" * 64)])] == ["rewritten"]
    assert lane.breaks(heads=[head]) == lane.breaks(heads=[head], archive=lane.archive) == []
    assert any("head 40 was put away" in note for note in lane.prove(heads=[head]).notes)
    assert [one[0] for one in lane.breaks(heads=[(40, "0" * 64)], archive=lane.archive)] == ["rewritten"]


BRIDGES = {
    "no table": "[]",
    "another field": json.dumps({"until": 5}),
    "a number as text": json.dumps(BRIDGE | {"to": "5"}),
    "itself": json.dumps(BRIDGE | {"to": 10**6}),
    "no hash": json.dumps(BRIDGE | {"hash": "x" * 64}),
}


@pytest.mark.parametrize(
    "more", [{"first": "1"}, {"before": "x"}, {"ledger": "../../x"}, {"format": "2"}, {"odd": 1}, {"seal": "{}"}]
)
def test_a_segment_that_says_odd_things_of_itself_is_refused(lane, more):
    old(lane, 2)
    lane.put_away()
    (first, *_) = sorted(lane.archive.iterdir())
    head, *lines = gzip.decompress(first.read_bytes()).splitlines(keepends=True)
    first.write_bytes(gzip.compress(json.dumps(json.loads(head) | more).encode() + b"\n" + b"".join(lines)))
    with pytest.raises(ArchiveRefused, match=r"damaged|not what was sealed"):
        restore([first], lane.archive.parent / "again")
    assert "put away" in {kind for kind, *_ in lane.breaks(archive=lane.archive)}


@pytest.mark.parametrize("told", BRIDGES)
def test_what_is_no_bridge_stands_for_nothing(lane, told):
    old(lane, 2)
    lane.base.execute("BEGIN IMMEDIATE")
    enter(lane.base, [("LedgerPutAway", None, json.loads(BRIDGES[told]))])
    lane.base.commit()
    assert [(kind, first) for kind, first, *_ in lane.breaks()] == [("put away", 0)]
    with pytest.raises(ArchiveRefused, match="is no bridge"):
        lane.put_away()


def test_it_is_whole_whenever_a_run_is_killed(lane, tmp_path):
    old(lane, 4)
    before, known = lane.rows(), public(lane.key)
    lane.close()
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, lane.state, lane.archive, tmp_path / "killed"], capture_output=True, check=False
    )
    assert ran.returncode == 0, ran.stderr.decode()
    copies = sorted((tmp_path / "killed").iterdir())
    assert len(copies) > 40
    for copy in copies:
        state, archive = copy / "state", copy / "archive"
        assert prove(state, [known]).breaks == []
        list(put_away(state, Wanted(archive, SITE, "Ada", lane.key, 2**62, segment=30, restart=5)))
        assert prove(state, [known], archive=archive).breaks == []
        restore([path for path in archive.iterdir() if path.name.endswith(".gz")], copy / "again")
        kept = {row[0]: row for row in (*rows(copy / "again", 1, None), *rows(state, 1, None))}
        assert [kept[row[0]] for row in before] == before
        assert not list(archive.glob("*.part"))


def test_shares_and_the_span_of_a_journal_pass_over_what_stays(lane):
    old(lane)
    *_, bridge = lane.put_away()
    assert not [said for kind, said in counted(lane.state) if kind == "Item" and said["item_id"].startswith("i-0-")]
    with snapshot(lane.state) as journal:
        assert journal.ends[0].entry == bridge.to + 1
    known = size(lane.state)
    assert (known.whole_from, known.bridge.to) == (bridge.to + 1, bridge.to)
    assert known.entries == len(lane.rows())


def test_the_lake_has_what_is_put_away_and_is_held_against_what_is_left(lane, tmp_path):
    old(lane)
    store, site = at(str(tmp_path / "lake")), LakeLane("test", "lane", lane.state)
    ends = [done.span.last for done in export(site, store, Bounds(entries=40))]
    lane.put_away(until=ends[-1] - 1, restart=0)
    old(lane, 1)
    assert [done.span.first for done in export(site, store)] == [ends[-1] + 1]
    assert [fault for one in verify(site, store) for fault in one.faults] == []
    name = next(one for one in store.names("items") if one.endswith(".parquet"))
    store.keep(name, store.read(name) + b"x")
    assert any("was changed" in fault for one in verify(site, store) for fault in one.faults)


def settings_of(lane, folder, more=""):
    text = (ROOT / "docs" / "lane.toml").read_text().replace("/var/lib/tunnel-edge/lane1", str(lane.state))
    path = folder / "lane.toml"
    path.write_text(f'{text}\n[ledger]\narchive = "{lane.archive}"\n{more}')
    return str(path)


def test_the_command_puts_away_tells_and_brings_back(lane, tmp_path, monkeypatch, capsys):
    old(lane)
    monkeypatch.setattr(ledger_command, "Wanted", partial(Wanted, segment=30, restart=5))
    config = settings_of(lane, tmp_path)
    assert main(["ledger", "status", config]) == 0
    assert "every entry since" in capsys.readouterr().out
    assert main(["ledger", "put-away", config]) == 0
    assert "all that is due was put away" in capsys.readouterr().out
    assert done_s(lane.state) > 0
    assert main(["ledger", "put-away", config, "--keep-days", "1e-9", "--by", "Ada"]) == 0
    assert "entries stay" in capsys.readouterr().out
    assert main(["ledger", "status", config]) == 0
    assert "were put away" in capsys.readouterr().out
    assert main(["audit", config, "log", "--by", "ada"]) == 0
    assert "LedgerPutAway" in capsys.readouterr().out
    assert main(["explain", config, "i-0-3"]) == 1
    assert "ledger restore" in capsys.readouterr().err
    again = str(tmp_path / "again")
    assert main(["ledger", "restore", str(lane.archive), "--to", again]) == 0
    assert main(["explain", config, "i-0-3", "--state", again]) == 0
    assert "i-0-3" in capsys.readouterr().out
    assert main(["audit", again, "verify", "--key", public(lane.key)]) == 0
    assert main(["audit", config, "verify", "--archive", str(lane.archive)]) == 0
    assert main(["ledger", "restore", str(lane.archive), "--to", again]) == 1
    first, second, *_, last = map(str, sorted(lane.archive.iterdir()))
    assert main(["ledger", "restore", first, last, "--to", str(tmp_path / "gap")]) == 1
    assert "name all segments between" in capsys.readouterr().err
    assert main(["ledger", "restore", second, "--to", str(tmp_path / "part")]) == 0


def test_where_no_archive_is_named_it_says_so(lane, tmp_path, capsys):
    old(lane, 1)
    config = Path(settings_of(lane, tmp_path))
    config.write_text(config.read_text().replace("archive =", "# archive ="))
    assert main(["ledger", "status", str(config)]) == 0
    assert "nothing is put away by itself: [ledger] names no archive" in capsys.readouterr().out


def test_what_the_lake_has_not_got_yet_waits(lane, tmp_path, monkeypatch, capsys):
    old(lane)
    monkeypatch.setattr(ledger_command, "Wanted", partial(Wanted, segment=30, restart=5))
    config = settings_of(lane, tmp_path, f'[lake]\nto = "{tmp_path}/lake"\n')
    (lane.state / "lake").mkdir()
    asked = ["ledger", "put-away", config, "--keep-days", "1e-9"]
    assert main(asked) == 3
    assert (done_s(lane.state), "waits for the lake" in capsys.readouterr().out) == (0, True)
    exported.note(lane.state, f"{tmp_path}/elsewhere", 10**6)
    assert main(asked) == 3
    assert main(["lake", "export", config]) == 0
    assert main(asked) == 0


DEEDS = ("item", "owe", "answer", "picture", "forget", "dispute", "act", "end", "hold", "scale", "seal", "put away")


def do(lane, deed, name):
    """One thing that happens to a lane, and how it is written down."""
    told = {
        "item": lambda: item(lane, name),
        "owe": lambda: lane.owe(name),
        "answer": lambda: lane.answer(name),
        "picture": lambda: [lane.picture(name), lane.picture(name, "b")],
        "forget": lambda: lane.forget(name),
        "dispute": lambda: lane.enter(("Disputed", name, {"item_id": name, "by": "Ben"})),
        "act": lambda: lane.enter(("PersonActed", None, {"by": "Ada", "what": "clear"})),
        "end": lambda: lane.enter(("ItemEnd", name, {"item_id": name, "end": "passed", "eye": "exit"})),
        "hold": lambda: lane.enter(("FireShot", None, {"test": name})),
        "scale": lambda: lane.enter(("ScaleLearnt", None, {"n": name})),
        "seal": lane.seal,
        "put away": lambda: [lane.seal(), lane.put_away()],
    }
    told[deed]()


@settings(max_examples=25, phases=[Phase.generate], deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from(DEEDS), st.integers(0, 6)), min_size=30, max_size=90))
def test_whatever_happens_and_whenever_it_is_put_away_it_holds_and_nothing_is_lost(tmp_path_factory, deeds):
    lane, kept = Lane(tmp_path_factory.mktemp("lane")), {}
    try:
        for deed, number in deeds:
            do(lane, deed, f"i-{number}")
            kept |= {row[0]: row for row in lane.rows()}
            if deed == "put away":
                assert lane.breaks() == []
        lane.seal()
        lane.put_away(restart=0)
        kept |= {row[0]: row for row in lane.rows()}
        assert lane.breaks() == []
        assert lane.breaks(archive=lane.archive) == []
        there = {row[0]: row for row in lane.rows()}
        proof = lane.prove()
        assert all(there[entry] == row for entry, row in kept.items() if entry > proof.put_away)
        if proof.put_away:
            again = lane.archive.parent / "again"
            assert restore(list(lane.archive.glob("*.gz")), again) == (1, proof.put_away)
            assert list(rows(again, 1, None)) == [kept[entry] for entry in range(1, proof.put_away + 1)]
            assert prove(again, [public(lane.key)], also=("file",)).breaks == []
    finally:
        lane.close()
