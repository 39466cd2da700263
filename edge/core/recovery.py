"""After a restart: what the journal says was on the belt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from edge.core.in_force import Accepted
from edge.core.lot_counts import Tally
from edge.core.messages import Announcement, Disposition, Expected, Item, LotHold, ScaleLearnt

HEARD = 1024  # announcements: more than a broker keeps for us


@dataclass(frozen=True, slots=True)
class Known:
    """What an earlier run left."""

    boot: int | None = None  # the life of the PLC that it belongs to
    next_seq: Mapping[str, int] = field(default_factory=dict)  # eye → the first number not seen
    items: tuple[Item, ...] = ()  # without an end, in the order of their birth
    dispositions: Mapping[str, Disposition] = field(default_factory=dict)  # of these items, where decided
    holds: tuple[LotHold, ...] = ()  # on lots, that nobody has released
    tallies: tuple[Tally, ...] = ()  # of lots, as far back as was read
    announced: tuple[Announcement, ...] = ()  # that no item has joined, each at its place on the belt
    heard: tuple[tuple[str, int | None], ...] = ()  # the last announcements: the warehouse's item, and its place


@dataclass(frozen=True, slots=True)
class Start:
    """What one life of the daemon begins with."""

    id_prefix: str  # of the items born in it
    began_ns: int
    known: Known = Known()
    in_force: Mapping[str, Accepted] = field(default_factory=dict)  # the calibrations, by name
    seen: Mapping[str, int] = field(default_factory=dict)  # the versions that were believed in earlier lives
    scale: ScaleLearnt | None = None  # how far it is from eye to eye, by an earlier life


def recovered(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> Known:
    """Read kind and body of journal entries, oldest first; only the last word on an item counts.

    An end stands at its dark edge. The light one behind it ends nothing and may have been heard: it is not waited for.
    """
    bodies: dict[str, Mapping[str, Any]] = {}
    dispositions: dict[str, Disposition] = {}
    newest: Mapping[str, Any] | None = None  # item, in the order of their births
    born: set[str] = set()
    seen: dict[str, tuple[int | None, int]] = {}  # eye → life of the PLC, and the next dark edge
    for kind, body in entries:
        if kind == "Item":
            bodies[body["item_id"]] = body
            if body["item_id"] not in born or (newest and newest["item_id"] == body["item_id"]):
                newest = body  # an older one may be written once more
            born.add(body["item_id"])
        elif kind == "Verdict":
            dispositions[body["item_id"]] = Disposition(body["disposition"])
        elif kind == "ItemEnd":
            boot = bodies.pop(body["item_id"], {}).get("boot")
            dispositions.pop(body["item_id"], None)
            if body["eye"]:
                seen[body["eye"]] = (boot, body["edge_seq"] + 2)
    if newest is None:
        return Known()
    items = tuple(item_of(body) for body in bodies.values())
    eyes = {eye: seq for eye, (boot, seq) in seen.items() if boot == newest["boot"]}
    return Known(newest["boot"], {"induct": _next_seq(newest), **eyes}, items, dispositions)


def still_announced(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[Announcement, ...]:
    """Announcements with a place on the belt that no item has joined; kind and body of entries, oldest first."""
    waiting: dict[str, Announcement] = {}
    for kind, body in entries:
        expected = expected_of_entry(body.get("expected"))
        if kind == "Item" and expected:
            waiting.pop(expected.wms_item, None)
        elif kind == "Announcement" and expected and expected.scan_counts is not None:
            waiting[expected.wms_item] = Announcement(expected, body["boot"])
    return tuple(waiting.values())


def heard_of(entries: Iterable[tuple[str, Mapping[str, Any]]]) -> tuple[tuple[str, int | None], ...]:
    """The last announcements that were written down: a broker that does not know that may say them again."""
    orders = [body["expected"] for kind, body in entries if kind == "Announcement"]
    return tuple((one["wms_item"], one["scan_counts"]) for one in orders[-HEARD:])


def _next_seq(newest: Mapping[str, Any]) -> int:
    """Behind the youngest item's edges: its dark one, and its light one where it was measured."""
    seq: int = newest["edge_seq"]
    return seq + (1 if newest["length_mm"] is None else 2)


def item_of(body: Mapping[str, Any]) -> Item:
    """An item as the journal holds it; keys of another version are left out."""
    known = {one.name for one in fields(Item)}
    kept = {name: value for name, value in body.items() if name in known}
    return Item(**{**kept, "expected": expected_of_entry(body.get("expected"))})


def expected_of_entry(body: Mapping[str, Any] | None) -> Expected | None:
    """An order as the journal holds it."""
    if body is None:
        return None
    expiry = date.fromisoformat(body["expiry"]) if body["expiry"] else None
    attributes = tuple((name, value) for name, value in body["attributes"])
    return Expected(**{**body, "expiry": expiry, "attributes": attributes})
