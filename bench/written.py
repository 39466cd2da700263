"""A lane's ledger and evidence, written as its daemon writes them, from pictures: without belt, clock or broker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from edge import __version__
from edge.config import Config
from edge.core.judge import finding, overdue, reached
from edge.core.messages import (
    Disposition,
    DivertCommand,
    DivertOutcome,
    End,
    Evidence,
    Expected,
    Frame,
    Image,
    Item,
    ItemEnd,
    Outline,
    PersonActed,
    ReplacementRequest,
    Result,
    Shown,
    Sighting,
    Verdict,
)
from edge.core.ports import Record
from edge.inspection.assembly import Sessions, locator, questions
from edge.inspection.at_once import AtOnce
from edge.inspection.crop import Crop
from edge.inspection.waiting import NEVER_NS
from edge.records.evidence.desk import encoded
from edge.records.evidence.store import Picture, Store
from edge.records.journal import Journal
from edge.records.sinks import JournalSink

MS = 1_000_000
BORN_NS, EXPOSED_NS, DECIDED_NS, ENDED_NS = 0, 300 * MS, 700 * MS, 1200 * MS
GATE_BLOCKED = "seen on the good lane, though it was to be diverted"


@dataclass(frozen=True, slots=True)
class Way:
    """How an item leaves the belt, whatever was decided of it."""

    end: End
    eye: str  # that sees it: exit, confirm, or none


OUT, PULLED, MISSED, LOST = (
    Way(End.PASSED, "exit"),
    Way(End.DIVERTED, "confirm"),
    Way(End.MISSED, "exit"),
    Way(End.LOST, ""),
)


class Written:
    """Writes one item after the other, each looked at as the lane of the settings looks at it."""

    def __init__(self, config: Config, today: date) -> None:
        self._config, self._today, self._count = config, today, 0
        self._recipe = config.judged_by()
        sessions = Sessions(config.inspection.models, config.inspection.runtime)
        self._questions = questions(config.inspection, config.recipe.rule, sessions, lambda: today)
        started = {"by": "bench", "version": __version__, "models": sessions.versions()}
        self._locate = locator(config.inspection.belt_colours)
        self._store, journal = Store(config.lane.state), Journal(config.lane.state)
        self._journal, self._sink = journal, JournalSink(journal)
        journal.append([("DaemonStarted", None, started)], [])

    def close(self) -> None:
        """Give the ledger back."""
        self._store.close()
        self._journal.close()

    def ran(self, order: Expected | None, frames: Mapping[str, Image], way: Way | None = None) -> str:
        """An item that ran, camera → what it saw; way: how it left; None: as was decided. Returns its name."""
        self._count += 1
        item = Item(f"i-{self._count:06d}", BORN_NS, 10_000 * self._count, 120.0, order)
        found, crops = self._seen(item, frames)
        verdict = self._judged(item, found)
        way = way or (OUT if verdict.disposition is Disposition.PASS else PULLED)
        self._sink.write([item, *(replace(one, picture=None, look=None) for one in found), verdict])
        self._store.keep([*self._crops(item, crops), *self._heat_maps(found)])
        self._sink.write(list(_ended(item, verdict, way)))
        return item.item_id

    def sent_as_bad(self, order: Expected, frames: Mapping[str, Image]) -> str:
        """A test piece that a person sends down the belt for the line to find; returns its name."""
        self._sink.write([PersonActed("bench", "challenge", f"single {order.wms_item}", BORN_NS)])
        return self.ran(order, frames)

    def _seen(self, item: Item, frames: Mapping[str, Image]) -> tuple[list[Evidence], dict[str, Crop]]:
        found: list[Evidence] = []
        crops = {camera: self._locate(camera, image) for camera, image in frames.items()}
        for camera, image in frames.items():
            frame = Frame(camera, f"{camera}-{self._count}", EXPOSED_NS, 0.0, image)
            found += AtOnce(self._locate, self._questions).look(Sighting(frame, item, NEVER_NS))
        return [replace(one, exposed_ns=EXPOSED_NS) for one in found], crops

    def _judged(self, item: Item, evidence: Sequence[Evidence]) -> Verdict:
        findings = tuple(finding(rule, item, evidence, self._today) for rule in self._recipe.rules)
        disposition = reached(findings) or overdue(findings)
        return Verdict(
            item_id=item.item_id,
            order_line=item.expected.order_line if item.expected else None,
            leading_edge_counts=item.leading_edge_counts,
            disposition=disposition,
            reasons=tuple(f"{one.rule}: {one.because}" for one in findings),
            skipped=(),
            evidence=tuple(evidence),
            recipe=self._recipe.name,
            born_ns=BORN_NS,
            exposed_ns=EXPOSED_NS,
            deadline_ns=DECIDED_NS + 50 * MS,
            decided_ns=DECIDED_NS,
            compared=tuple(one.compared for one in findings if one.compared),
        )

    def _crops(self, item: Item, crops: Mapping[str, Crop]) -> list[Picture]:
        return [
            self._kept(item.item_id, "crop", camera, "", *crop.kept(self._config.evidence.longest_px))
            for camera, crop in crops.items()
        ]

    def _heat_maps(self, found: Sequence[Evidence]) -> list[Picture]:
        return [
            self._kept(one.item_id, "heat_map", one.camera, one.check, one.picture)
            for one in found
            if one.picture is not None
        ]

    def _kept(self, item: str, what: str, camera: str, check: str, image: Image, outline: Outline = ()) -> Picture:
        shown = Shown(item, what, camera, check, f"{camera}-{self._count}", EXPOSED_NS, image, outline)
        return encoded(shown, self._config.evidence.quality)


def _ended(item: Item, verdict: Verdict, way: Way) -> list[Record]:
    """What the eyes and the warehouse's debt come to."""
    command = f"{item.item_id}/c"
    end = ItemEnd(item.item_id, way.end, 5000, ENDED_NS, way.eye)
    if way is OUT:
        return [end]
    result = Result.CONFIRMED if way is PULLED else Result.MISSED
    told: list[Record] = [
        DivertCommand(command, item.item_id, 4000, 4600, NEVER_NS, "; ".join(verdict.reasons)),
        DivertOutcome(
            command, item.item_id, result, 5000, "seen on the reject lane" if way is PULLED else GATE_BLOCKED
        ),
        end,
    ]
    order = item.expected
    if way is MISSED or order is None:
        return told
    return [*told, ReplacementRequest(f"r-{item.item_id}", item.item_id, order.order_line, order.gtin, verdict.reasons)]
