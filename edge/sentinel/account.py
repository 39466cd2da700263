"""The sentinel's own account of the lane: messages in, broken promises out. No network and no clock.

Time is the PLC's own (`plc_ns` of `belt`), so a sentinel that was held up for a while reckons as one that was not: what
counts is how many heartbeats came between two words of the PLC, not when either was read.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from edge.core.messages import PhotoeyeEdge
from edge.core.topics import ACK, BELT, COMMAND, CONFIRM, HEARTBEAT, STATE, VERDICT, Topic
from edge.core.wire import edges_of
from edge.sentinel.promises import Places, Promise, Violation

HEARD = (BELT, CONFIRM, VERDICT, COMMAND, ACK, HEARTBEAT, STATE)
EYES = ("induct", "confirm", "exit")
NS_PER_S = 1_000_000_000
SILENCE_NS = NS_PER_S  # the heartbeat's time-out in the line protocol
REPEAT_NS = 5 * NS_PER_S  # a request to stop expires after 5 s: while the belt runs on, it is made again
LONGEST_STEP_NS = NS_PER_S // 5  # a PLC whose clock is set forward says nothing about the heartbeat
STANDSTILL_MM_PER_S = 1.0
RESET_COUNTS = 10_000  # counts that fall by more were reset, says the protocol: belts run backwards by less
MAX_ON_BELT = 512  # more than a lane can hold; beyond it the oldest is given up


@dataclass(slots=True)
class _Passage:
    """One item between the induct eye and the eyes behind the gate."""

    lead_counts: int
    measured: bool = False  # its trailing edge has passed the induct eye
    item_id: str = ""  # empty: neither verdict nor command has named it
    disposition: str = ""  # empty: no verdict yet
    command_id: str = ""  # empty: not ordered out
    answers: set[str] = field(default_factory=set)
    broken: set[Promise] = field(default_factory=set)

    @property
    def called(self) -> str:
        return self.item_id or f"the item born at {self.lead_counts} counts"

    @property
    def is_due(self) -> bool:
        """Ordered out, and the PLC has not said that the order came too late."""
        return bool(self.command_id) and self.answers != {"late"}


class Account:
    """Follows every item from its first edge to its last; what it cannot know it excuses and counts."""

    def __init__(self, places: Places) -> None:
        self.checked = 0  # items whose whole way was followed
        self.excused: Counter[str] = Counter()  # why items were not
        self._places = places
        self._passages: deque[_Passage] = deque()
        self._last_seq: dict[str, int] = {}
        self._boot: int | None = None
        self._plc_ns: int | None = None
        self._counts = 0
        self._since_counts = 0  # where the belt was when we began to listen; the PLC repeats what was before
        self._silent_ns = 0
        self._state = "none"
        self._box_heard = False

    @property
    def on_belt(self) -> int:
        """Items that are being followed."""
        return len(self._passages)

    def go_blind(self) -> None:
        """Messages were missed: nothing is held against anyone until the PLC and the box have been heard again."""
        self._forget("unheard")
        self._plc_ns = None
        self._silent_ns = 0
        self._box_heard = False

    def hear(self, topic: Topic, fields: Mapping[str, Any]) -> tuple[Violation, ...]:
        """Enter one checked message; what it shows to be broken, each item's promises once."""
        match topic.name:
            case BELT.name:
                return tuple(self._belt(fields))
            case CONFIRM.name if self._plc_ns is not None:
                return tuple(self._edges(fields))
            case VERDICT.name:
                self._verdict(fields)
            case COMMAND.name:
                self._command(fields)
            case ACK.name:
                self._answer(fields)
            case HEARTBEAT.name:
                self._box_heard, self._silent_ns = True, 0
            case STATE.name:
                self._state = f"{fields['state']}, {fields['why']}"
        return ()

    def _belt(self, fields: Mapping[str, Any]) -> Iterator[Violation]:
        self._see_to_life(fields)
        self._counts = fields["counts"]
        yield from self._silence(fields)
        yield from self._edges(fields)
        yield from self._overdue()

    def _see_to_life(self, fields: Mapping[str, Any]) -> None:
        """A PLC that was started anew counts anew: where the items are now, nobody knows."""
        boot, plc_ns = fields.get("boot"), fields["plc_ns"]
        reset = self._counts - fields["counts"] > RESET_COUNTS
        if self._plc_ns is None or boot != self._boot or plc_ns < self._plc_ns or reset:
            self._forget("plc_restarted")
            self._boot, self._plc_ns = boot, plc_ns
            self._since_counts = fields["counts"]

    def _forget(self, why: str) -> None:
        self.excused[why] += len(self._passages)
        self._passages.clear()
        self._last_seq.clear()

    def _silence(self, fields: Mapping[str, Any]) -> Iterator[Violation]:
        step_ns = min(fields["plc_ns"] - (self._plc_ns or 0), LONGEST_STEP_NS)
        self._plc_ns = fields["plc_ns"]
        moves = abs(fields["speed_mm_per_s"]) >= STANDSTILL_MM_PER_S
        self._silent_ns = self._silent_ns + step_ns if moves else 0
        if self._silent_ns > SILENCE_NS:
            self._silent_ns -= REPEAT_NS
            because = f"the belt moves without a heartbeat of the box; its last word: {self._state}"
            yield Violation(Promise.HEARTBEAT, because)

    def _edges(self, fields: Mapping[str, Any]) -> Iterator[Violation]:
        for eye in EYES:
            for edge in self._fresh(eye, fields):
                if eye == "induct":
                    self._induct(edge)
                elif edge.dark:
                    yield from self._left(eye, edge.counts)

    def _fresh(self, eye: str, fields: Mapping[str, Any]) -> list[PhotoeyeEdge]:
        """Edges not seen before: the PLC repeats them."""
        last = self._last_seq.get(eye, -1)
        fresh = sorted((edge for edge in edges_of(fields, eye) if edge.seq > last), key=lambda edge: edge.seq)
        self._last_seq[eye] = fresh[-1].seq if fresh else last
        return fresh

    def _induct(self, edge: PhotoeyeEdge) -> None:
        if not edge.dark:
            self._measure(edge.counts)
        elif self._box_heard and edge.counts > self._since_counts:
            self._passages.append(_Passage(edge.counts))
            if len(self._passages) > MAX_ON_BELT:
                self._passages.popleft()
                self.excused["too_many"] += 1
        else:
            self.excused["before_we_listened"] += 1

    def _measure(self, counts: int) -> None:
        """A trailing edge belongs to the youngest item; what is too short was none."""
        youngest = self._passages[-1] if self._passages else None
        if youngest is None or youngest.measured:
            return
        youngest.measured = True
        if self._places.travelled_mm(youngest.lead_counts, counts) < self._places.shortest_mm:
            self._passages.pop()

    def _verdict(self, fields: Mapping[str, Any]) -> None:
        passage = self._named(fields["item"], fields["leading_edge_counts"])
        if passage:
            passage.disposition = fields["disposition"]
            passage.lead_counts = fields["leading_edge_counts"]  # the box may have corrected its slip

    def _command(self, fields: Mapping[str, Any]) -> None:
        ahead = round((self._places.gate_mm - self._places.margin_mm) * self._places.counts_per_mm)
        passage = self._named(fields["item"], fields["open_counts"] - ahead)
        if passage:
            passage.command_id = fields["command"]

    def _answer(self, fields: Mapping[str, Any]) -> None:
        for passage in self._passages:
            if passage.command_id == fields["command"]:
                passage.answers.add(fields["status"])

    def _named(self, item_id: str, lead_counts: int) -> _Passage | None:
        """The item of that name; else the one without a name that was born there."""
        known = next((one for one in self._passages if one.item_id == item_id), None)
        found = known or self._nearest(lead_counts, [one for one in self._passages if not one.item_id])
        if found:
            found.item_id = item_id
        return found

    def _nearest(self, lead_counts: float, among: list[_Passage]) -> _Passage | None:
        tolerance_counts = self._places.tolerance_mm * self._places.counts_per_mm
        near = [one for one in among if abs(one.lead_counts - lead_counts) <= tolerance_counts]
        return min(near, key=lambda one: abs(one.lead_counts - lead_counts), default=None)

    def _left(self, eye: str, counts: int) -> Iterator[Violation]:
        """An item was seen on one of the lanes behind the gate: its way ends. Strangers are the daemon's business."""
        place_mm = self._places.confirm_mm if eye == "confirm" else self._places.exit_mm
        passage = self._nearest(counts - place_mm * self._places.counts_per_mm, list(self._passages))
        if passage is None:
            return
        self._passages.remove(passage)
        self.checked += 1
        if eye == "exit":
            yield from self._escaped(passage)

    def _escaped(self, passage: _Passage) -> Iterator[Violation]:
        if passage.command_id or self._places.is_out(passage.disposition):
            why = f"decided {passage.disposition or 'by nobody'}, ordered out: {'yes' if passage.command_id else 'no'}"
            answers = ", ".join(sorted(passage.answers)) or "nothing"
            because = f"{passage.called} is on the good lane ({why}; the PLC answered {answers})"
            yield from self._break(passage, Promise.EXIT, because)

    def _overdue(self) -> Iterator[Violation]:
        """Hold every item against where the belt is now."""
        last_mm = max(self._places.confirm_mm, self._places.exit_mm) + self._places.patience_mm
        for passage in list(self._passages):
            travelled_mm = self._places.travelled_mm(passage.lead_counts, self._counts)
            if travelled_mm > self._places.gate_mm + self._places.tolerance_mm:
                yield from self._undecided(passage)
            if passage.is_due and travelled_mm > self._places.confirm_mm + self._places.patience_mm:
                because = f"{passage.called} was ordered out and the confirm eye has not seen it"
                yield from self._break(passage, Promise.DIVERT, because)
            if travelled_mm > last_mm:
                self._passages.remove(passage)
                self.checked += 1

    def _undecided(self, passage: _Passage) -> Iterator[Violation]:
        """It is past the gate: what has not been said of it by now was said too late."""
        if not passage.disposition:
            yield from self._break(passage, Promise.VERDICT, f"{passage.called} passed the gate without a verdict")
        elif self._places.is_out(passage.disposition) and not passage.command_id:
            because = f"{passage.called} was decided {passage.disposition} and never ordered out"
            yield from self._break(passage, Promise.COMMAND, because)

    def _break(self, passage: _Passage, promise: Promise, because: str) -> Iterator[Violation]:
        if promise not in passage.broken:
            passage.broken.add(promise)
            yield Violation(promise, because)
