"""The belt as the PLC and the warehouse tell it over MQTT."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from typing import Any

from edge.conveyor.link import Link
from edge.core import topics
from edge.core.belt import EdgeSeries, Odometer
from edge.core.errors import MalformedMessage
from edge.core.messages import BeltReading, Expected, PhotoeyeEdge
from edge.core.wire import edges_of, expected_of

HEARD = (topics.BELT, topics.CONFIRM, topics.INDUCT, topics.GUARD)
Said = list[tuple[int, dict[str, Any]]]


class BeltOverMqtt:
    """Turns the lane's topics into readings."""

    def __init__(self, link: Link, counts_per_mm: float, stale_after_ms: float) -> None:
        self._link = link
        self._odometer = Odometer(counts_per_mm, stale_after_ms)
        self._eyes = {eye: EdgeSeries() for eye in ("induct", "confirm", "exit")}
        self._guards: frozenset[str] = frozenset()

    def read(self, now_ns: int) -> BeltReading:
        """The belt now, with what was said since the last reading."""
        belt, confirm = self._link.take(topics.BELT), self._link.take(topics.CONFIRM)
        for heard_ns, fields in belt:
            self._odometer.hear(fields["counts"], fields["speed_mm_per_s"], heard_ns)
        for _, fields in self._link.take(topics.GUARD):
            self._guards = frozenset(fields["alarm"])
        return replace(
            self._odometer.reading(now_ns),
            induct_edges=self._edges("induct", belt),
            confirm_edges=self._edges("confirm", belt + confirm),
            exit_edges=self._edges("exit", belt + confirm),
            announced=tuple(self._announced(self._link.take(topics.INDUCT))),
            guards=self._guards,
            today=date.today(),
        )

    def _edges(self, eye: str, said: Said) -> tuple[PhotoeyeEdge, ...]:
        return tuple(edge for _, fields in said for edge in self._eyes[eye].fresh(edges_of(fields, eye)))

    def _announced(self, said: Said) -> Iterable[Expected]:
        for _, fields in said:
            try:
                yield expected_of(fields)
            except MalformedMessage as error:
                self._link.refused[topics.INDUCT.name, error.reason] += 1
