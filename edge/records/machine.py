"""What Prometheus scrapes of the machine and of what is owed: read at each scrape, never by the loop."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.records.ledger_file import FILE
from edge.records.metrics import GaugedElsewhere
from edge.records.outbox import aside, owed
from edge.records.put_away import done_s
from edge.records.size import oldest_wall_ns

NS_PER_S = 1_000_000_000
SENSORS = Path("/sys/class/hwmon")
MILLI = 1000  # of a degree, in Linux' hwmon


class Temperatures(Collector):
    """Of the sensors that Linux shows (hwmon): a box beside a belt has no air conditioning."""

    def __init__(self, folder: Path = SENSORS) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        """One gauge a sensor; a sensor that gives no number is left out."""
        family = GaugeMetricFamily("tunnel_temperature_celsius", "Of the machine's sensors.", labels=["chip", "sensor"])
        for path in sorted(self._folder.glob("*/temp*_input")):
            try:
                family.add_metric(
                    [_text(path.with_name("name")), path.name.removesuffix("_input")], float(_text(path)) / MILLI
                )
            except (OSError, ValueError):  # a disk asleep, a virtual sensor
                continue
        yield family


class Owed(Collector):
    """What is owed to the warehouse, and for how long the oldest of it has been."""

    def __init__(self, state: Path) -> None:
        self._state = state

    def collect(self) -> Iterable[Metric]:
        """Three gauges; none while the outbox cannot be read, so that it is absent rather than wrong."""
        try:
            (count, oldest_wall_ns), given_up = owed(self._state), aside(self._state)
        except sqlite3.Error:
            return
        age_s = max(0, time.time_ns() - oldest_wall_ns) / NS_PER_S if oldest_wall_ns is not None else 0.0
        yield GaugeMetricFamily("tunnel_outbox_pending", "Requests that the warehouse has not answered.", count)
        yield GaugeMetricFamily("tunnel_outbox_oldest_age_seconds", "Of the oldest of them; 0: there is none.", age_s)
        yield GaugeMetricFamily("tunnel_outbox_given_up", "Requests that wait for a person to see to them.", given_up)


class LedgerFile(Collector):
    """How large the ledger is, since when it is whole, and when its old days were last put away."""

    def __init__(self, state: Path, archive: Path | None) -> None:
        self._state, self._archive = state, archive

    def collect(self) -> Iterable[Metric]:
        """Three gauges, the last where an archive is named; none while the ledger cannot be read."""
        try:
            oldest_s = oldest_wall_ns(self._state) / NS_PER_S
            size_bytes = sum(path.stat().st_size for path in self._state.glob(f"{FILE}*"))
        except (sqlite3.Error, OSError, ValueError):
            return
        oldest = "Since when every entry of the journal is there; 0: it is empty."
        yield GaugeMetricFamily("tunnel_ledger_bytes", "Of the ledger, with what is written ahead of it.", size_bytes)
        yield GaugeMetricFamily("tunnel_ledger_oldest_timestamp_seconds", oldest, oldest_s)
        if self._archive:
            done = "When all that was due of the ledger was last put away; 0: never."
            yield GaugeMetricFamily("tunnel_ledger_put_away_timestamp_seconds", done, done_s(self._state))


def of_the_machine(
    registry: CollectorRegistry, state: Path, archive: Path | None, versions: Callable[[], Mapping[str, str]]
) -> None:
    """Temperature, space, what is owed, the ledger's size, and the versions that run."""
    registry.register(Temperatures())
    registry.register(Owed(state))
    registry.register(LedgerFile(state, archive))
    free = Gauge("tunnel_state_free_bytes", "Free on the disk of the lane's state.", registry=registry)
    free.set_function(lambda: float(shutil.disk_usage(state).free))
    models = "Models in force."
    registry.register(
        GaugedElsewhere(
            "tunnel_model_info", models, ("check", "version"), lambda: dict.fromkeys(versions().items(), 1.0)
        )
    )


def _text(path: Path) -> str:
    return path.read_text().strip()
