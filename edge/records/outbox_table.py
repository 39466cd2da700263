"""The outbox's table in a lane's ledger file: at most one request of an order line is on its way at a time.

state: `next` it is its line's turn, `behind` another of its line comes first, `answered`, `aside` given up until a
named person says what is to become of it, `closed` by one. due_ns and sent_ns are monotonic, of one life of the sender.
"""

from __future__ import annotations

import sqlite3

OWED = "state IN ('next', 'behind')"
TABLE = """
CREATE TABLE IF NOT EXISTS outbox (
    request TEXT PRIMARY KEY, body TEXT NOT NULL, written_wall_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, answer TEXT)
"""
COLUMNS = {
    "why": "TEXT NOT NULL DEFAULT ''",
    "line": "TEXT NOT NULL DEFAULT ''",
    "item": "TEXT",
    "state": "TEXT NOT NULL DEFAULT 'behind'",
    "due_ns": "INTEGER NOT NULL DEFAULT 0",
    "sent_ns": "INTEGER NOT NULL DEFAULT 0",
    "ignored": "INTEGER NOT NULL DEFAULT 0",
}
INDICES = f"""
DROP INDEX IF EXISTS outbox_open;
CREATE UNIQUE INDEX IF NOT EXISTS outbox_next ON outbox (line) WHERE state = 'next';
CREATE INDEX IF NOT EXISTS outbox_behind ON outbox (line) WHERE state = 'behind';
CREATE INDEX IF NOT EXISTS outbox_due ON outbox (due_ns) WHERE state = 'next';
CREATE INDEX IF NOT EXISTS outbox_owed ON outbox (written_wall_ns) WHERE {OWED};
CREATE INDEX IF NOT EXISTS outbox_aside ON outbox (written_wall_ns) WHERE state = 'aside';
CREATE INDEX IF NOT EXISTS outbox_item ON outbox (item) WHERE item IS NOT NULL;
"""
# Of a file that an earlier release began: what was answered stays so, the rest stands in line.
TAKEN_OVER = """
UPDATE outbox SET line = COALESCE(CASE WHEN json_valid(body) THEN json_extract(body, '$.order_line') END, request),
    item = CASE WHEN json_valid(body) THEN json_extract(body, '$.item') END,
    state = CASE WHEN answer IS NULL THEN 'behind' ELSE 'answered' END;
UPDATE outbox SET state = 'next' WHERE rowid IN (SELECT MIN(rowid) FROM outbox WHERE state = 'behind' GROUP BY line)
"""


def make(base: sqlite3.Connection) -> None:
    """Have the table, with all its columns."""
    base.execute(TABLE)
    known = {row[1] for row in base.execute("PRAGMA table_info(outbox)")}
    if COLUMNS.keys() - known:
        _extend(base)
    base.executescript(INDICES)


def _extend(base: sqlite3.Connection) -> None:
    """One writer does it, the others wait and find it done."""
    with base:
        base.execute("BEGIN IMMEDIATE")
        known = {row[1] for row in base.execute("PRAGMA table_info(outbox)")}
        missing = COLUMNS.keys() - known
        for name in missing:
            base.execute(f"ALTER TABLE outbox ADD COLUMN {name} {COLUMNS[name]}")
        for change in f"{TAKEN_OVER};{INDICES}".split(";") if missing else ():
            base.execute(change)
