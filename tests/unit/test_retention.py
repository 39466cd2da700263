"""What is kept no longer: by age, by room, by kind; what is disputed goes last."""

import sqlite3
import time

import pytest

from edge.core.bodies import body
from edge.core.messages import End, Expected, ItemEnd, LotGroup, LotHold
from edge.records.evidence import retention
from edge.records.evidence.index import of_item
from edge.records.evidence.retention import BATCH, Limits, Retention
from edge.records.evidence.store import Store
from edge.records.journal import Journal, entries
from edge.records.ledger_file import FILE
from tests.unit.lane import item
from tests.unit.test_evidence import taken

DAY = 86_400 * 10**9
DAYS = {"passed": 30.0, "undecided": 90.0, "diverted": 365.0, "disputed": 1095.0}
NOW = 4_000 * DAY  # later than any test is run
ENDS = {"p": End.PASSED, "d": End.DIVERTED, "m": End.MISSED, "n": End.NO_DECISION, "l": End.LOST}


class Lane:
    """A lane's ledger and evidence, at a clock of its own."""

    def __init__(self, folder):
        self.folder, self.store, self.now_ns = folder, Store(folder), NOW
        self.journal = Journal(folder)

    def runs(self, name, age_days=0.0, expected=None, ends=True, size=100):
        """An item of whose end its name begins with, whose evidence was kept so long ago."""
        self.store.keep([taken(name, name.encode().ljust(size))])
        said = [("Item", name, body(item(name, expected=expected)))] if expected else []
        if ends:
            said.append(("ItemEnd", name, body(ItemEnd(name, ENDS[name[0]], None, 1))))
        self.journal.append(said, [])
        base = sqlite3.connect(self.folder / FILE)
        with base:
            base.execute(
                "UPDATE evidence SET kept_wall_ns = ? WHERE item = ?", (NOW - int(age_days * DAY) - 10**12, name)
            )
        base.close()

    def keeper(self, days=DAYS, most_bytes=2**40, least_free=0.0):
        return Retention(self.folder, self.store, Limits(days, most_bytes, least_free))

    def goes(self, keeper=None, rounds=9):
        """What is gone after some rounds: item → rule."""
        keeper = keeper or self.keeper()
        for _ in range(rounds):
            keeper.round(self.now_ns)
        base = sqlite3.connect(self.folder / FILE)
        gone = dict(base.execute("SELECT item, gone FROM evidence WHERE gone != ''"))
        base.close()
        return gone

    def close(self):
        self.store.close()
        self.journal.close()


@pytest.fixture
def lane(tmp_path):
    lane = Lane(tmp_path)
    yield lane
    lane.close()


def test_each_kind_of_item_has_an_age_of_its_own(lane):
    for name in "pdmnl":
        for age in (20, 50, 100, 400):
            lane.runs(f"{name}-{age}", age)
    lane.runs("p-never", 400, ends=False)
    assert lane.goes() == {
        "p-50": "passed after 30 days", "p-100": "passed after 30 days", "p-400": "passed after 30 days",
        "n-100": "undecided after 90 days", "n-400": "undecided after 90 days",
        "l-100": "undecided after 90 days", "l-400": "undecided after 90 days",
        "p-never": "undecided after 90 days",
        "d-400": "diverted after 365 days", "m-400": "diverted after 365 days",
    }  # fmt: skip


def test_what_a_customer_complains_of_is_kept_longest(lane):
    lane.runs("p-1", 50)
    lane.runs("p-2", 50)
    lane.journal.append([("Disputed", "p-1", {"item_id": "p-1", "by": "Kim", "why": "dented", "order_line": "o"})], [])
    assert lane.goes() == {"p-2": "passed after 30 days"}
    lane.store.keep([taken("p-1", b"late")])  # of an item that is disputed already
    assert lane.goes() == {"p-2": "passed after 30 days"}


