"""From verdicts to diverts, and from what the eyes saw to how each item ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from edge.core.ahead import Ahead
from edge.core.belt import NS_PER_S, STANDSTILL_MM_PER_S, Geometry
from edge.core.blindness import Blindness
from edge.core.eyes import DarkEyes
from edge.core.messages import (
    TEST_PIECE,
    BeltReading,
    Disposition,
    DivertAck,
    DivertCommand,
    DivertOutcome,
    End,
    Item,
    ItemEnd,
    PhotoeyeEdge,
    ReplacementRequest,
    Result,
    Verdict,
)
from edge.core.orders import Orders, command_id_of
from edge.core.unclaimed import Gone, Unclaimed

PATIENT_NS = 3 * NS_PER_S  # after a silence: for what the eyes said meanwhile to be delivered
SLOWEST_NS = 60 * NS_PER_S  # a command does not outlive a belt that stands longer than this


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the eyes' word comes to."""

    outcomes: tuple[DivertOutcome, ...] = ()
    ends: tuple[ItemEnd, ...] = ()
    requests: tuple[ReplacementRequest, ...] = ()
    gate_blind: bool = False  # something before the gate ought to be diverted, and can no longer be told apart in time
    dark_eyes: tuple[str, ...] = ()  # dark for longer than any item would make them


