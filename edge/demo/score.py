"""What a demo came to: the box's own journal held against what really happened on the lane."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edge.core.messages import End
from edge.core.statistics import auroc
from edge.demo.scene import Scene
from edge.records.journal import entries
from edge.records.outbox import outbox

NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Story:
    """One item: the truth of it, and all the journal says."""

    truth: Mapping[str, Any]
    item: dict[str, Any] = field(default_factory=dict)
    evidence: list[dict[str, Any]] = field(default_factory=list)
    verdict: dict[str, Any] | None = None
    command: dict[str, Any] | None = None
    outcome: dict[str, Any] | None = None
    end: dict[str, Any] | None = None

    @property
    def item_id(self) -> str:
        """The box's name for it."""
        return str(self.item.get("item_id", "-"))

    def best(self, check: str) -> dict[str, Any] | None:
        """The valid evidence of a check that is surest of itself."""
        valid = [one for one in self.evidence if one["check"] == check and one["valid"]]
        return max(valid, key=lambda one: one["probability"] or 0.0, default=None)

    def score(self) -> float | None:
        """How bad it looks: the mean of the defect heads' log-odds, else the largest anomaly score."""
        defect = [one["score"] for one in self.evidence if one["check"] == "defect" and one["valid"]]
        anomaly = [one["score"] for one in self.evidence if one["check"] == "anomaly" and one["valid"]]
        return float(np.mean(defect)) if defect else max(anomaly, default=None)


@dataclass(frozen=True, slots=True)
class Account:
    """A whole run."""

    stories: tuple[Story, ...]
    conservation: dict[str, int]
    owed: Mapping[str, str | None]  # request → the warehouse's answer
    received: Mapping[str, int]  # request → how often the warehouse got it
    scene: Scene

    @property
    def complete(self) -> bool:
        """Whether the books balance, and every item that ran was born, judged and seen to leave."""
        books = self.conservation
        balanced = books["violations"] == 0 and books["on_belt"] == 0
        return balanced and all(one.verdict and one.end for one in self.stories)

    def unseen(self) -> list[Story]:
        """Items that nothing was fitted on."""
        return [one for one in self.stories if one.truth["item"] not in self.scene.fitted]


def account(state: Path, truth_path: Path, scene: Scene) -> Account:
    """Read the journal and the truth of a run, joined by the counts at the induct photoeye."""
    truth = json.loads(truth_path.read_text())
    said = [(kind, body) for _, kind, _, body in entries(state)]
    stories = tuple(_stories(truth["items"], said))
    received = {one["request"]: one["times"] for one in truth["replacements"]}
    return Account(stories, conservation(said), outbox(state), received, scene)


def _stories(truth: Iterable[Mapping[str, Any]], said: Sequence[tuple[str, dict[str, Any]]]) -> Iterable[Story]:
    by_counts = {one["leading_edge_counts"]: Story(one) for one in truth}
    by_item: dict[str, Story] = {}
    for kind, body in said:
        if kind == "Item":
            story = by_counts.get(body["leading_edge_counts"], Story({}))
            story.item, by_item[body["item_id"]] = body, story
        elif body.get("item_id") in by_item:
            _tell(by_item[body["item_id"]], kind, body)
    return by_counts.values()


def _tell(story: Story, kind: str, body: dict[str, Any]) -> None:
    if kind == "Evidence":
        story.evidence.append(body)
    chapter = {"Verdict": "verdict", "DivertCommand": "command", "DivertOutcome": "outcome", "ItemEnd": "end"}.get(kind)
    if chapter:
        setattr(story, chapter, body)


def conservation(said: Iterable[tuple[str, dict[str, Any]]]) -> dict[str, int]:
    """The books, reckoned anew from the journal's births and ends: the daemon's own sums are not believed.

    A violation is an item that ended twice, an end of an item never born, or a turn whose books did not balance.
    """
    born: set[str] = set()
    ends: Counter[str] = Counter()
    ended: Counter[str] = Counter()
    unbalanced = 0
    for kind, body in said:
        if kind == "Item":
            born.add(body["item_id"])
        elif kind == "ItemEnd":
            ends[body["end"]] += 1
            ended[body["item_id"]] += 1
        elif kind == "Conservation":
            unbalanced = body["violations"]
    violations = unbalanced + sum(times - 1 for times in ended.values()) + len(ended.keys() - born)
    counted = {end.value: ends[end.value] for end in End}
    return {"inducted": len(born), **counted, "on_belt": len(born - ended.keys()), "violations": violations}


def conservation_line(books: Mapping[str, int]) -> str:
    """The books in one line; removed and lost are named when there are any."""
    always = ("inducted", "passed", "diverted", "missed", "no_decision")
    shown = [*always, *(end for end in ("removed", "lost") if books[end]), "on_belt", "violations"]
    return "conservation: " + " ".join(f"{name}={books[name]}" for name in shown)


def figures(run: Account) -> dict[str, Any]:
    """All the figures of a run, as JSON can hold them."""
    sent_off = [one for one in run.stories if one.truth.get("went") == "reject"]
    unseen = run.unseen()
    known = run.scene.serials
    serials = [(one, known[one.truth["item"]]) for one in run.stories if one.truth["item"] in known]
    return {
        "items": len(run.stories),
        "conservation": run.conservation,
        "diverts": {
            "true": sum(one.truth["bad"] for one in sent_off),
            "false": sum(not one.truth["bad"] for one in sent_off),
            "missed": run.conservation["missed"],
        },
        "escapes": sum(one.truth["bad"] and one.truth.get("went") == "good" for one in run.stories),
        "unseen": _confusion(unseen),
        "latency_ms": _quantiles(run.stories, lambda verdict: verdict["decided_ns"] - verdict["born_ns"]),
        "exposure_to_verdict_ms": _quantiles(
            [one for one in run.stories if one.verdict and one.verdict["exposed_ns"]],
            lambda verdict: verdict["decided_ns"] - verdict["exposed_ns"],
        ),
        "auroc": _auroc(unseen) if run.scene.scored else None,
        "auroc_items": len(unseen),
        "serials_right": sum(_reads(one, "serial", serial) for one, serial in serials),
        "serials_total": len(serials),
        "replacements": {
            "owed": len(run.owed),
            "acknowledged": sum(answer is not None for answer in run.owed.values()),
            "received_more_than_once": sum(times > 1 for times in run.received.values()),
        },
    }


def _confusion(stories: Sequence[Story]) -> dict[str, int]:
    """Where the items went that nothing was fitted on."""
    went = Counter(("bad" if one.truth["bad"] else "good", one.truth.get("went")) for one in stories)
    return {
        "bad_diverted": went["bad", "reject"],
        "bad_passed": went["bad", "good"],
        "good_diverted": went["good", "reject"],
        "good_passed": went["good", "good"],
    }


def _auroc(stories: Sequence[Story]) -> float | None:
    scored = [(one.truth["bad"], one.score()) for one in stories]
    good = [score for bad, score in scored if not bad and score is not None]
    return auroc(good, [score for bad, score in scored if bad and score is not None])


def _reads(story: Story, check: str, wanted: str) -> bool:
    best = story.best(check)
    return best is not None and best["reading"] == wanted


def _quantiles(stories: Iterable[Story], span_ns: Callable[[dict[str, Any]], int]) -> dict[str, float | None]:
    spans = [span_ns(one.verdict) / NS_PER_MS for one in stories if one.verdict]
    if not spans:
        return {"p50": None, "p99": None}
    return {"p50": float(np.percentile(spans, 50)), "p99": float(np.percentile(spans, 99))}
