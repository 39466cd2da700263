"""The daemon: the only place that names concrete classes. Settings → parts → loop; signals; exit codes."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import zmq
from prometheus_client import CollectorRegistry, start_http_server

from edge.cameras.node import AllCameras, NodeCameras
from edge.config import Config
from edge.conveyor import belt, diverter
from edge.conveyor.belt import BeltOverMqtt
from edge.conveyor.diverter import DiverterOverMqtt, StationOverMqtt
from edge.conveyor.link import Link
from edge.core.belt import NS_PER_S
from edge.core.books import Books
from edge.core.dispatcher import Dispatcher
from edge.core.judge import Judge
from edge.core.topics import REPLACEMENT_ACK
from edge.core.tracker import Tracker
from edge.inspection.appearance import AppearanceCheck
from edge.inspection.crop import Check
from edge.inspection.inspector import ThreadedInspector
from edge.inspection.locate import Locator
from edge.inspection.references import Library
from edge.inspection.session import Session, newest
from edge.inspection.text import TextCheck
from edge.loop import Loop
from edge.orders.sender import Sender
from edge.records.journal import Journal
from edge.records.metrics import CountedElsewhere, MetricsSink
from edge.records.sinks import JournalSink, PictureSink, TapSink, VerdictSink
from edge.records.writer import Ledger, Writer

TURN_S = 0.001
SWITCH_S = 0.0005  # a worker that computes in Python must not hold the interpreter's lock for 5 ms
APPEARANCE = frozenset({"anomaly", "defect"})
PICTURES = "pictures"

log = logging.getLogger(__name__)


def run(config: Config) -> int:
    """Run a lane until SIGTERM or SIGINT; returns the exit code."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    sys.setswitchinterval(SWITCH_S)
    with lane(config) as parts:
        turn_until(ending, parts)
    return 0


def turn_until(ending: threading.Event, parts: Lane) -> None:
    """Turn the loop; the time of each turn goes into a histogram."""
    while not ending.is_set():
        started_ns = time.monotonic_ns()
        parts.loop.turn(started_ns)
        parts.metrics.turn_s.observe((time.monotonic_ns() - started_ns) / NS_PER_S)
        time.sleep(TURN_S)
    parts.link.announce("Stopped", "the daemon was told to stop")
