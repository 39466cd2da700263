"""How far a line's checks see: of the damaged items of a product that persons named, how many they had found.

Only those count that were judged as the one that is asked about, and that persons knew of without the line: what it has
shown to them itself, because it looked unusual, counts where it was let pass, and never as found. Complaints are told
beside: nobody knows which of these items were damaged on the way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from edge.core.found import DAMAGE
from edge.core.grounds import By, Facts, Named, Sentence, Source
from edge.core.opinions import Said, said_then
from edge.core.statistics import wilson

COUNT = "of {} of this product that persons named as damaged, the line's checks found {}"
UNKNOWN = "how many damaged ones of this product its checks overlook is not known"
NOBODY = "Nobody has yet named a damaged one of this product that was judged as this one was."
COMPLAINED = "customers complained, for whatever reason, of {} more that had been let pass"
ENOUGH = (
    0.8  # of damaged ones are found at the least (95 %), where what passed is called sound: 16 of 16 named, 29 of 30
)
COUNTED: Mapping[By, str] = {
    By.TEST: "test pieces",
    By.LABEL: "that the site's own people took for damage",
}


class Sees(Enum):
    """What is known of how much of the damage the checks find."""

    WELL = auto()  # surely most of it
    POORLY = auto()  # less, or too few are named to be sure
    UNKNOWN = auto()  # none is named


@dataclass(frozen=True, slots=True)
class Reach:
    """How many were found, of how many."""

    found: int
    named: int
    complained: int  # items that were let pass, and of which customers complained
    at_least: float  # ends of the interval of 95 % of the share that is found; 0 and 1: nothing is known
    at_most: float
    told: Sentence

    @property
    def sees(self) -> Sees:
        """In a word."""
        if not self.named:
            return Sees.UNKNOWN
        return Sees.WELL if self.at_least >= ENOUGH else Sees.POORLY

    @property
    def words(self) -> str:
        """In half a sentence."""
        known = COUNT.format(self.named, self.found) if self.named else UNKNOWN
        return f"{known}; {COMPLAINED.format(self.complained)}" if self.complained else known


def reach_of(facts: Facts) -> Reach:
    """By what is known of others that were judged as an item was."""
    known = list(_counted(facts))
    counted = [(one, found) for one, found in known if one.by in COUNTED]
    complaints = [one for one, found in known if one.by not in COUNTED and not found]
    found, named = sum(found for _, found in counted), len(counted)
    at_least, at_most = wilson(found / named, named) if named else (0.0, 1.0)
    words = _share(counted, at_least, at_most) if named else NOBODY
    words += f" Besides, {COMPLAINED.format(len(complaints))}." if complaints else ""
    sources = dict.fromkeys(source for one in (*(one for one, _ in counted), *complaints) for source in _sources(one))
    return Reach(found, named, len(complaints), at_least, at_most, Sentence(words, tuple(sources) or (facts.absence,)))


def _share(counted: Sequence[tuple[Named, bool]], at_least: float, at_most: float) -> str:
    """What was found, with the interval, and by kind."""
    found, named = sum(found for _, found in counted), len(counted)
    share = f"that is {found / named:.0%}, and with 95% confidence between {at_least:.0%} and {at_most:.0%}"
    return f"{COUNT.format(named, found).capitalize()}; {share}: {', '.join(_by_kind(counted))}."


def _counted(facts: Facts) -> Iterator[tuple[Named, bool]]:
    """Named ones that tell how much the checks overlook, and whether they spoke against each."""
    judged_by = _judged_by(facts)
    for one in facts.named:
        found = _found(one) if judged_by and judged_by == _judged_by(one.facts) else None
        if found is not None:
            yield one, found


def _found(one: Named) -> bool | None:
    """Whether the checks spoke against it; None: it tells nothing of what they overlook."""
    if not _known(one):
        return None
    then = said_then(one.facts)
    if then.checks & DAMAGE:
        return None if one.by is By.LABEL else True
    return False if then.said is Said.GOOD else None


def _known(one: Named) -> bool:
    """Whether it is the item that was meant: a customer complains of what came, not of what was pulled off."""
    return one.by is By.TEST or any(end.body["eye"] == "exit" for end in one.facts.of("ItemEnd"))


def _judged_by(facts: Facts) -> tuple[Any, ...]:
    """Recipe and models of an item's verdict; empty: no entry tells them."""
    started = [one.body for one in facts.in_force if one.kind == "DaemonStarted"]
    recipes = [one.body["recipe"] for one in facts.of("Verdict")]
    if not recipes or not started or not started[-1].get("models"):
        return ()
    return recipes[-1], started[-1]["models"], (started[-1].get("settings") or {}).get("recipe")


def _by_kind(counted: Sequence[tuple[Named, bool]]) -> Iterator[str]:
    for by, words in COUNTED.items():
        if of_kind := [found for one, found in counted if one.by is by]:
            yield f"{sum(of_kind)} of {len(of_kind)} {words}"


def _sources(one: Named) -> Iterator[Source]:
    """The entry that names it, and what was said of it then."""
    yield one.naming.source
    yield from (verdict.source for verdict in one.facts.of("Verdict"))
