"""What Prometheus scrapes: counts and histograms, fed from the ledger's queue, never from the loop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import singledispatchmethod

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from edge.core.messages import (
    Alarm,
    Conservation,
    DivertAck,
    DivertOutcome,
    Evidence,
    LineStop,
    LotHold,
    LotRelease,
    ReplacementRequest,
    Verdict,
)
from edge.core.ports import Record

NS_PER_S = 1_000_000_000
LATENCY_S = (0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10)
TURN_S = (0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)

Counts = Mapping[tuple[str, ...], int]


class MetricsSink:
    """The lane's metrics, all labels bounded; histograms name an item as the exemplar of a bucket (OpenMetrics)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.turn_s = Histogram(
            "tunnel_loop_turn_seconds", "Time one turn of the loop takes.", buckets=TURN_S, registry=registry
        )
        self._books = BooksCollector(registry)
        self._alarms = Counter("tunnel_alarms", "Alarms, by kind.", ["kind"], registry=registry)
        self._stops = Counter("tunnel_line_stops", "Times that the belt was asked to stop.", registry=registry)
        self._verdicts = Counter("tunnel_verdicts", "Verdicts, by disposition.", ["disposition"], registry=registry)
        self._reasons = Counter(
            "tunnel_verdict_reasons",
            "Reasons of verdicts, by disposition and by the check that gave it.",
            ["disposition", "check"],
            registry=registry,
        )
        self._agreements = Counter(
            "tunnel_agreements", "Readings beside the order, by check.", ["check", "agreement"], registry=registry
        )
        self._outcomes = Counter("tunnel_diverts", "Diverts, by outcome.", ["result"], registry=registry)
        self._acks = Counter("tunnel_divert_acks", "The PLC's answers, by status.", ["status"], registry=registry)
        self._requests = Counter("tunnel_replacements_owed", "Replacements owed to the warehouse.", registry=registry)
        self._holds = Counter("tunnel_lot_holds", "Lots held, by kind of group.", ["kind"], registry=registry)
        self._releases = Counter("tunnel_lot_releases", "Lots released by a person.", registry=registry)
        self._slack_s = Histogram(
            "tunnel_deadline_slack_seconds",
            "Time left to the deadline at the verdict; 0 and less: at it.",
            buckets=(0, *LATENCY_S),
            registry=registry,
        )

        def latency(name: str, what: str, *labels: str) -> Histogram:
            return Histogram(name, what, labels, buckets=LATENCY_S, registry=registry)

        since = "An item's time to its verdict, from photoeye or last exposure."
        whole = "Time from exposure to evidence, by check and camera."
        own = "Time a check takes by itself, once begun, by check and camera."
        self._latency_s = latency("tunnel_item_latency_seconds", since, "since")
        self._stage_s = latency("tunnel_evidence_latency_seconds", whole, "check", "camera")
        self._check_s = latency("tunnel_check_seconds", own, "check", "camera")

    def write(self, records: Sequence[Record]) -> None:
        """Count each."""
        for one in records:
            self._count(one)

    @singledispatchmethod
    def _count(self, record: object) -> None:
        """Other records have no metric."""

    @_count.register
    def _(self, record: Verdict) -> None:
        item = {"item": record.item_id}
        self._verdicts.labels(record.disposition.value).inc(exemplar=item)
        self._latency_s.labels("photoeye").observe((record.decided_ns - record.born_ns) / NS_PER_S, item)
        self._slack_s.observe((record.deadline_ns - record.decided_ns) / NS_PER_S, item)
        for check in {reason.partition(":")[0].partition(" (")[0] for reason in record.reasons}:
            self._reasons.labels(record.disposition.value, check).inc()
        for one in record.compared:
            self._agreements.labels(one.check, one.agreement.value).inc()
        if record.exposed_ns is not None:
            self._latency_s.labels("exposure").observe((record.decided_ns - record.exposed_ns) / NS_PER_S, item)

    @_count.register
    def _(self, record: Evidence) -> None:
        if record.started_ns:  # what was skipped took no time
            spent_ns, since_ns = record.finished_ns - record.started_ns, record.finished_ns - record.exposed_ns
            item = {"item": record.item_id}
            self._check_s.labels(record.check, record.camera).observe(spent_ns / NS_PER_S, item)
            self._stage_s.labels(record.check, record.camera).observe(since_ns / NS_PER_S, item)

    @_count.register
    def _(self, record: DivertOutcome) -> None:
        self._outcomes.labels(record.result.value).inc()

    @_count.register
    def _(self, record: DivertAck) -> None:
        self._acks.labels(record.status).inc()

    @_count.register
    def _(self, record: ReplacementRequest) -> None:
        self._requests.inc()

    @_count.register
    def _(self, record: LotHold) -> None:
        self._holds.labels(record.group.kind).inc()

    @_count.register
    def _(self, record: LotRelease) -> None:
        self._releases.inc()

    @_count.register
    def _(self, record: Alarm) -> None:
        self._alarms.labels(record.kind).inc()

    @_count.register
    def _(self, record: LineStop) -> None:
        self._stops.inc()

    @_count.register
    def _(self, record: Conservation) -> None:
        self._books.balance = record


class BooksCollector(Collector):
    """The lane's books as they last balanced: of one moment, so that the law can be checked on any scrape."""

    balance = Conservation(0, (), 0, 0)

    def __init__(self, registry: CollectorRegistry) -> None:
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """Inducted = sum of ended + on the belt."""
        balance = self.balance
        ended = CounterMetricFamily("tunnel_items_ended", "Items that left the books, by end.", labels=["end"])
        for end, count in balance.ends:
            ended.add_metric([end.value], count)
        yield CounterMetricFamily("tunnel_items_inducted", "Items born since the start.", balance.inducted)
        yield ended
        yield GaugeMetricFamily("tunnel_items_on_belt", "Items between induct and exit.", balance.on_belt)
        broken = "Turns in which the books did not balance."
        yield CounterMetricFamily("tunnel_conservation_violations", broken, balance.violations)


class CountedElsewhere(Collector):
    """Counters that a part keeps for itself, read at each scrape."""

    def __init__(self, name: str, what: str, labels: Sequence[str], counts: Callable[[], Counts]) -> None:
        self._name, self._what, self._labels, self._counts = name, what, labels, counts

    def collect(self) -> Iterable[CounterMetricFamily]:
        """One family."""
        family = CounterMetricFamily(self._name, self._what, labels=self._labels)
        for labels, count in self._counts().items():
            family.add_metric(labels, count)
        yield family
