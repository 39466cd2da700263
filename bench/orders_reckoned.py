"""What a run of `bench.orders` came to: the ledger, the warehouse's own disk, and what really left on its lane."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edge.demo.score import conservation
from edge.records.journal import entries
from edge.records.outbox import aside, outbox, owed
from edge.simulator.wms.shelf import arrivals, statuses, taken

NS_PER_S = 1_000_000_000
MISSING = ("lost", "missed")  # seen by no eye; what was seen on the good lane is never asked for
NEAR_COUNTS = 600  # an item's leading edge as ledger and truth have it: 60 mm


@dataclass(frozen=True, slots=True)
class Sample:
    """What was owed at a moment."""

    wall_s: float
    owed: int
    aside: int


@dataclass(frozen=True, slots=True)
class Asked:
    """A request, the item that it is for, and how that ended."""

    request: str
    item: str
    end: str
    went: str | None  # in truth; None: the truth does not know such an item
    written_s: float
    answered_s: float | None


def reckon(
    state: Path, truth: Path, shelf: Path, done: Sequence[tuple[float, str, float]], samples: Sequence[Sample]
) -> dict[str, Any]:
    """What must be nought, and what it cost."""
    said = list(entries(state))
    went = {one["leading_edge_counts"]: one for one in json.loads(truth.read_text())["items"]}
    asked, received = list(_asked(said, went)), taken(shelf)
    answers, came = outbox(state), Counter(request for request, _ in arrivals(shelf))
    pulled = [one for one in went.values() if one["went"] == "reject"]
    told = {one.item for one in asked}
    found: dict[str, Any] = {
        "items": len(went),
        "struck": dict(Counter(what for _, what, _ in done)),
        "pulled": len(pulled),
        "owed": len(answers),
        "received": len(received),
        "received_by_id": sorted(Counter(came.values()).items()),
        "lost": len(answers.keys() - received.keys()),
        "never_owed": len(received.keys() - answers.keys()),
        "asked_twice_for_an_item": sum(times - 1 for times in Counter(one.item for one in asked).values()),
        "not_pulled": sum(one.went != "reject" and one.end not in MISSING for one in asked),
        "missing_that_went_on": sum(one.went != "reject" and one.end in MISSING for one in asked),
        "pulled_without_a_request": dict(_unasked(said, pulled, told)),
        "unanswered": owed(state)[0],
        "given_up": aside(state),
        "answers": dict(Counter(str(one) for one in answers.values())),
        "contradicting_answers_kept": sum(_kept_wrong(received, answers, shelf)),
        "books": conservation((kind, body) for _, kind, _, body in said),
        "answered_within_s": _waits(asked),
        "drained_after_an_outage_s": _drained(done, asked),
        "most_owed": max((one.owed for one in samples), default=0),
    }
    nought = ("lost", "never_owed", "asked_twice_for_an_item", "not_pulled", "unanswered", "given_up")
    return {"good": not any(found[name] for name in nought) and bool(answers), **found}


def _asked(said: Sequence[tuple[int, str, str | None, dict[str, Any]]], went: Mapping[int, Any]) -> Iterator[Asked]:
    """Each request with its item's truth, joined by the counts at the induct photoeye."""
    born = {body["item_id"]: body["leading_edge_counts"] for _, kind, _, body in said if kind == "Item"}
    ends = {body["item_id"]: body["end"] for _, kind, _, body in said if kind == "ItemEnd"}
    answered = {body["request"]: wall_ns for wall_ns, kind, _, body in said if kind == "RequestAnswered"}
    for wall_ns, kind, _, body in said:
        if kind == "ReplacementRequest":
            name, request = body["item_id"], body["request_id"]
            true = _near(went, born.get(name))
            answer_ns = answered.get(request)
            answered_s = answer_ns / NS_PER_S if answer_ns else None
            yield Asked(request, name, ends.get(name, "-"), true, wall_ns / NS_PER_S, answered_s)


def _near(went: Mapping[int, Any], counts: int | None) -> str | None:
    if counts is None or not went:
        return None
    nearest = min((one for one in went if one is not None), key=lambda one: abs(one - counts))
    return went[nearest]["went"] if abs(nearest - counts) < NEAR_COUNTS else None


def _unasked(
    said: Sequence[tuple[int, str, str | None, dict[str, Any]]], pulled: Sequence[Any], told: set[str]
) -> Counter[str]:
    """Items that went off and that nobody asked another for, by what the ledger says of them."""
    known: dict[int, dict[str, Any]] = {}
    ends = {body["item_id"]: body["end"] for _, kind, _, body in said if kind == "ItemEnd"}
    for _, kind, _, body in said:
        if kind == "Item":
            known[body["leading_edge_counts"]] = body
    because: Counter[str] = Counter()
    for one in pulled:
        item = known.get(one["leading_edge_counts"])
        if item is None:
            because["never born"] += 1
        elif item["item_id"] not in told:
            because["not announced" if item["expected"] is None else f"ended {ends.get(item['item_id'])}"] += 1
    return because


def _kept_wrong(received: Mapping[str, Any], answers: Mapping[str, str | None], shelf: Path) -> Iterator[bool]:
    """Requests whose kept answer is not the one that the warehouse has decided."""
    decided = statuses(shelf)
    yield from (answers[name] != decided[name] for name in received if answers.get(name) is not None)


def _waits(asked: Sequence[Asked]) -> dict[str, float]:
    """From the writing of a request to its answer, outages and all."""
    waited = sorted(one.answered_s - one.written_s for one in asked if one.answered_s) or [0.0]
    return {f"p{share}": round(waited[min(len(waited) - 1, len(waited) * share // 100)], 1) for share in (50, 99, 100)}


def _drained(done: Sequence[tuple[float, str, float]], asked: Sequence[Asked]) -> dict[str, float]:
    """The longest time that it took, after an outage of each kind, until all that was owed at its end was answered.

    Of the daemon and, by MQTT, of the warehouse the end of the outage is the start of the process, which takes a while.
    Where something else went down before that, the outage is that one's.
    """
    longest: dict[str, float] = {}
    for began_s, what, down_s in done:
        end_s = began_s + down_s
        waited = [one.answered_s for one in asked if one.answered_s and one.written_s < end_s < one.answered_s]
        drained_s = max(waited, default=end_s) - end_s
        if not any(end_s - other_down_s < other_s < end_s + drained_s for other_s, _, other_down_s in done):
            longest[what] = max(longest.get(what, 0.0), round(drained_s, 1))
    return longest
