"""Ways to tamper with a ledger whose old days were put away, and with their archive; as `tampering`."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.tampering import COLUMNS, Tamper, flip, unguarded
from edge.records import ledger_file
from edge.records.audit_key import known
from edge.records.bridge import Bridge, Kept, last_bridge
from edge.records.ledger_file import PUT_AWAY, enter
from edge.records.seals import lines, seal_of
from edge.records.segments import NAME, digest

ARCHIVE = "archive"  # folder beside the files
ROW = "SELECT entry, wall_ns, kind, item, body, hash FROM journal"


def bridge_of(base: sqlite3.Connection) -> Bridge:
    """The one that counts."""
    bridge = last_bridge(base)
    assert bridge
    return bridge


def segments(state: Path) -> list[Path]:
    """Of the archive, in order."""
    return sorted(path for path in (state / ARCHIVE).iterdir() if NAME.fullmatch(path.name))


def _stays(base: sqlite3.Connection, chance: Random) -> int:
    """One of the entries that stay."""
    asked = "SELECT entry FROM journal WHERE entry <= ?"
    return int(chance.choice(base.execute(asked, (bridge_of(base).to,)).fetchall())[0])


def change(state: Path, chance: Random) -> None:
    """One column of an entry that stays."""
    column, value = chance.choice(COLUMNS)
    with unguarded(state) as base:
        base.execute(f"UPDATE journal SET {column} = {value} WHERE entry = ?", (_stays(base, chance),))  # noqa: S608


def remove(state: Path, chance: Random) -> None:
    """An entry that stays is gone."""
    with unguarded(state) as base:
        base.execute("DELETE FROM journal WHERE entry = ?", (_stays(base, chance),))


def put_in(state: Path, chance: Random) -> None:
    """An entry more stays than was to."""
    with unguarded(state) as base:
        there = {entry for (entry,) in base.execute("SELECT entry FROM journal")}
        entry = chance.choice([one for one in range(1, bridge_of(base).to) if one not in there])
        asked = "INSERT INTO journal SELECT ?, wall_ns, kind, item, body, hash FROM journal WHERE entry = ?"
        base.execute(asked, (entry, _stays(base, chance)))


def cut_more(state: Path, chance: Random) -> None:
    """More is gone than was put away."""
    with unguarded(state) as base:
        to = bridge_of(base).to
        base.execute("DELETE FROM journal WHERE entry BETWEEN ? AND ?", (to + 1, to + chance.randrange(1, 50)))


def lose_bridge(state: Path, _: Random) -> None:
    """Nothing says that anything was put away."""
    with unguarded(state) as base:
        base.execute("DELETE FROM journal WHERE kind = ?", (PUT_AWAY,))


def change_bridge(state: Path, chance: Random) -> None:
    """What the bridge says."""
    with unguarded(state) as base:
        entry, told = base.execute("SELECT entry, body FROM journal WHERE kind = ?", (PUT_AWAY,)).fetchall()[-1]
        body = json.loads(told)
        name = chance.choice(list(body))
        body[name] = body[name] + (1 if isinstance(body[name], int) else "0")
        base.execute("UPDATE journal SET body = ? WHERE entry = ?", (json.dumps(body), entry))


def change_and_restate(state: Path, chance: Random) -> None:
    """An entry that stays is changed, and the bridge with it."""
    change(state, chance)
    with unguarded(state) as base:
        bridge, kept = bridge_of(base), Kept()
        for row in base.execute(f"{ROW} WHERE entry <= ? ORDER BY entry", (bridge.to,)).fetchall():
            kept.take(row[0], digest(row), row[5])
        body = json.dumps({**bridge.body(), "digest": kept.hex()})
        entry = base.execute("SELECT MAX(entry) FROM journal WHERE kind = ?", (PUT_AWAY,)).fetchone()[0]
        base.execute("UPDATE journal SET body = ? WHERE entry = ?", (body, entry))


def forge(state: Path, _: Random) -> None:
    """One's own bridge, behind the last seal: that more was put away, up to another seal; signed by somebody."""
    forge_by(state, Ed25519PrivateKey.generate())


def forge_by_the_box(state: Path, _: Random) -> None:
    """The same, by whoever has the box's key."""
    forge_by(state, known(state, None))


def forge_by(state: Path, key: Ed25519PrivateKey) -> None:
    """Delete what one likes, and have a bridge say so."""
    seals = [seal_of(told[:-1]) for _, told in lines(state / "seals.jsonl")]
    with unguarded(state) as base:
        seal = next(one for one in seals if one and one.entry > bridge_of(base).to)
        kept = Kept()
        for row in base.execute(f"{ROW} WHERE entry <= ? AND kind != 'Item' ORDER BY entry", (seal.entry,)).fetchall():
            kept.take(row[0], digest(row), row[5])
        base.execute("DELETE FROM journal WHERE entry <= ? AND kind = 'Item'", (seal.entry,))
        base.commit()
        bridge = Bridge(seal.entry, seal.hash, seal.seal, "none", "0" * 64, "Eve", kept.count, kept.hex()).signed(key)
        enter(base, [(PUT_AWAY, None, bridge.body())])


def cut_segment(state: Path, chance: Random) -> None:
    """A segment's end."""
    path = chance.choice(segments(state))
    path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size)])


def exchange_segments(state: Path, chance: Random) -> None:
    """Two segments, each under the other's name."""
    one, other = chance.sample(segments(state), 2)
    kept = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(kept)


def forget_request(state: Path, chance: Random) -> None:
    """A request whose entry stays is no longer in the outbox."""
    with closing(ledger_file.opened(state)) as base, base:
        requests = base.execute("SELECT request FROM outbox").fetchall()
        base.execute("DELETE FROM outbox WHERE request = ?", chance.choice(requests))


FOUND: dict[str, Tamper] = {
    "an entry that stays changed": change,
    "an entry that stays removed": remove,
    "an entry put in among those that stay": put_in,
    "more is gone than was put away": cut_more,
    "the bridges removed": lose_bridge,
    "the bridge changed": change_bridge,
    "an entry that stays changed, and the bridge": change_and_restate,
    "a request of one that stays removed": forget_request,
    "a bridge of one's own, behind the last seal": forge,
}
BY_THE_ARCHIVE: dict[str, Tamper] = {  # what only the archive shows
    "a bit of a segment": lambda state, chance: flip(chance.choice(segments(state)), chance),
    "a segment cut": cut_segment,
    "a segment lost": lambda state, chance: chance.choice(segments(state)).unlink(),
    "two segments exchanged": exchange_segments,
    "a bridge of one's own, by the box's key": forge_by_the_box,
}