class Dispatcher:
    """Remembers what was decided of each item, and commanded, until it is seen to have left."""

    def __init__(
        self,
        geometry: Geometry,
        request_prefix: str,
        *,
        divert_undecided: bool,
        dispositions: Mapping[str, Disposition] | None = None,
        patient_until_ns: int = 0,
    ) -> None:
        """Begin.

        dispositions: of items on the belt that were decided before a restart. patient_until_ns: until then no item
        counts as unseen: the eyes' word from before a restart may still be under way.
        """
        self._geometry = geometry
        self._request_prefix = request_prefix
        self._diverted = {Disposition.REJECT} | ({Disposition.NO_DECISION} if divert_undecided else set())
        self._dispositions = dict(dispositions or {})
        self._reasons: dict[str, tuple[str, ...]] = {}
        self.late_commands = 0  # that would have come after their window: not made
        self._orders = Orders()
        self._eyes = DarkEyes(geometry.counts(geometry.longest_mm))
        self._told: set[str] = set()  # commanded, or too late for it
        self._patient_until_ns = patient_until_ns
        self._blindness = Blindness(geometry)
        self._unclaimed = Unclaimed()
        self._ahead = Ahead()

    def go_by(self, geometry: Geometry) -> None:
        """The lane is laid out anew; nothing is on it."""
        self._geometry = geometry
        self._eyes.go_by(geometry.counts(geometry.longest_mm))
        self._blindness.go_by(geometry)

    @property
    def decided(self) -> frozenset[str]:
        """Items on the belt of which a verdict was given."""
        return frozenset(self._dispositions)

    def plan(
        self,
        verdicts: Iterable[Verdict],
        items: Mapping[str, Item],
        reading: BeltReading,
        acks: Iterable[DivertAck] = (),
    ) -> tuple[DivertCommand, ...]:
        """The commands that can still be carried out; a late one would hit the next item and is not made.

        A command that the PLC leaves unanswered is said again, as long as it would come in time.
        """
        self._orders.hear(acks)
        for verdict in verdicts:
            self._dispositions[verdict.item_id] = verdict.disposition
            self._reasons[verdict.item_id] = verdict.reasons
        wanted = [item for item in items.values() if self._is_out(item) and item.item_id not in self._told]
        commands = [self._command(item, reading) for item in wanted if self._is_measured(item, reading)]
        in_time = tuple(command for command in commands if command.open_counts > reading.counts)
        if not reading.stale:  # a silent belt may be standing: then the window is still to come
            self._told |= {command.item_id for command in commands}
            self.late_commands += len(commands) - len(in_time)
        self._told |= {command.item_id for command in in_time}
        said = in_time + self._again(items, reading)
        self._orders.give(said, reading.read_ns)
        return said

    def _again(self, items: Mapping[str, Item], reading: BeltReading) -> tuple[DivertCommand, ...]:
        """The commands that have no answer yet; a belt that stood meanwhile has moved their expiry, too."""
        waiting = [item for item in items.values() if self._orders.unanswered(item, reading.read_ns)]
        commands = [self._command(item, reading) for item in waiting]
        return tuple(command for command in commands if command.open_counts > reading.counts)

    def _is_measured(self, item: Item, reading: BeltReading) -> bool:
        """A window needs the item's length; at the deadline the typical length must do."""
        return item.length_mm is not None or reading.read_ns >= self._geometry.deadline_ns(item, reading)

    def settle(self, items: Mapping[str, Item], reading: BeltReading) -> Settlement:
        """Believe the eyes: what the confirm and exit eyes saw, and what they should have seen by now."""
        if reading.stale:
            self._patient_until_ns = max(self._patient_until_ns, reading.read_ns + PATIENT_NS)
        left = {item_id: item for item_id, item in items.items() if item.boot == reading.boot}
        settled = list(self._seen_off(left, reading))
        settled += self._seen_on(left, reading)
        settled += self._unseen(left, items, reading)
        settled += self._claimed(items, reading)
        for end in (end for one in settled for end in one.ends):
            self._dispositions.pop(end.item_id, None)
            self._reasons.pop(end.item_id, None)
            self._orders.forget(end.item_id)
            self._told.discard(end.item_id)
        dark_eyes = self._eyes.update(reading)
        return Settlement(
            tuple(outcome for one in settled for outcome in one.outcomes),
            tuple(end for one in settled for end in one.ends),
            tuple(request for one in settled for request in one.requests),
            self._is_blind(items, dark_eyes, reading),
            dark_eyes,
        )

    def _is_blind(self, items: Mapping[str, Item], dark_eyes: Sequence[str], reading: BeltReading) -> bool:
        restarted = any(item.boot != reading.boot for item in items.values()) and not reading.stale
        if restarted or "induct" in dark_eyes:
            self._blindness.unknown(reading)
        uncovered = (item for item in items.values() if self._is_out(item) and not self._orders.taken(item))
        return self._blindness.update(uncovered, reading)

    def _is_out(self, item: Item) -> bool:
        """Whether the item belongs on the reject lane; what was commanded stays commanded."""
        decided = self._dispositions.get(item.item_id) in self._diverted
        return bool(item.purge) or decided or self._orders.given(item)

    def _command(self, item: Item, reading: BeltReading) -> DivertCommand:
        first, last = self._geometry.window(item)
        to_go_mm = (last - reading.counts) / self._geometry.counts_per_mm
        speed_mm_per_s = max(reading.speed_mm_per_s, STANDSTILL_MM_PER_S)
        lasts_ns = min(round(to_go_mm / speed_mm_per_s * NS_PER_S), SLOWEST_NS)
        return DivertCommand(
            command_id=command_id_of(item.item_id),
            item_id=item.item_id,
            open_counts=first,
            close_counts=last,
            expires_ns=reading.read_ns + lasts_ns,
            reason="; ".join(self._why(item)),
        )

    def _why(self, item: Item) -> tuple[str, ...]:
        return (item.put_off,) if item.purge else self._reasons.get(item.item_id, ())

    def _seen_off(self, left: dict[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Each dark edge of the confirm eye: an item is on the reject lane."""
        for edge in self._ahead.dark("confirm", reading.confirm_edges, reading.boot):
            item = self._take(left, edge.counts, self._geometry.confirm_mm)
            yield self._off(item, edge, reading) if item else self._nobodys("confirm", edge, reading)

    def _seen_on(self, left: dict[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Each dark edge of the exit eye: an item is on the good lane."""
        for edge in self._ahead.dark("exit", reading.exit_edges, reading.boot):
            item = self._take(left, edge.counts, self._geometry.exit_mm)
            yield self._on(item, edge, reading) if item else self._nobodys("exit", edge, reading)

    def _nobodys(self, eye: str, edge: PhotoeyeEdge, reading: BeltReading) -> Settlement:
        """Its birth may still be under way: while that may be, it is kept; else it is a stranger."""
        if self._is_patient(reading):
            self._ahead.note(eye, edge, reading)
            return Settlement()
        because = f"the {eye} eye saw something that is not in the books"
        return Settlement((DivertOutcome(None, None, Result.UNEXPECTED, edge.counts, because, eye),))

    def _is_patient(self, reading: BeltReading) -> bool:
        return reading.read_ns < self._patient_until_ns

    def _unseen(self, left: dict[str, Item], items: Mapping[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Items that both eyes should have seen by now, and those whose place a restart of the PLC has made unknown."""
        if self._is_patient(reading):
            return
        last_mm = max(self._geometry.confirm_mm, self._geometry.exit_mm) + self._geometry.patience_mm
        for item in items.values():
            if item.boot != reading.boot:
                yield self._gone(item, reading, "the PLC was restarted: its place is not known")
            elif item.item_id in left and self._geometry.travelled_mm(item, reading.counts) > last_mm:
                yield self._gone(item, reading, "not seen on either lane: taken off by hand, or lost")

    def _take(self, left: dict[str, Item], counts: int, eye_mm: float) -> Item | None:
        """The item that should be at the eye now; it is settled, and not looked for again."""
        item = self._geometry.nearest(left.values(), counts, eye_mm)
        return left.pop(item.item_id) if item else None

    def _off(self, item: Item, edge: PhotoeyeEdge, reading: BeltReading) -> Settlement:
        result = Result.CONFIRMED if self._is_out(item) else Result.UNEXPECTED
        because = "seen on the reject lane" + ("" if result is Result.CONFIRMED else ", though nobody sent it there")
        end = End.DIVERTED if result is Result.UNEXPECTED or self._is_rejected(item) else End.NO_DECISION
        return Settlement(
            (self._outcome(item, result, because, "confirm", edge.counts),),
            (ItemEnd(item.item_id, end, edge.counts, reading.read_ns, "confirm", edge.seq),),
            self._requests(item, because, reading),
        )

    def _on(self, item: Item, edge: PhotoeyeEdge, reading: BeltReading) -> Settlement:
        if self._is_out(item):
            because = "seen on the good lane, though it was to be diverted"
            outcome = self._outcome(item, Result.MISSED, because, "exit", edge.counts)
            return Settlement(
                (outcome,), (ItemEnd(item.item_id, End.MISSED, edge.counts, reading.read_ns, "exit", edge.seq),)
            )
        passed = self._dispositions.get(item.item_id) is Disposition.PASS
        end = End.PASSED if passed else End.NO_DECISION
        return Settlement(ends=(ItemEnd(item.item_id, end, edge.counts, reading.read_ns, "exit", edge.seq),))

    def _is_rejected(self, item: Item) -> bool:
        return not item.purge and self._dispositions.get(item.item_id) is not Disposition.NO_DECISION

    def _gone(self, item: Item, reading: BeltReading, because: str) -> Settlement:
        """It is missing, whatever was decided: its customer gets another one."""
        requests = self._requests(item, because, reading)
        if self._is_out(item):
            end = ItemEnd(item.item_id, End.MISSED, None, reading.read_ns)
            return Settlement((self._outcome(item, Result.MISSED, because, "", None),), (end,), requests)
        return Settlement(ends=(ItemEnd(item.item_id, End.LOST, None, reading.read_ns),), requests=requests)

    def _outcome(self, item: Item, result: Result, because: str, eye: str, counts: int | None) -> DivertOutcome:
        command_id = command_id_of(item.item_id) if self._orders.given(item) else None
        return DivertOutcome(command_id, item.item_id, result, counts, because, eye)

    def _requests(self, item: Item, because: str, reading: BeltReading) -> tuple[ReplacementRequest, ...]:
        """Another one, if anybody knows what it was, now or a little later."""
        gone = Gone(item, because, self._why(item), reading.read_ns)
        if item.expected is None:
            self._unclaimed.note(gone)
        return self._asked(gone)

    def _claimed(self, items: Mapping[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Requests for what went off before its order was told."""
        for gone in self._unclaimed.claimed(items.values(), reading, self._geometry):
            yield Settlement(requests=self._asked(gone))

    def _asked(self, gone: Gone) -> tuple[ReplacementRequest, ...]:
        """If it was somebody's."""
        item = gone.item
        if item.expected is None or TEST_PIECE in dict(item.expected.attributes):
            return ()
        return (
            ReplacementRequest(
                request_id=f"{self._request_prefix}-{item.item_id}",
                item_id=item.item_id,
                order_line=item.expected.order_line,
                gtin=item.expected.gtin,
                reasons=(*gone.why, gone.because),
            ),
        )
