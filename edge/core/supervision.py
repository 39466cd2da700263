"""What a person or the PLC must be told: alarms, and requests to stop the belt."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from edge.core.belt import NS_PER_S
from edge.core.calibrated import SILENT, Word
from edge.core.challenge import Challenges
from edge.core.changed import Changed
from edge.core.dispatcher import Settlement
from edge.core.drift import Drift
from edge.core.messages import (
    Alarm,
    BeltReading,
    ChallengeResult,
    Disposition,
    Item,
    LineStop,
    Result,
    Verdict,
)
from edge.core.tote_strangers import proposed
from edge.core.tracker import Tracked
from edge.core.unwritten import Unwritten

STOPPING_GUARDS = frozenset({"bin_full", "bin_open", "air_low", "jam"})  # with these a divert cannot be trusted
FIRST_WORD_NS = 5 * NS_PER_S  # for the PLC's first message after our start
LIMIT_SIGMAS = 3.0  # Shewhart's control limits

STANDING = frozenset({"sentinel", "held"})  # without a request of ours to stop
NO_FAULTS: Mapping[str, str] = MappingProxyType({})

Told = tuple[str, str, str | None, bool]
"""Kind of alarm, why, item, and whether the belt is to stop."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a site bears before it is told, and before the belt is to stop."""

    misses_to_stop: int = 1  # unconfirmed diverts in a row
    unexpected_to_stop: int = 3  # in a row on the reject lane that nobody sent there: a gate that is stuck open
    reject_run: int = 10  # rejects in a row: an alarm; twice as many: a stop
    usual_reject_share: float = 0.0  # of items; 0: no control limits
    window_items: int = 200  # over so many items the share is held against its limits
    slip_alarm_mm: float = 20.0
    challenge_every_s: float = 0.0  # longest time between two good challenge tests; 0: none is due
    unwritten_stop_s: int = 60  # without the ledger being written, until the belt is to stop


@dataclass(frozen=True, slots=True)
class Oversight:
    """What one turn gave rise to."""

    alarms: tuple[Alarm, ...] = ()
    stops: tuple[LineStop, ...] = ()
    state: str = "Execute"  # PackML: Execute, Held (a stop was asked for), Aborted (E-stop)
    why: str = "inspecting"
    results: tuple[ChallengeResult, ...] = ()
    blind: bool = False  # no heartbeat: the gate is to go to its safe side
    calibration: Mapping[str, str] = field(default_factory=dict)  # name → the version in force, or why there is none


