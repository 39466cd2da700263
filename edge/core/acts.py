"""What named persons had the lane do: each act is remembered by itself, whatever comes of it."""

from __future__ import annotations

from edge.core.messages import BeltReading, PersonActed


def acts(reading: BeltReading) -> tuple[PersonActed, ...]:
    """Of one reading, in the order in which the lane sees to them."""
    told = (
        *((one.by, "clear", one.what) for one in reading.clearings),
        *((one.by, "hold", one.why) for one in reading.holds),
        *((one.by, "challenge", " ".join((one.test, *one.items))) for one in reading.challenges),
        *((one.by, "fire", f"{one.times} times, test {one.test}") for one in reading.fire_tests),
        *((one.by, "release", one.hold_id) for one in reading.releases),
    )
    return tuple(PersonActed(by, what, why, reading.read_ns) for by, what, why in told)
