"""The ledger's desks of a lane: what is kept of each record, and where; and who seals it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import zmq

from edge.config import Config
from edge.conveyor.link import Link
from edge.records.audit_key import own, public
from edge.records.candidates import CANDIDATES, CandidateSink
from edge.records.journal import Journal
from edge.records.life import Life
from edge.records.logs import LogSink
from edge.records.metrics import MetricsSink
from edge.records.sinks import PICTURES, JournalSink, PictureSink, TapSink, VerdictSink
from edge.records.writer import KeepingWriter, Ledger, Writer
from edge.standing import WatchedShelf
from edge.started import note_calibrations, started

BYTES_PER_MB = 1_000_000
RECORDS, DROPPABLE = 65_536, 512  # queue of what must be kept, and of what is only nice to have


def ledger_of(
    config: Config, stack: ExitStack, context: zmq.Context[zmq.Socket[bytes]], link: Link, metrics: MetricsSink
) -> Ledger:
    """Seven desks; the journal is closed and the tap's endpoint is given back at the end."""
    tap = TapSink(context, config.tap.endpoint)
    stack.callback(tap.close)
    journal = Journal(config.lane.state)
    stack.callback(journal.close)
    plain = (
        KeepingWriter("journal", JournalSink(journal), RECORDS),
        Writer("metrics", metrics, RECORDS),
        Writer("verdicts", VerdictSink(link), RECORDS),
        Writer("log", LogSink(), DROPPABLE),
    )
    pictures = Writer("pictures", PictureSink(config.lane.state / PICTURES), DROPPABLE)
    droppable = [pictures, Writer("tap", tap, DROPPABLE)]
    if most_mb := config.inspection.candidates_mb:
        sink = CandidateSink(config.lane.state / CANDIDATES, most_mb * BYTES_PER_MB)
        droppable.append(Writer("candidates", sink, DROPPABLE))
    return Ledger(plain, tuple(droppable))


def life_of(config: Config, models: Mapping[str, str], shelf: WatchedShelf | None) -> Life:
    """Who says in the journal that the daemon began, and with what, and seals it.

    Raises:
        ConfigError: the box's key is missing, none, or can be read by others.
    """
    state, audit = config.lane.state, config.audit
    key = own(state, audit.key)
    body = started(config, models, public(key), shelf.found() if shelf else {})
    box = f"{config.lane.site}/{config.lane.name}"
    life = Life(state, box, key, body, audit.seal_every_s, audit.seal_every_entries)
    if shelf:
        shelf.news = partial(note_calibrations, life)
    return life