class Supervision:
    """Watches what the other stages bring forth; decides nothing about an item."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._challenges = Challenges(limits.challenge_every_s)
        self._drift = Drift()
        self._changed = Changed()
        self._unwritten = Unwritten(limits.unwritten_stop_s)
        self._missed_run = 0
        self._reject_run = 0
        self._unexpected_run = 0
        self._recent: deque[bool] = deque(maxlen=limits.window_items)
        self._since_share_alarm = 0
        self._standing: dict[str, str] = {}  # stops that were asked for and not cleared: kind → why
        self._guards: frozenset[str] = frozenset()
        self._silent = False
        self._dark: frozenset[str] = frozenset()  # eyes
        self._faulty: frozenset[str] = frozenset()  # cameras
        self._first_word_due_ns: int | None = None
        self._last_state = "Idle"
        self._troubles: Mapping[str, str] = NO_FAULTS  # with calibrations
        self._unsafe = ""

    @property
    def testing(self) -> str:
        """The challenge test that runs; empty: none."""
        return self._challenges.running

    def update(
        self,
        reading: BeltReading,
        tracked: Tracked,
        verdicts: Sequence[Verdict],
        settled: Settlement,
        items: Mapping[str, Item],
        faults: Mapping[str, str] = NO_FAULTS,
        word: Word = SILENT,
        unwritten_s: int = 0,
    ) -> Oversight:
        """All rules, once a turn; unwritten_s: as `Ledger.unwritten_s`."""
        self._clear(reading)
        told = [
            *self._clearings(reading),
            *self._belt(reading, items),
            *self._tracked(tracked),
            *self._verdicts(one for one in verdicts if not _is_held(one, items)),
            *self._outcomes(settled),
            *self._eyes(settled),
            *self._cameras(faults),
            *self._calibrations(word),
            *(("ledger", because, None, stop) for because, stop in self._unwritten.update(unwritten_s)),
            *(("drift", because, None, False) for because in self._drift.update(verdicts)),
            *(("changed", because, None, False) for because in self._changed.update(verdicts)),
            *(("tote", because, None, False) for because in proposed(verdicts)),
        ]
        stopping = [because for _, because, _, stop in told if stop]
        results = self._challenges.update(reading, settled, items, stopping)
        told += [("challenge", f"{one.test}: {one.because}", None, False) for one in results if one.outcome != "passed"]
        now_ns = reading.read_ns
        alarms = tuple(Alarm(kind, because, item_id, now_ns) for kind, because, item_id, _ in told)
        stops = tuple(LineStop(because, now_ns) for kind, because, _, stop in told if stop)
        self._standing |= {kind: because for kind, because, _, stop in told if stop or kind in STANDING}
        self._last_state, why = self._state(reading)
        blind = reading.stale or settled.gate_blind or bool(word.unsafe)
        return Oversight(alarms, stops, self._last_state, "; ".join(_said(why, word)), results, blind, word.labels)

    @property
    def guards(self) -> frozenset[str]:
        """Those in alarm at the last turn."""
        return self._guards

    @property
    def state(self) -> str:
        """PackML, at the last turn."""
        return self._last_state

    def _state(self, reading: BeltReading) -> tuple[str, str]:
        if "e_stop" in reading.guards:
            return "Aborted", "E-stop"
        if self._standing:
            return "Held", "; ".join(self._standing.values())
        return "Execute", "inspecting"

    def _clear(self, reading: BeltReading) -> None:
        if any(clearing.what == "alarms" for clearing in reading.clearings):
            self._standing.clear()
            self._missed_run = self._reject_run = self._unexpected_run = 0
            self._recent.clear()
            self._since_share_alarm = 0
            self._dark = frozenset()  # what is dark all the same stops the belt again
            self._unwritten.clear()

    def _clearings(self, reading: BeltReading) -> Iterator[Told]:
        for clearing in reading.clearings:
            yield "clearing", f"{clearing.by} cleared {clearing.what}", None, False
        for hold in reading.holds:
            yield "held", f"{hold.by} holds the lane: {hold.why}", None, False

    def _belt(self, reading: BeltReading, items: Mapping[str, Item]) -> Iterator[Told]:
        """Guards and silence, when they begin; items that came unseen; what the sentinel asked for."""
        for guard in sorted(reading.guards - self._guards):
            yield "guard", f"guard {guard} is in alarm", None, guard in STOPPING_GUARDS
        silent = self._is_silent(reading)
        if silent and not self._silent:
            yield "stale", "the PLC is silent", None, bool(items)
        self._guards, self._silent = reading.guards, silent
        if reading.missed_edges:
            yield "unseen_birth", f"{reading.missed_edges} edges of the induct eye were never told", None, True
        for why in reading.stops_asked:  # the PLC has heard it as well: it is not said twice
            yield "sentinel", why, None, False

    def _tracked(self, tracked: Tracked) -> Iterator[Told]:
        """Slip and gaps."""
        for slip_mm in tracked.slips_mm:
            if abs(slip_mm) > self._limits.slip_alarm_mm:
                yield "slip", f"an item slipped by {slip_mm:.0f} mm", None, False
        for item in tracked.changed:
            if item.purge.endswith(("Fault)", "ByLength)")):  # a lot may be called anything
                yield "gap", item.purge, item.item_id, False

    def _is_silent(self, reading: BeltReading) -> bool:
        """After its first word every lapse counts; before it there is the time that a connection takes."""
        if self._first_word_due_ns is None:
            self._first_word_due_ns = reading.read_ns + FIRST_WORD_NS
        if not reading.stale:
            self._first_word_due_ns = reading.read_ns
        return reading.stale and reading.read_ns >= self._first_word_due_ns

    def _verdicts(self, verdicts: Iterable[Verdict]) -> Iterator[Told]:
        """Rejects in a row, and their share against its control limits, either way."""
        for verdict in verdicts:
            rejected = verdict.disposition is Disposition.REJECT
            self._reject_run = self._reject_run + 1 if rejected else 0
            if self._reject_run in (self._limits.reject_run, 2 * self._limits.reject_run):
                stop = self._reject_run > self._limits.reject_run
                yield "reject_run", f"{self._reject_run} rejects in a row", verdict.item_id, stop
            yield from self._share(rejected)

    def _share(self, rejected: bool) -> Iterator[Told]:  # noqa: FBT001 - a fact, no switch
        """An alarm when the share leaves its limits, a stop when a whole window later it still has not come back."""
        self._recent.append(rejected)
        usual, window = self._limits.usual_reject_share, self._limits.window_items
        if not usual or len(self._recent) < window:
            return
        share = sum(self._recent) / window
        if abs(share - usual) <= LIMIT_SIGMAS * math.sqrt(usual * (1 - usual) / window):
            self._since_share_alarm = 0
            return
        if self._since_share_alarm in (0, window):
            because = f"{share:.1%} of the last {window} items were rejected, {usual:.1%} is usual"
            yield "reject_rate", because, None, self._since_share_alarm == window
        self._since_share_alarm += 1

    def _eyes(self, settled: Settlement) -> Iterator[Told]:
        """An eye that stays dark sees no item, and none that went where it should not."""
        dark = frozenset(settled.dark_eyes)
        for eye in sorted(dark - self._dark):
            yield "eye", f"the {eye} eye stays dark: see what is before it", None, True
        self._dark = dark

    def _cameras(self, faults: Mapping[str, str]) -> Iterator[Told]:
        """Cameras that have begun to fail, and those that are well again; what they do not show is not decided."""
        for camera in sorted(faults.keys() - self._faulty):
            yield "camera", faults[camera], None, False
        for camera in sorted(self._faulty - faults.keys()):
            yield "camera", f"camera '{camera}' is well again", None, False
        self._faulty = frozenset(faults)

    def _calibrations(self, word: Word) -> Iterator[Told]:
        """What is refused, or will not do for long; one that decisions rest on must not be missing from the start."""
        if word.unsafe and not self._unsafe:
            yield "calibration", word.unsafe, None, True
        for name, trouble in word.troubles.items():
            if self._troubles.get(name) != trouble:
                yield "calibration", f"{name}: {trouble}", None, False
        for name in sorted(self._troubles.keys() - word.troubles.keys()):
            yield "calibration", f"{name} is good again", None, False
        self._troubles, self._unsafe = word.troubles, word.unsafe

    def _outcomes(self, settled: Settlement) -> Iterator[Told]:
        """Misses in a row; what was rejected, or never judged, and is seen on the good lane; strangers."""
        for outcome in settled.outcomes:
            if outcome.result is Result.CONFIRMED:
                self._missed_run = self._unexpected_run = 0
            elif outcome.result is Result.MISSED:
                self._missed_run += 1
                stop = outcome.eye == "exit" or self._missed_run >= self._limits.misses_to_stop
                yield "missed", outcome.because, outcome.item_id, stop
            else:
                self._unexpected_run += 1
                stop = outcome.eye == "exit" or self._unexpected_run >= self._limits.unexpected_to_stop
                yield "unexpected", outcome.because, outcome.item_id, stop


def _said(why: str, word: Word) -> Iterator[str]:
    """Why the lane is in its state, and what of its calibrations a person should see to."""
    yield why
    if refused := [name for name, trouble in word.troubles.items() if trouble.startswith("refused")]:
        yield f"calibration refused: {', '.join(refused)}"
    if word.waits:
        yield word.waits


def _is_held(verdict: Verdict, items: Mapping[str, Item]) -> bool:
    """Whether it went off for its lot: many such say nothing of how the lane judges."""
    item = items.get(verdict.item_id)
    return item is not None and item.is_held
