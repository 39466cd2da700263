"""The ledger's desks of a lane: what is kept of each record, and where; and who seals it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial

import zmq

from edge.config import Config
from edge.conveyor.link import Link
from edge.core.messages import Sighting
from edge.inspection.crop import Crop
from edge.inspection.inspector import Show, to_nobody
from edge.records.audit_key import own
from edge.records.candidates import CANDIDATES, CandidateSink
from edge.records.evidence.desk import EvidenceDesk
from edge.records.evidence.retention import KINDS, Limits, Retention
from edge.records.evidence.store import Store
from edge.records.journal import Journal
from edge.records.life import Life
from edge.records.logs import LogSink
from edge.records.metrics import MetricsSink
from edge.records.sinks import JournalSink, TapSink, VerdictSink
from edge.records.writer import KeepingWriter, Ledger, Writer
from edge.signing import public
from edge.standing import WatchedShelf
from edge.started import note_calibrations, started

BYTES_PER_MB, BYTES_PER_GB = 1_000_000, 1_000_000_000
RECORDS, DROPPABLE = 65_536, 512  # queue of what must be kept, and of what is only nice to have


def ledger_of(
    config: Config, stack: ExitStack, context: zmq.Context[zmq.Socket[bytes]], link: Link, metrics: MetricsSink
) -> tuple[Ledger, EvidenceDesk | None]:
    """Seven desks, and that of the evidence among them; what they have open is closed at the end."""
    evidence = _evidence(config, stack)
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
    droppable = [*([evidence] if evidence else ()), Writer("tap", tap, DROPPABLE)]
    if most_mb := config.inspection.candidates_mb:
        sink = CandidateSink(config.lane.state / CANDIDATES, most_mb * BYTES_PER_MB)
        droppable.append(Writer("candidates", sink, DROPPABLE))
    return Ledger(plain, tuple(droppable)), evidence


def _evidence(config: Config, stack: ExitStack) -> EvidenceDesk | None:
    """The desk of the evidence; None: none is kept."""
    asked, state = config.evidence, config.lane.state
    if not asked.most_gb:
        return None
    store = Store(state)
    stack.callback(store.close)
    days = {kind: getattr(asked, f"{kind}_days") for kind in KINDS}
    retention = Retention(state, store, Limits(days, asked.most_gb * BYTES_PER_GB, asked.least_free))
    return EvidenceDesk(state, store, retention, asked.quality, asked.least_free / 2)


def shown_to(desk: EvidenceDesk | None, config: Config) -> Show:
    """Has what was looked at cut out for the desk, where there is one."""

    def show(sighting: Sighting, crop: Crop) -> None:
        if desk:
            desk.show(sighting, partial(crop.kept, config.evidence.longest_px))

    return show if desk else to_nobody


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
