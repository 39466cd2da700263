"""Ways to tamper with a lane's files: each takes a copy of them and a source of chance, and spoils the copy."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random

from edge.records import audit_key, ledger_file
from edge.records.audit_key import make
from edge.records.ledger_file import FILE as LEDGER
from edge.records.ledger_file import TRIGGERS, enter
from edge.records.seals import FILE as SEALS
from edge.records.seals import add_seal

OLDER = "older"  # folder beside the files: a copy of them from earlier
WAL = f"{LEDGER}-wal"

Tamper = Callable[[Path, Random], None]


@contextmanager
def unguarded(state: Path) -> Iterator[sqlite3.Connection]:
    """As somebody would who may write the file: the triggers are taken away, and put back behind it."""
    with closing(sqlite3.connect(state / LEDGER)) as base:
        for name in TRIGGERS:
            base.execute(f"DROP TRIGGER {name}")
        yield base
        for trigger in TRIGGERS.values():
            base.execute(trigger)
        base.commit()


def flip(path: Path, chance: Random) -> None:
    """One bit of a file."""
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def flip_ledger(state: Path, chance: Random) -> None:
    """One bit of the ledger, in which all lies that was written ahead."""
    with closing(sqlite3.connect(state / LEDGER)) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    flip(state / LEDGER, chance)


def flip_picture(state: Path, chance: Random) -> None:
    """One bit of a picture."""
    flip(chance.choice(pictures(state)), chance)


def lose_picture(state: Path, chance: Random) -> None:
    """A picture is gone."""
    chance.choice(pictures(state)).unlink()


def exchange_pictures(state: Path, chance: Random) -> None:
    """Two pictures, each under the other's name."""
    one, other = chance.sample(pictures(state), 2)
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def change(state: Path, chance: Random) -> None:
    """One column of one entry."""
    column, value = chance.choice(COLUMNS)
    with unguarded(state) as base:
        spoilt = f"UPDATE journal SET {column} = {value} WHERE entry = ?"  # noqa: S608 - our own words
        base.execute(spoilt, (_entry(base, chance),))


COLUMNS = (
    ("wall_ns", "wall_ns + 1"),
    ("kind", "'Verdict2'"),
    ("item", "'i-0'"),
    ("item", "IFNULL(item, '') || 'x'"),
    ("body", "replace(body, '1', '2') || ' '"),
    ("body", "'{}'"),
    ("hash", "randomblob(32)"),
    ("hash", "NULL"),
)


def remove(state: Path, chance: Random) -> None:
    """One entry, or some in a row."""
    with unguarded(state) as base:
        entry = _entry(base, chance)
        base.execute("DELETE FROM journal WHERE entry BETWEEN ? AND ?", (entry, entry + chance.randrange(3)))


def remove_and_number(state: Path, chance: Random) -> None:
    """The same, and the rest is numbered anew."""
    with unguarded(state) as base:
        entry, count = _entry(base, chance), chance.randrange(1, 4)
        base.execute("DELETE FROM journal WHERE entry >= ? AND entry < ?", (entry, entry + count))
        _shift(base, entry + count - 1, -count)


def put_in(state: Path, chance: Random) -> None:
    """An entry of another's words, somewhere; the rest is numbered anew."""
    with unguarded(state) as base:
        entry, other = _entry(base, chance), _entry(base, chance)
        (row,) = base.execute(
            "SELECT wall_ns, kind, item, body, hash FROM journal WHERE entry = ?", (other,)
        ).fetchall()
        _shift(base, entry - 1, 1)
        base.execute("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?)", (entry, *row))


def exchange(state: Path, chance: Random) -> None:
    """Two entries: their words, or all of them but the number."""
    columns = chance.choice(("wall_ns, kind, item, body", "wall_ns, kind, item, body, hash"))
    with unguarded(state) as base:
        one, other = _entry(base, chance), _entry(base, chance)
        asked = f"SELECT {columns} FROM journal WHERE entry = ?"  # noqa: S608 - our own words
        rows = [base.execute(asked, (entry,)).fetchone() for entry in (one, other)]
        spoilt = f"UPDATE journal SET {columns.replace(',', ' = ?,')} = ? WHERE entry = ?"  # noqa: S608
        for entry, row in zip((other, one), rows, strict=True):
            base.execute(spoilt, (*row, entry))


def cut(state: Path, chance: Random) -> None:
    """The end, from anywhere on that a seal covers or names."""
    with unguarded(state) as base:
        base.execute("DELETE FROM journal WHERE entry >= ?", (_entry(base, chance),))


def cut_seals(state: Path, chance: Random) -> None:
    """The end of the seals."""
    content = (state / SEALS).read_bytes()
    (state / SEALS).write_bytes(content[: chance.randrange(len(content))])


def older(*names: str) -> Tamper:
    """Some files are those of a backup, or gone where it has none."""

    def tamper(state: Path, _: Random) -> None:
        for name in names:
            (state / name).unlink(missing_ok=True)
            if (state / OLDER / name).exists():
                shutil.copy(state / OLDER / name, state)

    return tamper


def rechain(state: Path, chance: Random) -> None:
    """One entry is changed, and every hash behind it reckoned anew, without the key."""
    with unguarded(state) as base:
        _rechain(base, _entry(base, chance))


