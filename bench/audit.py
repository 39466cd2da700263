"""What the journal's chain costs, how fast it is verified, and whether every tampering with a lane's files is found.

A tampering counts as one where an independent dump (every table's rows with their types, the schema, each byte of the
seals and the pictures) differs from that of before, or where SQLite can no longer make one: a bit in a free page
changes nothing that anybody can read.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from bench.tampering import BY_A_HEAD, FOUND, NEVER, OLDER, Tamper, pictures
from bench.tampering_put_away import ARCHIVE, segments
from edge.core.errors import LedgerRefused
from edge.core.messages import ReplacementRequest
from edge.records.audit_key import PUBLIC, own
from edge.records.journal import Journal
from edge.records.ledger_file import FILE as LEDGER
from edge.records.life import Life
from edge.records.proof import prove
from edge.records.seals import FILE as SEALS
from edge.records.seals import add_seal
from edge.records.sinks import JournalSink

MEMORY = Path("/dev/shm")  # noqa: S108 - a thousand copies need no disk
ROW = "{:<70} {:>6} {:>9} {:>6} {:>9}  {}"
FEW = 20  # tries of what is not to be found without more
BATCHES = (1, 16, 256)  # entries in one transaction
BODY = {"item_id": "lane-0a1b2c3d-000123", "disposition": "pass", "reasons": ["anomaly (top): 0.62 of the largest"] * 3}
UNCHAINED = "INSERT INTO journal (wall_ns, kind, item, body) VALUES (?, ?, ?, ?)"

console = Console(soft_wrap=True)


def main() -> None:
    """Both, in one run."""
    parser = argparse.ArgumentParser(prog="python -m bench.audit", description=__doc__)
    parser.add_argument("--entries", type=int, default=200_000, help="that are written and verified")
    parser.add_argument("--tamperings", type=int, default=1000, help="that are to be found")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as folder, TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as copies:
        cost(Path(folder), options.entries)
        tamperings(Path(copies), options.tamperings, options.seed)


def cost(folder: Path, entries: int) -> None:
    """Appending with and without a chain, turn about; verifying what was written."""
    columns = ("entries a transaction", "without, 1/s", "with, 1/s", "ratio", "without, µs CPU an entry", "with")
    table = Table(*columns, title="what the chain costs its writer")
    for batch in BATCHES:
        rounds = 5
        spent, computed = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
        count = min(entries, 4000 * batch) // rounds // batch * batch
        for turn in range(2 * rounds):
            chained = turn % 2 == 0
            took_s, cpu_s = _append(folder / f"{batch}-{chained}", batch, count, chained=chained)
            spent[chained] += took_s
            computed[chained] += cpu_s
        rates = [rounds * count / spent[chained] for chained in (False, True)]
        told = (*(f"{rate:,.0f}" for rate in rates), f"{rates[1] / rates[0]:.2f}")
        cpu = (f"{1e6 * computed[chained] / rounds / count:.0f}" for chained in (False, True))
        table.add_row(str(batch), *told, *cpu)
    console.print(table)
    _verify(folder / "long", entries)


def _append(state: Path, batch: int, count: int, *, chained: bool) -> tuple[float, float]:
    """Seconds for so many entries, by the clock and of the processor."""
    journal, entry = Journal(state), ("Verdict", "lane-0a1b2c3d-000123", BODY)
    with closing(journal), closing(sqlite3.connect(state / LEDGER)) as base:
        base.execute("PRAGMA synchronous=FULL")
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        for _ in range(count // batch):
            if chained:
                journal.append([entry] * batch, [])
            else:
                with base:
                    rows = [(time.time_ns(), kind, item, json.dumps(body)) for kind, item, body in [entry] * batch]
                    base.executemany(UNCHAINED, rows)
        return time.perf_counter() - began_s, time.process_time() - began_cpu_s


def _verify(state: Path, entries: int) -> None:
    with closing(Journal(state)) as journal:
        for _ in range(0, entries, 1000):
            journal.append([("Verdict", f"lane-{_:06}", BODY)] * 1000, [])
    size = (state / LEDGER).stat().st_size
    for also in ((), ("file",)):
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        proof = prove(state, [], also=also)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
        what = "chain, and SQLite's own check" if also else "chain alone"
        rates = f"{proof.entries / took_s:,.0f} entries/s, {proof.entries / cpu_s:,.0f} a second of the processor"
        console.print(f"verified ({what}): {rates}; {size / proof.entries:.0f} B an entry")
        assert not proof.breaks, proof.breaks[:3]


def lane(state: Path) -> None:
    """A lane that has run a while, and stopped; an older copy of it lies in it."""
    state.mkdir(parents=True)
    for number in range(3):
        one = Life(state, "lane", own(state, None), {"by": "systemd", "settings": {"lane": "x"}}, 60, 10_000)
        one.start()
        with closing(Journal(state)) as journal:
            for at in range(150):
                if (number, at) == (2, 75):
                    shutil.copytree(state, state.with_name(OLDER))
                _item(state, journal, f"i-{number}-{at}")
                if at % 50 == 49:
                    add_seal(journal._base, state, "lane", own(state, None), "entries")
            one.stop()
            shutil.copytree(state, state.with_name("ended"), dirs_exist_ok=True)  # with what is written ahead
    shutil.rmtree(state)
    state.with_name("ended").rename(state)
    state.with_name(OLDER).rename(state / OLDER)


def _item(state: Path, journal: Journal, name: str) -> None:
    content = f"picture of {name}".encode() * 9
    sha256 = hashlib.sha256(content).hexdigest()
    path = state / "evidence" / sha256[:2] / sha256
    journal.append([("Item", name, {"item_id": name, "n": 1}), ("Verdict", name, BODY)], [])
    if name.endswith("7"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        kept = {"item_id": name, "pictures": [{"what": "crop", "sha256": sha256, "bytes": len(content)}]}
        journal.append([("EvidenceKept", name, kept)], [])
        JournalSink(journal).write([ReplacementRequest(f"r-{name}", name, f"o-{name}", "0401", ("torn",))])
        journal.append([("RequestAnswered", name, {"request": f"r-{name}", "status": "accepted"})], [])
        with closing(sqlite3.connect(state / LEDGER)) as base:
            stated = any(row[1] == "state" for row in base.execute("PRAGMA table_info(outbox)"))
            more = ", state = 'answered'" if stated else ""
            told = f"UPDATE outbox SET answer = 'accepted'{more} WHERE request = ?"  # noqa: S608 - our own words
            base.execute(told, (f"r-{name}",))
            base.commit()


def tamperings(folder: Path, count: int, seed: int) -> None:
    """Each on a fresh copy; which of them are found, and by whom."""
    whole = folder / "whole"
    lane(whole)
    key, chance = (whole / PUBLIC).read_text().strip(), Random(seed)  # noqa: S311 - a reproducible draw
    sound = prove(whole, [key], also=("file", "pictures"))
    assert not sound.breaks, sound.breaks[:3]
    head, before = (sound.entries, sound.head), dump(whole)
    console.print(f"{sound.entries} entries, {sound.seals} seals, {len(pictures(whole))} pictures")
    console.print(ROW.format("tampering", "tried", "no change", "found", "not found", "told as"))
    per_kind = -(-count // len(FOUND))
    for kinds, heads in ((FOUND, ()), (BY_A_HEAD, ()), (BY_A_HEAD, (head,)), (NEVER, (head,))):
        for name, tamper in kinds.items():
            told = f"{name}, with a head noted elsewhere" if heads else name
            row = tried(whole, tamper, per_kind if kinds is FOUND else FEW, key, heads, before, chance)
            console.print(ROW.format(told, *row), highlight=False)


def tried(
    whole: Path,
    tamper: Tamper,
    count: int,
    key: str,
    heads: Sequence[tuple[int, str]],
    before: str,
    chance: Random,
    archive: str = "",
) -> list[str]:
    """A row: how many were tried, changed nothing, were found, were not."""
    came: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    for _ in range(count):
        copy = whole.with_name("copy")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy, ignore=shutil.ignore_patterns("*-shm"))
        tamper(copy, chance)
        found = told(copy, key, heads, copy / archive if archive else None)
        same = dump(copy) == before
        came["same" if same else "found" if found else "missed"] += 1
        kinds.update(found)
    whos = ", ".join(name for name, _ in kinds.most_common(3))
    return [str(count), str(came["same"]), str(came["found"]), str(came["missed"]), whos]


def told(state: Path, key: str, heads: Sequence[tuple[int, str]], archive: Path | None = None) -> set[str]:
    """What the verification finds."""
    try:
        return {one.kind.value for one in prove(state, [key], heads, also=("file", "pictures"), archive=archive).breaks}
    except LedgerRefused:
        return {"refused"}


def dump(state: Path) -> str:
    """A digest of all that anybody can read in the files; whatever cannot be read is unlike anything."""
    known = hashlib.sha256()
    try:
        with closing(sqlite3.connect(f"file:{state / LEDGER}?mode=ro", uri=True)) as base:
            for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall():
                columns = ", ".join(
                    f"typeof({row[1]}), CAST({row[1]} AS BLOB)" for row in base.execute(f"PRAGMA table_info({name})")
                )
                for row in base.execute(f"SELECT {columns} FROM {name} NOT INDEXED ORDER BY rowid"):  # noqa: S608
                    known.update(repr(row).encode())
            for row in base.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY name"):
                known.update(repr(row).encode())
    except sqlite3.Error as error:
        return f"unreadable: {error}"
    archived = segments(state) if (state / ARCHIVE).is_dir() else ()
    for path in (state / SEALS, *pictures(state), *archived):
        known.update(path.name.encode() + path.read_bytes() if path.exists() else b"none")
    return known.hexdigest()


if __name__ == "__main__":
    main()
