"""The warehouse: announces each item when its scanner sees it, takes requests for replacements, and holds of lots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edge.core.messages import Expected
from edge.core.topics import INDUCT, LOT_HOLD, LOT_HOLD_ACK, REPLACEMENT, REPLACEMENT_ACK
from edge.core.wire import expected_fields
from edge.simulator.mqtt import Party, Received
from edge.simulator.plan import PlannedItem

TOPICS = (REPLACEMENT, LOT_HOLD)


@dataclass(slots=True)
class Requested:
    """A request for a replacement, and how often it came."""

    item: str
    order_line: str | None
    times: int = 0


@dataclass(slots=True)
class LotHeld:
    """A lot that is to stop, and how often that was said."""

    gtin: str
    lot: str | None
    because: str
    order_lines: list[str]
    times: int = 0


class Warehouse:
    """The warehouse system on MQTT."""

    def __init__(self, party: Party, items: Sequence[PlannedItem]) -> None:
        self.requests: dict[str, Requested] = {}  # by request id
        self.holds: dict[str, LotHeld] = {}  # by request id
        self._party = party
        self._items = items

    def announce(self, index: int, scan_counts: int) -> None:
        """Say what the item is that the scanner has just seen."""
        item = self._items[index]
        expected = Expected(
            wms_item=item.wms_item,
            gtin=item.gtin,
            order_line=item.order_line,
            lot=item.lot,
            expiry=item.expiry,
            seller=item.seller,
            scan_counts=scan_counts,
        )
        self._party.publish(INDUCT, expected_fields(expected))

    def answer(self) -> None:
        """Acknowledge the requests that have come, each time they come."""
        for message in self._party.received():
            (self._hold if message.topic is LOT_HOLD else self._accept)(message)

    def _accept(self, message: Received) -> None:
        fields = message.fields
        request = self.requests.setdefault(fields["request"], Requested(fields["item"], fields.get("order_line")))
        request.times += 1
        self._party.publish(REPLACEMENT_ACK, {"request": fields["request"], "status": "accepted"})

    def _hold(self, message: Received) -> None:
        fields = message.fields
        told = LotHeld(fields["gtin"], fields.get("lot"), fields["because"], fields["order_lines"])
        self.holds.setdefault(fields["request"], told).times += 1
        self._party.publish(LOT_HOLD_ACK, {"request": fields["request"], "status": "accepted"})
