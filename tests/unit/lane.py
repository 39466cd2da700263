"""A small lane for unit tests: 10 counts a millimetre, 500 mm/s, gate at 1500 mm."""

from datetime import date

from edge.core.belt import Geometry
from edge.core.messages import BeltReading, Evidence, Expected, Item, PhotoeyeEdge

MS = 1_000_000
GEOMETRY = Geometry(
    counts_per_mm=10,
    cameras_mm={"top": 400, "side": 500},
    view_mm=400,
    gate_mm=1500,
    confirm_mm=1700,
    exit_mm=1750,
    scanner_mm=100,
    lead_ms=100,
    margin_mm=30,
    tolerance_mm=60,
    patience_mm=300,
    typical_length_mm=200,
)
EXPECTED = Expected("w1", "04000000000017", "order-1", lot="L1", expiry=date(2027, 3, 12))


def dark(counts, seq=0):
    return PhotoeyeEdge(seq, counts, dark=True)


def light(counts, seq=0):
    return PhotoeyeEdge(seq, counts, dark=False)


def reading(counts=0.0, *, at_ms=0, speed=500.0, **said):
    return BeltReading(at_ms * MS, counts, speed, **said)


def item(item_id="i-1", at_counts=0, expected=EXPECTED, length_mm=200.0):
    return Item(item_id, 0, at_counts, length_mm, expected)


def evidence(check="anomaly", camera="top", *, item_id="i-1", valid=True, **found):
    return Evidence(item_id, "f-1", camera, check, because=f"{check} looked", valid=valid, **found)
