"""Exactly one verdict per item: as soon as its evidence suffices, or at its deadline with what there is."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum, auto
from itertools import chain

from edge.core.agreement import Terms, contradiction, doubt, held
from edge.core.belt import Geometry
from edge.core.messages import Agreement, BeltReading, Compared, Disposition, Evidence, Item, Verdict
from edge.core.views import weighed

ROUNDED = 1 + 1e-9  # one in a hundred, three times over, is three in a hundred
PRINT, CODE = frozenset(("", "print")), frozenset(("code",))
SOURCES: Mapping[str, tuple[frozenset[str], ...]] = {
    "print": (PRINT,),
    "code": (CODE,),
    "either": (PRINT | CODE,),
    "both": (PRINT, CODE),
}
"""Who has to vouch for a reading; what the other says beside it may still contradict."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What one check must say of a good item.

    A required rule without valid evidence leaves the item undecided; one that is not is waited for
    until it has answered, then noted as skipped. Without `reject_at`, `overkill` and `agrees` it only informs.
    """

    check: str
    cameras: tuple[str, ...]  # all of them must have seen the item
    required: bool
    reject_at: float | None = None  # reject when the score, of several cameras the mean, reaches this
    overkill: float | None = None  # reject what looks so unusual that no larger share of sound items does
    agrees: str | None = None  # reject when the reading contradicts the order: expiry, lot, size, or an attribute
    least_days: int = 0  # of an expiry: reject when fewer days are left; the order's attribute least_days goes before
    source: str = "print"  # who has to vouch for the reading, see SOURCES

    def __str__(self) -> str:
        return f"{self.check} ({'+'.join(self.cameras)})"


@dataclass(frozen=True, slots=True)
class Recipe:
    """What to check, and how strictly."""

    name: str
    rules: tuple[Rule, ...]
    divert_undecided: bool = True


class Answer(Enum):
    """What a rule's evidence comes to."""

    GOOD = auto()
    BAD = auto()
    INVALID = auto()  # it has come, but vouches for nothing
    NONE = auto()  # nothing has come yet


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule, what its evidence comes to, and why."""

    rule: Rule
    answer: Answer
    because: str
    compared: Compared | None = None  # of a rule that compares, once something has come


@dataclass(slots=True)
class _Case:
    """An item before the judge."""

    evidence: list[Evidence] = field(default_factory=list)
    closed: bool = False


class Judge:
    """Remembers each item's evidence until it is decided."""

    def __init__(self, recipe: Recipe, geometry: Geometry, decided: Iterable[str] = ()) -> None:
        """Begin; `decided` are items on the belt that have their verdict already."""
        self._recipe = recipe
        self._geometry = geometry
        self._cases: dict[str, _Case] = {item_id: _Case(closed=True) for item_id in decided}

    def update(
        self, items: Mapping[str, Item], evidence: Iterable[Evidence], reading: BeltReading
    ) -> tuple[Verdict, ...]:
        """Take the new evidence; decide what can or must be decided now."""
        self._cases = {item_id: self._cases.get(item_id) or _Case() for item_id in items}
        for one in evidence:
            if one.item_id in self._cases:
                self._cases[one.item_id].evidence.append(one)
        pending = [item for item_id, item in items.items() if not self._cases[item_id].closed]
        decided = (self._decide(item, reading) for item in pending)
        return tuple(verdict for verdict in decided if verdict)

    def _decide(self, item: Item, reading: BeltReading) -> Verdict | None:
        case = self._cases[item.item_id]
        deadline_ns = self._geometry.deadline_ns(item, reading)
        findings = tuple(finding(rule, item, case.evidence, reading.today) for rule in self._recipe.rules)
        disposition = reached(findings) or (overdue(findings) if reading.read_ns >= deadline_ns else None)
        reasons = _reasons(disposition, findings) if disposition else ()
        if item.purge:
            disposition, reasons = Disposition.NO_DECISION, (item.put_off,)
        if disposition is None:
            return None
        case.closed = True
        return self._verdict(item, disposition, reasons, findings, deadline_ns, reading.read_ns)

    def _verdict(
        self,
        item: Item,
        disposition: Disposition,
        reasons: tuple[str, ...],
        findings: Sequence[Finding],
        deadline_ns: int,
        now_ns: int,
    ) -> Verdict:
        evidence = tuple(self._cases[item.item_id].evidence)
        return Verdict(
            item_id=item.item_id,
            order_line=order.order_line if (order := item.expected) else None,
            leading_edge_counts=item.leading_edge_counts,
            disposition=disposition,
            reasons=reasons,
            skipped=tuple(str(one.rule) for one in findings if one.answer in (Answer.NONE, Answer.INVALID)),
            evidence=evidence,
            recipe=self._recipe.name,
            born_ns=item.born_ns,
            exposed_ns=max((one.exposed_ns for one in evidence), default=None),
            deadline_ns=deadline_ns,
            decided_ns=now_ns,
            gtin=order.gtin if order else None,
            lot=order.lot if order else None,
            compared=tuple(one.compared for one in findings if one.compared),
        )


def reached(findings: Sequence[Finding]) -> Disposition | None:
    """What the evidence says before the deadline; None: wait for more."""
    if any(one.answer is Answer.BAD for one in findings):
        return Disposition.REJECT
    waiting = any(one.answer is Answer.NONE for one in findings)
    return None if waiting or not _sound(findings) else Disposition.PASS


