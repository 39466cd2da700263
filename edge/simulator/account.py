"""The scoreboard's account: what the ledger says of each item, held against what really happened to it.

It is reckoned from the ledger's records and from the plant alone; the loop's own books are not asked.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from edge.core.messages import Disposition, DivertCommand, Item, ItemEnd, Verdict
from edge.core.ports import Record
from edge.simulator.events import Went
from edge.simulator.plant import NS_PER_MS

TURN_NS = NS_PER_MS
NS_PER_BIN = 50_000
PARTS_PER_MILLION = 1e6

EdgeKey = tuple[int, int]
"""The PLC's life, and the number of a dark edge of the induct eye in it."""


class Histogram:
    """Times in bins of 0.05 ms: a million items take no more room than a thousand."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def note(self, lasted_ns: float) -> None:
        """One time."""
        self._bins[int(lasted_ns // NS_PER_BIN)] += 1

    def add(self, other: Histogram) -> None:
        """Take another's times in."""
        self._bins += other._bins

    def quantile_ms(self, share: float) -> float | None:
        """The upper end of the bin that holds the quantile; None: nothing was noted."""
        seen, wanted = 0, share * self._bins.total()
        for name in sorted(self._bins):
            seen += self._bins[name]
            if seen >= wanted:
                return (name + 1) * NS_PER_BIN / NS_PER_MS
        return None

    def fields(self) -> dict[str, float | None]:
        """The usual quantiles, ms."""
        return {"p50": self.quantile_ms(0.5), "p99": self.quantile_ms(0.99), "p999": self.quantile_ms(0.999)}


@dataclass(slots=True)
class Thing:
    """An item as it really is, from the induct eye on."""

    index: int
    bad: bool
    inducted_ns: int
    edge: EdgeKey | None  # at which the box should have seen it, alone or as a part of something longer
    went: Went | None = None
    unguarded: bool = False  # it went to the reject lane because the PLC did not hear the box
    gone_ns: int | None = None

    @property
    def order(self) -> str:
        """As the warehouse names it."""
        return f"w-{self.index}"


@dataclass(slots=True)
class Entry:
    """An item as the ledger knows it."""

    edge: EdgeKey
    known_ns: int  # when the box learnt of it
    out: bool = False  # it was to be diverted
    commanded: bool = False
    told: bool = False  # the PLC was
    end: str = ""
    order: str = ""  # of the item whose order was joined to it


