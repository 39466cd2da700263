"""Never asked twice, never forgotten: what the sender does of every answer, over a real outbox."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from itertools import pairwise

import pytest

from edge.core.answers import Outcome, Reply, outcome_of, reply_of
from edge.core.topics import MAX_BYTES
from edge.orders.mqtt import replies
from edge.orders.pace import LONGEST_RETRY_S
from edge.orders.sender import ROUND, Sender
from edge.records.journal import Journal, entries
from edge.records.ledger_file import FILE
from edge.records.outbox import LedgerOutbox, aside, outbox, owed

GIVE_UP_AFTER = 5
SOON_S = 5.0  # its patience and the jitter of a first retry
ANSWERS = ("accepted", "refused", "whatever that is", "invalid", "pending", "failed")
STATES = ("next", "behind", "aside", "answered", "closed", "unknown")


class Warehouse:
    """Hears requests while it is connected; its answers wait to be fetched."""

    patience_s = 2.0

    def __init__(self):
        self.connected, self.heard, self.replies = True, [], []

    def offer(self, request, fields):
        self.heard += [request] if self.connected else []
        return self.connected

    def take(self):
        said, self.replies = self.replies, []
        return said

    def say(self, request, word, why="", **more):
        outcome = Outcome.FAILED if word == "failed" else outcome_of(word)
        self.replies.append(Reply(request, outcome, word, why, "test", **more))


class Lane:
    """A ledger, and a sender that is turned by hand, with as much jitter as there may be."""

    def __init__(self, folder):
        self.folder, self.warehouse = folder, Warehouse()
        self.journal, self.outbox = Journal(folder), LedgerOutbox(folder)
        self.new_life()

    def new_life(self):
        self.sender = Sender(self.outbox, self.warehouse, self.warehouse.take, GIVE_UP_AFTER, lambda _, most: most)

    def owe(self, *requests, line=None):
        self.journal.append([], [(one, {"request": one, "item": f"i-{one}", "order_line": line}) for one in requests])

    def run(self, from_s, until_s, answering=()):
        """Ten times a second, as in the daemon; those named are answered at once. What was sent meanwhile."""
        before = len(self.warehouse.heard)
        for tenth in range(round(10 * from_s), round(10 * until_s)):
            known = len(self.warehouse.heard)
            self.sender.step(tenth / 10)
            for one in self.warehouse.heard[known:]:
                if one in answering:
                    self.warehouse.say(one, "accepted")
        return self.warehouse.heard[before:]

    def said(self):
        return [(kind, item, body) for _, kind, item, body in entries(self.folder)]


@pytest.fixture
def lane(tmp_path):
    one = Lane(tmp_path)
    yield one
    one.outbox.close()
    one.journal.close()


def brought_to(lane, state):
    """A request `r` in a state; time is at 1 s."""
    if state == "behind":
        lane.owe("first", "r", line="o")
    elif state != "unknown":
        lane.owe("r", line="o")
    lane.run(0, 1)
    if state == "aside":
        lane.outbox.given_up("r", "a test")
    elif state == "answered":
        lane.outbox.answered(Reply("r", Outcome.ACCEPTED, "accepted", "", "test"))
    elif state == "closed":
        lane.outbox.closed("r", "Ada", "by telephone")


# What becomes of the request, and what is counted beside the words themselves.
EXPECTED = {
    **{("next", one): (one, None) for one in ANSWERS[:3]},
    **{("behind", one): (one, None) for one in ANSWERS[:3]},
    **{("aside", one): (one, None) for one in ANSWERS[:3]},
    ("answered", "accepted"): ("accepted", "again"),
    ("answered", "refused"): ("accepted", "contradicts"),
    ("answered", "whatever that is"): ("accepted", "contradicts"),
    **{("closed", one): ("closed by Ada", "contradicts") for one in ANSWERS[:3]},
    **{("unknown", one): (None, "unknown") for one in ANSWERS[:3]},
    **{(state, "invalid"): (None, "aside") for state in ("next", "behind", "aside")},
    **{(state, one): (None, None) for state in ("next", "behind", "aside") for one in ("pending", "failed")},
    **{("answered", one): ("accepted", None) for one in ("invalid", "pending", "failed")},
    **{("closed", one): ("closed by Ada", None) for one in ("invalid", "pending", "failed")},
    **{("unknown", one): (None, None) for one in ("invalid", "pending", "failed")},
}


@pytest.mark.parametrize("word", ANSWERS)
@pytest.mark.parametrize("state", STATES)
def test_every_answer_in_every_state(lane, state, word):
    brought_to(lane, state)
    before = len([1 for kind, *_ in lane.said() if kind == "RequestAnswered"])
    lane.warehouse.say("r", word, "so it is")
    lane.run(1, 1.1)
    answer, more = EXPECTED[state, word]
    assert outbox(lane.folder).get("r") == answer
    if more in ("again", "contradicts", "unknown"):
        assert lane.sender.answers[more] == 1
    answered = [body for kind, _, body in lane.said() if kind == "RequestAnswered"][before:]
    first = answer == word and more is None
    assert [(one["request"], one["status"], one["why"]) for one in answered] == [("r", word, "so it is")] * first
    assert aside(lane.folder) == (more == "aside" or (state == "aside" and answer is None))


def test_nothing_that_is_answered_is_sent_again(lane):
    lane.owe("r-1")
    assert lane.run(0, 300, answering={"r-1"}) == ["r-1"]


def test_out_of_stock_is_an_outcome(lane, caplog):
    lane.owe("r-1")
    lane.run(0, 1)
    lane.warehouse.say("r-1", "Out-of-stock", "none left")
    assert lane.run(1, 300) == []
    ((item, body),) = [(item, body) for kind, item, body in lane.said() if kind == "RequestAnswered"]
    assert (item, body) == (
        "i-r-1",
        {"request": "r-1", "status": "Out-of-stock", "why": "none left", "transport": "test", "attempts": 1},
    )
    assert lane.sender.answers["refused"] == 1
    assert "none left" in caplog.text  # a person is told


def test_of_an_order_line_one_is_on_its_way_at_a_time_in_the_order_of_writing(lane):
    lane.owe("a-1", "a-2", "a-3", line="a")
    lane.owe("b-1", line="b")
    assert set(lane.run(0, 60)) == {"a-1", "b-1"}
    assert "a-2" not in lane.warehouse.heard
    for one in ("a-1", "a-2", "a-3"):
        lane.warehouse.say(one, "accepted")
        lane.run(60, 60.2)
    order = list(dict.fromkeys(one for one in lane.warehouse.heard if one[0] == "a"))
    assert order == ["a-1", "a-2", "a-3"]


def test_what_is_given_up_makes_way_and_is_revived_by_a_person_under_its_old_id(lane):
    lane.owe("a-1", "a-2", line="a")
    lane.run(0, 1)
    lane.warehouse.say("a-1", "invalid", "no such order")
    assert set(lane.run(1, 3)) == {"a-2"}
    assert lane.outbox.revived("a-1", "Ada")
    assert not lane.outbox.revived("a-1", "Ada")
    assert set(lane.run(3, 30)) == {"a-2"}  # which is on its way
    lane.warehouse.say("a-2", "accepted")
    assert lane.run(30, 31, answering={"a-1"}) == ["a-1"]
    kinds = [(kind, body["request"]) for kind, _, body in lane.said()]
    assert kinds == [
        ("RequestGivenUp", "a-1"),
        ("RequestRevived", "a-1"),
        ("RequestAnswered", "a-2"),
        ("RequestAnswered", "a-1"),
    ]


def test_silence_alone_never_gives_anything_up(lane):
    lane.owe(*(f"r-{n}" for n in range(5)))
    tries = lane.run(0, 2 * 3600)
    assert (owed(lane.folder)[0], aside(lane.folder)) == (5, 0)
    assert len(tries) < 2 * 3600 / 20  # of all together: one now and then


def test_what_is_passed_over_while_others_are_answered_is_given_up_at_last(lane):
    lane.owe("poison")
    for minute in range(20):
        lane.owe(f"r-{minute}")
        lane.run(60 * minute, 60 * (minute + 1), answering={f"r-{minute}"})
    assert (owed(lane.folder)[0], aside(lane.folder)) == (0, 1)
    (body,) = [body for kind, _, body in lane.said() if kind == "RequestGivenUp"]
    assert body == {
        "request": "poison",
        "because": f"passed over {GIVE_UP_AFTER} times, while later ones were answered",
        "attempts": lane.warehouse.heard.count("poison"),
    }


def test_what_has_gathered_is_sent_within_a_minute_of_the_warehouses_coming_back(lane):
    lane.owe(*(f"r-{n}" for n in range(200)))
    lane.run(0, 3600)
    lane.run(3600, 3660, answering={f"r-{n}" for n in range(200)})
    assert owed(lane.folder)[0] == 0


def test_work_is_bounded_however_much_is_owed(lane):
    lane.owe(*(f"r-{n}" for n in range(5000)))
    assert len(lane.run(0, 0.1)) == ROUND


@pytest.mark.parametrize(("asked_s", "after_s"), [(30, 30), (0, 1), (86_400, 300)])
def test_a_busy_warehouse_is_left_alone_within_bounds(lane, asked_s, after_s):
    lane.owe("r-1", "r-2")
    lane.run(0, 1)
    lane.warehouse.say("r-1", "failed", retry_after_s=asked_s, busy=True)
    lane.warehouse.say("r-2", "failed", retry_after_s=asked_s, busy=True)
    assert lane.run(1, 1 + after_s) == []
    assert len(lane.run(1 + after_s, 1 + after_s + 10)) >= 1


def test_what_the_warehouse_has_in_hand_is_asked_after_and_not_given_up(lane):
    lane.owe("r-1")
    lane.run(0, 1)
    asked = []
    for n in range(20):
        lane.owe(f"more-{n}")
        lane.warehouse.say("r-1", "pending")
        asked += lane.run(1 + 11 * n, 12 + 11 * n, answering={f"more-{n}"})
    assert (asked.count("r-1"), aside(lane.folder)) == (20, 0)


def test_a_queue_that_is_slow_passes_nobody_over(lane):
    lane.owe(*(f"r-{n}" for n in range(30)))
    for n in range(30):
        lane.run(60 * n, 60 * (n + 1))
        lane.warehouse.say(f"r-{n}", "accepted")
    lane.run(1800, 1801)
    assert (owed(lane.folder)[0], aside(lane.folder)) == (0, 0)


def test_without_a_connection_nothing_counts_as_tried(lane):
    lane.owe("r-1")
    lane.warehouse.connected = False
    assert lane.run(0, 60) == []
    lane.warehouse.connected = True
    assert lane.run(60, 60.2) == ["r-1"]


def test_a_new_life_begins_with_what_is_owed(lane):
    lane.owe("r-1")
    lane.run(1000, 1001)
    lane.new_life()
    assert lane.run(0, 0.1) == ["r-1"]  # whatever the clock of the last life said


@pytest.mark.parametrize(
    ("fields", "because"),
    [
        ({"reasons": ["x" * MAX_BYTES]}, "bytes, at most"),
        ({"usual_share": float("nan")}, "no JSON"),
        (None, "cannot be read"),
    ],
)
def test_what_cannot_be_said_at_all_waits_for_a_person_and_holds_nobody_up(lane, fields, because):
    lane.journal.append([], [("bad", {"request": "bad", "item": "i", **(fields or {})})])
    if fields is None:
        with closing(sqlite3.connect(lane.folder / FILE)) as base, base:
            base.execute("UPDATE outbox SET body = '{'")
    lane.owe("good")
    assert lane.run(0, 1) == ["good"]
    (body,) = [body for kind, _, body in lane.said() if kind == "RequestGivenUp"]
    assert because in body["because"]


def test_a_request_that_is_passed_over_is_sent_ever_more_seldom(lane):
    lane.owe("r-1")
    times = []
    for second in range(200):
        lane.owe(f"alive-{second}")
        times += [second] * lane.run(second, second + 1, answering={f"alive-{second}"}).count("r-1")
    gaps = [after - before for before, after in pairwise(times)]
    assert gaps == sorted(gaps)
    assert max(gaps) <= LONGEST_RETRY_S + SOON_S


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("accepted", Outcome.ACCEPTED),
        (" ACCEPTED ", Outcome.ACCEPTED),
        ("out of stock", Outcome.REFUSED),
        ("malformed", Outcome.INVALID),
        ("pending", Outcome.PENDING),
        ("🤷", Outcome.OTHER),
        ("failed", Outcome.OTHER),
    ],
)
def test_words(word, outcome):
    assert reply_of({"request": "r", "status": word}, "mqtt") == Reply("r", outcome, word, "", "mqtt")


def test_answers_on_the_topics_are_replies():
    assert replies(lambda: [{"request": "r", "status": "refused", "why": "w"}]) == [
        Reply("r", Outcome.REFUSED, "refused", "w", "mqtt")
    ]
