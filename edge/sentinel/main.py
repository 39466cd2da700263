"""`tunnel-edge sentinel`: a small process beside the daemon, for as long as the lane runs."""

from __future__ import annotations

import argparse
import logging
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from edge.sentinel.account import Account
from edge.sentinel.promises import Promise
from edge.sentinel.settings import read_settings
from edge.sentinel.watch import Sentinel

OK, VIOLATED = 0, 3
LOCAL = "127.0.0.1"


def main(arguments: Sequence[str]) -> int:
    """Watch until SIGTERM or SIGINT; 3 when `--exit-on-violation` ended it."""
    options = _parser().parse_args(arguments)
    settings = read_settings(options.settings)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    account = Account(settings.places)
    sentinel = Sentinel(account, settings.lane, settings.broker, ends_on_violation=options.exit_on_violation)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sentinel.stop())
    with _served(Counts(account, sentinel), options.metrics_port):
        sentinel.run()
    return VIOLATED if options.exit_on_violation and sentinel.violations else OK


class Counts(Collector):
    """What Prometheus scrapes: read from the counters when asked."""

    def __init__(self, account: Account, sentinel: Sentinel) -> None:
        self._account = account
        self._sentinel = sentinel

    def collect(self) -> Iterator[Metric]:
        """The sentinel's own figures; labels are bounded."""
        violations = CounterMetricFamily(
            "tunnel_sentinel_violations", "Promises broken, by promise.", labels=["promise"]
        )
        for promise in Promise:
            violations.add_metric([promise], self._sentinel.violations[promise])
        yield violations
        yield _counted(
            "tunnel_sentinel_excused", "Items not followed to their end, by reason.", dict(self._account.excused)
        )
        yield _counted("tunnel_sentinel_refused", "Malformed messages, by reason.", dict(self._sentinel.refused))
        yield CounterMetricFamily("tunnel_sentinel_checked", "Items followed to their end.", self._account.checked)
        yield GaugeMetricFamily("tunnel_sentinel_on_belt", "Items being followed.", self._account.on_belt)
        yield GaugeMetricFamily("tunnel_sentinel_connected", "1: the broker is there.", float(self._sentinel.connected))


def _counted(name: str, what: str, counts: dict[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, what, labels=["reason"])
    for reason, times in counts.items():
        family.add_metric([reason], times)
    return family


@contextmanager
def _served(counts: Counts, port: int) -> Iterator[None]:
    """Serve the figures on this machine alone, unless the port is 0."""
    if not port:
        yield
        return
    registry = CollectorRegistry()
    registry.register(counts)
    server, thread = start_http_server(port, LOCAL, registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("tunnel-edge sentinel", description="Check that every decision was carried out.")
    parser.add_argument("settings", type=Path, help="the lane's settings (TOML), the daemon's own file")
    parser.add_argument("--metrics-port", type=int, default=9465, help="0: none (default: %(default)s)")
    parser.add_argument("--exit-on-violation", action="store_true", help="end with code 3 at the first one; for tests")
    return parser
