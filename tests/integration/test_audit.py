"""The journal's chain and its seals in real files: written by many, killed, migrated, short of room, tampered with."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from edge.__main__ import main
from edge.core.chain_check import Kind
from edge.core.errors import ConfigError, LedgerRefused
from edge.core.messages import ReplacementRequest
from edge.records import audit_key, ledger_file
from edge.records.audit_key import own
from edge.records.journal import Journal, entries
from edge.records.life import Life
from edge.records.proof import prove
from edge.records.seals import FILE as SEALS
from edge.records.seals import add_seal
from edge.records.sinks import JournalSink
from edge.signing import public
from tests.integration.test_hard_times import fill

LEDGER = ledger_file.FILE
OLD_SCHEMA = """
CREATE TABLE journal (
    entry INTEGER PRIMARY KEY, wall_ns INTEGER NOT NULL, kind TEXT NOT NULL, item TEXT, body TEXT NOT NULL);
CREATE INDEX journal_item ON journal (item, entry);
CREATE TABLE outbox (
    request TEXT PRIMARY KEY, body TEXT NOT NULL, written_wall_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer TEXT);
"""
OLD_INSERT = "INSERT INTO journal (wall_ns, kind, item, body) VALUES (1, 'Item', 'i-1', '{}')"
WRITER = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from edge.records.journal import Journal
journal = Journal(Path(sys.argv[1]))
for number in range(int(sys.argv[2])):
    journal.append([("Item", f"i-{sys.argv[3]}-{number}", {"n": number})] * 3, [])
"""
SEALER = """
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from edge.records.audit_key import own
from edge.records.journal import Journal
from edge.records.ledger_file import opened
from edge.records.seals import add_seal
state = Path(sys.argv[1])
key, base, journal = own(state, None), opened(state), Journal(state)
while True:
    journal.append([("Item", "i", {})], [])
    add_seal(base, state, "lane", key, "entries")
    print("sealed", flush=True)
"""


@pytest.fixture
def state(tmp_path):
    """A lane that ran twice, and asked for a replacement."""
    folder = tmp_path / "state"
    folder.mkdir()
    for number in range(2):
        with closing(Journal(folder)) as journal:
            one = life(folder)
            one.start()
            journal.append([("Item", f"i-{number}-{n}", {"n": n}) for n in range(10)], [])
            JournalSink(journal).write([ReplacementRequest(f"r-{number}", "i-0-1", "o-1", "0401", ("torn",))])
            one.stop()
    return folder


def life(folder):
    return Life(folder, "lane", own(folder, None), {"by": "Ada"}, 60, 10_000)


def key_of(folder):
    return [(folder / audit_key.PUBLIC).read_text().strip()]


def breaks(folder, **more):
    return [(one.kind, one.first, one.last) for one in prove(folder, key_of(folder), **more).breaks]


def spoil(folder, *statements):
    """As somebody would who may write to the file, and puts the triggers back."""
    with closing(sqlite3.connect(folder / LEDGER)) as base:
        for name in ledger_file.TRIGGERS:
            base.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            base.execute(statement)
        for trigger in ledger_file.TRIGGERS.values():
            base.execute(trigger)
        base.commit()


def run(script, *words):
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], stdout=subprocess.PIPE)


def test_what_was_written_holds(state):
    proof = prove(state, key_of(state), also=("file", "pictures"))
    assert (proof.breaks, proof.notes) == ([], [])
    assert (proof.seals, proof.box, proof.sealed) == (4, "lane", proof.entries - 1)