def overdue(findings: Sequence[Finding]) -> Disposition:
    """What it says at the deadline: without all that is required it never reads as PASS."""
    return Disposition.PASS if _sound(findings) else Disposition.NO_DECISION


def _sound(findings: Sequence[Finding]) -> bool:
    return all(one.answer is Answer.GOOD for one in findings if one.rule.required)


def finding(rule: Rule, item: Item, evidence: Iterable[Evidence], today: date) -> Finding:
    """What the evidence of one item comes to under one rule; every camera of the rule must vouch for something."""
    seen = [one for one in evidence if one.check == rule.check and one.camera in rule.cameras]
    views = [
        [one for one in seen if one.camera == camera and one.source in sources]
        for camera in rule.cameras
        for sources in SOURCES[rule.source]
    ]
    if rule.agrees:
        return _compared(rule, item, seen, views, today)
    vouched = _vouched(rule, views)
    if not all(vouched):
        return _lacking(rule, views)
    if rule.overkill is not None:
        return _unusual(rule.overkill, rule, vouched)
    if rule.reject_at is not None:
        return _measured(rule, vouched)
    return Finding(rule, Answer.GOOD, vouched[-1][-1].because)


def _vouched(rule: Rule, views: Sequence[Sequence[Evidence]]) -> list[list[Evidence]]:
    return [[one for one in view if _tellable(rule, one)] for view in views]


def _lacking(rule: Rule, views: Sequence[Sequence[Evidence]]) -> Finding:
    """What is missing: an answer, or one that is vouched for."""
    if not all(views):
        return Finding(rule, Answer.NONE, "nothing came in time")
    silent = _silent(rule, views)
    return Finding(rule, Answer.INVALID, silent.because)


def _silent(rule: Rule, views: Sequence[Sequence[Evidence]]) -> Evidence:
    """The newest look of the first view that vouches for nothing."""
    return next(view[-1] for view, valid in zip(views, _vouched(rule, views), strict=True) if not valid)


def _tellable(rule: Rule, evidence: Evidence) -> bool:
    """Whether evidence is vouched for and has what the rule asks; what is no number never counts as small."""
    if rule.overkill is not None:
        return evidence.valid and evidence.p_value is not None
    if rule.reject_at is not None:
        return evidence.valid and evidence.score is not None and math.isfinite(evidence.score)
    return evidence.valid and (rule.agrees is None or evidence.reading is not None)


def _measured(rule: Rule, views: Sequence[Sequence[Evidence]]) -> Finding:
    """The worst frame of each camera, and the mean over the cameras."""
    worst = [max(view, key=lambda one: one.score or 0.0) for view in views]
    mean = sum(one.score or 0.0 for one in worst) / len(worst)
    bad = rule.reject_at is not None and mean >= rule.reject_at
    return Finding(rule, Answer.BAD if bad else Answer.GOOD, "; ".join(one.because for one in worst))


def _unusual(overkill: float, rule: Rule, views: Sequence[Sequence[Evidence]]) -> Finding:
    """The most unusual look of each camera; looking n times is n chances to err (Bonferroni)."""
    least = [min(view, key=lambda one: one.p_value or 0.0) for view in views]
    bad = any((one.p_value or 0.0) * len(least) <= overkill * ROUNDED for one in least)
    return Finding(rule, Answer.BAD if bad else Answer.GOOD, "; ".join(one.because for one in least))


def _compared(
    rule: Rule, item: Item, seen: Sequence[Evidence], views: Sequence[Sequence[Evidence]], today: date
) -> Finding:
    """One contradiction outweighs any agreement, and need not wait for what is still to come."""
    if item.expected is None:
        return _unannounced(rule, views)
    terms = Terms(rule.agrees or rule.check, item.expected, today, rule.least_days)
    weigh = weighed if terms.field == "expiry" else list
    views = [weigh(view) for view in views]
    if found := contradiction(terms, [*seen, *chain.from_iterable(views)]):
        return Finding(rule, Answer.BAD, found.because, found.compared)
    vouched = _vouched(rule, views)
    if all(vouched):
        return _agreed(rule, terms, weigh([view[-1] for view in vouched])[-1])
    if not all(views):
        return _lacking(rule, views)
    doubted = doubt(terms, _silent(rule, views))
    return Finding(rule, Answer.INVALID, doubted.because, doubted.compared)


def _agreed(rule: Rule, terms: Terms, evidence: Evidence) -> Finding:
    """What all views together come to; dates that each vouches for may be different ones."""
    found = held(terms, evidence) if evidence.valid else doubt(terms, evidence)
    answer = Answer.GOOD if found.compared.agreement is Agreement.MATCH else Answer.INVALID
    return Finding(rule, answer, found.because, found.compared)


def _unannounced(rule: Rule, views: Sequence[Sequence[Evidence]]) -> Finding:
    if not all(_vouched(rule, views)):
        return _lacking(rule, views)
    return Finding(rule, Answer.INVALID, "the warehouse has not announced this item")


def _reasons(disposition: Disposition, findings: Sequence[Finding]) -> tuple[str, ...]:
    return tuple(f"{one.rule}: {one.because}" for one in findings if _tells(disposition, one))


def _tells(disposition: Disposition, one: Finding) -> bool:
    """Whether a finding is a reason for this disposition."""
    if disposition is Disposition.NO_DECISION:
        return one.rule.required and one.answer is not Answer.GOOD
    return one.answer is (Answer.BAD if disposition is Disposition.REJECT else Answer.GOOD)