def rechain_with_another_key(state: Path, chance: Random) -> None:
    """The same, and everything is sealed anew with a key of one's own, which is put in the box's place."""
    rechain(state, chance)
    for name in (SEALS, audit_key.SECRET, audit_key.PUBLIC):
        (state / name).unlink()
    key = make(state / audit_key.SECRET)
    with unguarded(state) as base:
        base.execute("DELETE FROM journal WHERE kind = 'Sealed'")
        _rechain(base, 1)
        base.commit()
        add_seal(base, state, "lane", key, "stop")


def _outbox(statement: str) -> Tamper:
    def tamper(state: Path, chance: Random) -> None:
        with closing(sqlite3.connect(state / LEDGER)) as base:
            requests = [row[0] for row in base.execute("SELECT request FROM outbox WHERE answer IS NOT NULL")]
            base.execute(statement, (chance.choice(requests),))
            base.commit()

    return tamper


def cut_both(state: Path, chance: Random) -> None:
    """Ledger and seals are cut back to the same earlier seal."""
    lines = (state / SEALS).read_bytes().splitlines(keepends=True)
    kept = chance.randrange(1, len(lines))
    (state / SEALS).write_bytes(b"".join(lines[:kept]))
    with unguarded(state) as base:
        base.execute(
            "DELETE FROM journal WHERE entry > (SELECT entry FROM journal WHERE kind = 'Sealed'"
            " ORDER BY entry LIMIT 1 OFFSET ?)",
            (kept - 1,),
        )
        base.execute(
            "DELETE FROM outbox WHERE request NOT IN"
            " (SELECT json_extract(body, '$.request_id') FROM journal WHERE kind = 'ReplacementRequest')"
        )
        base.execute(
            "UPDATE outbox SET answer = NULL WHERE request NOT IN"
            " (SELECT json_extract(body, '$.request') FROM journal WHERE kind = 'RequestAnswered')"
        )


def write_on(state: Path, _: Random) -> None:
    """Entries more, with good hashes, behind the last seal."""
    with closing(ledger_file.opened(state)) as base, base:
        enter(base, [("Item", "i-x", {"n": 1})])


FOUND: dict[str, Tamper] = {
    "a bit of ledger.sqlite": flip_ledger,
    "a bit of ledger.sqlite-wal": lambda state, chance: flip(state / WAL, chance),
    "a bit of seals.jsonl": lambda state, chance: flip(state / SEALS, chance),
    "a bit of a picture": flip_picture,
    "a picture lost": lose_picture,
    "two pictures exchanged": exchange_pictures,
    "an entry changed": change,
    "entries removed": remove,
    "entries removed, the rest numbered anew": remove_and_number,
    "an entry put in": put_in,
    "two entries exchanged": exchange,
    "the journal's end cut off": cut,
    "the seals' end cut off": cut_seals,
    "an older ledger": older(LEDGER, WAL),
    "older seals": older(SEALS),
    "an older write-ahead file": older(WAL),
    "the write-ahead file lost": lambda state, _: (state / WAL).unlink(),
    "hashes reckoned anew": rechain,
    "hashes reckoned anew, sealed by another key": rechain_with_another_key,
    "an answer changed": _outbox("UPDATE outbox SET answer = 'refused' WHERE request = ?"),
    "an answer taken away": _outbox("UPDATE outbox SET answer = NULL WHERE request = ?"),
    "a request changed": _outbox("UPDATE outbox SET body = replace(body, 'o-', 'p-') WHERE request = ?"),
    "a request removed": _outbox("DELETE FROM outbox WHERE request = ?"),
    "a request put in": _outbox("INSERT INTO outbox (request, body, written_wall_ns) SELECT ? || 'x', '{}', 1"),
}
BY_A_HEAD: dict[str, Tamper] = {  # what only a head that was noted elsewhere finds
    "journal and seals cut back together": cut_both,
    "an older copy of everything": older(LEDGER, WAL, SEALS),
}
NEVER: dict[str, Tamper] = {"entries written on behind the last seal": write_on}


def pictures(state: Path) -> Sequence[Path]:
    """All of them."""
    return sorted(path for path in (state / "evidence").rglob("*") if path.is_file())


def _entry(base: sqlite3.Connection, chance: Random) -> int:
    last: int = base.execute("SELECT MAX(entry) FROM journal").fetchone()[0]
    return chance.randrange(1, last + 1)


def _shift(base: sqlite3.Connection, above: int, by: int) -> None:
    base.execute("UPDATE journal SET entry = -entry WHERE entry > ?", (above,))
    base.execute("UPDATE journal SET entry = -entry + ? WHERE entry < 0", (by,))


def _rechain(base: sqlite3.Connection, entry: int) -> None:
    behind = base.execute("SELECT kind, item, body FROM journal WHERE entry >= ? ORDER BY entry", (entry,)).fetchall()
    base.execute("DELETE FROM journal WHERE entry >= ?", (entry,))
    first, *rest = [(kind, item, json.loads(body)) for kind, item, body in behind]
    enter(base, [(first[0], first[1], {**first[2], "changed": True}), *rest])