def test_what_belongs_to_a_lot_that_was_held_is_kept_longest(lane):
    lot = Expected("w", "04000000000017", "o", lot="L1")
    lane.runs("p-of", 50, lot)
    lane.runs("p-other", 50, Expected("w", "04000000000017", "o", lot="L2"))
    lane.runs("p-named", 50)
    group = LotGroup("lot", "04000000000017", "l1", "L1")
    hold = LotHold("h", group, "", 9, 5, 0.01, 0.001, (), 0, ("p-named/anomaly/top/f-1",), 1)
    lane.journal.append([("LotHold", None, body(hold))], [])
    assert lane.goes() == {"p-other": "passed after 30 days"}


def test_an_item_whose_end_is_not_known_yet_waits_for_it(lane):
    lane.runs("p-1", ends=False)
    lane.now_ns = NOW - 10**12 + 5 * 10**9
    assert lane.goes(lane.keeper(days={"undecided": 1e-9})) == {}


@pytest.mark.parametrize(
    ("most_bytes", "left"),
    [(500, ["d-1", "n-1", "p-1", "p-2", "p-3"]), (300, ["d-1", "n-1", "p-3"]), (100, ["p-3"]), (0, [])],
)
def test_for_want_of_room_what_passed_goes_first_the_oldest_of_it_and_what_is_disputed_last(lane, most_bytes, left):
    for name, age in (("p-1", 9), ("p-2", 8), ("p-3", 7), ("n-1", 20), ("d-1", 21)):
        lane.runs(name, age)
    lane.journal.append([("Disputed", "p-3", {"by": "Kim", "why": "", "order_line": "o"})], [])
    keeper = lane.keeper(most_bytes=most_bytes)
    gone = lane.goes(keeper)
    assert sorted({"d-1", "n-1", "p-1", "p-2", "p-3"} - gone.keys()) == left
    assert lane.store.bytes <= most_bytes
    assert set(gone.values()) <= {"most_gb"}


def test_a_disk_that_others_fill_costs_all_but_what_is_disputed(lane):
    lane.runs("p-1", 1)
    lane.runs("d-1", 1)
    lane.runs("d-2", 1)
    lane.journal.append([("Disputed", "d-2", {"by": "Kim", "why": "", "order_line": "o"})], [])
    assert lane.goes(lane.keeper(least_free=1.0)) == {"p-1": "least_free", "d-1": "least_free"}


def test_a_round_is_bounded_and_says_that_there_is_more(lane, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for n in range(5):
        lane.runs(f"p-{n}", 50)
    keeper = lane.keeper()
    assert [keeper.round(NOW) for _ in range(4)] == [True, True, True, False]
    removed = [len(told["pictures"]) for _, kind, _, told in entries(lane.folder) if kind == "EvidenceRemoved"]
    assert removed == [2, 2, 1]
    assert BATCH > 2


def test_what_vanished_from_the_disk_is_found_in_time(lane, monkeypatch):
    monkeypatch.setattr(retention, "SWEEP_ROUNDS", 1)
    lane.runs("p-1")
    for path in (lane.folder / "evidence").rglob("*"):
        if path.is_file():
            path.unlink()
    lane.goes(rounds=256)
    assert [one.gone for one in of_item(lane.folder, "p-1")] == ["missing"]


def test_a_clock_that_is_set_forward_makes_nothing_old(lane):
    lane.runs("p-1")
    lane.store.keep([taken("p-1", b"now")])
    lane.now_ns = time.time_ns() + 400 * DAY
    assert lane.goes(lane.keeper(days={"passed": 20_000.0})) == {}


def test_the_oldest_that_is_there_is_told(lane):
    keeper = lane.keeper()
    keeper.round(NOW)
    assert keeper.oldest_wall_ns is None
    lane.runs("p-1", 3)
    lane.runs("d-1", 5)
    keeper.round(NOW)
    assert keeper.oldest_wall_ns == NOW - 5 * DAY - 10**12