@dataclass(slots=True)
class Account:
    """Takes down records and truths as they come, and closes the account of what is settled."""

    counts: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    to_verdict: Histogram = field(default_factory=Histogram)
    to_command: Histogram = field(default_factory=Histogram)
    things: dict[int, Thing] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)  # of violations, for a person
    _entries: dict[str, Entry] = field(default_factory=dict)
    _by_edge: dict[EdgeKey, str] = field(default_factory=dict)
    _inducted: dict[EdgeKey, int] = field(default_factory=dict)  # when each edge was
    _orders: dict[EdgeKey, set[str]] = field(default_factory=dict)  # of what came to the eye with it

    def inducted(self, thing: Thing) -> None:
        """An item has come to the induct eye."""
        self.things[thing.index] = thing
        self.counts["items"] += 1
        if thing.edge is not None:
            self._inducted.setdefault(thing.edge, thing.inducted_ns)
            self._orders.setdefault(thing.edge, set()).add(thing.order)

    def enter(self, record: Record, at_ns: int) -> None:
        """One record of the ledger, and when it was handed over."""
        match record:
            case Item():
                self._birth(record, at_ns)
            case Verdict():
                self._verdict(record)
            case DivertCommand():
                self._command(record)
            case ItemEnd():
                self._end(record)

    def close(self, before_ns: float) -> None:
        """Settle what has been off the belt since before then."""
        for thing in [one for one in self.things.values() if one.gone_ns is not None and one.gone_ns <= before_ns]:
            del self.things[thing.index]
            self._settle(thing)
        if len(self._entries) > 10 * (len(self.things) + 100):
            self._forget()

    def finish(self) -> None:
        """The run is over: whatever is open now stays open."""
        self.close(float("inf"))
        for item_id, entry in self._entries.items():
            if not entry.end:
                self._violate("never ended", item_id)

    def add(self, other: Account) -> None:
        """Take another lane's finished account into this one."""
        self.counts += other.counts
        self.violations += other.violations
        self.to_verdict.add(other.to_verdict)
        self.to_command.add(other.to_command)
        self.examples += other.examples

    def fields(self) -> dict[str, Any]:
        """The scoreboard's figures."""
        items = max(1, self.counts["items"])
        return {
            "items": self.counts["items"],
            "conservation_violations": self.violations.total(),
            "missed_divert_ppm": self.counts["missed"] / items * PARTS_PER_MILLION,
            "wrong_item_ppm": self.counts["wrong"] / items * PARTS_PER_MILLION,
            "false_divert_ppm": self.counts["false"] / items * PARTS_PER_MILLION,
            "no_decision_share": self.counts["undecided"] / max(1, self.counts["verdicts"]),
            "deadline_misses": self.counts["deadline_misses"],
            "learnt_late": self.counts["learnt_late"],
            "escapes": self.counts["escapes"],
            "escapes_as_good": self.counts["escape_passed"],
            "latency_ms": self.to_verdict.fields(),
            "command_ms": self.to_command.fields(),
            "violations": dict(self.violations),
            "examples": self.examples,
            "counts": dict(self.counts),
        }

    def _birth(self, item: Item, at_ns: int) -> None:
        edge = (item.boot, item.edge_seq)
        if item.item_id not in self._entries:
            self._entries[item.item_id] = Entry(edge, at_ns)
            self.counts["births"] += 1
            if edge in self._by_edge:
                self._violate("born twice", item.item_id)
            self._by_edge[edge] = item.item_id
        self._entries[item.item_id].out |= bool(item.purge)
        self._entries[item.item_id].order = item.expected.wms_item if item.expected else ""

    def _verdict(self, verdict: Verdict) -> None:
        self.counts["verdicts"] += 1
        self.counts["undecided"] += verdict.disposition is Disposition.NO_DECISION
        late = verdict.decided_ns - verdict.deadline_ns > 2 * TURN_NS
        self.counts["deadline_misses"] += late
        if entry := self._entries.get(verdict.item_id):
            entry.out |= verdict.disposition is not Disposition.PASS
            self.counts["learnt_late"] += late and entry.known_ns > verdict.deadline_ns
            if (inducted_ns := self._inducted.get(entry.edge)) is not None:
                self.to_verdict.note(verdict.decided_ns - inducted_ns)
        else:
            self._violate("verdict on nobody", verdict.item_id)

    def _command(self, command: DivertCommand) -> None:
        self.counts["commands"] += 1
        if entry := self._entries.get(command.item_id):
            entry.commanded = True

    def commanded(self, item_id: str, at_ns: int) -> None:
        """A command has come to the PLC."""
        entry = self._entries.get(item_id)
        if entry and not entry.told and (inducted_ns := self._inducted.get(entry.edge)) is not None:
            entry.told = True
            self.to_command.note(at_ns - inducted_ns)

    def _end(self, end: ItemEnd) -> None:
        self.counts[f"end_{end.end}"] += 1
        entry = self._entries.get(end.item_id)
        if entry is None:
            self._violate("end of nobody", end.item_id)
        elif entry.end:
            self._violate("ended twice", end.item_id)
        else:
            entry.end = end.end

    def _settle(self, thing: Thing) -> None:
        entry = self._entries.get(self._by_edge.get(thing.edge, "")) if thing.edge else None
        if entry is None:
            self._violate("never born", f"item {thing.index}, edge {thing.edge}")
        elif not entry.end:
            self._violate("gone without an end", f"item {thing.index}, edge {thing.edge}")
        out, commanded = bool(entry and entry.out), bool(entry and entry.commanded)
        self.counts["missed"] += out and thing.went == "good"
        self.counts["wrong"] += thing.went == "reject" and not commanded and not thing.unguarded
        self.counts["unguarded"] += thing.went == "reject" and not commanded and thing.unguarded
        self.counts["false"] += thing.went == "reject" and not thing.bad and commanded
        if thing.went == "good" and thing.bad:
            self.counts["escapes"] += 1
            self.counts[f"escape_{entry.end if entry else 'unknown'}"] += 1
        self.counts["taken"] += thing.went is None
        self.counts["unordered"] += bool(entry and not entry.order)
        if entry and entry.order and entry.order not in self._orders[entry.edge]:
            self._violate("an order of another", f"item {thing.index}, {entry.order}")

    def _forget(self) -> None:
        """Entries that ended, and that no item on the belt or just gone belongs to."""
        needed = {thing.edge for thing in self.things.values()}
        newest = max(self._inducted, default=(0, 0))
        for item_id, entry in list(self._entries.items()):
            if entry.end and entry.edge not in needed and entry.edge < (newest[0], newest[1] - 100):
                del self._entries[item_id]
                self._by_edge.pop(entry.edge, None)
        self._orders = {edge: names for edge, names in self._orders.items() if edge in self._by_edge or edge in needed}
        self._inducted = {
            edge: at_ns for edge, at_ns in self._inducted.items() if edge in self._by_edge or edge in needed
        }

    def _violate(self, kind: str, which: str) -> None:
        self.violations[kind] += 1
        if len(self.examples) < 10:
            self.examples.append(f"{kind}: {which}")
