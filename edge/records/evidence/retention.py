"""What evidence is kept no longer: by age, by room, by kind of item; journaled, by a thread of its own.

A kind is what became of the item: `passed`, `undecided`, `diverted`, or `disputed`, where a customer complains of it
or its lot was held; empty until its end is known.
"""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

from edge.core.messages import End
from edge.records.evidence.index import items
from edge.records.evidence.store import DISPUTED, Store
from edge.records.ledger_file import reading

NS_PER_S, NS_PER_DAY = 1_000_000_000, 86_400_000_000_000
ROUND_S, PAUSE_S = 10.0, 0.2  # between rounds, and where a round has left something to do
SWEEP_ROUNDS = 6  # one folder is swept in so many
HELD_S = 2.0  # at the end: the disk is not waited for longer
BATCH = 256  # pictures removed at a time
SETTLED = 500  # items whose end is looked up in one round
YOUNG_NS, LATE_NS = 60 * NS_PER_S, 3600 * NS_PER_S  # its end is not known yet; it never will be
PASSED, UNDECIDED, DIVERTED, OPEN = "passed", "undecided", "diverted", ""
KINDS = (PASSED, UNDECIDED, DIVERTED, DISPUTED)  # that have an age of their own
GIVE_WAY = (PASSED, OPEN, UNDECIDED, DIVERTED, DISPUTED)  # in this order where room is short
OF_ENDS = {End.PASSED: PASSED, End.DIVERTED: DIVERTED, End.MISSED: DIVERTED}  # all others: undecided
LOT_ITEMS = 10_000  # of a held lot, the newest
DISPUTES = """
SELECT entry, kind, item, body FROM journal WHERE kind = 'Disputed' AND entry > :heard
UNION ALL SELECT entry, kind, item, body FROM journal WHERE kind IN ('LotHold', 'LotRelease') AND entry > :heard
ORDER BY entry"""  # each part by an index of its own; one question, so that no entry falls between two

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is kept."""

    days: Mapping[str, float]  # by kind
    most_bytes: float
    least_free: float  # share of the disk


class Retention:
    """Removes what is to be kept no longer, a bounded piece at a time."""

    def __init__(self, state: Path, store: Store, limits: Limits) -> None:
        self.oldest_wall_ns: int | None = None  # when the oldest picture that is there was kept
        self._state, self._store, self._limits = state, store, limits
        self._heard = 0  # the last journal entry about disputes that is seen to
        self._rounds = 0
        self._began_ns = time.time_ns() - time.monotonic_ns()
        self._fails = False
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="evidence retention", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End it; where the disk holds it, it goes with the process."""
        self._ending.set()
        self._thread.join(HELD_S)

    def round(self, now_ns: int) -> bool:
        """One bounded piece of work at a wall clock; True: there is more to do.

        Raises:
            OSError, sqlite3.Error: the disk or the ledger fails; it is tried again.
        """
        with reading(self._state) as base:
            self._dispute(base)
            self._settle(base, now_ns)
            removed = self._too_old(base, now_ns) or self._too_much(base)
            self.oldest_wall_ns = base.execute(
                "SELECT MIN(first) FROM (SELECT MIN(kept_wall_ns) AS first FROM evidence WHERE gone = '' GROUP BY kind)"
            ).fetchone()[0]
        if self._rounds % SWEEP_ROUNDS == 0:
            self._store.sweep(self._rounds // SWEEP_ROUNDS)
        self._rounds += 1
        return removed

    def _run(self) -> None:
        wait_s = PAUSE_S
        while not self._ending.wait(wait_s):
            try:
                wait_s = PAUSE_S if self.round(time.time_ns()) else ROUND_S
            except (OSError, sqlite3.Error) as error:
                if not self._fails:
                    log.warning("evidence cannot be removed: %s; trying again every %g s", error, ROUND_S)
                wait_s, self._fails = ROUND_S, True
            else:
                self._fails = False

    def _dispute(self, base: sqlite3.Connection) -> None:
        """Items that a customer complains of since the last round, and those of lots held since."""
        said = base.execute(DISPUTES, {"heard": self._heard}).fetchall()
        found: list[str] = []
        for _, kind, item, body in said:
            found += _of_lot(self._state, json.loads(body)) if kind == "LotHold" else [item] if item else []
        self._store.mark(DISPUTED, found)
        self._heard = said[-1][0] if said else self._heard

    def _settle(self, base: sqlite3.Connection, now_ns: int) -> None:
        """What became of items, where that was not known when their pictures were kept."""
        open_items = base.execute(
            "SELECT item, MAX(kept_wall_ns) FROM (SELECT item, kept_wall_ns FROM evidence WHERE kind = '' AND gone = ''"
            " AND kept_wall_ns < ? ORDER BY kept_wall_ns LIMIT ?) GROUP BY item",
            (now_ns - YOUNG_NS, SETTLED),
        ).fetchall()
        by_kind: defaultdict[str, list[str]] = defaultdict(list)
        for item, kept_ns in open_items:
            by_kind[_kind(base, item, now_ns - kept_ns)].append(item)
        for kind, found in by_kind.items():
            self._store.mark(kind, found)

    def _too_old(self, base: sqlite3.Connection, now_ns: int) -> bool:
        sure_ns = min(
            now_ns, self._began_ns + time.monotonic_ns() + NS_PER_DAY
        )  # a clock set forward makes nothing old
        for kind, days in self._limits.days.items():
            if rows := _oldest(base, kind, sure_ns - int(days * NS_PER_DAY)):
                self._store.remove(f"{kind} after {days:g} days", [rowid for rowid, _ in rows])
                return True
        return False

    def _too_much(self, base: sqlite3.Connection) -> bool:
        """Make room: for the bytes allowed all may go, for the disk what is disputed stays."""
        disk = shutil.disk_usage(self._state)
        over, short = self._store.bytes - self._limits.most_bytes, self._limits.least_free * disk.total - disk.free
        rule, kinds = ("most_gb", GIVE_WAY) if over > 0 else ("least_free", GIVE_WAY[:-1])
        excess = over if over > 0 else short
        if excess <= 0:
            return False
        rows = next((found for kind in kinds if (found := _oldest(base, kind))), [])
        before = accumulate((size for _, size in rows), initial=0)
        chosen = [rowid for (rowid, _), gone in zip(rows, before, strict=False) if gone < excess]
        self._store.remove(rule, chosen)
        return bool(chosen)


def _oldest(base: sqlite3.Connection, kind: str, before_ns: int = 2**63 - 1) -> list[tuple[int, int]]:
    """Place in the index and bytes of the oldest pictures of a kind."""
    return base.execute(
        "SELECT rowid, bytes FROM evidence WHERE kind = ? AND gone = '' AND kept_wall_ns < ?"
        " ORDER BY kept_wall_ns LIMIT ?",
        (kind, before_ns, BATCH),
    ).fetchall()


def _kind(base: sqlite3.Connection, item: str, kept_ago_ns: int) -> str:
    """What kind of item this is; empty: its end is not known yet."""
    kinds = {kind for (kind,) in base.execute("SELECT DISTINCT kind FROM evidence WHERE item = ?", (item,))}
    asked = "SELECT json_extract(body, '$.end') FROM journal WHERE item = ? AND kind IN ('ItemEnd', 'Disputed')"
    ends = [end for (end,) in base.execute(asked, (item,))]
    if DISPUTED in kinds or None in ends:  # an entry about a dispute names no end
        return DISPUTED
    if not ends:
        return UNDECIDED if kept_ago_ns > LATE_NS else OPEN
    return OF_ENDS.get(End(ends[-1]), UNDECIDED)


def _of_lot(state: Path, hold: Mapping[str, Any]) -> list[str]:
    """The items that a hold names, and those that were ordered from the lot."""
    group = hold["group"]
    named = [one.split("/")[0] for one in hold["evidence"]]
    if group["kind"] != "lot":
        return named
    return [*named, *items(state, gtin=group["gtin"], lot=group["told"], most=LOT_ITEMS)]
