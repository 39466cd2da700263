"""From verdicts to diverts, and from what the eyes saw to how each item ended."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from edge.core.belt import NS_PER_S, STANDSTILL_MM_PER_S, Geometry
from edge.core.messages import (
    BeltReading,
    Disposition,
    DivertCommand,
    DivertOutcome,
    End,
    Item,
    ItemEnd,
    ReplacementRequest,
    Result,
    Verdict,
)

SLOWEST_NS = 60 * NS_PER_S  # a command does not outlive a belt that stands longer than this


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the eyes' word comes to."""

    outcomes: tuple[DivertOutcome, ...] = ()
    ends: tuple[ItemEnd, ...] = ()
    requests: tuple[ReplacementRequest, ...] = ()


class Dispatcher:
    """Remembers what was decided of each item until it is seen to have left."""

    def __init__(self, geometry: Geometry, request_prefix: str, *, divert_undecided: bool) -> None:
        self._geometry = geometry
        self._request_prefix = request_prefix
        self._diverted = {Disposition.REJECT} | ({Disposition.NO_DECISION} if divert_undecided else set())
        self._verdicts: dict[str, Verdict] = {}

    def plan(
        self, verdicts: Iterable[Verdict], items: Mapping[str, Item], reading: BeltReading
    ) -> tuple[DivertCommand, ...]:
        """The commands that can still be carried out; a late one would hit the next item and is not made."""
        new = tuple(verdicts)
        self._verdicts |= {verdict.item_id: verdict for verdict in new}
        wanted = (self._command(verdict, items[verdict.item_id], reading) for verdict in new if self._is_out(verdict))
        return tuple(command for command in wanted if command.open_counts > reading.counts)

    def settle(self, items: Mapping[str, Item], reading: BeltReading) -> Settlement:
        """Believe the eyes: what the confirm and exit eyes saw, and what they should have seen by now."""
        left = dict(items)
        settled = [*self._seen_off(left, reading), *self._seen_on(left, reading), *self._unseen(left, reading)]
        for one in settled:
            for end in one.ends:
                self._verdicts.pop(end.item_id, None)
        return Settlement(
            tuple(outcome for one in settled for outcome in one.outcomes),
            tuple(end for one in settled for end in one.ends),
            tuple(request for one in settled for request in one.requests),
        )

    def _is_out(self, verdict: Verdict | None) -> bool:
        return verdict is not None and verdict.disposition in self._diverted

    def _command(self, verdict: Verdict, item: Item, reading: BeltReading) -> DivertCommand:
        first, last = self._geometry.window(item)
        to_go_mm = (last - reading.counts) / self._geometry.counts_per_mm
        speed_mm_per_s = max(reading.speed_mm_per_s, STANDSTILL_MM_PER_S)
        lasts_ns = min(round(to_go_mm / speed_mm_per_s * NS_PER_S), SLOWEST_NS)
        return DivertCommand(
            command_id=f"{item.item_id}-divert",
            item_id=item.item_id,
            open_counts=first,
            close_counts=last,
            expires_ns=reading.read_ns + lasts_ns,
            reason="; ".join(verdict.reasons),
        )

    def _seen_off(self, left: dict[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Each dark edge of the confirm eye: an item is on the reject lane."""
        for edge in reading.confirm_edges:
            if edge.dark:
                item = self._take(left, edge.counts, self._geometry.confirm_mm)
                yield self._off(item, edge.counts, reading) if item else _stranger("confirm", edge.counts)

    def _seen_on(self, left: dict[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Each dark edge of the exit eye: an item is on the good lane."""
        for edge in reading.exit_edges:
            if edge.dark:
                item = self._take(left, edge.counts, self._geometry.exit_mm)
                yield self._on(item, edge.counts, reading) if item else _stranger("exit", edge.counts)

    def _unseen(self, left: dict[str, Item], reading: BeltReading) -> Iterator[Settlement]:
        """Items that both eyes should have seen by now."""
        last_mm = max(self._geometry.confirm_mm, self._geometry.exit_mm) + self._geometry.patience_mm
        for item in list(left.values()):
            if self._geometry.travelled_mm(item, reading.counts) > last_mm:
                del left[item.item_id]
                yield self._gone(item, reading)

    def _take(self, left: dict[str, Item], counts: int, eye_mm: float) -> Item | None:
        """The item whose leading edge should be at the eye now, within the tolerance."""
        errors_mm = {item_id: abs(self._geometry.travelled_mm(item, counts) - eye_mm) for item_id, item in left.items()}
        nearest = min(errors_mm, key=errors_mm.__getitem__, default=None)
        if nearest is None or errors_mm[nearest] > self._geometry.tolerance_mm:
            return None
        return left.pop(nearest)

    def _off(self, item: Item, counts: int, reading: BeltReading) -> Settlement:
        verdict = self._verdicts.get(item.item_id)
        undecided = verdict is not None and verdict.disposition is Disposition.NO_DECISION
        result = Result.CONFIRMED if self._is_out(verdict) else Result.UNEXPECTED
        because = "seen on the reject lane" + ("" if result is Result.CONFIRMED else ", though nobody sent it there")
        end = End.NO_DECISION if undecided else End.DIVERTED
        return Settlement(
            (self._outcome(item, result, counts, because),),
            (ItemEnd(item.item_id, end, counts, reading.read_ns),),
            (self._request(item, verdict, because),),
        )

    def _on(self, item: Item, counts: int, reading: BeltReading) -> Settlement:
        verdict = self._verdicts.get(item.item_id)
        if self._is_out(verdict):
            return self._missed(item, counts, "seen on the good lane, though it was to be diverted", reading)
        undecided = verdict is None or verdict.disposition is Disposition.NO_DECISION
        end = End.NO_DECISION if undecided else End.PASSED
        return Settlement(ends=(ItemEnd(item.item_id, end, counts, reading.read_ns),))

    def _gone(self, item: Item, reading: BeltReading) -> Settlement:
        verdict = self._verdicts.get(item.item_id)
        if self._is_out(verdict):
            return self._missed(item, None, "not seen on either lane", reading)
        because = "not seen on either lane: taken off by hand, or lost"
        end = ItemEnd(item.item_id, End.LOST, None, reading.read_ns)
        return Settlement(ends=(end,), requests=(self._request(item, verdict, because),))

    def _missed(self, item: Item, counts: int | None, because: str, reading: BeltReading) -> Settlement:
        end = ItemEnd(item.item_id, End.MISSED, counts, reading.read_ns)
        return Settlement((self._outcome(item, Result.MISSED, counts, because),), (end,))

    def _outcome(self, item: Item, result: Result, counts: int | None, because: str) -> DivertOutcome:
        command_id = f"{item.item_id}-divert" if self._is_out(self._verdicts.get(item.item_id)) else None
        return DivertOutcome(command_id, item.item_id, result, counts, because)

    def _request(self, item: Item, verdict: Verdict | None, because: str) -> ReplacementRequest:
        return ReplacementRequest(
            request_id=f"{self._request_prefix}-{item.item_id}",
            item_id=item.item_id,
            order_line=item.expected.order_line if item.expected else None,
            gtin=item.expected.gtin if item.expected else None,
            reasons=(*(verdict.reasons if verdict else ()), because),
        )


def _stranger(eye: str, counts: int) -> Settlement:
    because = f"the {eye} eye saw something that is not in the books"
    return Settlement((DivertOutcome(None, None, Result.UNEXPECTED, counts, because),))