SPOILT = {
    "changed": (["UPDATE journal SET body = '{}' WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "of another item": (["UPDATE journal SET item = 'i-9' WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "of no item": (["UPDATE journal SET item = NULL WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "at another time": (["UPDATE journal SET wall_ns = wall_ns + 1 WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "a blob": (["UPDATE journal SET body = CAST(body AS BLOB) WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "a time that is none": (["UPDATE journal SET wall_ns = 'x' WHERE entry = 5"], (Kind.CHANGED, 5, 5)),
    "another hash": (["UPDATE journal SET hash = x'00' WHERE entry = 5"], (Kind.HASH_CHANGED, 5, 5)),
    "no hash": (["UPDATE journal SET hash = NULL WHERE entry = 5"], (Kind.UNCHAINED, 5, 5)),
    "a text as hash": (["UPDATE journal SET hash = 'x' WHERE entry = 5"], (Kind.HASH_CHANGED, 5, 5)),
    "removed": (["DELETE FROM journal WHERE entry = 5"], (Kind.REMOVED, 5, 5)),
    "cut": (["DELETE FROM journal WHERE entry > 5"], (Kind.CUT, 6, 29)),
    "put in": (
        [
            "UPDATE journal SET entry = -entry WHERE entry > 5",
            "UPDATE journal SET entry = 1 - entry WHERE entry < 0",
            "INSERT INTO journal SELECT 6, wall_ns, kind, item, body, hash FROM journal WHERE entry = 5",
        ],
        (Kind.INSERTED, 6, 6),
    ),
    "exchanged": (
        [
            "UPDATE journal SET entry = -1 WHERE entry = 5",
            "UPDATE journal SET entry = 5 WHERE entry = 9",
            "UPDATE journal SET entry = 9 WHERE entry = -1",
        ],
        (Kind.REORDERED, 5, 5),
    ),
    "a seal that was begun": (["INSERT INTO sealing VALUES ('{}')"], (Kind.SEAL, 0, 0)),
    "another trigger": (["CREATE TRIGGER odd AFTER INSERT ON outbox BEGIN SELECT 1; END"], (Kind.FILE, 0, 0)),
    "a request more": (
        ["INSERT INTO outbox (request, body, written_wall_ns) VALUES ('r-9', '{}', 1)"],
        (Kind.OUTBOX, 0, 0),
    ),
    "a request less": (["DELETE FROM outbox WHERE request = 'r-0'"], (Kind.OUTBOX, 13, 13)),
    "a request for another": (["UPDATE outbox SET body = '{}' WHERE request = 'r-0'"], (Kind.OUTBOX, 13, 13)),
}


@pytest.mark.parametrize("deed", SPOILT)
def test_a_tampered_row_is_found_where_it_is(state, deed):
    statements, told = SPOILT[deed]
    spoil(state, *statements)
    assert told in breaks(state)


def test_pictures_are_held_against_what_was_kept_and_removed(state):
    contents = {hashlib.sha256(content).hexdigest(): content for content in (b"one", b"two", b"three", b"four")}
    for sha256, content in contents.items():
        path = state / "evidence" / sha256[:2] / sha256
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
    one, two, three, four = (state / "evidence" / sha256[:2] / sha256 for sha256 in contents)
    pictures = [{"item_id": "i-1", "sha256": sha256} for sha256 in contents]
    with closing(Journal(state)) as journal:
        journal.append([("EvidenceKept", "i-1", {"item_id": "i-1", "pictures": pictures})], [])
        journal.append([("EvidenceRemoved", None, {"rule": "age", "pictures": pictures[2:3]})], [])
        journal.append([("EvidenceRemoved", None, {"rule": "missing", "pictures": pictures[3:]})], [])
    three.unlink()
    four.unlink()
    kept = prove(state, key_of(state)).entries - 2
    assert breaks(state, also=("pictures",)) == []
    assert any("1 pictures were found missing by the daemon" in note for note in prove(state, key_of(state)).notes)
    one.write_bytes(b"another")
    two.unlink()
    assert breaks(state, also=("pictures",)) == [(Kind.EVIDENCE, kept, kept)] * 2
    assert breaks(state, also=()) == []


def test_of_a_damaged_file_as_much_is_told_as_can_be_read(state):
    with closing(Journal(state)) as journal:
        journal.append([("Item", f"i-{n}", {"n": "x" * 900}) for n in range(200)], [])
    spoil(state, "UPDATE journal SET body = '{}' WHERE entry = 5")
    with closing(sqlite3.connect(state / LEDGER)) as base:
        page_bytes, pages = (base.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_size", "page_count"))
    content = bytearray((state / LEDGER).read_bytes())
    content[(pages - 3) * page_bytes : (pages - 2) * page_bytes] = b"\xff" * page_bytes
    (state / LEDGER).write_bytes(content)
    found = breaks(state)
    assert (Kind.CHANGED, 5, 5) in found
    assert Kind.FILE in {kind for kind, _, _ in found}


def rechain(folder, entry):
    """Change an entry and reckon all hashes behind it anew, as everybody can who has no key."""
    with closing(ledger_file.opened(folder)) as base:
        behind = base.execute("SELECT kind, item, body FROM journal WHERE entry >= ?", (entry,)).fetchall()
        for name in ledger_file.TRIGGERS:
            base.execute(f"DROP TRIGGER {name}")
        base.execute("DELETE FROM journal WHERE entry >= ?", (entry,))
        ledger_file.enter(
            base, [("Item", "i-9", {}), *((kind, item, json.loads(body)) for kind, item, body in behind[1:])]
        )
        base.commit()
        for trigger in ledger_file.TRIGGERS.values():
            base.execute(trigger)


def test_a_chain_that_was_reckoned_anew_is_not_what_was_sealed(state):
    rechain(state, 5)
    assert (Kind.REWRITTEN, 2, 29) in breaks(state)


def test_a_head_that_was_noted_elsewhere_finds_what_no_seal_does(state):
    before = prove(state, key_of(state))
    head = (before.entries, before.head)
    assert breaks(state, heads=[head]) == []
    assert breaks(state, heads=[(3, before.head), (before.entries + 1, before.head)]) == [
        (Kind.REWRITTEN, 3, 3),
        (Kind.CUT, before.entries + 1, before.entries + 1),
    ]


SEALS_SPOILT = {
    "a byte": lambda told: told.replace(b'"because":"start"', b'"because":"stars"', 1),
    "the first taken out": lambda told: told.split(b"\n", 1)[1],
    "the last taken out": lambda told: b"".join(told.splitlines(keepends=True)[:-1]),
    "the last cut off": lambda told: told[:-20],
    "one taken out": lambda told: b"".join(told.splitlines(keepends=True)[::2]),
    "exchanged": lambda told: b"".join(told.splitlines(keepends=True)[::-1]),
    "twice": lambda told: told + told.splitlines(keepends=True)[-1],
    "something put in": lambda told: b"{}\n" + told,
    "empty": lambda _: b"",
}


@pytest.mark.parametrize("deed", SEALS_SPOILT)
def test_a_tampered_file_of_seals_is_found(state, deed):
    path = state / SEALS
    path.write_bytes(SEALS_SPOILT[deed](path.read_bytes()))
    assert Kind.SEAL in {kind for kind, _, _ in breaks(state)}


def test_without_the_file_of_seals_or_with_another_key_it_does_not_hold(state, tmp_path):
    other = public(own(tmp_path, None))
    assert {one.kind for one in prove(state, [other]).breaks} == {Kind.SEAL}
    (state / SEALS).unlink()
    assert Kind.SEAL in {kind for kind, _, _ in breaks(state)}


@pytest.mark.parametrize("old", [LEDGER, SEALS])
def test_an_older_copy_of_one_file_does_not_fit_the_other(state, tmp_path, old):
    kept = shutil.copy(state / old, tmp_path)
    one = life(state)
    one.start()
    one.stop()
    shutil.copy(kept, state / old)
    assert {kind for kind, _, _ in breaks(state)} == {Kind.CUT if old == LEDGER else Kind.SEAL}


def test_seals_that_were_signed_by_nobody_do_not_count(state, tmp_path):
    """Whoever rewrites everything, with a key of their own."""
    rechain(state, 5)
    (state / SEALS).unlink()
    known = key_of(state)
    for name in (audit_key.SECRET, audit_key.PUBLIC):
        (state / name).unlink()
    with closing(Journal(state)) as journal:
        journal.append([("Item", "i", {})], [])
    one = life(state)
    one.start()
    one.stop()
    assert prove(state, known).breaks


def test_several_processes_and_threads_write_one_chain(tmp_path):
    with closing(Journal(tmp_path)):
        processes = [run(WRITER, tmp_path, 60, name) for name in "ab"]
        threads = [threading.Thread(target=write, args=(tmp_path, name)) for name in "cd"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [process.communicate(timeout=60) for process in processes] == [(b"", None)] * 2
    assert sum(1 for _ in entries(tmp_path)) == 4 * 60 * 3
    assert prove(tmp_path, []).breaks == []


def write(folder, name):
    with closing(Journal(folder)) as journal:
        for number in range(60):
            journal.append([("Item", f"i-{name}-{number}", {"n": number})] * 3, [])


def test_it_holds_however_often_the_daemon_is_killed_as_it_seals(tmp_path):
    for number in range(12):
        process = run(SEALER, tmp_path)
        process.stdout.readline()
        time.sleep(0.003 * number)
        process.send_signal(signal.SIGKILL)
        process.wait(10)
        process.stdout.close()
        assert breaks(tmp_path) == [], number
    one = life(tmp_path)
    one.start()
    one.stop()
    proof = prove(tmp_path, key_of(tmp_path))
    assert (proof.breaks, proof.notes) == ([], [])
    assert proof.seals > 12


def test_a_seal_that_a_kill_left_unfinished_is_finished(state):
    key = own(state, None)
    with closing(ledger_file.opened(state)) as base:
        line = (state / SEALS).read_bytes().splitlines(keepends=True)[-1]
        before = sum(1 for _ in entries(state))
        spoil(state, f"DELETE FROM journal WHERE entry = {before}")
        base.execute("INSERT INTO sealing VALUES (?)", (line[:-1].decode(),))
        base.commit()
        assert breaks(state) == []
        add_seal(base, state, "lane", key, "time")
        assert breaks(state) == []
        (state / SEALS).write_bytes((state / SEALS).read_bytes() + line[:30])  # the power was cut within a line
        assert breaks(state) == []
        ledger_file.enter(base, [("Item", "i", {})])
        base.commit()
        assert add_seal(base, state, "lane", key, "time").seal == 5
    assert breaks(state) == []


@pytest.mark.parametrize("left", [b"\0" * 300 + b"\n", b"\x17\n\x18\n" * 40, b'{"box":"lane"'])
def test_what_a_power_cut_leaves_of_a_seal_is_no_tampering_and_goes_with_the_next_one(state, tmp_path, left):
    """Sectors come to the disk in any order, and a newline may lie anywhere in what was there before."""
    key, whole = own(state, None), (state / SEALS).read_bytes()
    with closing(ledger_file.opened(state)) as base:
        ledger_file.enter(base, [("Item", "i", {})])
        base.commit()
    shutil.copytree(state, tmp_path / "copy")
    with closing(ledger_file.opened(tmp_path / "copy")) as base:
        begun = add_seal(base, tmp_path / "copy", "lane", key, "time").line()
    (state / SEALS).write_bytes(whole + left)
    assert (breaks(state) != []) is left.endswith(b"\n")  # nobody has begun a seal: somebody has put this in
    with closing(ledger_file.opened(state)) as base:
        base.execute("INSERT INTO sealing VALUES (?)", (begun.decode(),))
        base.commit()
        assert breaks(state) == []
        add_seal(base, state, "lane", key, "time")
    assert breaks(state) == []
    assert (state / SEALS).read_bytes().startswith(whole + b'{"because":"time"')


def old_ledger(folder, count):
    folder.mkdir(exist_ok=True)
    with closing(sqlite3.connect(folder / LEDGER)) as base:
        base.executescript(OLD_SCHEMA)
        for _ in range(count):
            base.execute(OLD_INSERT)
        base.commit()


def test_a_ledger_without_a_chain_is_taken_into_it_as_it_is(tmp_path):
    old_ledger(tmp_path, 5)
    with pytest.raises(LedgerRefused, match="release without a chain"):
        prove(tmp_path, [])
    write(tmp_path, "a")
    kinds = [kind for _, kind, _, _ in entries(tmp_path)]
    assert kinds[:7] == ["Item"] * 5 + ["ChainBegun", "Item"]
    assert prove(tmp_path, []).breaks == []
    shutil.copytree(tmp_path, tmp_path / "copy")
    spoil(tmp_path / "copy", "UPDATE journal SET body = '[]' WHERE entry = 3")
    assert (Kind.UNCHAINED, 1, 5) in [(one.kind, one.first, one.last) for one in prove(tmp_path / "copy", []).breaks]


def test_what_a_release_without_a_chain_writes_after_a_rollback_is_taken_in(state):
    with closing(sqlite3.connect(state / LEDGER)) as base:
        base.execute(OLD_INSERT)
        base.commit()
    last = prove(state, key_of(state)).entries
    assert breaks(state) == [(Kind.UNCHAINED, last, last)]
    one = life(state)
    one.start()
    one.stop()
    assert breaks(state) == []
    begun = [body for _, kind, _, body in entries(state) if kind == "ChainBegun"]
    assert [(body["from"], body["to"]) for body in begun] == [(last, last)]


def test_a_ledger_of_a_newer_release_is_refused(state, capsys):
    with closing(sqlite3.connect(state / LEDGER)) as base:
        base.execute("PRAGMA user_version = 99")
    with pytest.raises(LedgerRefused, match="made by a newer release"):
        Journal(state)
    assert main(["audit", str(state), "verify"]) == 1
    assert "made by a newer release" in capsys.readouterr().err


def test_a_full_disk_lets_a_seal_wait_and_breaks_nothing(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    mounted = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", place]
    if subprocess.run(mounted, capture_output=True, check=False).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        one = life(place)
        one.start()
        fill(place)
        one.stop()
        assert one.failures == 1
        assert breaks(place) == []
        (place / "filler").unlink()
        again = life(place)
        again.start()
        again.stop()
        assert (again.failures, breaks(place)) == (0, [])
    finally:
        subprocess.run(["umount", place], check=True)


def test_a_clock_that_was_set_back_is_no_tampering(state, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 1)
    one = life(state)
    one.start()
    one.stop()
    assert breaks(state) == []


def test_a_key_that_is_missing_none_or_open_to_others_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no key"):
        own(tmp_path, tmp_path / "nowhere.key_secret")
    own(tmp_path, None)
    with pytest.raises(ConfigError, match="File exists"):
        audit_key.make(tmp_path / audit_key.SECRET)
    (tmp_path / audit_key.SECRET).chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        own(tmp_path, None)
    (tmp_path / audit_key.SECRET).write_text("none")
    (tmp_path / audit_key.SECRET).chmod(0o600)
    with pytest.raises(ConfigError, match="no key"):
        own(tmp_path, None)


def test_the_command_tells_what_it_found(state, tmp_path, capsys):
    assert main(["audit", str(state), "verify", "--evidence"]) == 0
    assert "it holds" in capsys.readouterr().out
    (key,) = key_of(state)
    for named in (key, str(state / audit_key.PUBLIC)):
        assert main(["audit", str(state), "verify", "--key", named, "--json"]) == 0
        said = json.loads(capsys.readouterr().out)
        assert (said["holds"], said["notes"]) == (True, [])
    spoil(state, "UPDATE journal SET body = '{}' WHERE entry = 5")
    assert main(["audit", str(state), "verify"]) == 3
    assert "changed: entry 5: its content is not what was written" in capsys.readouterr().out
    assert main(["audit", str(state), "verify", "--key", "x"]) == 1
    with pytest.raises(SystemExit):
        main(["audit", str(state), "verify", "--head", "5:x"])
    assert main(["audit", str(tmp_path / "state" / ".."), "verify", "--key", key]) == 1
    assert "there is no ledger.sqlite" in capsys.readouterr().err


def test_who_did_what_is_told(state, capsys):
    with closing(Journal(state)) as journal:
        journal.append([("PersonActed", None, {"by": "Grace", "what": "clear", "why": "alarms", "heard_ns": 1})], [])
    assert main(["audit", str(state), "log"]) == 0
    out = capsys.readouterr().out
    assert out.count("DaemonStarted") == out.count("DaemonStopped") == 2
    assert "PersonActed: clear" in out
    assert main(["audit", str(state), "log", "--by", "grace"]) == 0
    assert "DaemonStarted" not in capsys.readouterr().out
    assert main(["audit", str(state), "log", "--kind", "Sealed", "--since", "2020-01-01"]) == 0
    assert capsys.readouterr().out.count("Sealed") == 4
    assert main(["audit", str(state), "log", "--until", "2020-01-01"]) == 0
    assert "nothing" in capsys.readouterr().out


def test_it_is_exported_with_its_hashes(state, tmp_path, capsys):
    out = tmp_path / "journal.jsonl.gz"
    assert main(["audit", str(state), "export", str(out)]) == 0
    lines = [json.loads(line) for line in gzip.decompress(out.read_bytes()).splitlines()]
    assert [one["entry"] for one in lines if "kind" in one] == list(range(1, prove(state, key_of(state)).entries + 1))
    assert sum(1 for one in lines if "signature" in one) == 4
    assert main(["audit", str(state), "export", str(out)]) == 1
    assert "name a new file" in capsys.readouterr().err


def test_it_is_verified_while_it_is_written(tmp_path):
    with closing(Journal(tmp_path)):
        process = run(SEALER, tmp_path)
        process.stdout.readline()
        try:
            for _ in range(20):
                assert breaks(tmp_path) == []
        finally:
            process.kill()
            process.wait(10)
            process.stdout.close()


def test_a_copy_that_cannot_be_written_is_verified(state):
    if os.getuid():
        pytest.skip("only root can be another user")
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", sys.executable, "-m", "edge"]
    with TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(state, f"{folder}/copy", ignore=shutil.ignore_patterns("*secret")))
        for path in (*copy.iterdir(), copy, copy.parent):
            path.chmod(0o555 if path.is_dir() else 0o444)
        told = subprocess.run([*nobody, "audit", copy, "verify"], capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr.strip()) == (0, ""), told.stdout
