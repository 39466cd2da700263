"""The belt as the PLC and the warehouse tell it over MQTT."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from edge.core import topics
from edge.core.belt import EdgeSeries, Geometry, Odometer
from edge.core.errors import MalformedMessage
from edge.core.messages import BeltReading, ChallengeStart, Clearing, Expected, FireStart, Hold, PhotoeyeEdge, Releasing
from edge.core.ports import Wire
from edge.core.recovery import Known
from edge.core.wire import edges_of, expected_of

HEARD = (
    *(topics.BELT, topics.CONFIRM, topics.INDUCT, topics.GUARD),
    *(topics.CLEAR, topics.HOLD, topics.CHALLENGE, topics.FIRE, topics.LOT_RELEASE, topics.LINE_STOP),
)
SAID_ONCE = (topics.CONFIRM, topics.INDUCT)  # nobody says these again but a broker that waits for our acknowledgement
RESET_COUNTS = 10_000  # counts that fall by more than this were reset: belts run backwards by less
ENDING = frozenset({"confirm", "exit"})  # eyes that say where an item went: each end stands in the journal
Said = list[tuple[int, dict[str, Any]]]


class BeltOverMqtt:
    """Turns the lane's topics into readings."""

    def __init__(
        self,
        link: Wire,
        counts_per_mm: float,
        stale_after_ms: float,
        known: Known,
        today: Callable[[], date] = date.today,
    ) -> None:
        self._link = link
        self._odometer = Odometer(counts_per_mm, stale_after_ms)
        self._known = known
        self._heard = set(known.heard)
        self._today = today
        self._boot: int | None = None  # the PLC's present life; None: it has not spoken
        self._seq = -math.inf  # of its last `belt`
        self._lives = 0
        self._counts = 0
        self._eyes = {eye: EdgeSeries() for eye in topics.EYES}
        self._guards: frozenset[str] = frozenset()

    @property
    def holds(self) -> bool:
        """As `Belt.holds`."""
        return any(series.holds for series in self._eyes.values())

    def read(self, now_ns: int) -> BeltReading:
        """The belt now, with what was said since the last reading."""
        belt = [said for said in self._link.take(topics.BELT) if self._is_news(said[1])]
        for heard_ns, fields in belt:
            self._odometer.hear(fields["counts"], fields["speed_mm_per_s"], heard_ns)
        # What waited at the broker for us is read once the first `belt` has said which life of the PLC it belongs to.
        confirm = self._of_this_life(self._link.take(topics.CONFIRM)) if self._boot is not None else []
        for _, fields in self._link.take(topics.GUARD):
            self._guards = frozenset(fields["alarm"])
        induct = self._edges("induct", belt + confirm)
        return replace(
            self._odometer.reading(now_ns),
            induct_edges=induct,
            resync_edges=self._edges("resync", belt + confirm),
            confirm_edges=self._edges("confirm", belt + confirm),
            exit_edges=self._edges("exit", belt + confirm),
            drive_edges=self._edges("drive", belt + confirm),
            gate_edges=self._edges("gate", belt + confirm),
            missed_edges=self._eyes["induct"].missed if induct else 0,
            announced=tuple(self._announced(self._link.take(topics.INDUCT))),
            clearings=tuple(Clearing(said["by"], said["what"]) for _, said in self._link.take(topics.CLEAR)),
            holds=tuple(Hold(said["by"], said["why"]) for _, said in self._link.take(topics.HOLD)),
            challenges=tuple(
                ChallengeStart(said["test"], said["by"], tuple(said["items"]))
                for _, said in self._link.take(topics.CHALLENGE)
            ),
            fire_tests=tuple(
                FireStart(said["test"], said["by"], said["times"]) for _, said in self._link.take(topics.FIRE)
            ),
            releases=tuple(Releasing(said["by"], said["hold"]) for _, said in self._link.take(topics.LOT_RELEASE)),
            stops_asked=tuple(said["why"] for _, said in self._link.take(topics.LINE_STOP)),
            guards=self._guards,
            boot=self._boot or 0,
            today=self._today(),
        )

    def go_by(self, geometry: Geometry) -> None:
        """As `Belt.go_by`."""
        self._odometer.go_by(geometry.counts_per_mm)

    def _is_news(self, fields: Mapping[str, Any]) -> bool:
        """Whether the PLC has said nothing later in this life: the belt must not jump back; edges are said again."""
        seq = fields.get("seq", math.inf)
        if fields.get("boot") == self._boot and seq <= self._seq < math.inf:
            self._link.refused[topics.BELT.name, "out_of_order"] += 1
            return False
        self._see_to_life(fields)
        self._seq = seq
        return True

    def _see_to_life(self, fields: Mapping[str, Any]) -> None:
        """A PLC that was started anew counts anew; what it has seen since then is news."""
        self._lives += fields["counts"] < self._counts - RESET_COUNTS
        self._counts = fields["counts"]
        boot = fields.get("boot", self._lives)
        if self._boot is None:
            self._eyes = {eye: self._series(eye, boot) for eye in topics.EYES}
        elif boot != self._boot:
            self._eyes = {eye: EdgeSeries.of_new_life() for eye in topics.EYES}
        self._boot = boot

    def _series(self, eye: str, boot: int) -> EdgeSeries:
        """Behind what an earlier life of ours has seen; an eye at which it saw no end yet may have seen one since."""
        known = self._known if self._known.boot == boot else Known()
        if known.boot is not None and eye in ENDING and eye not in known.next_seq:
            return EdgeSeries.of_new_life()
        return EdgeSeries(known.next_seq.get(eye))

    def _of_this_life(self, said: Said) -> Said:
        """Without what a PLC said before it was started anew: its numbers mean nothing now."""
        return [(heard_ns, fields) for heard_ns, fields in said if fields.get("boot", self._boot) == self._boot]

    def _edges(self, eye: str, said: Said) -> tuple[PhotoeyeEdge, ...]:
        """The eye's edges of all messages together: a later message may repeat what an earlier one lost."""
        told = {edge.seq: edge for _, fields in said for edge in edges_of(fields, eye)}
        return self._eyes[eye].fresh(told.values()) if said else ()

    def _announced(self, said: Said) -> Iterable[Expected]:
        for _, fields in said:
            try:
                expected = expected_of(fields)
                self._demand_news(expected)
            except MalformedMessage as error:
                self._link.refused[topics.INDUCT.name, error.reason] += 1
            else:
                yield expected

    def _demand_news(self, expected: Expected) -> None:
        """What an earlier life has written down may come once more: its acknowledgement died on the way.

        Raises:
            MalformedMessage: that is so.
        """
        if (said := (expected.wms_item, expected.scan_counts)) in self._heard:
            self._heard.remove(said)
            raise MalformedMessage("replayed", "induct: the same was said to an earlier life, and is in the journal.")
